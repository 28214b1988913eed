"""Small faults put into the library, one at a time: does a test of that room notice? Exits 1 where fewer than 85% are noticed.

A fault is one change at a place of the syntax tree: another operator, a dropped `not`, branch, condition or statement, True for
False, a constant one higher or twice as large. It is written into a copy of `src`; the working tree stays as it is. Left alone,
because no test should notice: annotations, decorators, messages (in `raise`, `say`, an f-string or `__repr__`), numbers and
constants of charts, keywords that only check, lay out or number rows, tolerances below 1e-6, a loop's early end, what warms a
process up, imports for types alone; and what fails at once whoever looks, such as `-` between texts. A comparison moves by one
step where it meets a whole number and is turned round elsewhere, for measured values seldom meet. A test that does not end has
noticed.
Run: python benchmarks/mutants.py --seed 1 --count 45 [--rooms claims clean] [--workers 2] [--only claims/judged.py:61]
"""

import argparse
import ast
import contextlib
import itertools
import os
import queue
import random
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
SRC = ROOT / "src" / "huying"
AT_LEAST, LIMIT_S = 0.85, 120  # seconds of the processor; on the clock five times as many, for the machine may be busy
# A room, modules of it, and the tests that should notice, the near and fast ones first.
ROOMS = (
    ("statistics", "weights.py", "unit/test_weights.py unit/test_samples.py oracle/test_estimates.py"),
    ("statistics", "design.py", "unit/test_estimate_edges.py oracle/test_intervals.py oracle/test_estimates.py unit/test_regressions.py unit/test_survey.py"),
    ("statistics", "estimates.py", "unit/test_estimate_edges.py oracle/test_intervals.py oracle/test_estimates.py unit/test_regressions.py unit/test_survey.py"),
    ("statistics", "intervals.py", "oracle/test_intervals.py oracle/exact"),
    ("statistics", "measures/precision.py", "unit/test_small_areas.py oracle/small unit/test_measures_next_wave.py unit/test_measures_small_area_shares.py"),
    ("statistics", "waiting.py counted.py", "unit/test_waiting_by_hand.py oracle/test_waiting.py unit/test_census.py unit/test_counties.py"),
    ("statistics", "survey*.py", "unit/test_waves.py unit/test_survey.py unit/test_census.py unit/test_shortfalls.py unit/test_counties.py unit/test_leaders_hidden.py"),
    ("statistics", "associations.py", "unit/test_regressions.py oracle/associations unit/test_survey.py"),
    ("statistics", "scales.py", "oracle/scales"),
    ("claims", "claims/[de]*.py", "unit/test_claims.py spec/test_evidence_ledger.py unit/test_claims_gathered.py spec/test_verdicts.py unit/test_counties.py"),
    ("claims", "claims/rules.py", "spec/test_counted_verdicts.py spec/test_verdicts.py unit/test_claims_gathered.py spec/test_evidence_ledger.py unit/test_counties.py"),
    ("claims", "claims/[sv]*.py", "unit/test_claims_gathered.py unit/test_claims.py spec/test_verdicts.py unit/test_counties.py"),
    ("clean", "clean/[acf]*.py", "unit/test_clean_cells.py unit/test_clean_flags.py unit/test_clean_answers.py unit/test_samples.py"),
    ("clean", "clean/intake.py clean/ledgers.py", "unit/test_clean_ledgers.py unit/test_ledger_rules.py unit/test_clean_intake.py unit/test_no_false_number.py unit/test_nothing_stale.py"),
    ("charts", "charts/*.py", "unit/test_charts.py"),
    ("batch", "store.py prepare.py", "unit/test_store.py unit/test_prepare.py unit/test_nothing_stale.py unit/test_batch_plan.py"),
    ("batch", "notebooks.py", "unit/test_batch_plan.py unit/test_pages.py"),
    ("batch", "batch/cluster.py", "unit/test_cluster.py"),
    ("batch", "batch/[!wpc]*.py", "unit/test_batch_plan.py unit/test_batch.py"),
)  # fmt: skip
OTHER = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.Pow: ast.Mult, ast.FloorDiv: ast.Mult,
         ast.Mod: ast.Mult, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd, ast.And: ast.Or, ast.Or: ast.And,
         ast.Lt: ast.GtE, ast.GtE: ast.Lt, ast.Gt: ast.LtE, ast.LtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
         ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is}  # fmt: skip
