"""Which definitions of the house a notebook can reach, read from the sources without running them; refuses to hash what it cannot parse.

A module is cut into its top-level definitions; a notebook reaches those that its names lead to, transitively. Two borders:
what the county step computes reaches a notebook only as a stored number, and a figure is reached when it is drawn.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from huying.store import file_hash, hash_of

PACKAGE, NOTEBOOK = "huying", "<notebook>"
BORDER = ("huying.batch", "huying.gallery:FIGURES")
NOTED = ("claims.toml", "indicators.toml")  # data whose entries are noted one by one when they are read
Unit = tuple[str, str]  # module, name of a top-level definition; the rest of the module under ""


class Module:
    """The top-level definitions of one source, and what its imports call by which name."""

    def __init__(self, tree: ast.Module) -> None:
        self.units, self.imports = defaultdict[str, list[ast.AST]](list), dict[str, tuple[str, str]]()
        for node in without_docstrings(tree).body:
            self.imports |= dict(imported(node))
            for name in () if isinstance(node, ast.Import | ast.ImportFrom) else defined(node):
                self.units[name].append(node)


def without_docstrings(tree: Any) -> Any:
    """The tree without texts that only explain."""
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if (
            isinstance(body, list)
            and body
            and isinstance(body[0], ast.Expr)
            and isinstance(body[0].value, ast.Constant)
        ):
            setattr(node, "body", body[1:])  # noqa: B010 - typed as a node without one
    return tree


def defined(node: ast.AST) -> list[str]:
    """The names that a top-level statement defines; an empty one for what only runs."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return [node.name]
    if isinstance(node, ast.Assign | ast.AnnAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        return [name.id for target in targets for name in ast.walk(target) if isinstance(name, ast.Name)] or [""]
    return [""]


def imported(node: ast.AST) -> Iterator[tuple[str, tuple[str, str]]]:
    """The names that a statement imports, anywhere inside it: (alias, (module, name or nothing))."""
    for part in ast.walk(node):
        if isinstance(part, ast.Import):
            for alias in part.names:
                yield (
                    alias.asname or alias.name.split(".")[0],
                    (alias.name if alias.asname else alias.name.split(".")[0], ""),
                )
        elif isinstance(part, ast.ImportFrom) and part.module and not part.level:
            for alias in part.names:
                yield alias.asname or alias.name, (part.module, alias.name)


class Sources:
    """The modules below `roots` (first the folder that holds the package, then a notebook's), parsed when they are first needed."""

    def __init__(self, *roots: Path) -> None:
        self.roots, self._modules = roots, dict[str, Module | None]()
        self._leads, self._texts = dict[Unit, list[Unit]](), dict[Unit, tuple[list[str], set[str]]]()

    def module(self, name: str) -> Module | None:
        """A module by its dotted name, None where it is none of ours."""
        if name not in self._modules:
            ends = (f"{name.replace('.', '/')}.py", f"{name.replace('.', '/')}/__init__.py")
            files = [root / end for root in self.roots for end in ends if (root / end).is_file()]
            self._modules[name] = Module(ast.parse(files[0].read_text("utf-8"))) if files else None
        return self._modules[name]

    @cached_property
    def data(self) -> dict[str, Path]:
        """The package's data files by the end of their path, words and fonts apart: those are noted or hashed by themselves."""
        folder = self.roots[0] / PACKAGE / "data"
        return {file.name: file for file in sorted(folder.glob("*.toml")) if file.name not in NOTED}

    def reach(self, start: set[Unit]) -> set[Unit]:
        """Every definition that these lead to."""
        seen, waiting = set[Unit](), list(start)
        while waiting:
            unit = waiting.pop()
            if unit in seen or self._is_border(unit) or not (module := self.module(unit[0])):
                continue
            seen.add(unit)
            if unit not in self._leads:
                nodes = module.units.get(unit[1], ())
                self._leads[unit] = [(unit[0], ""), *(to for node in nodes for to in self.named(node, unit[0], module))]
            waiting += self._leads[unit]
        return seen

    def _is_border(self, unit: Unit) -> bool:
        return f"{unit[0]}:{unit[1]}" in BORDER or any(
            unit[0] == part or unit[0].startswith(f"{part}.") for part in BORDER
        )

    def named(self, node: ast.AST, home: str, module: Module) -> list[Unit]:
        """What the names in a statement stand for."""
        found: list[Unit] = []
        for part in ast.walk(node):
            chain = chain_of(part)
            if chain and (chain[0] in module.imports or chain[0] in module.units):
                found += self.resolved((home, chain[0]), chain[1:])
        return found

    def resolved(self, unit: Unit, rest: Sequence[str]) -> list[Unit]:
        """The definition behind a name and the attributes after it: through imports and packages; all of a module named bare."""
        module = self.module(unit[0])
        if module is None:
            return []
        if unit[1] in module.units and unit[1] not in module.imports:
            return [unit]
        owner, name = module.imports.get(unit[1], (unit[0], unit[1]))
        whole = f"{owner}.{name}" if name else owner
        if (inner := self.module(whole)) is not None:
            return self.resolved((whole, rest[0]), rest[1:]) if rest else [(whole, each) for each in inner.units]
        return self.resolved((owner, name), rest) if (owner, name) != unit else []

    def hashed(self, units: set[Unit]) -> str:
        """The sha256 of these definitions, without comments and layout, and of the data files that they name."""
        parts, texts = list[str](), set[str]()
        for unit in sorted(units):
            own, words = self._text(unit)
            parts += own
            texts |= words
        named = [file for end, file in self.data.items() if any(text.endswith(end) for text in texts)]
        return hash_of([*parts, *map(file_hash, named)])

    def _text(self, unit: Unit) -> tuple[list[str], set[str]]:
        """What a definition says, and the texts in it."""
        if unit not in self._texts:
            module = self.module(unit[0])
            nodes = module.units.get(unit[1], []) if module else []
            inner = [part.value for node in nodes for part in ast.walk(node) if isinstance(part, ast.Constant)]
            texts = {value for value in inner if isinstance(value, str)}
            self._texts[unit] = [f"{unit[0]}:{unit[1]}:{ast.dump(node)}" for node in nodes], texts
        return self._texts[unit]

    def of_code(self, code: str) -> str:
        """The hash of everything that a piece of code (a notebook's cells) can reach."""
        self._modules[NOTEBOOK] = cells = Module(ast.parse(code))
        for known in (self._leads, self._texts):  # another notebook's cells have the same names
            for unit in [unit for unit in known if unit[0] == NOTEBOOK]:
                del known[unit]
        return self.hashed(self.reach({(NOTEBOOK, name) for name in cells.units}))

    def of_figure(self, name: str) -> str:
        """The hash of what draws a figure, empty where there is none of that name."""
        found = [ast.dump(value) for _, _, value in self._entries(name)]
        return hash_of([*found, self.hashed(self.figure_units(name))]) if found else ""

    def figure_units(self, name: str) -> set[Unit]:
        """The definitions that a figure leads to."""
        return self.reach(
            {unit for home, module, value in self._entries(name) for unit in self.named(value, home, module)}
        )

    def _entries(self, name: str) -> Iterator[tuple[str, Module, ast.AST]]:
        """The entry of a figure in a module of the gallery."""
        for file in sorted((self.roots[0] / PACKAGE / "gallery").glob("*.py")):
            home = f"{PACKAGE}.gallery.{file.stem}"
            if module := self.module(home):
                yield from (
                    (home, module, value) for key, value in entries(module.units.get("FIGURES", ())) if key == name
                )


def entries(nodes: Sequence[ast.AST]) -> Iterator[tuple[str, ast.AST]]:
    """Keys and values of the dicts that these statements write out."""
    for node in nodes:
        value = getattr(node, "value", None)
        if isinstance(value, ast.Dict):
            for key, part in zip(value.keys, value.values, strict=True):
                if isinstance(key, ast.Constant):
                    yield str(key.value), part


def chain_of(node: ast.AST) -> list[str]:
    """`a.b.c` as its names; empty where it is none."""
    names: list[str] = []
    while isinstance(node, ast.Attribute):
        names.append(node.attr)
        node = node.value
    return [node.id, *reversed(names)] if isinstance(node, ast.Name) else []
