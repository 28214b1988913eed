"""A form of the codebook for the field: XLSForm, a sheet to print, a text to paste into 问卷星, and the villages to go to.

The XLSForm, for KoboToolbox and ODK, holds both languages; an item that such a form cannot hold is named.
"""

import contextlib
import io
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import docx
import pandas as pd
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Cm, Pt, RGBColor

from huying.clean.answers import number_towns, with_list
from huying.clean.cells import YOUNGEST_TYPED
from huying.clean.intake import FIRST, Intake
from huying.codebook import Item, own_words
from huying.deliver import sampling
from huying.deliver.conditions import NUMBERS, Form, either
from huying.folder import County
from huying.prepare import codebook_of
from huying.store import beside, file_part, hash_of, plain, write_bytes
from huying.words import LANGUAGES, CountyError, HuyingError, Text, say

LISTS = (*FIRST, "org_roster", "documents")  # the ledgers that options are taken from
FONTS = {"zh": "宋体", "en": "Times New Roman"}
WIDEST = 7  # options of a matrix that fit beside its rows
SPACE = "\u00a0"  # keeps words together, also where 问卷星 would part the options of a matrix


def read_lists(county: County) -> Intake:
    """The county's questionnaire and the registers that it takes options from; one that cannot be read is left out."""
    intake = Intake(county, codebook_of(county))
    for entry in (entry for entry in intake.in_order() if entry.table in LISTS):
        with contextlib.suppress(HuyingError):
            intake.take_ledger(entry)
    return intake


def write_forms(county: County, intake: Intake, folder: Path, name: str = "") -> tuple[list[Path], list[str]]:
    """Write the form `name`, or every form that can be made; the files, and what was not made.

    Raises CountyError for a form that the codebook has not, or that was asked for and cannot be made.
    """
    files, faults = list[Path](), list[str]()
    known = list(dict.fromkeys(item.form for item in intake.book.items.values()))
    if name and name not in known:
        raise CountyError("questionnaire.no_form", form=name, known=", ".join(known))
    for one in [name] if name else known:
        try:
            files += write_form(asked(intake, one), county, intake, folder)
        except CountyError as error:
            if name:
                raise
            faults.append(say("questionnaire.not_made", form=say(f"labels.form_{one}"), why=error.say()))
    return files, faults


def asked(intake: Intake, name: str) -> Form:
    """A form with the county's lists among its options; raises CountyError for a list that is lacking."""
    items, towns = intake.items_of(name)
    names, made = {key: label for _, key, label in towns}, list[Item]()
    for item in items:
        own = [option.code for option in intake.book.items[item.id].options]
        if item.role == "town":
            item = with_list(item, {"towns": number_towns(items, list(names))})
            item = replace(item, options=tuple(replace(o, text=names.get(o.key, o.text)) for o in item.options))
        if item.options_from and len(item.options) == len(own) and 1 not in own:
            raise CountyError("questionnaire.no_list", item=item.id, list=item.options_from)
        made.append(item)
    return Form(name, made)


def write_form(form: Form, county: County, intake: Intake, folder: Path) -> list[Path]:
    """Write an XLSForm and, in each language, a form to print and a text to paste; the files."""
    titles = {lang: plain(title_of(county, form.name, lang)) for lang in LANGUAGES}
    villages = intake.ledgers.get(("villages", ""), pd.DataFrame(columns=["village_id", "name", "is_sampled"]))
    drawn = villages[villages["is_sampled"].fillna(False).astype(bool)]
    picked = villages[:0] if form.name != "resident" else drawn if len(drawn) else villages
    settings = {"form_title": titles[county.lang], "form_id": file_part(f"{county.id}_{form.name}")}
    settings["default_language"], files = LANGUAGE(county.lang), [folder / f"{form.name}_xlsform.xlsx"]
    write_xlsform(files[0], form, settings, dict(zip(picked["village_id"], picked["name"], strict=True)))
    for lang, title in titles.items():
        files += [folder / f"{form.name}_print_{lang}.docx", folder / f"{form.name}_wjx_{lang}.txt"]
        with beside(files[-2]) as temporary:
            to_print(form, title, lang).save(str(temporary))
        write_bytes(files[-1], plain("\n".join(to_paste(form, title, lang))).encode("utf-8-sig"))
    return files


def title_of(county: County, name: str, lang: str) -> str:
    """The heading of a form; of a synthetic county it says so."""
    title = say("questionnaire.title", lang, county=county.name(lang), form=say(f"questionnaire.of_{name}", lang))
    return title + (f" [{say('charts.synthetic', lang)}]" if county.is_synthetic else "")