STEPS = {ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt}
WHOLE = re.compile(r"-?\d+|len\(.*\)")
# Texts, lists, dicts and classes, between which no other operator works.
WITHOUT_OTHER = re.compile(r"""f?['"]|[\[{(]|None|[A-Z]\w*[a-z]|.*\b(say|join|list|dict)\(""")
SAID = re.compile(r"(.*\.)?(say|fail|warn|told|print|Place|\w*Error|tick_params|margins|set_visible|set_axis_off)")
LEFT_ALONE = {"annotation", "returns", "decorator_list", "strict", "copy", "stacklevel", "ensure_ascii", "indent", "axis", "frozen",
              "ignore_index", "__repr__", "_repr_html_"}  # fmt: skip
PYTEST = ("-m", "pytest", "-xq", "-rfE", "--tb=no", "-m", "not slow", "-p", "no:cacheprovider")
Part = tuple[ast.expr | ast.stmt, str]


@dataclass(frozen=True)
class Fault:
    """Another text for the bytes of a module from `start` to `end`."""

    room: str
    tests: str
    path: Path
    start: int
    end: int
    new: str
    place: str  # file:line
    told: str


def is_left_alone(node: ast.AST) -> bool:
    match node:
        case ast.Raise() | ast.JoinedStr() | ast.If(body=[ast.Break()]) | ast.If(test=ast.Name(id="TYPE_CHECKING")):
            return True
        case ast.Call():
            return bool(SAID.fullmatch(ast.unparse(node.func)))
        case ast.keyword(arg=name) | ast.FunctionDef(name=name):
            return name in LEFT_ALONE
    return False


def walk(node: ast.AST) -> Iterator[ast.AST]:
    yield node
    for field, value in ast.iter_fields(node):
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST) and field not in LEFT_ALONE and not is_left_alone(child):
                yield from walk(child)


def find_parts(node: ast.AST, has_numbers: bool) -> Iterator[Part]:
    """The parts of a node that may be at fault, and how they would read then."""

    def altered(**fields: object) -> Part:
        return node, f"({ast.unparse(type(node)(**{**vars(node), **fields}))})"

    match node:
        case ast.Compare():
            for k, op in enumerate(node.ops):
                is_step = any(WHOLE.fullmatch(ast.unparse(side)) for side in [node.left, *node.comparators][k : k + 2])
                other = STEPS[type(op)] if is_step and type(op) in STEPS else OTHER[type(op)]
                yield altered(ops=[*node.ops[:k], other(), *node.ops[k + 1 :]])
        case ast.BinOp(left=left, right=right, op=op):
            if type(op) in OTHER and not any(WITHOUT_OTHER.match(ast.unparse(side)) for side in (left, right)):
                yield altered(op=OTHER[type(op)]())
        case ast.AugAssign(op=ast.Add() | ast.Sub()) if not WITHOUT_OTHER.match(ast.unparse(node.value)):
            yield node, altered(op=OTHER[type(node.op)]())[1][1:-1]
        case ast.BoolOp():
            yield altered(op=OTHER[type(node.op)]())
        case ast.UnaryOp(op=ast.Not() | ast.USub() | ast.Invert()):
            yield node, f"({ast.unparse(node.operand)})"
        case ast.Constant(value=bool()):
            yield node, str(not node.value)
        case ast.Constant(value=int() | float() as number) if has_numbers and not 0 < number < 1e-6:
            yield node, str(number + 1 if isinstance(number, int) else number * 2 or 1.0)
        case ast.IfExp():
            yield from ((node, f"({ast.unparse(part)})") for part in (node.body, node.orelse))
        case ast.If():
            yield node.test, "False"
        case ast.comprehension():
            yield from ((condition, "True") for condition in node.ifs if ":=" not in ast.unparse(condition))
        case ast.Expr(value=ast.Call()) if not is_left_alone(node.value):
            yield node, "pass"


def find_faults(room: str, modules: str, tests: str) -> Iterator[Fault]:
    for path in (path for pattern in modules.split() for path in sorted(SRC.glob(pattern))):
        lines = (text := path.read_bytes()).splitlines(keepends=True)
        begins = [sum(map(len, lines[:k])) for k in range(len(lines))]
        for top in (top for top in ast.parse(text).body if room != "charts" or hasattr(top, "body")):
            for part, new in (found for node in walk(top) for found in find_parts(node, room != "charts")):
                start = begins[part.lineno - 1] + part.col_offset
                end = begins[part.end_lineno - 1] + part.end_col_offset
                old, line = (" ".join(some.decode().split()) for some in (text[start:end], lines[part.lineno - 1]))
                place = f"{path.relative_to(SRC)}:{part.lineno}"
                yield Fault(room, tests, path, start, end, new, place, f"{old:.70}  ->  {new:.70}   in: {line:.90}")


