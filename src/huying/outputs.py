"""The verbs that make what people are given: the county is opened in every language asked for, written, and the files are named."""

import argparse
from importlib import import_module

from huying import words
from huying.counties import county
from huying.deliver.content import Content, read_evidence
from huying.prepare import results_folder
from huying.verbs import county_of, said
from huying.words import say

ENDINGS = {"brief": "docx", "slides": "pptx", "workbook": "xlsx"}  # of the one file a language
SHOWN = 2  # files that are named; of more the folder


def give(args: argparse.Namespace) -> int:
    """Write what `args.verb` names, by the module of `huying.deliver` that has its name."""
    declared, spoken = county_of(args), words.language()
    opened = [county(declared.folder, lang) for lang in args.lang or [spoken]]
    words.use_language(spoken)  # a county that is opened brings its own
    contents = [Content(one, read_evidence(one, args.evidence)) for one in opened]
    folder = args.output or results_folder(declared) / args.verb
    write = getattr(import_module(f"huying.deliver.{args.verb}"), f"write_{args.verb}")
    if args.verb == "page":
        files = [write(contents, folder)]
    elif args.verb in ENDINGS:
        files = [folder / f"{args.verb}_{content.lang}.{ENDINGS[args.verb]}" for content in contents]
        for content, file in zip(contents, files, strict=True):
            write(content, file)
    else:
        files = [file for content in contents for file in write(content, folder)]
    shown = files if len(files) <= SHOWN else [folder]
    return said(args, [str(file) for file in files], [say("deliver.made", n=len(files), file=file) for file in shown])


page = brief = sheets = slides = workbook = give
