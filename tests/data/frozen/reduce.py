"""Makes evidence.csv.gz from the whole evidence of the demo county: headlines and the parts of parts.csv, under their new names.

Run: python tests/data/frozen/reduce.py EVIDENCE.csv.gz, the file whose hash stands in PROVENANCE.md. Numbers are copied as
text, so that none loses a digit; the same input gives the same bytes.
"""

import gzip
import sys
from pathlib import Path

import pandas as pd

HERE = Path(__file__).parent
KEY = ["claim", "place", "period", "wave", "part"]
NUMBERS = ["estimate", "low", "high", "n", "n_eff", "df", "deff", "low_family", "high_family"]
VERDICTS = ["verdict", "verdict_family"]


def read_text(file: Path) -> pd.DataFrame:
    """A CSV file, every cell as it is written."""
    return pd.read_csv(file, dtype=str, keep_default_na=False, encoding="utf-8-sig")


def reduce_rows(whole: pd.DataFrame, parts: pd.DataFrame) -> pd.DataFrame:
    """The headlines and the rows of `parts`, with what is compared of them; refuses a part that the evidence lacks."""
    names = {(row.claim, row.sub_old): row.part for row in parts.itertuples()}
    pairs = list(zip(whole["claim"], whole["sub"], strict=True))
    if lacking := set(names) - set(pairs):
        raise SystemExit(f"parts.csv: the evidence has no rows of {sorted(lacking)}")
    is_kept = [sub == "" or (claim, sub) in names for claim, sub in pairs]
    new = [names.get(pair, "") for pair in pairs]
    rows = whole.assign(part=new).loc[is_kept, [*KEY, *NUMBERS, *VERDICTS]]
    if rows.duplicated(KEY).any():
        raise SystemExit(f"a key stands twice: {rows.loc[rows.duplicated(KEY), KEY].iloc[0].to_dict()}")
    return rows


def main(file: str) -> None:
    rows = reduce_rows(read_text(Path(file)), read_text(HERE / "parts.csv"))
    text = rows.to_csv(index=False, lineterminator="\n")
    (HERE / "evidence.csv.gz").write_bytes(gzip.compress(text.encode("utf-8"), mtime=0))
    print(f"{(rows['part'] == '').sum()} headlines, {(rows['part'] != '').sum()} rows of parts")


if __name__ == "__main__":
    main(*sys.argv[1:])
