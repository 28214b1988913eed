"""A form filled in by chance as a tablet would: it reads the XLSForm as written, and its conditions with lxml's XPath, not with ours."""

import re
from pathlib import Path

import openpyxl
from lxml import etree

CODES = {"xpath": etree.FunctionNamespace(None)}
CODES["xpath"]["selected"] = lambda _, text, name: name in str(text).split()
CODES["xpath"]["count-selected"] = lambda _, text: float(len(str(text).split()))
CODES["xpath"]["selected-at"] = lambda _, text, n: [*str(text).split(), "", *[""] * 50][int(n)]
TREE = etree.XML("<x/>")


def rows_of(book, sheet):
    """The rows of a sheet by the names of its columns, blank where a cell is empty."""
    head, *rows = book[sheet].iter_rows(values_only=True)
    return [dict(zip(head, ["" if cell is None else cell for cell in row], strict=True)) for row in rows]


def holds(rule, answers, own=""):
    """Whether an expression of XLSForm holds; all is text, as in a form."""
    if not rule:
        return True
    names = {name: str(answers.get(name, "")) for name in re.findall(r"\$\{(\w+)\}", rule)}
    own_first = re.sub(r"(?<![\w.])\.(?![\w.])", "$own_", rule)
    return bool(etree.XPath(re.sub(r"\$\{(\w+)\}", r"$\1", own_first))(TREE, own_=own, **names))


class XlsForm:
    """The three sheets of a form."""

    def __init__(self, file: Path) -> None:
        book = openpyxl.load_workbook(file)
        assert book.sheetnames == ["survey", "choices", "settings"]
        self.survey, self.settings = rows_of(book, "survey"), rows_of(book, "settings")
        self.choices, self.questions, group = {}, [], None
        for choice in rows_of(book, "choices"):
            self.choices.setdefault(choice["list_name"], []).append(choice)
        for row in self.survey:
            if row["type"] == "begin group":
                group = row
            elif row["type"] == "end group":
                group = None
            else:
                self.questions.append((group, row))

    def options(self, row):
        return self.choices[row["type"].split()[1]]

    def fill_in(self, rng, wish):
        """The answers of one person by name; `wish(row, rng)` proposes one, until the constraint allows it."""
        answers = {}
        for group, row in self.questions:
            is_asked = all(holds(part["relevant"], answers) for part in (group, row) if part)
            name, answers[row["name"]] = row["name"], ""
            for _ in range(5000 if is_asked else 0):
                proposed = wish(row, rng)
                if holds(row["constraint"], answers, proposed):
                    answers[name] = proposed
                    break
            else:
                assert not is_asked, f"nothing satisfies {row}"
        return answers