def draw(faults: list[Fault], seed: int, count: int, rooms: list[str]) -> Iterator[Fault]:
    """As many faults of each room, at most one a line; the same for the same seed and library."""
    for turn, room in enumerate(rooms):
        own = [fault for fault in faults if fault.room == room]
        random.Random(f"{seed} {room}").shuffle(own)
        yield from list({fault.place: fault for fault in own}.values())[: (count + len(rooms) - 1 - turn) // len(rooms)]


def run_tests(src: Path, tests: list[str]) -> str:
    """The first test that fails under this copy of the library, empty where none does; in CI hypothesis leaves nothing to chance."""
    home, how = src.parent, {"cwd": ROOT, "capture_output": True, "text": True, "timeout": 5 * LIMIT_S}
    own = {"PYTHONPATH": str(src), "HUYING_RESULTS": f"{home}/results", "TMPDIR": str(home), "CI": "true"}
    limited = ["sh", "-c", f'ulimit -t {LIMIT_S}; exec "$@"', "sh", sys.executable]
    command = [*limited, *PYTEST, f"--basetemp={home}/tmp", *(f"tests/{test}" for test in tests)]
    with contextlib.suppress(subprocess.TimeoutExpired):
        done = subprocess.run(command, env={**os.environ, **own}, **how)
        named = re.search(r"^(?:FAILED|ERROR) tests/(.+?)(?: - |$)", done.stdout, re.M)
        if named or done.returncode >= 0:
            return named[1] if named else "no test begins" if done.returncode else ""
    return "no end"


def try_fault(fault: Fault, copies: queue.Queue[Path]) -> str:
    """Which test notices the fault in a free copy of the library, empty where none does; prints it."""
    src, text = copies.get(), fault.path.read_bytes()
    file = src / fault.path.relative_to(SRC.parent)
    file.write_bytes(text[: fault.start] + fault.new.encode() + text[fault.end :])
    noticed = run_tests(src, fault.tests.split())
    file.write_bytes(text)
    copies.put(src)
    print(f"{fault.room:10} {fault.place:26} {fault.told}   {noticed or 'SURVIVED'}", flush=True)
    return noticed


def main() -> int:
    rooms = list(dict.fromkeys(room for room, _, _ in ROOMS))
    parser = argparse.ArgumentParser(description="Small faults, one at a time: does a test notice?")
    for name, value in (("seed", 1), ("count", 45), ("workers", 1)):
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--rooms", nargs="+", choices=rooms, default=rooms)
    parser.add_argument("--only", help="every fault whose file:line holds this text, none drawn")
    asked = parser.parse_args()
    if gone := [test for *_, tests in ROOMS for test in tests.split() if not (ROOT / "tests" / test).exists()]:
        parser.error(f"no such tests: {gone}")
    faults = [fault for row in ROOMS for fault in find_faults(*row)]
    own = [fault for fault in faults if asked.only and asked.only in fault.place]
    chosen = own or list(draw(faults, asked.seed, asked.count, asked.rooms))
    print(f"{len(chosen)} of {len(faults)} possible faults, seed {asked.seed}", flush=True)
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(asked.workers) as pool:
        copies: queue.Queue[Path] = queue.Queue()
        for worker in range(asked.workers):
            copies.put(Path(shutil.copytree(SRC.parent, Path(folder) / str(worker) / "src")))
        noticed = list(pool.map(lambda fault: try_fault(fault, copies), chosen))
        whole, named = copies.get(), sorted({test for test in noticed if ".py" in test})
        # A file alone, as it may be where a fault is.
        for _, tests in itertools.groupby(named, lambda test: test.partition("::")[0]):
            if failed := run_tests(whole, [*tests]):
                print(f"{failed} fails without any fault")
                return 2
    for room in [*rooms, "all"]:
        if seen := [bool(test) for test, fault in zip(noticed, chosen, strict=True) if room in ("all", fault.room)]:
            print(f"{room:10} {sum(seen):3} of {len(seen):3} noticed ({sum(seen) / len(seen):.0%})")
    return 0 if sum(map(bool, noticed)) >= AT_LEAST * len(noticed) else 1


if __name__ == "__main__":
    sys.exit(main())
