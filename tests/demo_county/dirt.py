"""What goes wrong in real exports, planted at known rates, each instance written to the answer key; refuses nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from demo_county.draws import obey, pick
from demo_county.population import Population
from demo_county.spelling import FULL_WIDTH, in_chinese
from demo_county.truths import Ints, Truths
from huying.codebook import Item

RATES = {"unfinished": 0.04, "duplicate": 0.015, "near_duplicate": 0.01, "speeder": 0.04, "straight_line": 0.03, "age": 0.025,
         "exclusive": 0.01, "though_skipped": 0.01, "date": 0.01, "personal": 0.007, "refused": 0.015, "says_nothing": 0.05,
         "more_calls_than_needs": 0.015}  # fmt: skip
COMMENTS = (
    "办事比以前方便了",
    "窗口少，排队久",
    "希望多下村讲讲政策",
    "不知道该找谁",
    "网上办不会用",
    "态度挺好",
    "牌子换了人没换",
    "希望周末也能办(至少半天)",
)
NOTHING = ("无", "/", "-", "说不清", "不清楚", "没有")
BASE_SECONDS, SPEEDERS_BELOW = 430, 0.27


@dataclass
class Forms:
    """Answers (codes), what the platform adds to each form, cells typed otherwise than coded, and the key (uid, kind, column, true)."""

    answers: pd.DataFrame
    meta: pd.DataFrame
    typed: dict[tuple[int, str], str] = field(default_factory=dict)
    key: list[tuple[int, str, str, Any]] = field(default_factory=list)

    def note(self, rows: Any, kind: str, column: str = "", true: Any = "") -> None:
        values = true if isinstance(true, list | np.ndarray | pd.Series) else [true] * len(rows)
        self.key += [(int(uid), kind, column, value) for uid, value in zip(rows, values, strict=True)]

    def some(self, rng: np.random.Generator, share: float, among: Any = None) -> Ints:
        """Row labels of `share` of all complete forms, out of `among` where given, never a form that is already marked."""
        marked = {uid for uid, *_ in self.key}
        full = self.meta.index[self.meta["complete"]]
        pool = np.array([uid for uid in (full if among is None else among) if uid not in marked], dtype=np.int64)
        return np.sort(rng.choice(pool, min(max(round(share * len(full)), 1), len(pool)), replace=False))


def add_meta(answers: pd.DataFrame, population: Population, people: pd.DataFrame, rng: np.random.Generator) -> Forms:
    """The forms with their times, seconds, addresses and nicknames; nobody honest is faster than .4 of the median."""
    town, village = people["town"].to_numpy(), population.villages["village_id"].to_numpy()[people["village"]]
    towns, interviewer = population.towns, people["interviewer"].to_numpy()
    n = len(answers)
    first, last = (pd.to_datetime(towns[name]).to_numpy()[town] for name in ("field_from", "field_to"))
    days = ((last - first) / np.timedelta64(1, "D")).astype(int) + 1
    at = pd.to_datetime(first) + pd.to_timedelta((rng.random(n) * days).astype(int), unit="D")
    at += pd.to_timedelta(rng.integers(8 * 3600, 20 * 3600, n), unit="s")
    seconds = (BASE_SECONDS * np.exp(rng.normal(0, 0.32, n)).clip(0.45, 3)).astype(int)
    meta = pd.DataFrame({"at": at, "seconds": seconds, "town": town, "village": village, "interviewer": interviewer,
                         "ip": make_addresses(rng, n), "nickname": make_nicknames(rng, n), "complete": True})  # fmt: skip
    return Forms(answers, meta)


def make_addresses(rng: np.random.Generator, n: int) -> list[str]:
    """Addresses out of the three blocks kept for documentation (RFC 5737)."""
    block = np.array(["192.0.2", "198.51.100", "203.0.113"])[rng.integers(0, 3, n)]
    return [f"{start}.{end}(山东-示例)" for start, end in zip(block, rng.integers(1, 255, n), strict=True)]


def make_nicknames(rng: np.random.Generator, n: int) -> list[str]:
    """Nicknames that nobody chose."""
    stems = ("微信用户", "清风", "老王", "小雨", "平安是福", "A诚信农资", "阳光", "岁月静好")
    return [f"{stems[k]}{m}" for k, m in zip(rng.integers(0, len(stems), n), rng.integers(10, 9999, n), strict=True)]


def spoil_residents(
    forms: Forms, truths: Truths, items: tuple[Item, ...], rng: np.random.Generator, clones: bool
) -> dict[str, Any]:
    """Plant every kind of dirt of a resident export but the characters; returns which cells were asked of whom."""
    planted = truths.features["dirt"]["cloned"]
    if clones:
        _clone(forms, truths, planted["town"], planted["forms"], rng)
    _careless(forms, rng)
    _unfinished(forms, truths, items, rng)
    asked = obey(items, forms.answers)
    _contradict(forms, asked, rng)
    _ages(forms, truths, rng)
    _comments(forms, rng)
    _dates(forms, rng)
    again = _repeat(forms, rng)
    return {cell: np.concatenate([mask, mask[again]]) for cell, mask in asked.items()}


def _clone(forms: Forms, truths: Truths, town_id: str, n: int, rng: np.random.Generator) -> None:
    """One interviewer fills in `n` forms alike; each differs from the first in one answer at most."""
    town = int(np.flatnonzero(truths.towns["town_id"] == town_id)[0])
    own = forms.meta[(forms.meta["town"] == town) & (forms.meta["interviewer"] != "")]
    team = own["interviewer"].value_counts().sort_index().idxmax()
    rows = own.index[own["interviewer"] == team][:n]
    honest = forms.answers.loc[rows].copy()
    aware = honest["R09"].isin([1, 2, 3])
    forms.answers.loc[rows] = honest.loc[[rows[0]] * n].to_numpy()
    for uid, cell in zip(
        rows[1:],
        rng.permutation(["R12_a", "R12_c", "R12_f", "R18_a", "R18_b", "R24_a", "R24_c", "R20"])[: n - 1],
        strict=True,
    ):
        options = {"R12": [1, 2, 3], "R18": [1, 2, 3, 4], "R24": [3, 4, 5], "R20": [1, 2, 3]}[cell[:3]]
        forms.answers.loc[uid, cell] = rng.choice([code for code in options if code != forms.answers.loc[uid, cell]])
    forms.meta.loc[rows, "at"] = forms.meta.loc[rows[0], "at"].normalize() + pd.to_timedelta(
        19 * 60 + 7 * np.arange(n), unit="min"
    )
    forms.note(rows, "cloned_block", "R09", np.where(aware, "aware", "not aware"))


def _careless(forms: Forms, rng: np.random.Generator) -> None:
    """Speeders, who claim the decoy twice as often, and straight-liners, 70% of whom fail the attention row."""
    answers, fast = forms.answers, forms.some(rng, RATES["speeder"])
    typical = np.median(forms.meta["seconds"])
    forms.note(fast, "speeder", "seconds", forms.meta.loc[fast, "seconds"].tolist())
    forms.meta.loc[fast, "seconds"] = (typical * rng.uniform(0.08, SPEEDERS_BELOW, len(fast))).astype(int)
    answers.loc[fast, "R12_i"] = 1 + (rng.random(len(fast)) < 0.12)
    lazy = forms.some(rng, RATES["straight_line"])
    codes = np.where(
        np.arange(len(lazy)) < round(0.3 * len(lazy)), 4, pick(rng, [5, 3, 2], [0.5, 0.35, 0.15], len(lazy))
    )
    for row in "abcdef":
        answers.loc[lazy, f"R24_{row}"] = codes
    level = pick(rng, [1, 2], [0.4, 0.6], len(lazy))
    for row in "abcdefghi":
        answers.loc[lazy, f"R12_{row}"] = level
    forms.note(lazy, "straight_line", "R12,R24")
    forms.note(lazy[codes != 4], "attention_failed", "R24_e", 4)
    rest = answers.index[(answers["R24_e"] != 4) & ~answers.index.isin(lazy)]
    forms.key += [(int(uid), "attention_failed", "R24_e", 4) for uid in rest]


def _unfinished(forms: Forms, truths: Truths, items: tuple[Item, ...], rng: np.random.Generator) -> None:
    """Refusals, people from elsewhere, not resident, under age: further rows, beyond the planned complete forms."""
    n = round(RATES["unfinished"] * len(forms.answers))
    source = rng.choice(forms.answers.index, n, replace=False)
    kinds = np.array(["refused", "elsewhere", "not_resident", "under_age"])[
        pick(rng, [0, 1, 2, 3], [0.45, 0.2, 0.2, 0.15], n)
    ]
    extra, meta = forms.answers.loc[source].copy(), forms.meta.loc[source].copy()
    extra.index = meta.index = pd.RangeIndex(len(forms.answers), len(forms.answers) + n)
    extra["R00"], extra["R01"] = np.where(kinds == "refused", 2, 1), np.where(kinds == "elsewhere", 97, extra["R01"])
    extra["R02"] = np.where(kinds == "not_resident", 2, 1)
    extra["R03"] = np.where(kinds == "under_age", rng.integers(12, 18, n), extra["R03"])
    meta["complete"], meta["seconds"] = False, rng.integers(8, 40, n)
    meta["at"] += pd.to_timedelta(rng.integers(-200, 200, n), unit="min")
    meta["ip"], meta["nickname"] = make_addresses(rng, n), make_nicknames(rng, n)
    obey(items, extra)
    forms.answers, forms.meta = pd.concat([forms.answers, extra]), pd.concat([forms.meta, meta])
    for kind in np.unique(kinds):
        forms.note(extra.index[kinds == kind], f"disposition_{kind}")


def _contradict(forms: Forms, asked: dict[str, Any], rng: np.random.Generator) -> None:
    """Exclusive options beside others, and answers to questions that should have been skipped."""
    answers = forms.answers
    for item, none, others in (("R08", 4, [1, 2, 3]), ("R21", 6, [1, 2, 3, 4, 5])):
        rows = forms.some(rng, RATES["exclusive"] / 2)
        answers.loc[rows, f"{item}_{none}"] = 1
        for uid in rows:
            answers.loc[uid, f"{item}_{rng.choice(others)}"] = 1
        forms.note(rows, "exclusive_with_others", item)
    rows = forms.some(rng, RATES["though_skipped"], answers.index[(answers["R13"] == 2) & (answers["R22"] == 2)])
    for k, uid in enumerate(rows):
        cells = (["R14", "R15", "R16", "R17"], ["R23_a", "R23_b", "R23_c"])[k % 2]
        answers.loc[uid, cells] = [2.0, 2.0, 0.0, 4.0][: len(cells)] if k % 2 == 0 else [1.0, 1.0, 2.0]
        forms.note([uid] * len(cells), "answered_though_skipped", true="(跳过)")
        forms.key[-len(cells) :] = [(int(uid), "answered_though_skipped", cell, "(跳过)") for cell in cells]


def _ages(forms: Forms, truths: Truths, rng: np.random.Generator) -> None:
    """Ages that cannot be, that need reading, that are years of birth, and refusals."""
    quota = truths.towns.index[truths.towns["town_id"].isin(list(truths.features["residents"].get("quota_60", {})))]
    young = forms.meta["town"].isin(quota) & (forms.answers["R03"] < 60)  # too few there to lose one
    able = forms.meta.index[forms.meta["complete"] & ~young]
    rows = forms.some(rng, RATES["age"], able)
    for k, uid in enumerate(rows):
        age = int(forms.answers.loc[uid, "R03"])
        born = str(forms.meta.loc[uid, "at"].year - age).translate(FULL_WIDTH)
        forms.typed[uid, "R03"] = ("0", "7", "133", in_chinese(age), born, f"{age}岁")[k % 6]
        forms.key.append(
            (int(uid), "age_" + ("zero", "seven", "over", "chinese", "year_of_birth", "with_unit")[k % 6], "R03", age)
        )
    rows = forms.some(rng, RATES["refused"], able)
    for k, uid in enumerate(rows):
        forms.typed[uid, "R03"] = ("-99", "-99", "拒答")[k % 3]
    forms.note(rows, "age_refused", "R03", forms.answers.loc[rows, "R03"].astype(int).tolist())


def _comments(forms: Forms, rng: np.random.Generator) -> None:
    """Comments, words that say nothing, and telephone and identity numbers inside comments (none of them anybody's)."""
    answers, clones = forms.answers, {uid for uid, kind, *_ in forms.key if kind == "cloned_block"}
    full = forms.meta.index[forms.meta["complete"] & ~forms.meta.index.isin(clones)]
    said = rng.random(len(full))
    answers.loc[full[said < 0.3], "R26"] = rng.choice(COMMENTS, int((said < 0.3).sum()))
    empty = full[(said >= 0.3) & (said < 0.3 + RATES["says_nothing"])]
    answers.loc[empty, "R26"] = rng.choice(NOTHING, len(empty))
    forms.key += [(int(uid), "says_nothing", "R26", "") for uid in empty]
    rows = forms.some(rng, RATES["personal"])
    for k, uid in enumerate(rows):
        phone, person = f"1380000{rng.integers(1000, 9999)}", identity_number(rng)
        answers.loc[uid, "R26"] = (
            f"请回电{phone}，谢谢",
            f"补贴没到账，身份证{person}",
            f"联系我 {phone[:3]}-{phone[3:7]}-{phone[7:]}",
        )[k % 3]
    forms.note(rows, "personal_data", "R26")


def identity_number(rng: np.random.Generator) -> str:
    """An identity number with a right check digit (GB 11643) in an area code that was never given out."""
    body = (
        f"379900{rng.integers(1950, 2004)}{rng.integers(1, 13):02d}{rng.integers(1, 29):02d}{rng.integers(0, 1000):03d}"
    )
    return body + "10X98765432"[sum(int(d) * (2 ** (17 - k) % 11) for k, d in enumerate(body)) % 11]


def _dates(forms: Forms, rng: np.random.Generator) -> None:
    """Times of submission that lie outside the field period, or are written as a serial day or with two digits of the year."""
    small = forms.meta.groupby("town")["complete"].transform("sum") < 20
    rows = forms.some(rng, RATES["date"], forms.meta.index[forms.meta["complete"] & ~small])
    for k, uid in enumerate(rows):
        at = forms.meta.loc[uid, "at"]
        serial = (at - pd.Timestamp("1899-12-30")) / pd.Timedelta(days=1)
        outside = at - pd.Timedelta(days=400)
        forms.typed[uid, "at"] = (f"{outside:%Y/%m/%d %H:%M:%S}", f"{serial:.5f}", f"{at:%y/%m/%d %H:%M:%S}")[k % 3]
        forms.key.append(
            (
                int(uid),
                ("date_out_of_window", "date_serial", "date_two_digit_year")[k % 3],
                "submitted_at",
                f"{at:%Y-%m-%d %H:%M:%S}",
            )
        )


def _repeat(forms: Forms, rng: np.random.Generator) -> Ints:
    """Forms sent twice: the same row again, or the same answers at another time from another address; returns their sources."""
    n, same = len(forms.answers), forms.some(rng, RATES["duplicate"])
    near = forms.some(rng, RATES["near_duplicate"], np.setdiff1d(forms.meta.index[forms.meta["complete"]], same))
    source = np.concatenate([same, near])
    uids = np.arange(n, n + len(source))
    extra, meta = forms.answers.loc[source].set_axis(uids), forms.meta.loc[source].set_axis(uids)
    moved = uids[len(same) :]
    meta.loc[moved, "at"] += pd.to_timedelta(rng.integers(2, 90, len(moved)), unit="min")
    meta.loc[moved, "seconds"] = (meta.loc[moved, "seconds"] * rng.uniform(0.8, 1.2, len(moved))).astype(int)
    meta.loc[moved, "ip"], meta.loc[moved, "nickname"] = (
        make_addresses(rng, len(moved)),
        make_nicknames(rng, len(moved)),
    )
    forms.answers, forms.meta = pd.concat([forms.answers, extra]), pd.concat([forms.meta, meta])
    forms.key += [(int(uid), "duplicate" if k < len(same) else "near_duplicate", "", f"uid:{old}")
                  for k, (uid, old) in enumerate(zip(uids, source, strict=True))]  # fmt: skip
    return source