def rules_of(form: Form, item: Item, lang: str) -> Iterator[str]:
    """What holds of an item, in words: who is asked, what may be answered, and where the form ends."""
    for row, text in item.rows if "*" in item.asked_if else [("", Text("", ""))]:
        if rule := form.in_words(item, "asked_if", lang, row):
            yield say(f"questionnaire.ask{'_row' * bool(row)}_if", lang, rule=rule, row=text(lang))
    told = list(dict.fromkeys(one for row, _ in item.rows or [("", "")] for one in form.limits(item, lang, row)))
    own = [option.text(lang) for option in item.options if option.code in item.fill_in]
    told += [say("questionnaire.own_words", lang, option=option) for option in own]
    told += [say("questionnaire.optional", lang)] if item.optional else []
    yield from [say("questionnaire.semicolon", lang).join(told)] if told else []
    if rule := form.in_words(item, "ends_if", lang):
        yield say("questionnaire.end_if", lang, rule=rule)


def to_paste(form: Form, title: str, lang: str) -> Iterator[str]:
    """The lines of a text that 问卷星 imports, and below them the rules to set by hand."""
    rules = list[str]()
    yield from (title, "", say("questionnaire.introduction", lang), "")
    for n, item in enumerate(form.items, 1):
        yield f"{n}. {' '.join(item.text(lang).split())}[{say(f'questionnaire.kind_{item.type}', 'zh')}]"
        options = [" ".join(option.text(lang).split()) for option in item.options]
        if item.is_matrix:
            yield " ".join(option.replace(" ", SPACE) for option in options)
            yield from (" ".join(text(lang).split()) for _, text in item.rows)
        else:
            yield from options
        yield ""
        more = [say("questionnaire.dropdown", lang)] if item.type == "dropdown" else []
        told = [*more, *rules_of(form, item, lang)]
        rules += [say("questionnaire.paste_rule", lang, n=n, item=item.id, rule=rule) for rule in told]
    yield from (say("questionnaire.paste_rules", lang), "", *(rules or [say("questionnaire.paste_none", lang)]), "")


def to_print(form: Form, title: str, lang: str) -> Any:
    """The form as a Word document: consent, notes for interviewers, and each question with its rule and its boxes."""
    paper = docx.Document()
    page, style = paper.sections[0], paper.styles["Normal"]
    page.page_width, page.page_height, page.left_margin, page.right_margin = Cm(21), Cm(29.7), Cm(2.2), Cm(2.2)
    style.font.size, style.paragraph_format.space_after = Pt(10.5), Pt(2)
    for named in (style, *(paper.styles[name] for name in ("Heading 1", "Heading 2", "Caption"))):
        named.font.name, named.font.color.rgb = FONTS["en"], RGBColor(0, 0, 0)
        named.element.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), FONTS["zh"])
    paper.styles["Caption"].font.bold, paper.styles["Caption"].font.italic = False, True
    paper.core_properties.title, foot = title, page.footer.paragraphs[0]
    foot.text, field = f"{title}  ", OxmlElement("w:fldSimple")
    field.set(qn("w:instr"), "PAGE")
    foot._p.append(field)
    paper.add_heading(title, 1)
    for key in ("fields", "consent", "introduction", "contact", "notes"):
        paper.add_paragraph(say(f"questionnaire.{key}", lang), "Heading 2" if key in ("consent", "notes") else None)
    for n in range(1, 6):
        paper.add_paragraph(say(f"questionnaire.note_{n}", lang), "List Number")
    for item in form.items:
        print_item(paper, form, item, lang)
    return paper


