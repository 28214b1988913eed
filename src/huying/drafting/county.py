"""A county's folder from an export that nobody has described: declaration, questionnaire, register of towns; changes nothing that is there."""

import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from huying.codebook import RESERVED, TAKEN, parse_codebook
from huying.drafting.columns import Question
from huying.drafting.questions import read_questions
from huying.folder import NAME, homes
from huying.kinds import clean_series, parse_instants
from huying.prepare import house_derived
from huying.scrub import mask_text
from huying.sources.exports import read_export
from huying.sources.table import RawTable
from huying.sources.wjx import read_meta, stem
from huying.store import toml_table, whole_folder, write_csv, write_text
from huying.weights import SEXES
from huying.words import CountyError, InputError, Text, all_words, language

TODO, TOWNS = "TODO.md", "towns.csv"
FORM, HOUSE = "resident", "house"
# What an item has as its question has it.
OWN = ("headers", "coded", "fill_in", "blank", "joint", "range", "missing", "missing_from")
_SEX = {"sex": ("性别", "您的性别", "你的性别", "gender", "sex"), "age": ("年龄", "您的年龄", "你的年龄", "age")}
_SEXES = dict(zip(("男", "女", "男性", "女性", "male", "female"), SEXES * 3, strict=True))


class Drafted(NamedTuple):
    """A drafted folder, its questions, and in words what could not be decided."""

    folder: Path
    n_items: int
    n_answers: int
    remarks: tuple[Text, ...]


def draft_county(
    name: str, export: Path, number: Path | None = None, *, weight: str = "", town: str = "", codebook: str = ""
) -> Drafted:
    """Make `survey_data/<name>/` from an export (and its twin by number), which are copied there.

    `weight` and `town` name columns of the export; `codebook="house"` takes the house's questionnaire. Raises CountyError for
    a name that is taken or is none, InputError for an export that cannot be read.
    """
    folder = new_folder(name)
    raw, labelled = read_export(export)
    for column, key in ((weight, "sources.no_weight_column"), (town, "new.no_town_column")):
        if column and column not in raw.text:
            raise InputError(key, raw.place, name=column, known=", ".join(map(str, raw.text)))
    if weight:
        check_weights(raw, weight)
    other = read_export(number)[0] if number else None
    questions = read_questions(raw, labelled, other, (weight, town)) if codebook != HOUSE else []
    register = towns_of(raw, town)
    if not questions and codebook != HOUSE:
        raise InputError("new.no_questions", raw.place)
    written = codebook_text(questions, town) if questions else ""
    parse_codebook(written)  # refuses names that a rule could not hold
    remarks = [*drafted_remarks(raw, questions), *([say_both("new.towns", n=len(register))] if town else [])]
    with whole_folder(folder) as made:
        files = {"export": export, **({"number": number} if number else {})}
        copies = [Path(shutil.copy2(file, made / f"{kind}_{mask_text(file.name)}")) for kind, file in files.items()]
        if written:
            write_text(made / "codebook.toml", written)
        if town:
            write_csv(made / TOWNS, register)
        write_text(made / TODO, "\n".join(f"- {text.zh}\n  {text.en}" for text in remarks) + "\n")
        write_text(made / "county.toml", county_text(name, raw, bool(labelled), copies, weight, bool(town)))
    return Drafted(folder, len(questions), len(raw.text), tuple(remarks))


def new_folder(name: str) -> Path:
    """Where the county's folder will be, in `survey_data` here or above, else in a new one here; raises CountyError for a name that is taken or is none."""
    folder = next(filter(Path.is_dir, homes()), homes()[0]) / name
    if not NAME.fullmatch(name):
        raise CountyError("new.bad_name", name=name)
    if folder.exists():
        raise CountyError("new.exists", folder=str(folder))
    return folder


def check_weights(raw: RawTable, column: str) -> None:
    """Raise InputError where most weights are no positive number: the column is another one."""
    typed = raw.text[column]
    if (bad := ~(pd.to_numeric(typed, errors="coerce") > 0)).mean() > 0.5:
        row = int(bad.index[bad][0])
        raise InputError("new.bad_weights", raw.place, name=column, n=int(bad.sum()), row=row, value=typed[row])


def towns_of(raw: RawTable, column: str) -> pd.DataFrame:
    """A register of the towns that a column names, in the order in which they come."""
    names = [name for name in dict.fromkeys(clean_series(raw.text[column])) if name] if column else []
    ids = [f"T{n:02d}" for n, _ in enumerate(names, 1)]
    kinds = ["street" if re.search("街道|社区", name) else "town" for name in names]
    return pd.DataFrame({"town_id": ids, "name_zh": names, "name_en": names, "type": kinds})


