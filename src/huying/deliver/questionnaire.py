"""A form of the codebook for the field: XLSForm, a sheet to print, a text to paste into 问卷星, and the villages to go to."""

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import docx
import pandas as pd
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Cm, Pt, RGBColor

from huying.clean.answers import number_towns, with_list
from huying.clean.intake import FIRST, Intake
from huying.codebook import Item
from huying.deliver import sampling
from huying.deliver.conditions import Form
from huying.deliver.xlsform import LANGUAGE, plain, write_book, write_xlsform
from huying.errors import CountyError, HuyingError
from huying.folder import County
from huying.prepare import codebook_of
from huying.store import beside, file_part, write_bytes
from huying.words import LANGUAGES, Text, say

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