def print_item(paper: Any, form: Form, item: Item, lang: str) -> None:
    """One question: its number and words, its rules, and the boxes, lines or table for the answer."""
    head = paper.add_paragraph()
    head.paragraph_format.space_before = Pt(8)
    head.add_run(f"{form.number(item)}. {plain(item.text(lang))}").bold = True
    head.add_run(f"  [{say(f'questionnaire.kind_{item.type}', lang)} · {item.id}]").font.size = Pt(8)
    rules = [paper.add_paragraph(plain(rule), "Caption") for rule in rules_of(form, item, lang)]
    for line in (head, *rules):
        line.paragraph_format.keep_with_next = True
    is_wide = item.is_matrix and len(item.options) > WIDEST  # then codes are written down, and the options stand above
    shown = [(option.code, plain(option.text(lang))) for option in item.options]
    if shown and (is_wide or not item.is_matrix):
        box = "" if is_wide else {"multi": f"□{SPACE}", "ranking": f"____{SPACE}"}.get(item.type, f"○{SPACE}")
        paper.add_paragraph("　 ".join(f"{box}{code}{SPACE}{text}" for code, text in shown))
    elif not shown:
        paper.add_paragraph(f"____________________ {item.unit(lang) if item.unit else ''}")
    heads = [say("questionnaire.code", lang)] if is_wide else [text for _, text in shown]
    boxes = ["______"] if is_wide else [f"○ {code}" for code, _ in shown]
    lines = [[say("questionnaire.row", lang), *heads], *([plain(text(lang)), *boxes] for _, text in item.rows)]
    table = paper.add_table(len(lines) if item.is_matrix else 0, len(lines[0]), "Table Grid")
    for n, column in enumerate(table.columns):
        column.width = Cm(11 / len(heads) if n else 5.5)  # LibreOffice goes by the columns, Word by the cells
    for row, texts in zip(table.rows, lines, strict=False):
        row._tr.get_or_add_trPr().extend(
            [OxmlElement("w:cantSplit"), *([OxmlElement("w:tblHeader")] * (texts is lines[0]))]
        )
        for cell, text, column in zip(row.cells, texts, table.columns, strict=True):
            cell.text, cell.width = text, column.width


def write_sample(county: County, intake: Intake, file: Path, n: int, people: int, seed: int) -> list[Path]:
    """Write the villages to go to, a sheet in each language; no file where a register is not there.

    Raises CountyError where rows of the register of villages were set aside.
    """
    intake.check_lost("villages")
    if not {("villages", ""), ("towns", "")} <= set(intake.ledgers):
        return []
    sheets = {}
    for lang in LANGUAGES:
        drawn = sampling.sample(intake.ledgers["villages", ""], intake.ledgers["towns", ""], n, people, seed, lang)
        said = say("questionnaire.sample_note", lang, n=n, people=people, seed=seed)
        named = drawn.rename(columns={name: say(f"questionnaire.sample_{name}", lang) for name in drawn})
        sheets[lang] = ((plain(title_of(county, "sample", lang)), said), named)
    write_book(file, sheets)
    return [file]


# --- as an XLSForm -----------------------------------------------------------------------------------------------------

LANGUAGE = Text("中文 (zh)", "English (en)")
TYPES = {"multi": "select_multiple", "ranking": "rank", "whole": "integer", "number": "decimal"}
TYPES |= {"text": "text", "date": "date"}
RESERVED = ("start", "end", "meta", "data", "introduction")
TEXT_ONLY = dict.fromkeys(("strings_to_formulas", "strings_to_urls", "strings_to_numbers"), False) | {"in_memory": True}
Row = dict[str, Any]


def write_xlsform(file: Path, form: Form, settings: Mapping[str, str], villages: Mapping[str, str]) -> None:
    """Write the form with its sheets survey, choices and settings; `villages` can be picked by the interviewer."""
    survey = [*opening(villages), *(row for item in form.items for row in rows_of(form, item))]
    picks = {key: Text(*[f"{key} {name}"] * 2) for key, name in villages.items()}
    choices = [{"list_name": "village_id", "name": key, "label": label} for key, label in picks.items()]
    names = Counter(row.get("name", "") for row in survey)
    for item in form.items:
        own = [own_words(item, option)[0] for option in item.options if option.code in item.fill_in]
        for name in (name for name in (item.name, *own) if names[name] > 1 or name in RESERVED):
            raise CountyError("questionnaire.name_taken", item=item.id, name=name)
        keys = Counter(option.key for option in item.options)
        for key in (key for key, n in keys.items() if n > 1 or re.search(r"[\s'\"]", key)):
            raise CountyError("questionnaire.bad_choice", item=item.id, key=key)
        choices += [{"list_name": item.name, "name": option.key, "label": option.text} for option in item.options]
    version = hash_of(map(str, [*survey, *choices]))[:10]
    sheets = {"survey": survey, "choices": choices, "settings": [{**settings, "version": version}]}
    write_book(file, {name: ((), pd.DataFrame(map(spread, rows))) for name, rows in sheets.items()})


