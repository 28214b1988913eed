"""Makes evidence.csv.gz and changes.csv anew from a whole ledger, where rules changed on purpose.

Run: python tests/data/frozen/renew.py EVIDENCE.parquet. changes.csv names each headline that moved with the rule that moved
it (RULES; they are told in the files changes_of_*.md); a headline that moves
without a rule is refused.
"""

import gzip
import sys
from pathlib import Path

import pandas as pd

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1] / "end_to_end"))
from test_frozen_evidence import KEY, NUMBERS, VERDICTS, WORDS, find_differences, name_parts, read_frozen, read_text  # noqa: E402

CASES = {
    "P23": "few cases",
    "P24": "counted",
    "P25": "difference of shares",
    "S23": "sign and bounds",
    "P21": "counted",
}
STAFF = {
    "B05": "listed staff",
    "P14": "listed staff",
    "P15": "listed staff",
    "P32": "need, listed staff",
    "S31": "need, listed staff",
}
CALLS = dict.fromkeys(
    ("B07", "B08", "B09", "B10", "P33", "P34", "S32", "S33", "S35", "S36", "P31"),
    "counted; times that cannot be are cells set aside",
)
RULES = CASES | STAFF | CALLS | {
    "D04": "counted, conjunction; times that cannot be are cells set aside", "D08": "counted",
    **dict.fromkeys(("P16", "P17", "S11"), "own Kish, m* and pre-test"), **dict.fromkeys(("P18", "S12"), "adjusted interval at .05/(m - r)"),
    **dict.fromkeys(("P26", "P27", "P28", "B03"), "bounds over all who should have answered"),
    **dict.fromkeys(("A04", "A08", "A11", "P11"), "a count has no effective size"),
    "P31": "change from the first month to the last in points", "S33": "mean calls after prompt months less those after the others",
}  # fmt: skip


def main(file: str) -> None:
    now, parts = name_parts(pd.read_parquet(file)), read_text("parts.csv")
    moved = find_differences(read_frozen(), now)
    heads = moved[moved["part"] == ""].drop_duplicates(KEY)
    if lacking := set(heads["claim"]) - set(RULES):
        raise SystemExit(f"headlines moved without a rule: {sorted(lacking)}")
    told = (
        moved[moved["part"] == ""]
        .groupby([name for name in KEY if name != "part"], sort=False)["column"]
        .agg(" ".join)
        .reset_index()
    )
    told = told.assign(rule=told["claim"].map(RULES))
    told = pd.concat([read_text("changes.csv"), told]).drop_duplicates(
        [name for name in KEY if name != "part"], keep="last"
    )
    told.to_csv(HERE / "changes.csv", index=False, lineterminator="\n")
    there = set(zip(now["claim"], now["part"], strict=True))
    parts = parts[[pair in there for pair in zip(parts["claim"], parts["part"], strict=True)]]
    parts.to_csv(HERE / "parts.csv", index=False, lineterminator="\n")
    text = now[[*KEY, *NUMBERS, *VERDICTS, *WORDS]].to_csv(index=False, lineterminator="\n")
    (HERE / "evidence.csv.gz").write_bytes(gzip.compress(text.encode("utf-8"), mtime=0))
    print(f"{(now['part'] == '').sum()} headlines, {len(told)} moved; {(now['part'] != '').sum()} rows of parts")


if __name__ == "__main__":
    main(*sys.argv[1:])
