"""Charts of lying bars: shares with their intervals, stages, parts of a whole; a row without a value says why."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Patch

from huying import labels
from huying.charts import look
from huying.charts.names import keys, name_rows, names, places, say_why_missing, spread, with_n
from huying.charts.sheet import NothingToDrawError, sheet
from huying.intervals import COUNT
from huying.units import say_value

HATCHES = ("", "////", "....")
LEAST = 0.065  # of the whole: a narrower part has no room for its number


def bars(rows: pd.DataFrame, *, sort: bool = False, **about: Any) -> Axes:
    """Shares as bars with their intervals and values, the first row on top (`sort=True`: the longest).

    The n stands in the label where it differs between the rows; beside a counted share stands how many of how many.
    """
    with sheet(rows, **about) as made:
        shown = rows.sort_values("estimate", ascending=False, kind="stable") if sort else rows
        estimate, low, high, n = look.numbers(shown, "estimate", "low", "high", "n")
        made.need(estimate, low, high)
        at, axes, is_share = np.arange(len(shown)), made.axes, made.is_share(estimate, low, high)
        axes.barh(at, estimate, 0.62, color=look.SKY, gid="estimate")
        axes.hlines(at, low, high, color=look.BLACK, linewidth=1.6, gid="interval")
        made.explain_intervals(shown, look.BLACK, 1.6)
        is_counted = shown.get("method", pd.Series("", shown.index)).eq(COUNT).to_numpy() & (low == high) & is_share
        for row in np.flatnonzero(np.isnan(estimate)).tolist():
            say_why_missing(made, row, shown.iloc[row])
        for row in np.flatnonzero(np.isfinite(estimate)).tolist():
            of = made.say("of", k=f"{estimate[row] * n[row]:.0f}", n=f"{n[row]:.0f}") if is_counted[row] else ""
            made.value(np.fmax(estimate[row], high[row]), float(row), made.show(estimate[row], is_share, n[row]) + of)
        made.span(axes.xaxis, estimate, low, high, is_share=is_share, is_from_zero=True)
        called, place = names(made, shown), places(shown)
        called = with_n(made, called, n) if len({*n[np.isfinite(n)]}) > 1 and not is_counted.any() else called
        name_rows(made, called, (place == made.highlight) & (place.nunique() > 1))
    return made.axes


def stages(rows: pd.DataFrame, **about: Any) -> Axes:
    """How many (`estimate`) came as far as each `stage`, in their order, and which share that is of the stage before."""
    words, before = labels.of(rows), rows["estimate"].shift()
    share = [say_value(one, "share", words.lang, n) for one, n in zip(rows["estimate"] / before, before, strict=True)]
    of = ["", *(words.say("charts.of_before", value=one) for one in share[1:])]
    called = [words.value("stage", stage) + tail for stage, tail in zip(rows["stage"], of, strict=True)]
    return bars(rows.assign(label=called), **about | {"percent": False})


def stacked(rows: pd.DataFrame, part: str = "", *, ordinal: bool = False, sort: bool = False, **about: Any) -> Axes:
    """The parts of each row's whole side by side, the first row on top (`sort=True`: that of most of the first part), with its n.

    A long table holds `estimate` by row and `part` (by default the last key); a wide one a column a part, and `n` if known.
    `ordinal` colours ordered answers, whose columns are numbers, from light to dark. What a row lacks is hatched.
    """
    with sheet(rows, **about) as made:
        wide, part = rows, (part or keys(rows)[-1]) if "estimate" in rows else ""
        if part:
            own = keys(rows, [part])
            wide = spread(rows, own, part).assign(n=rows.groupby(own)["n"].max())
        wide = wide.sort_values(wide.columns[0], ascending=False, kind="stable") if sort else wide
        table, (n,) = wide.drop(columns="n", errors="ignore").select_dtypes("number"), look.numbers(wide, "n")
        made.need(table)
        shares, at, start, axes = table.to_numpy(dtype=float), np.arange(len(table)), np.zeros(len(table)), made.axes
        if len(table) > 1 and (full := table.columns[(shares > 0.9995).all(axis=0)]).size:
            raise NothingToDrawError(made.say("all_one", n=len(table), value=made.words.value(part, full[0])))
        for column, width, how in zip(table, shares.T, colours(list(table), ordinal), strict=True):
            drawn = width > 0
            axes.barh(at[drawn], width[drawn], 0.8, left=start[drawn], gid="shares", **how)
            made.handles.append(Patch(label=made.words.value(rows.attrs.get(part, part), column), **how))
            for row in np.flatnonzero(width >= LEAST):
                inside = {"ha": "center", "va": "center", "size": look.TINY, "color": look.ink_on(how["facecolor"])}
                inside["bbox"] = {"facecolor": how["facecolor"], "edgecolor": "none", "pad": 0.5}
                axes.text(start[row] + width[row] / 2, row, f"{100 * width[row]:.0f}%", **inside)
            start = start + np.nan_to_num(width)
        if (lacking := np.isnan(shares).any(axis=1)).any():
            axes.barh(at[lacking], 1 - start[lacking], 0.8, left=start[lacking], gid="lacking", **look.LACKING)
            made.handles.append(Patch(label=made.say("no_value"), **look.LACKING))
        made.span(axes.xaxis, np.ones(1), is_share=True, is_from_zero=True)
        called = with_n(made, names(made, table), n) if np.isfinite(n).any() else names(made, table)
        name_rows(made, called, table.index.get_level_values(0) == made.highlight)
    return made.axes


def colours(columns: list[Any], is_ordinal: bool) -> list[dict[str, Any]]:
    """How each part looks, so that any two are told apart in grey print: of one ramp where they are ordered, then what is no number there."""
    ordered = [column for column in columns if str(column).isdigit()] or columns
    marks = [HATCHES[turn % 2] if len(ordered) > 5 else "" for turn in range(len(ordered))]
    ramp = dict(zip(ordered, zip(look.shades(len(ordered)), marks, strict=True), strict=True))
    plain = [(look.AREAS[turn % 5], HATCHES[turn // 5 % 3]) for turn in range(len(columns))]
    chosen = [ramp.get(key, (look.PALE, "////")) for key in columns] if is_ordinal else plain
    return [{"facecolor": c, "hatch": h, "edgecolor": look.WHITE, "linewidth": 0.8} for c, h in chosen]