def write_book(file: Path, sheets: Mapping[str, tuple[tuple[str, ...], pd.DataFrame]]) -> None:
    """Write a workbook of tables, each below its lines; every text is text, so that nothing is a formula."""
    content = io.BytesIO()  # a full disk is then told by the one who writes, in one message
    with pd.ExcelWriter(content, engine="xlsxwriter", engine_kwargs={"options": TEXT_ONLY}) as book:
        for name, (lines, table) in sheets.items():
            table.to_excel(book, sheet_name=name, index=False, startrow=len(lines))
            for n, line in enumerate(lines):
                book.sheets[name].write_string(n, 0, line)
            book.sheets[name].freeze_panes(len(lines) + 1, 0)
            book.sheets[name].set_column(0, len(table.columns), 20)
    write_bytes(file, content.getvalue())


def spread(row: Row) -> dict[str, str]:
    """A row with a column for each language of its texts."""
    found = dict[str, str]()
    for key, value in row.items():
        in_both = isinstance(value, Text)
        found |= {f"{key}::{LANGUAGE(lang)}": plain(value(lang)) for lang in LANGUAGES} if in_both else {key: value}
    return found


def spoken(key: str) -> Text:
    """Words of the house in both languages."""
    return Text(*(say(f"questionnaire.{key}", lang) for lang in LANGUAGES))


def opening(villages: Mapping[str, str]) -> Iterator[Row]:
    """What stands before the questions: times, village and interviewer, and the words of consent."""
    yield from ({"type": name, "name": name} for name in ("start", "end"))
    if villages:
        pick = {"type": "select_one village_id", "name": "village_id", "appearance": "minimal autocomplete"}
        yield {**pick, "label": spoken("village")}
    yield {"type": "text", "name": "interviewer_id", "label": spoken("interviewer")}
    yield {"type": "note", "name": "introduction", "label": spoken("introduction")}


def rows_of(form: Form, item: Item) -> Iterator[Row]:
    """An item as rows: a question, a group of them for a matrix, and a text for each option with words of one's own.

    Who ended the form before is asked nothing more.
    """
    ends = [form.as_xpath(one, "ends_if") for one in form.items[: form.number(item) - 1]]
    kind, by_row = TYPES.get(item.type, "select_one"), item.is_matrix and "*" in item.asked_if
    asked = [*(f"not({end})" for end in ends if end), "" if by_row else form.as_xpath(item, "asked_if")]
    head = {"name": item.name, "label": item.text, "relevant": " and ".join(filter(None, asked))}
    need = {} if item.optional else {"required": "yes", "required_message": spoken("required")}
    answer = {"type": f"{kind} {item.name}" if item.options else kind, **need}
    if item.is_matrix:
        yield {"type": "begin group", **head, "appearance": "field-list"}
        for (row, text), column in zip(item.rows, item.columns, strict=True):
            rule = form.as_xpath(item, "asked_if", row) if by_row else ""
            yield {**answer, "name": column, "label": text, "relevant": rule, **limits(form, item, column, row)}
        yield {"type": "end group"}
        return
    yield {**answer, **head, "appearance": "minimal" * (item.type == "dropdown"), **limits(form, item, item.name)}
    for option in (option for option in item.options if option.code in item.fill_in):
        name, label = own_words(item, option)
        yield {"type": "text", "name": name, "label": label, "relevant": f"selected(${{{item.name}}}, '{option.key}')"}


def limits(form: Form, item: Item, column: str, row: str = "") -> Row:
    """What an answer must hold to, with the words that say so; raises CountyError for a rule about an answer that is not yet given."""
    must = list[str]()
    if item.range and item.type in NUMBERS:
        low = min(item.range[0], YOUNGEST_TYPED) if item.role == "age" else item.range[0]  # a child ends the form
        ends = ((low, item.range[1]), *item.missing_from)
        spans = [f"(. >= {first:.15g} and . <= {last:.15g})" for first, last in ends]
        must.append(either([*spans, *(f". = {code}" for code in item.missing)]))
    if item.type == "multi":
        must += [f"count-selected(.) <= {item.max_choices}"] if item.max_choices else []
        alone = [option.key for option in item.options if option.code in item.exclusive]
        must += [f"not(selected(., '{key}') and count-selected(.) > 1)" for key in alone]
    if rule := form.read(item, "contradicts", row):
        if late := [name for name in rule.columns if form.number(form.cells[name][0]) > form.number(item)]:
            told = {"item": item.id, "rule": item.contradicts, "name": form.cells[late[0]][0].id}
            raise CountyError("questionnaire.looks_ahead", **told)
        must.append(f"not({form.as_xpath(item, 'contradicts', row)})".replace(f"${{{column}}}", "."))
    told_in = [say("questionnaire.semicolon", lang).join(form.limits(item, lang, row)) for lang in LANGUAGES]
    return {"constraint": " and ".join(must), "constraint_message": Text(*told_in)} if must else {}
