"""A form of the codebook for the field: XLSForm, a sheet to print, a text to paste into 问卷星, and the villages to go to."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import docx
import pandas as pd
import xlsxwriter
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Cm, Pt, RGBColor

from huying.clean.answers import number_towns, with_list
from huying.clean.intake import FIRST, Intake
from huying.codebook import Item
from huying.deliver import sampling
from huying.deliver.conditions import NUMBERS, Form, quoted
from huying.deliver.xlsform import allowed, plain, write_xlsform
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


def write_forms(
    county: County, intake: Intake, folder: Path, name: str, n: int, people: int, seed: int
) -> tuple[list[Path], list[str]]:
    """Write the form `name`, or every form that can be made, and the sampling sheet; the files, and what was not made.

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
    if {("villages", ""), ("towns", "")} <= set(intake.ledgers):
        files.append(folder / "sampling.xlsx")
        write_sample(intake, county, files[-1], n, people, seed)
    return files, faults


def asked(intake: Intake, name: str) -> Form:
    """A form with the county's lists among its options; raises CountyError for a list that is lacking."""
    items, towns = intake.items_of(name)
    names, made = {key: label for _, key, label in towns}, list[Item]()
    for before, item in zip(intake.book.form(name), items, strict=True):
        whole = with_list(item, {"towns": number_towns(items, list(names))}) if item.role == "town" else item
        if item.options_from and len(whole.options) == len(before.options):
            raise CountyError("questionnaire.no_list", item=item.id, list=item.options_from)
        options = (
            [replace(o, text=names.get(o.key, o.text)) for o in whole.options] if item.role == "town" else whole.options
        )
        made.append(replace(whole, options=tuple(options)))
    return Form(name, made)


def write_form(form: Form, county: County, intake: Intake, folder: Path) -> list[Path]:
    """Write an XLSForm and, in each language, a form to print and a text to paste; the files."""
    titles = {lang: title_of(county, form.name, lang) for lang in LANGUAGES}
    villages = intake.ledgers.get(("villages", ""), pd.DataFrame(columns=["village_id", "name", "is_sampled"]))
    drawn = villages[villages["is_sampled"].fillna(False).astype(bool)]
    picked = (
        dict((drawn if len(drawn) else villages)[["village_id", "name"]].itertuples(index=False))
        if form.name == "resident"
        else {}
    )
    files = [folder / f"{form.name}_xlsform.xlsx"]
    write_xlsform(
        files[0], form, plain(titles[county.lang]), file_part(f"{county.id}_{form.name}"), county.lang, picked
    )
    for lang, title in titles.items():
        files += [folder / f"{form.name}_print_{lang}.docx", folder / f"{form.name}_wjx_{lang}.txt"]
        with beside(files[-2]) as temporary:
            to_print(form, title, lang).save(str(temporary))
        write_bytes(files[-1], plain("\n".join(to_paste(form, title, lang))).encode("utf-8-sig"))
    return files


def title_of(county: County, name: str, lang: str) -> str:
    """The heading of a form; of a synthetic county it says so."""
    title = say("questionnaire.title", lang, county=county.name(lang), form=say(f"labels.form_{name}", lang))
    return title + (f" [{say('charts.synthetic', lang)}]" if county.is_synthetic else "")


def rules_of(form: Form, item: Item, lang: str) -> Iterator[str]:
    """What holds of an item, in words: who is asked, what may be answered, and where the form ends."""
    rows = dict(item.rows) if "*" in item.asked_if else {"": Text("", "")}
    for row, text in rows.items():
        if rule := form.in_words(item, "asked_if", lang, row):
            yield say(f"questionnaire.ask{'_row' * bool(row)}_if", lang, rule=rule, row=text(lang))
    told = [allowed(item)(lang)] if item.range and item.type in NUMBERS else []
    told += [say("questionnaire.most", lang, n=item.max_choices)] if item.max_choices else []
    for key, codes in (("alone", item.exclusive), ("own_words", item.fill_in)):
        if options := [option for option in item.options if option.code in codes]:
            told.append(say(f"questionnaire.{key}", lang, options=quoted(options, lang)))
    told += [say("questionnaire.optional", lang)] if item.optional else []
    yield from [say("questionnaire.semicolon", lang).join(told)] if told else []
    for key, word in (("contradicts", "never"), ("ends_if", "end_if")):
        for row in [row for row, _ in item.rows] or [""]:
            if rule := form.in_words(item, key, lang, row):
                yield say(f"questionnaire.{word}", lang, rule=rule)


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
    style = paper.styles["Normal"]
    style.font.name, style.font.size, style.paragraph_format.space_after = FONTS["en"], Pt(10.5), Pt(2)
    for named in (style, *(paper.styles[f"Heading {level}"] for level in (1, 2))):
        named.font.color.rgb = RGBColor(0, 0, 0)
        named.element.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), FONTS["zh"])
    paper.core_properties.title = plain(title)
    page = paper.sections[0]
    page.page_width, page.page_height, page.left_margin, page.right_margin = Cm(21), Cm(29.7), Cm(2.2), Cm(2.2)
    foot = paper.sections[0].footer.paragraphs[0]
    foot.text, foot.alignment = f"{plain(title)}  ", WD_ALIGN_PARAGRAPH.CENTER
    field = OxmlElement("w:fldSimple")
    field.set(qn("w:instr"), "PAGE")
    foot._p.append(field)
    paper.add_heading(plain(title), 1).alignment = WD_ALIGN_PARAGRAPH.CENTER
    for key in ("fields", "consent", "introduction", "contact", "notes"):
        text = say(f"questionnaire.{key}", lang)
        paper.add_heading(text, 2) if key in ("consent", "notes") else paper.add_paragraph(text)
    for n in range(1, 6):
        paper.add_paragraph(say(f"questionnaire.note_{n}", lang), "List Number")
    for item in form.items:
        print_item(paper, form, item, lang)
    return paper


