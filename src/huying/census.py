"""A small census (leaders, departments): the county's figures alone, bounded by those who did not answer; refuses a town.

Leaders are known by their town: no table, chart or number tells what those of one town said.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from huying.counted import bounded, unsaid, values
from huying.derived import read_rule
from huying.errors import EstimateError
from huying.estimates import COUNTY
from huying.survey import Estimator, Parts, Survey
from huying.survey_frame import as_list
from huying.words import say

FEWEST, FEWEST_TOWNS = 5, 3  # a county's figure that rests on fewer people, or on fewer towns, would tell of them
BLANK = dict.fromkeys(("se", "n_eff", "df", "deff"), np.nan)


def _refuse(what: str) -> Any:
    """A method that says why it is refused: a census has no sampling error to test."""

    def refused(self: Survey, *_: Any, **__: Any) -> Any:
        raise EstimateError("survey.no_sample", form=say(f"survey.{self.form}"), what=what)

    return refused


@dataclass(repr=False)
class Census(Survey):
    """Everybody was asked: counts without sampling error, bounded by who did not say.

    `_town` is each person's town and is never shown; leaders' rows stand in no order and bear no row of a file. `_due` is
    how many forms each town (or all together) should have sent: of those that did not come nothing is known.
    """

    _town: pd.Series = field(default_factory=lambda: pd.Series(dtype="string"))
    _due: pd.Series = field(default_factory=lambda: pd.Series(dtype=float))

    def share(
        self, columns: Any, by: Any = "town", where: str = "", pooled: str = "", population: int = 0
    ) -> pd.DataFrame:
        """Shares among those who said, the county alone: low counts those who did not say as no, high as yes.

        Those who sent no form did not say either. `pooled` names the answers of several columns taken as one list, such as
        ratings of five agencies. `population`: how many there are in the base, where that is known better than by who is
        known to lie outside it. Raises EstimateError for a town and for what is no share.
        """
        count = partial(self._shares, pooled=pooled, population=population) if pooled or population else self._shares
        made = self._estimate(count, columns, by, where, self._as_share)
        return made if not pooled or pooled in set(made["measure"]) else made.iloc[:1].assign(measure=pooled)

    def by_town(self, tally: Callable[[pd.DataFrame, pd.Series], pd.DataFrame], reason: str = "") -> pd.DataFrame:
        """What `tally` makes of the frame and each person's town: the county's rows alone; raises EstimateError for a town's.

        Who sent no form stands in the frame without an answer.
        With a `reason`, or where nobody was asked, no number.
        """
        why = self.absent or reason
        made = unsaid([COUNTY], why) if why else tally(*self._with_silent())
        told = made.drop(columns="place").astype(object).isin(set(self._town.dropna())).any(axis=None)
        if told or not (made["place"] == COUNTY).all():
            raise EstimateError("survey.no_town")
        made.attrs["labels"] = self.labels
        return made.assign(**{k: v for k, v in BLANK.items() if k not in made}, wave=self.wave, period="")

    change, crosstab, regress = map(_refuse, ("change", "crosstab", "regress"))

    def _with_silent(self) -> tuple[pd.DataFrame, pd.Series]:
        """The frame and each person's town, with a row of missing answers for every form that has not come."""
        frame, town = self._checked(), self._town.reindex(self._ids)
        lacks = (self._due - town.value_counts().reindex(self._due.index).fillna(0)).clip(lower=0).astype(int)
        silent = pd.Series(np.repeat(lacks.index.to_numpy(dtype=object), lacks), dtype="string").add_prefix("silent")
        return frame.reindex(frame.index.append(silent.index)), pd.concat([town, silent])

    # --- how ----------------------------------------------------------------------------------------------------------

    def _estimate(self, how: Estimator, columns: Any, by: Any, where: str, take: Any, label: str = "") -> pd.DataFrame:
        if "town" in as_list(by) and by != "town":
            raise EstimateError("survey.no_town")
        return super()._estimate(how, columns, None if by == "town" else by, where, take, label)

    def _shares(
        self, design: Any, table: pd.DataFrame, pooled: str = "", population: int = 0, **how: Any
    ) -> pd.DataFrame:
        columns = {pooled: list(table)} if pooled else {name: [name] for name in table}
        rows = [self._share(table[names], population).assign(indicator=name) for name, names in columns.items()]
        return pd.concat(rows, ignore_index=True).assign(wave=self.wave)

    def _share(self, table: pd.DataFrame, population: int) -> pd.DataFrame:
        """The share of one list of answers: true among those known, the others counted as no and as yes."""
        given = table.to_numpy(dtype=float)
        yes, known, came = (given == 1).sum(), np.isfinite(given).sum(), (~np.isnan(given)).sum()
        row = bounded([COUNTY], [yes], [known], [came], fewest=self._fewest(table)).assign(**BLANK)
        if row["reason"].isin(["too few answers", "no eligible case"]).any():
            return row
        size = max(int(came), population * table.shape[1] or self._size(table))
        return row.assign(low=yes / size, high=(yes + size - known) / size)

    def _size(self, table: pd.DataFrame) -> int:
        """How many answers there would be: of all who came and were asked, and of everybody who did not come."""
        return int(table.notna().to_numpy().sum() + max(0, self._due.sum() - len(self._ids)) * table.shape[1])

    def _fewest(self, table: pd.DataFrame) -> int:
        """The fewest answers that may be told: never those of a few people, or of the leaders of a few towns."""
        asked = table.notna().any(axis=1)
        towns = self._town.reindex(table.index)[asked].nunique()
        is_told = asked.sum() >= FEWEST and (self._town.isna().all() or towns >= FEWEST_TOWNS)
        return 1 if is_told else table.size + 1

    def _ratio(self, design: Any, pair: pd.DataFrame, **how: Any) -> pd.DataFrame:
        """The ratio of two totals over those who gave both numbers; bounded by nothing where somebody gave none."""
        known = pair[np.isfinite(pair).all(axis=1)]
        top, bottom = known.sum()
        value = top / bottom if bottom else np.nan
        bound = value if len(known) == self._size(pair.iloc[:, :1]) else np.nan
        return self._number("/".join(pair), [value, bound, bound], pair)

    def _sum(self, design: Any, table: pd.DataFrame, parts: Parts, name: str, **how: Any) -> pd.DataFrame:
        """The sum of coefficient × mean, each over those who said."""
        turned = [c * np.array(self._mean(table[k]))[[0, 1, 2] if c > 0 else [0, 2, 1]] for k, c in parts.items()]
        return self._number(name, np.sum(turned, axis=0), table)

    def _means(self, design: Any, table: pd.DataFrame, **how: Any) -> pd.DataFrame:
        if all(self._scale(k) == (0, 1) for k in table):
            return self._shares(design, table)
        return pd.concat([self._number(k, self._mean(table[k]), table[[k]]) for k in table], ignore_index=True)

    def _mean(self, values: pd.Series) -> tuple[float, float, float]:
        """The mean of those who said, and its bounds: the others at the lowest and at the highest of the scale."""
        known, size = values[np.isfinite(values)], self._size(values.to_frame())
        ends = self._scale(str(values.name)) if size > len(known) else (0.0, 0.0)
        low, high = ((known.sum() + end * (size - len(known))) / max(size, 1) for end in ends)
        return float(known.mean()), float(low), float(high)

    def _scale(self, name: str) -> tuple[float, float]:
        """The lowest and the highest answer that a column can hold; missing where nothing says so."""
        if name in self.derived:
            part = read_rule(self.derived[name].when, self.open_scope()).parts[0]
            return (0.0, 1.0) if part.op else self._scale(part.column)
        for item in self.book.form(self.form):
            if name in item.columns:
                codes: list[float] = [option.code for option in item.options if option.code not in item.missing]
                codes = [0, 1] if item.type == "multi" else codes or [np.nan]
                return item.range or (min(codes), max(codes))
        is_mark = self._checked()[name].dropna().isin([0, 1]).all()  # a column made by hand
        return (0.0, 1.0) if is_mark else (np.nan, np.nan)

    def _number(self, name: str, value: Sequence[float], table: pd.DataFrame) -> pd.DataFrame:
        """One number that is no share, with its bounds: n is the smallest base of its columns."""
        known, ends = table.where(np.isfinite(table)), {"low": value[1], "high": value[2]}
        row = values([COUNTY], [value[0]], int(known.notna().sum().min()), indicator=name, wave=self.wave, **BLANK)
        row = row.assign(**ends)
        if self._fewest(known) > 1:
            row[["estimate", "low", "high"]], row[["reason", "reliability"]] = np.nan, "too few answers"
        return row
