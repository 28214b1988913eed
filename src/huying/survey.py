"""One form in one wave and what can be estimated of it, by place and group, within its design; refuses what would be wrong.

A row a person stands in `survey_frame`; here are shares, means, ratios, changes, crosstabs, regressions and toplines.
"""

import itertools
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Self

import numpy as np
import pandas as pd

from huying import estimates
from huying.associations import Crosstab, Regression, crosstab, regress
from huying.codebook import MANY
from huying.design import Design
from huying.estimates import COUNTY, EXTRA, LEADING, Term, estimate_sum, rate
from huying.intervals import MOVER, NEEDED, NOW, STUDENT, THEN, Bools, limits
from huying.survey_frame import SKIPPED, UNSAID, SurveyFrame, as_list, lang_of
from huying.weights import NO_PLACE
from huying.words import say

NOT_ASKED, NOT_THIS_WAVE = "not asked", "not asked in this wave"
Estimator = Callable[..., pd.DataFrame]
Parts = Mapping[str, float]  # of a sum: the coefficient of each column


@dataclass(repr=False)
class Survey(SurveyFrame):
    """The people of one form and wave, and what can be estimated of them."""

    def share(self, columns: str | Sequence[str], by: Any = "town", where: str = "") -> pd.DataFrame:
        """Weighted shares of a column of true and false (or 1 and 0), by place and other columns.

        A row a place: every town in the register's order, then the county (`by=None`: the county alone); `by` may name
        further columns, and `prefix*` stands for every column that begins so. Intervals: Korn and Graubard (1998), towns at
        a pooled design effect or, where their villages differ more, at their own; towns whose staff are listed: the exact limits
        of a finite list. `where` is a rule that cuts the base, not the design. Raises EstimateError for what is no share.
        """
        return self._estimate(self._shares, columns, by, where, self._as_share)

    def mean(self, columns: str | Sequence[str], by: Any = "town", where: str = "") -> pd.DataFrame:
        """Weighted means, as `share`, with Student intervals at each place's own linearised variance (Binder 1983)."""
        return self._estimate(self._means, columns, by, where, self._as_number)

    def ratio(self, numerator: str, denominator: str, by: Any = "town", where: str = "") -> pd.DataFrame:
        """The ratio of two weighted totals, with Student intervals; its measure is named `numerator/denominator`."""
        pair, label = [numerator, denominator], f"{numerator}/{denominator}"
        return self._estimate(self._ratio, pair, by, where, self._as_number, label)

    def combine(self, parts: Parts, name: str = "", by: Any = "town", where: str = "") -> pd.DataFrame:
        """The sum of coefficient × mean over columns, their covariance kept; n is the smallest of their bases."""
        how = partial(self._sum, parts=parts, name=(label := name or " + ".join(parts)))
        return self._estimate(how, list(parts), by, where, self._as_number, label)

    def difference(self, first: str, second: str, by: Any = "town", where: str = "") -> pd.DataFrame:
        """The mean of `first` less the mean of `second`, each on its own base, their covariance kept."""
        return self.combine({first: 1.0, second: -1.0}, f"{first} - {second}", by, where)

    def change(self, column: str, since: Self, by: Any = "town") -> pd.DataFrame:
        """The mean of a column now less that in an earlier wave; its wave is this survey's.

        Villages asked in both waves are shared PSUs, so that their covariance counts; of forms whose PSU is the person the
        waves are independent samples. Shares: Zou and Donner's (2008) limits from those of both waves; means: Student's.
        """
        if not len(self._ids) or not len(since._ids):
            return self._nothing([column], by, self.absent or since.absent)
        is_share = all(wave._as_number(column).dropna().isin([0.0, 1.0]).all() for wave in (self, since))
        if apart := self.form != "resident":
            made = independent_sum(self.mean(column), since.mean(column), -1.0)
        else:
            design, *terms = self.beside(since, column)
            made = self._tidy(estimate_sum(design, column, terms, wave=self.wave, fewest=self.fewest))
        if is_share:
            r = 0.0 if apart else correlate(design, *terms)
            made = change_of_shares(made, self.share(column), since.share(column), r)
        return self._placed(made, by)

    def beside(self, since: Self, column: str) -> tuple[Design, Term, Term]:
        """This wave's people and an earlier one's as one design, and a column's mean now and (negative) before as terms of a sum."""
        early, late = (survey._as_number(column).to_numpy() for survey in (since, self))
        design, is_late = stacked(since.design, since._psu_names(), self.design, self._psu_names())
        values = np.concatenate([early, late])
        known, number = np.isfinite(values), np.nan_to_num(values)
        return design, (1.0, number, known & is_late), (-1.0, number, known & ~is_late)

    def crosstab(self, row: str, column: str, where: str = "") -> Crosstab:
        """Shares of `column` within each answer of `row` for the county, and Pearson's X² with the second-order correction.

        The test is R's `svychisq(statistic = "F")` (Rao and Scott 1984). Raises EstimateError for a column of many values.
        """
        base = self._where(where)
        (a, rows), (b, columns) = (self._codes(name, base) for name in (row, column))
        made = crosstab(self.design, a, b, rows, columns, fewest=self.fewest)
        made.table.attrs |= {"labels": self.labels, "row": row, "column": column}
        return made

    def questions(self) -> pd.DataFrame:
        """The questions of the form in their order: question (its name), question_type, and how many answered it.

        n: people with an answer; n_skipped: people whom it did not ask; n_missing: people asked who gave none.
        """
        rows = []
        for item in self.book.form(self.form):
            if columns := [name for name in item.columns if name in self.reasons]:
                answered = self._checked()[columns].notna().any(axis=1)
                skipped = ~answered & (self.reasons[columns] == SKIPPED).all(axis=1)
                n = (int(who.sum()) for who in (answered, skipped, ~answered & ~skipped))
                rows.append((item.name, item.type, *n))
        made = pd.DataFrame(rows, columns=["question", "question_type", "n", "n_skipped", "n_missing"])
        made.attrs["labels"] = self.labels
        return made

    def topline(self, question: str, by: Any = None, where: str = "") -> pd.DataFrame:
        """Every answer of a question with its share and interval: a row an answer (column `answer`), row of a matrix and place.

        `count` is how many people gave the answer, unweighted; n is the base. Of a ranking: who named the option first.
        """
        item = next((one for one in self.book.form(self.form) if one.name == question), None)
        if item and item.is_matrix and question not in self.frame:
            parts = [self.topline(column, by, where).assign(measure=column) for column in item.columns]
            made = pd.concat(parts, ignore_index=True)
            made.attrs |= parts[0].attrs
            return made
        if item and item.type in MANY:
            answers = self._checked()[list(item.columns)].astype("Float64").astype(float)
            table = answers.eq(1).astype(float).where(answers.notna().any(axis=1), np.nan)
        else:
            if question not in self.frame and (gone := self._names(f"{question}_*")) and set(gone) <= set(self.lacking):
                return self._nothing(gone, by, NOT_ASKED).rename(columns={"measure": "answer"})
            codes, names = self._codes(question, self._where(""), self.scope.options.get(question))
            table = {name: np.where(codes < 0, np.nan, codes == k) for k, name in enumerate(names)}
            table = self._open(question, pd.DataFrame(table, index=self._ids, dtype=float))
        made = self._run(self._shares, table, by, where).rename(columns={"measure": "answer"})
        if as_list(by) in ([], ["town"]):
            counted = _cut(table, self._where(where))
            counts = {(COUNTY, name): counted[name].sum() for name in counted}
            counts |= counted.groupby(self.frame["town"]).sum().stack().to_dict() if by else {}
            made["count"] = [counts.get(key, 0) for key in zip(made["place"], made["answer"], strict=True)]
        made.attrs["answer"] = question
        return made

    def regress(self, formula: str, linear: bool = False) -> Regression:
        """A linear regression, or a logistic one where the outcome is true and false, as R's `svyglm`; see `huying.associations`."""
        return regress(self.design, self._checked(), formula, linear)

    # --- how ----------------------------------------------------------------------------------------------------------

    def _shares(self, design: Design, table: pd.DataFrame, **how: Any) -> pd.DataFrame:
        return estimates.estimate_shares(design, *_known_and_asked(table), **how)

    def _means(self, design: Design, table: pd.DataFrame, **how: Any) -> pd.DataFrame:
        return estimates.estimate_means(design, *_known_and_asked(table), **how)

    def _ratio(self, design: Design, pair: pd.DataFrame, **how: Any) -> pd.DataFrame:
        known, name = pair.where(np.isfinite(pair)), "/".join(pair)
        asked = pd.DataFrame({name: pair.notna().any(axis=1)})
        return estimates.estimate_ratios(design, name, *known.to_numpy(dtype=float).T, asked=asked, **how)

    def _sum(self, design: Design, table: pd.DataFrame, parts: Parts, name: str, **how: Any) -> pd.DataFrame:
        known, asked = _known_and_asked(table)
        terms = [(c, known[k].fillna(0).to_numpy(dtype=float), known[k].notna().to_numpy()) for k, c in parts.items()]
        return estimate_sum(design, name, terms, asked=asked, **how)

    def _open(self, name: str, values: Any) -> Any:
        """The values of a column, with UNSAID for those whom it asked and who did not say, where the list of people is finite."""
        if self.design.fpc is None:
            return values
        asked = self._asked(name)
        return values.mask(values.isna() & (asked if values.ndim == 1 else asked[:, None]), UNSAID)

    def _estimate(self, how: Estimator, columns: Any, by: Any, where: str, take: Any, label: str = "") -> pd.DataFrame:
        names = self._names(columns)
        gone = [name for name in names if self._is_unasked(name)]
        spoken = [name for name in (*as_list(by), *re.findall(r"\w+", where)) if self._is_unasked(name)]
        if not len(self._ids) or spoken or gone == names or (gone and label):
            return self._nothing([label] if label else names, by, self.absent or NOT_ASKED)
        columns = {name: self._open(name, take(name)) for name in names if name not in gone}
        made = self._run(how, pd.DataFrame(columns, index=self._ids), by, where)
        return pd.concat([made, self._nothing(gone, by, NOT_ASKED)], ignore_index=True) if gone else made

    def _run(self, estimator: Estimator, table: pd.DataFrame, by: Any, where: str) -> pd.DataFrame:
        table, groups = _cut(table, self._where(where)), [name for name in as_list(by) if name != "town"]
        cuts = list(itertools.product(*(self._levels(name) for name in groups)))
        if not cuts:
            return self._nothing(list(table), by, NOT_ASKED)
        parts = []
        for levels in cuts:
            inside, at = np.ones(len(table), dtype=bool), dict(zip(groups, levels, strict=True))
            for name, level in at.items():
                inside &= (self._checked()[name] == level).fillna(False).to_numpy(dtype=bool)
            made = estimator(self.design, _cut(table, inside), wave=self.wave, fewest=self.fewest)
            parts.append(self._tidy(made.assign(**at)))
        return self._placed(pd.concat(parts, ignore_index=True), by)

    def _placed(self, made: pd.DataFrame, by: Any) -> pd.DataFrame:
        """The rows that `by` asks for: without `town` the county's, and where nobody was asked for the town."""
        made = made[made["place"] != NO_PLACE]
        made = made if "town" in as_list(by) else made[made["place"] == COUNTY].reset_index(drop=True)
        altered = {name for name, was in self.declared.items() if self.derived.get(name) != was}
        if altered & set(re.findall(r"\w+", " ".join(made["measure"].unique()))):
            # what is judged by it carries the remark: it is not the definition that was frozen
            made["remark"] = "definition_changed"
        elif self.weighting.get("remark", pd.Series("")).any():
            told = self.weighting.set_index("place")["remark"]
            told = pd.concat([told, pd.Series("; ".join(sorted(set(told) - {""})), [COUNTY])])
            made["remark"] = made["place"].map(told[~told.index.duplicated(keep="last")]).fillna("")
        made.attrs |= {"labels": self.labels, "source": say(f"survey.{self.form}", lang_of(self.labels))}
        return made

    def _tidy(self, made: pd.DataFrame) -> pd.DataFrame:
        made = made.rename(columns={"indicator": "measure"}).assign(period="")
        last = ["measure", *LEADING, "wave", "period", *(name for name in EXTRA if name in made)]
        return made[["place", *(name for name in made if name not in ("place", *last)), *last]]

    def _nothing(self, names: Sequence[str], by: Any, reason: str) -> pd.DataFrame:
        towns = [place for place in self.design.places if place != NO_PLACE and "town" in as_list(by)]
        rows = [{"place": place, "measure": name} for name in names for place in (*towns, COUNTY)]
        made = pd.DataFrame(rows).assign(**dict.fromkeys(LEADING, np.nan), wave=self.wave, period="")
        made = made.assign(n=0.0, reliability="not estimable", reason=reason, method="")
        for name in (name for name in as_list(by) if name != "town"):
            made.insert(1, name, pd.Series(pd.NA, made.index, dtype="string"))
        made.attrs["labels"] = self.labels
        return made


