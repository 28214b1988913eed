"""Writes the demo county: county.toml, raw exports, and the answer key outside the folder that a pipeline reads; refuses nothing."""

from __future__ import annotations

from dataclasses import replace
from importlib import resources
from pathlib import Path

import numpy as np
import pandas as pd

from demo_county.bundle import Bundle
from demo_county.calls import draw_calls
from demo_county.exports import csv_bytes
from demo_county.form_files import add_census, add_residents, add_staff
from demo_county.ledger_files import add_calls, add_cases, add_needs, add_plain, add_with_towns
from demo_county.ledgers import documents, org_roster, planted_values, town_ledgers, unit_check
from demo_county.population import make_population, true_values
from demo_county.realised import reform_values
from demo_county.reform_files import add_reform, reform_ledgers
from demo_county.residents import draw_villages
from demo_county.staff import draw_departments, draw_leaders
from demo_county.truths import Truths
from huying.ledgers import TABLES
from huying.store import write_bytes

KEY = ["file", "row", "kind", "column", "true"]
STREAM = 3  # chosen so that in the committed county (seed 2023) no town happens to lie far from its truth
STEPS, REFORM = 10, 11  # streams of their own: what was planted first keeps its draws
PERIOD = {"need_counts": "2022"}  # of a ledger whose file does not name it


def write_demo(folder: str | Path, key_folder: str | Path, seed: int = 2023, truths: Truths | None = None) -> None:
    """The whole demo county under `folder` and its answer key under `key_folder`; the same seed gives the same bytes."""
    bundle, values = build_demo(seed, truths)
    for name, content in bundle.files.items():
        write_bytes(Path(folder) / name, content)
    for name, frame in (("answer_key.csv", pd.DataFrame(bundle.key, columns=KEY)), ("truths.csv", values)):
        write_bytes(Path(key_folder) / name, csv_bytes(list(frame.columns), frame))


def build_demo(seed: int, truths: Truths | None = None) -> tuple[Bundle, pd.DataFrame]:
    """The files and the answer key, and the true values (columns: town_id, wave, indicator, value)."""
    rng = np.random.default_rng([seed, STREAM])
    waves = [make_population(seed, wave, truths) for wave in ("2023", "2024")]
    first, planted = waves[0], waves[0].truths
    bundle, drawn = Bundle(planted, rng), draw_villages(first, rng)
    for population in waves:
        villages = drawn if population is first else draw_villages(population, rng, drawn)
        add_residents(bundle, population, villages, clones=population is first)
        add_staff(bundle, population.wave)
    calls, roster = draw_calls(planted, rng), org_roster(planted)
    leaders, changes = draw_leaders(planted, rng)
    add_census(bundle, "leader", leaders)
    add_census(bundle, "department", draw_departments(planted, calls, rng))
    for name, frame in town_ledgers(first, drawn).items():
        add_plain(bundle, name, frame)
    add_plain(bundle, "org_map", planted.org_map.assign(valid_from=roster["established_on"].iloc[0]))
    add_with_towns(bundle, "org_roster", roster)
    values = [true_values(population) for population in waves]
    for population in waves:
        check = unit_check(planted, population.wave, rng)
        add_with_towns(bundle, "unit_check", check, f"unit_check_{population.wave}")
        values.append(planted_values(planted, population.wave, check, roster))
    add_with_towns(bundle, "documents", documents(planted, rng), encoding="gb18030")
    add_needs(bundle)
    add_calls(bundle, calls)
    cases = add_cases(bundle, calls, np.random.default_rng([seed, STEPS]))
    later = replace(bundle, rng=np.random.default_rng([seed, REFORM]))
    ledgers = reform_ledgers(later, first, changes)
    add_reform(later, ledgers)
    values.append(reform_values(ledgers, cases, first.towns.set_index("town_id")["pop"]))
    report = resources.files("demo_county").joinpath("data/report.txt")
    parts = [*sections(planted, ledgers), *(['[report]\nfile = "report.txt"\n'] if report.is_file() else [])]
    bundle.files["county.toml"] = declaration(planted, list(bundle.files), parts).encode()
    if report.is_file():
        bundle.files["report.txt"] = report.read_bytes()
        bundle.files["quotes.toml"] = report.with_name("quotes.toml").read_bytes()
    return bundle, pd.concat(values, ignore_index=True)


def sections(truths: Truths, ledgers: dict[str, pd.DataFrame]) -> list[str]:
    """The sections [printed], the numbers that the county's report prints, and [campaign], where there was one."""
    plan, told = truths.features["plan"], truths.features["residents"]
    posts, towns = plan["posts"], plan["towns"]
    percent = round(100 * towns["psu"] / posts["psu"], 1)
    printed = (f"[printed]\nA13 = {{ admin_total = {posts['admin']}, admin_towns = {towns['admin']}, psu_total = {posts['psu']}, "
               f"psu_towns = {towns['psu']} }}\nA14 = {{ percent = {percent}, towns = {towns['psu']} }}\n"
               f"D10 = {len(ledgers['bank_points'])}\n")  # fmt: skip
    names = ", ".join(f'"{town}"' for town in told["campaign"])
    return [printed, *([f"[campaign]\ntowns = [{names}]\non = {told['campaign_on']}\n"] if names else [])]


def declaration(truths: Truths, written: list[str], more: list[str]) -> str:
    """county.toml: what the demo county always says, `more` sections, its waves and periods, and the files that were written."""
    parts = [resources.files("demo_county").joinpath("data/county_head.toml").read_text("utf-8"), *more]
    for wave, days in truths.waves.groupby("wave"):
        span = f"from = {days['field_from'].min()}\nto = {days['field_to'].max()}\n"
        as_of = pd.Timestamp(days["field_to"].max()) + pd.Timedelta(days=3)
        parts.append(f"[wave.{wave}]\n{span}\n[period.{wave}]\n{span}as_of = {as_of:%Y-%m-%d}\n")
    for file in written:
        name = Path(file).stem
        form, _, rest = name.partition("_")
        if rest.endswith("text"):
            reader = f'reader = "wjx"\ntext = "{file}"\nnumber = "{file.replace("_text.", "_number.")}"\n'
            parts.append(f'[[survey]]\nform = "{form[:-1]}"\nwave = "{rest[:4]}"\n{reader}')
        elif file.endswith(".sav"):
            parts.append(f'[[survey]]\nform = "{form}"\nwave = "{rest}"\nreader = "spss"\nfile = "{file}"\n')
        elif not rest.endswith("number"):
            table = max((t for t in TABLES if name == t or name.startswith(f"{t}_")), key=len)
            period = PERIOD.get(table, name[len(table) + 1 :])
            parts.append(
                f'[[ledger]]\ntable = "{table}"\nfile = "{file}"\n' + (f'period = "{period}"\n' if period else "")
            )
    return "\n".join(parts)
