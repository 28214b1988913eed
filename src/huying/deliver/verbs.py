"""The verbs that make what people are given: each opens the county in every language asked for, writes, and prints where."""

from __future__ import annotations

import argparse

from huying import words
from huying.prepare import results_folder
from huying.verbs import county_of, said
from huying.words import say


def page(args: argparse.Namespace) -> int:
    """The folder of pages, in every language side by side."""
    from huying.counties import county
    from huying.deliver.content import Content, read_evidence
    from huying.deliver.page import write_page

    declared = county_of(args)
    first = words.language()
    opened = [county(declared.folder, lang) for lang in args.lang or [first]]
    words.use_language(first)
    contents = [Content(one, read_evidence(one, args.evidence)) for one in opened]
    file = write_page(contents, args.output or results_folder(declared) / "page")
    return said(args, [str(file)], [say("page.made", file=file)])