def _known_and_asked(table: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The values of a table without UNSAID, and who was asked."""
    return table.where(np.isfinite(table)), table.notna()


def _cut(table: pd.DataFrame, inside: Bools) -> pd.DataFrame:
    """The table with nothing in the rows outside the base: they stay in the design."""
    return table.where(np.broadcast_to(inside[:, None], table.shape))


# --- two waves beside each other --------------------------------------------------------------------------------------


def stacked(first: Design, first_names: Any, second: Design, second_names: Any) -> tuple[Design, Bools]:
    """Both waves' people as one design whose PSUs are the names, so that changes keep their covariance; and who is of the second.

    Calibration is credited in each wave by itself: the margins of the second are other categories than those of the first.
    """
    psu = np.unique(np.concatenate([first_names, second_names]), return_inverse=True)[1].astype(np.int64)
    shift = [int(margin.max(initial=-1)) + 1 for margin in first.margins]
    margins = tuple(np.concatenate([a, b + s]) for a, b, s in zip(first.margins, second.margins, shift, strict=True))
    pairs = ([getattr(wave, name) for wave in (first, second)] for name in ("weight", "stratum", "prior"))
    weight, stratum, prior = map(np.concatenate, pairs)
    design = Design(stratum, psu, weight, first.places, margins=margins, base=prior)
    return design, np.arange(len(weight)) >= len(first.weight)


def independent_sum(first: pd.DataFrame, second: pd.DataFrame, sign: float = 1.0) -> pd.DataFrame:
    """`first` plus `sign` times `second`, estimate frames of independent samples, at the places of `first`.

    Variances add, degrees of freedom are Welch's (1947). Forms carry no name, so who answered twice cannot be known; where
    the same people answer alike a change has too wide an interval, not too narrow a one.
    """
    other = second.set_index("place").reindex(first["place"]).set_axis(first.index)
    variances = [rows["se"].to_numpy(dtype=float) ** 2 for rows in (first, other)]
    freedom = [rows["df"].to_numpy(dtype=float) for rows in (first, other)]
    pairs = zip(variances, freedom, strict=True)
    bottom = sum(np.divide(v**2, df, out=np.zeros(len(v)), where=df > 0) for v, df in pairs)
    total, least = sum(variances), np.minimum(*freedom)
    given = {"estimate": first["estimate"] + sign * other["estimate"].astype(float), "se": np.sqrt(total)}
    given |= {"df": np.divide(total**2, bottom, out=least.copy(), where=bottom > 0), "n_eff": np.nan, "deff": np.nan}
    given["method"] = first["method"].where(first["method"] == other["method"], STUDENT)
    given["reason"] = first["reason"].where(first["reason"] != "", other["reason"].fillna(""))
    made = first.assign(**given, n=np.minimum(first["n"], other["n"]))
    made["low"], made["high"] = limits(made)
    return made.assign(reliability=rate(made))


def correlate(design: Design, late: Term, early: Term) -> pd.Series:
    """The correlation of the two waves' estimates by place, from the variances of both and of their difference.

    0 where the waves share no PSU: what rounding or a common centre would leave is nothing.
    """
    sums = (estimate_sum(design, "", terms, fewest=0) for terms in ([late], [early], [late, early]))
    late_se, early_se, both_se = (made["se"].to_numpy() for made in sums)
    with np.errstate(invalid="ignore", divide="ignore"):
        r = (late_se**2 + early_se**2 - both_se**2) / (2 * late_se * early_se)
    seen = [np.bincount(design.psu[base], minlength=len(design.owner)) > 0 for _, _, base in (late, early)]
    shared = np.bincount(np.maximum(design.owner, 0), seen[0] & seen[1], minlength=len(design.places)) > 0
    is_shared = np.append(shared, shared.any())
    return pd.Series(np.where(is_shared, np.clip(np.nan_to_num(r), -1, 1), 0.0), [*design.places, COUNTY])


def change_of_shares(change: pd.DataFrame, now: pd.DataFrame, then: pd.DataFrame, r: pd.Series | float) -> pd.DataFrame:
    """`change` with Zou and Donner's (2008) limits from those of both shares, at the correlation `r` of the two.

    The columns that the limits at any level rest on stand beside it, named as of NOW and THEN.
    """
    shares = {prefix: share.set_index("place").reindex(change["place"]) for prefix, share in ((NOW, now), (THEN, then))}
    parts = [share[list(NEEDED)].add_prefix(prefix).set_axis(change.index) for prefix, share in shares.items()]
    correlation = r if isinstance(r, float) else r.reindex(change["place"]).to_numpy()
    is_known = change["reason"].isin(["", "no variation"])
    made = pd.concat([change.assign(r=correlation, method=MOVER, n_eff=np.nan), *parts], axis=1)
    made["reason"] = change["reason"].mask(is_known, "")
    made["low"], made["high"] = (np.where(is_known, end, np.nan) for end in limits(made))
    return made.assign(reliability=rate(made))
