"""Crosstabs and regressions beside R's svychisq and svyglm, to nine digits; and the tempting wrong answers, refused."""

import json
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from huying.associations import crosstab, rao_scott, regress
from huying.design import Design

HERE = Path(__file__).parent
ANSWERS = json.loads((HERE / "answers.json").read_text("utf-8"))
NINE = {"rel": 1e-9, "abs": 1e-12}
TYPES = {"aware": "boolean", "wechat": "Int64", "score": "Float64", "source": "string", "age_group": "string"}


def codes(column):
    return pd.factorize(column, sort=True)[0].astype(np.int64)


@cache
def frame(name):
    data = pd.read_csv(
        HERE / "data" / ("staff.csv" if name == "staff" else "people.csv"), dtype_backend="numpy_nullable"
    )
    return data.astype(TYPES)


@cache
def design(name):
    data = frame(name)
    town, places = codes(data["town"]), tuple(sorted(data["town"].unique()))
    weight = data["w"].to_numpy(float)
    if name == "staff":
        return Design(
            town, codes(data["person"]), weight, places, data.groupby("town")["listed"].first().to_numpy(float)
        )
    psu = codes(data["village"])
    if name == "people":
        return Design(town, psu, weight, places)
    margins = tuple(codes(data["town"].str.cat(data[part], sep=" ")) for part in ("sex", "age_group"))
    return Design(town, psu, data["w_raked"].to_numpy(float), places, margins=margins, base=weight)


def label(row):
    return " ".join(
        str(row[key]) for key in ("design", "rows", "columns", "formula", "variable", "level") if key in row
    )


@pytest.mark.parametrize("row", ANSWERS["independence"], ids=label)
def test_independence(row):
    data = frame(row["design"])
    base = (data["sex"] == "f").to_numpy() if row["women"] else True
    rows = np.where(base, codes(data[row["rows"]]), -1)
    found = rao_scott(design(row["design"]), rows, codes(data[row["columns"]]))
    for name in ("X2", "F", "ndf", "ddf", "p"):
        assert getattr(found, name) == pytest.approx(row[name], **NINE), name
    assert (found.n, found.reason) == (row["n"], "")
    assert abs(found.p / row["wrong_p_first_order"] - 1) > 1e-3
    assert abs(found.p / row["wrong_p_uncorrected"] - 1) > 1e-3


def test_people_without_an_answer_are_not_in_the_size_of_the_table():
    assert any(abs(row["X2"] / row["wrong_X2_all_rows"] - 1) > 0.01 for row in ANSWERS["independence"])


def test_shares_of_a_crosstab_are_the_weighted_shares_within_a_row():
    data, at = frame("people"), design("people")
    ages, sources = sorted(data["age_group"].unique()), sorted(data["source"].dropna().unique())
    table = crosstab(at, codes(data["age_group"]), codes(data["source"]), ages, sources).table
    assert list(table["row"].unique()) == ages and list(table["column"].unique()) == sources
    answered = data[data["source"].notna()]
    weights = answered.pivot_table(index="age_group", columns="source", values="w", aggfunc="sum").astype(float)
    shares = weights.div(weights.sum(axis=1), axis=0).stack()
    found = table.set_index(["row", "column"])
    assert found["estimate"].to_dict() == pytest.approx(shares.to_dict(), rel=1e-12)
    assert (found["low"] < found["estimate"]).all() and (found["estimate"] < found["high"]).all()
    assert found["n"].groupby("row").first().to_dict() == answered.groupby("age_group").size().to_dict()


REGRESSIONS = [rows for _, rows in pd.DataFrame(ANSWERS["regressions"]).groupby(["design", "family", "formula"])]


@pytest.mark.parametrize("rows", REGRESSIONS, ids=lambda rows: " ".join(rows.iloc[0][["design", "family", "formula"]]))
def test_regressions(rows):
    first = rows.iloc[0]
    found = regress(design(first["design"]), frame(first["design"]), first["formula"], first["family"] == "gaussian")
    assert (found.n, found.df) == (first["n"], first["df"])
    table = (
        found.table.assign(term=found.table["term"].map(in_r)).set_index("term").loc[rows["term"].map(sorted_factors)]
    )
    for name in ("coefficient", "se", "t", "p", "low", "high"):
        assert table[name].tolist() == pytest.approx(rows[name].tolist(), **NINE), name
    assert np.sqrt(np.diag(found.covariance)).tolist() == found.table["se"].tolist()
    assert np.abs(table["se"].to_numpy() / rows["wrong_se_weighted_rows"].to_numpy() - 1).max() > 0.03
    assert np.abs(table["coefficient"].to_numpy() / rows["wrong_coefficient_unweighted"].to_numpy() - 1).max() > 0.01
    if first["family"] == "binomial":
        assert table["odds_ratio"].tolist() == pytest.approx(np.exp(rows["coefficient"]).tolist(), **NINE)
        assert table["odds_high"].tolist() == pytest.approx(np.exp(rows["high"]).tolist(), **NINE)


def in_r(term):
    """`age_group[T.60+]:wechat` as R names it, `age_group60+:wechat`, its factors sorted."""
    return sorted_factors(term.replace("[T.", "").replace("]", ""))


def sorted_factors(term):
    return ":".join(sorted(term.split(":")))


@pytest.mark.parametrize("row", ANSWERS["effects"], ids=label)
def test_average_marginal_effects(row):
    found = regress(design(row["design"]), frame(row["design"]), row["formula"]).table.set_index("term")
    at = found.loc[
        row["variable"] + (f"[T.{row['level']}]" if f"{row['variable']}[T.{row['level']}]" in found.index else "")
    ]
    assert at["effect"] == pytest.approx(row["effect"], rel=1e-9)
    assert at["effect_se"] == pytest.approx(row["se"], rel=1e-9)
    assert at["effect_low"] < at["effect"] < at["effect_high"]
    assert at["effect_se"] != pytest.approx(row["wrong_se_people_given"], rel=1e-6)
    if row["se_jackknife"] is not None:
        assert at["effect_se"] == pytest.approx(row["se_jackknife"], rel=0.06)


def test_a_product_and_a_transform_have_no_effect_of_their_own():
    found = regress(design("people"), frame("people"), "aware ~ sex * wechat + years + I(years**2)").table.set_index(
        "term"
    )
    has = found.index[found["effect"].notna()]
    assert set(has) == {"sex[T.m]", "wechat"}