def drafted_remarks(raw: RawTable, questions: Sequence[Question]) -> list[Text]:
    """What a person should look at, question by question."""
    found = [say_both("new.dropped", columns=", ".join(raw.dropped))] if raw.dropped else []
    found.append(say_both("new.general" if questions else "new.house"))
    named = [(f"{name} ({q.title})", q) for name, q in zip(names_of(questions), questions, strict=True)]
    told = [(key, name, values) for name, question in named for key, values in question.remarks]
    found += [say_both(key, names=name, **values) for key, name, values in told if values]
    alike = dict.fromkeys(key for key, _, values in told if not values)
    return found + [say_both(one, names="; ".join(n for key, n, v in told if key == one and not v)) for one in alike]


def say_both(key: str, **values: Any) -> Text:
    """A sentence in both languages."""
    return Text(*(words.format(**values) for words in all_words()[key]))


# --- the files ---------------------------------------------------------------------------------------------------------


def county_text(name: str, raw: RawTable, is_labelled: bool, copies: list[Path], weight: str, has_towns: bool) -> str:
    """The declaration of the county."""
    sent, this_year = parse_instants(read_meta(raw)["submitted_at"]).dropna(), pd.Period.now("Y")
    first, last = (sent.min(), sent.max()) if len(sent) else (this_year.start_time, this_year.end_time)
    county = {"id": name, "name_zh": name, "name_en": name, "lang": language()}
    survey = {"form": FORM, "wave": str(first.year), "reader": "spss" if is_labelled else "wjx"}
    survey |= {"file" if is_labelled else "text": copies[0].name}
    survey |= {"number": copies[1].name} if copies[1:] else {}
    survey |= {"weight": weight} if weight else {}
    about = f"# {say_both('new.county_head').en}\n[county]"
    tables = [toml_table(about, {**county, "is_synthetic": False, "sampling": "convenience"})]
    wave = f'[wave."{first.year}"]\nfrom = {first:%Y-%m-%d}\nto = {last:%Y-%m-%d}\n'
    tables += [wave, toml_table("[[survey]]", survey)]
    tables += [toml_table("[[ledger]]", {"table": "towns", "file": TOWNS})] if has_towns else []
    return "\n".join(tables)


def codebook_text(questions: Sequence[Question], town: str) -> str:
    """The questionnaire: an item a question."""
    named = zip(names_of(questions), questions, strict=True)
    items = [item_text("town_asked", Question(None, town, [town], [""], type="single"), "town")] if town else []
    items += [item_text(name, question, role_of(question)) for name, question in named]
    return f"# {say_both('new.codebook_head').en}\n\n" + "\n".join(items)


def names_of(questions: Sequence[Question]) -> list[str]:
    """A name for each question: the variable's own, or `q` and the form's number, or its place."""
    numbers, names = [question.number for question in questions], []
    for place, question in enumerate(questions, 1):
        own = question.headers[0].lower()
        is_own = len(question.headers) == 1 and re.fullmatch(r"[a-z][a-z0-9_]*", own) and question.number is None
        is_alone = question.number and numbers.count(question.number) == 1
        names.append(own if is_own else f"q{question.number if is_alone else place}")
    reserved = {*RESERVED, *TAKEN, *(variable.name for variable in house_derived().values())}
    taken = [f"q_{name}" if name in reserved else name for name in names]
    clash = {name for name in taken if taken.count(name) > 1 or any(other.startswith(f"{name}_") for other in taken)}
    return [f"item{place}" if name in clash else name for place, name in enumerate(taken, 1)]


def role_of(question: Question) -> str:
    """`sex` or `age` where the wording says so."""
    found = next((role for role, words in _SEX.items() if stem(question.title).startswith(words)), "")
    is_sex = {stem(text) for _, text in question.options} <= set(_SEXES)
    return found if (found == "sex" and is_sex) or (found == "age" and question.type in ("whole", "single")) else ""


def item_text(name: str, question: Question, role: str) -> str:
    """One `[[item]]`: what is empty is left out."""
    rows = enumerate(question.parts, 1) if question.type.startswith("matrix") else ()
    keys = [_SEXES[stem(text)] if role == "sex" else f"o{code}".replace("-", "m") for code, text in question.options]
    options = zip(keys, question.options, strict=True)
    values: dict[str, Any] = {"id": name, "form": FORM, "type": question.type, **in_both(question.title), "role": role}
    values |= {key: getattr(question, key) for key in OWN}
    values |= {"options_from": "towns" if role == "town" else "", "unit": question.unit and in_both(question.unit)}
    values["rows"] = [{"id": str(n), **in_both(row or f"TODO {n}")} for n, row in rows]
    values["options"] = [{"key": key, "code": code, **in_both(text)} for key, (code, text) in options]
    head = [*(f"# {say_both(key, names=name, **told).en}" for key, told in question.remarks), "[[item]]"]
    return toml_table("\n".join(head), {key: value for key, value in values.items() if value})


def in_both(text: str) -> dict[str, str]:
    """A text whose translation is still to be made."""
    return dict.fromkeys(("zh", "en"), mask_text(text))
