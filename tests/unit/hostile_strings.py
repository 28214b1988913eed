"""Strings that try to be more than text, as data/hostile_strings.txt has them, and one of 1,000 characters."""

from pathlib import Path

LINES = (Path(__file__).parent / "data" / "hostile_strings.txt").read_text("utf-8").splitlines()
HOSTILE = [line.encode("latin-1", "backslashreplace").decode("unicode_escape") if "\\x" in line or "\\u" in line or "\\t" in line else line
           for line in LINES] + ["长" * 1000]  # fmt: skip


def survives(text):
    """What the house keeps of a text in a cell: a blank for control characters, none around it, nothing that cannot be seen."""
    import pandas as pd

    from huying.kinds import Label, clean_series
    from huying.scrub import CONTROL

    return Label().read(clean_series(pd.Series([text]).str.replace(CONTROL, " ", regex=True))).iloc[0]
