"""A small census (leaders, departments): the county's figures alone, bounded by those who did not answer; refuses a town.

Leaders are known by their town: no table, chart or number tells what those of one town said.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from huying.counted import bounded, unsaid, values
from huying.errors import EstimateError
from huying.estimates import COUNT, COUNTY, EXACT
from huying.exact import hypergeometric_limits
from huying.survey import Estimator, Survey
from huying.survey_frame import UNSAID, as_list
from huying.words import say

FEWEST, FEWEST_TOWNS = 5, 3  # a county's figure that rests on fewer people, or on fewer towns, would tell of them
BLANK = dict.fromkeys(("se", "n_eff", "df", "deff"), np.nan)


def _refuse(what: str) -> Any:
    """A method that says why it is refused: a census has no sampling error to test."""

    def refused(self: Census, *_: Any, **__: Any) -> Any:
        raise EstimateError("survey.no_sample", form=say(f"survey.{self.form}"), what=what)

    return refused


@dataclass(repr=False)
class Census(Survey):
    """Everybody was asked: counts without sampling error, bounded by who did not say.

    `_town` is each person's town and is never shown; leaders' rows stand in no order and bear no row of a file.
    """

    _town: pd.Series = field(default_factory=lambda: pd.Series(dtype="string"))

    def share(
        self, columns: Any, by: Any = "town", where: str = "", pooled: str = "", population: int = 0
    ) -> pd.DataFrame:
        """Shares among those who said, the county alone: low counts those who did not say as no, high as yes.

        `pooled` names the answers of several columns taken as one list, such as ratings of five agencies. `population`: how
        many there are, where not all have come; the ends are then hypergeometric limits for all of them, as if those who
        came had come by chance. Raises EstimateError for a town and for what is no share.
        """
        count = partial(self._shares, pooled=pooled, population=population) if pooled or population else self._shares
        made = self._estimate(count, columns, by, where, self._as_share)
        return made if not pooled or pooled in set(made["measure"]) else made.iloc[:1].assign(measure=pooled)

    def by_town(self, tally: Callable[[pd.DataFrame, pd.Series], pd.DataFrame], reason: str = "") -> pd.DataFrame:
        """What `tally` makes of the frame and each person's town: the county's rows alone; raises EstimateError for a town's.

        With a `reason`, or where nobody was asked, no number.
        """
        why = self.absent or reason
        made = unsaid([COUNTY], why) if why else tally(self._checked(), self._town.reindex(self._ids))
        told = made.drop(columns="place").astype(object).isin(set(self._town.dropna())).any(axis=None)
        if told or not (made["place"] == COUNTY).all():
            raise EstimateError("survey.no_town")
        made.attrs["labels"] = self.labels
        return made.assign(**{k: v for k, v in BLANK.items() if k not in made}, wave=self.wave, period="")

    change, crosstab, regress = map(_refuse, ("change", "crosstab", "regress"))

    # --- how ----------------------------------------------------------------------------------------------------------

    def _estimate(
        self, estimator: Estimator, columns: Any, by: Any, where: str, take: Any, label: str = ""
    ) -> pd.DataFrame:
        if "town" in as_list(by) and by != "town":
            raise EstimateError("survey.no_town")
        return super()._estimate(estimator, columns, None if by == "town" else by, where, take, label)

    def _shares(
        self, design: Any, table: pd.DataFrame, *, pooled: str = "", population: int = 0, **how: Any
    ) -> pd.DataFrame:
        columns = {pooled: list(table)} if pooled else {name: [name] for name in table}
        rows = [self._share(table[names], population).assign(indicator=name) for name, names in columns.items()]
        return pd.concat(rows, ignore_index=True).assign(wave=self.wave)

    def _share(self, table: pd.DataFrame, population: int) -> pd.DataFrame:
        """The share of one list of answers: true among those known, the others counted as no and as yes."""
        given = table.to_numpy(dtype=float)
        yes, known, came = (given == 1).sum(), np.isfinite(given).sum(), (~np.isnan(given)).sum()
        row = bounded([COUNTY], [yes], [known], [came], fewest=self._fewest(table)).assign(**BLANK)
        if not population or row["reason"].isin(["too few answers", "no eligible case"]).any():
            return row
        size = max(population, int(came))
        low, high = (hypergeometric_limits(int(k), int(came), size) for k in (yes, yes + came - known))
        return row.assign(low=low[0] / size, high=high[1] / size, method=COUNT if came == size else EXACT)

    def _fewest(self, table: pd.DataFrame) -> int:
        """The fewest answers that may be told: never those of a few people, or of the leaders of a few towns."""
        asked = table.notna().any(axis=1)
        towns = self._town.reindex(table.index)[asked].nunique()
        is_told = asked.sum() >= FEWEST and (self._town.isna().all() or towns >= FEWEST_TOWNS)
        return 1 if is_told else table.size + 1

    def _ratio(self, design: Any, pair: pd.DataFrame, **how: Any) -> pd.DataFrame:
        """The ratio of two totals over those who gave both numbers."""
        top, bottom = pair[np.isfinite(pair).all(axis=1)].sum()
        return self._number("/".join(pair), top / bottom if bottom else np.nan, pair)

    def _sum(self, design: Any, table: pd.DataFrame, parts: Mapping[str, float], name: str, **how: Any) -> pd.DataFrame:
        """The sum of coefficient × mean, each over those who said."""
        means = table.where(np.isfinite(table)).mean()
        return self._number(name, sum(c * means[k] for k, c in parts.items()), table)

    def _means(self, design: Any, table: pd.DataFrame, **how: Any) -> pd.DataFrame:
        if table.isin([0.0, 1.0, UNSAID, np.nan]).all(axis=None):
            return self._shares(design, table)
        means = table.where(np.isfinite(table)).mean()
        return pd.concat([self._number(k, means[k], table[[k]]) for k in table], ignore_index=True)

    def _number(self, name: str, value: float, table: pd.DataFrame) -> pd.DataFrame:
        """One number that is no share: n is the smallest base of its columns."""
        known = table.where(np.isfinite(table))
        row = values([COUNTY], [value], int(known.notna().sum().min()), indicator=name, wave=self.wave, **BLANK)
        if self._fewest(known) > 1:
            row[["estimate", "low", "high"]], row[["reason", "reliability"]] = np.nan, "too few answers"
        return row