def print_item(paper: Any, form: Form, item: Item, lang: str) -> None:
    """One question: its number and words, its rules, and the boxes, lines or table for the answer."""
    head = paper.add_paragraph()
    head.paragraph_format.keep_with_next, head.paragraph_format.space_before = True, Pt(8)
    head.add_run(f"{form.number[item.id]}. {plain(item.text(lang))}").bold = True
    head.add_run(f"  [{say(f'questionnaire.kind_{item.type}', lang)} · {item.id}]").font.size = Pt(8)
    for rule in rules_of(form, item, lang):
        told = paper.add_paragraph()
        told.paragraph_format.keep_with_next = True
        told.add_run(plain(rule)).italic = True
    box = {"multi": f"□{SPACE}", "ranking": f"____{SPACE}"}.get(item.type, f"○{SPACE}")
    shown = [(option.code, plain(option.text(lang))) for option in item.options]
    if item.is_matrix:
        is_wide = len(shown) > WIDEST  # then the options stand above, and their codes are written down
        listed(paper, "", shown) if is_wide else None
        texts = [
            [say("questionnaire.row", lang), *([say("questionnaire.code", lang)] if is_wide else [t for _, t in shown])]
        ]
        for _, text in item.rows:
            texts.append([plain(text(lang)), *(["______"] if is_wide else [f"○ {code}" for code, _ in shown])])
        table = paper.add_table(len(texts), len(texts[0]), "Table Grid")
        for cells, row in zip(texts, table.rows, strict=True):
            row._tr.get_or_add_trPr().append(OxmlElement("w:cantSplit"))
            for n, (cell, text) in enumerate(zip(row.cells, cells, strict=True)):
                cell.text, cell.width = text, Cm(5.5 if n == 0 else 11 / (len(cells) - 1))
        table.rows[0]._tr.get_or_add_trPr().append(OxmlElement("w:tblHeader"))
    elif shown:
        listed(paper, box, shown)
    else:
        paper.add_paragraph(f"____________________ {item.unit(lang) if item.unit else ''}")


def listed(paper: Any, box: str, options: list[tuple[int, str]]) -> None:
    """The options with their boxes and codes, none parted from its code at the end of a line."""
    paper.add_paragraph("　 ".join(f"{box}{code}{SPACE}{text}" for code, text in options))


def write_sample(intake: Intake, county: County, file: Path, n: int, people: int, seed: int) -> None:
    """Write the villages to go to, a sheet in each language; raises CountyError where rows of the register were set aside."""
    intake.check_lost("villages")
    with beside(file) as temporary, xlsxwriter.Workbook(str(temporary)) as book:
        for lang in LANGUAGES:
            drawn = sampling.sample(intake.ledgers["villages", ""], intake.ledgers["towns", ""], n, people, seed, lang)
            sheet, told = book.add_worksheet(lang), {"n": n, "people": people, "seed": seed}
            sheet.write_string(0, 0, say("charts.synthetic", lang) if county.is_synthetic else county.name(lang))
            sheet.write_string(1, 0, say("questionnaire.sample_note", lang, **told))
            for place, name in enumerate(sampling.COLUMNS):
                sheet.write_string(3, place, say(f"questionnaire.sample_{name}", lang))
                for row, value in enumerate(drawn[name], 4):
                    sheet.write_string(row, place, plain(value)) if isinstance(value, str) else sheet.write_number(
                        row, place, value
                    )
            sheet.freeze_panes(4, 0)
            sheet.set_column(0, len(sampling.COLUMNS), 16)
