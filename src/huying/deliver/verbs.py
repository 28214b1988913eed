"""The verbs that make what people are given: each opens the county in every language asked for, writes, and prints where."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from huying import words
from huying.prepare import results_folder
from huying.verbs import county_of, said
from huying.words import say

if TYPE_CHECKING:
    from huying.deliver.content import Content


def open_contents(args: argparse.Namespace) -> tuple[list[Content], Path]:
    """The county with its ledger in every language asked for, and the folder of its results."""
    from huying.counties import county
    from huying.deliver.content import Content, read_evidence

    declared = county_of(args)
    first = words.language()
    opened = [county(declared.folder, lang) for lang in args.lang or [first]]
    words.use_language(first)
    return [Content(one, read_evidence(one, args.evidence)) for one in opened], results_folder(declared)


def page(args: argparse.Namespace) -> int:
    """The folder of pages, in every language side by side."""
    from huying.deliver.page import write_page

    contents, folder = open_contents(args)
    file = write_page(contents, args.output or folder / "page")
    return said(args, [str(file)], [say("page.made", file=file)])


def brief(args: argparse.Namespace) -> int:
    """The brief, a document a language."""
    from huying.deliver.brief import write_brief

    contents, folder = open_contents(args)
    made = {content.lang: (args.output or folder / "brief") / f"brief_{content.lang}.docx" for content in contents}
    for content in contents:
        write_brief(content, made[content.lang])
    return said(args, [str(file) for file in made.values()], [say("deliver.made", file=file) for file in made.values()])


def sheets(args: argparse.Namespace) -> int:
    """The fact sheets, two files a town and a department in each language."""
    from huying.deliver.sheets import write_sheets

    contents, folder = open_contents(args)
    folder = args.output or folder / "sheets"
    files = [file for content in contents for file in write_sheets(content, folder)]
    return said(args, [str(file) for file in files], [say("deliver.sheets_made", n=len(files), folder=folder)])
