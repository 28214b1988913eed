"""Charts of lying bars: shares with their intervals, parts of a whole; a row without a value says why."""

from typing import Any, Unpack

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Patch

from huying.charts import look
from huying.charts.names import keys, name_rows, names, places, say_why_missing, spread, with_n
from huying.charts.sheet import About, sheet

LEAST = 0.07  # of the whole: a narrower part has no room for its number


def bars(rows: pd.DataFrame, *, sort: bool = False, **about: Unpack[About]) -> Axes:
    """Shares as bars with their intervals and values, the first row on top (`sort=True`: the longest).

    The n stands in the label where it differs between the rows.
    """
    with sheet(rows, **about) as made:
        shown = rows.sort_values("estimate", ascending=False, kind="stable") if sort else rows
        estimate, low, high, n = look.numbers(shown, "estimate", "low", "high", "n")
        made.need(estimate)
        at, axes, is_share = np.arange(len(shown)), made.axes, made.is_share(estimate, low, high)
        axes.barh(at, estimate, 0.62, color=look.SKY, gid="estimate")
        axes.hlines(at, low, high, color=look.BLACK, linewidth=1.6, gid="interval")
        if (high > low).any():
            made.handles.append(look.line(look.BLACK, 1.6, made.say(made.interval)))
        for row in np.flatnonzero(np.isnan(estimate)):
            say_why_missing(made, row, shown.iloc[row])
        for row in np.flatnonzero(np.isfinite(estimate)):
            end = np.fmax(estimate[row], high[row]), row
            look.note(axes, look.show(estimate[row], is_share), end, (5, 0), va="center", size=8.5)
        made.span(axes.xaxis, estimate, low, high, is_share=is_share, margin=0)
        labels, place = names(made, shown), places(shown)
        labels = with_n(made, labels, n) if len(set(n[np.isfinite(n)])) > 1 else labels
        name_rows(made, labels, (place == made.highlight) & (place.nunique() > 1))
        made.inches *= 1.15
    return made.axes


def stacked(rows: pd.DataFrame, part: str = "", *, ordinal: bool = False, **about: Unpack[About]) -> Axes:
    """The parts of each row's whole side by side, the first row on top, with its n.

    A long table holds `estimate` by row and `part` (by default the last key); a wide one a column a part, and `n` if known.
    `ordinal` colours ordered answers, whose columns are numbers, from light to dark. What a row lacks is hatched.
    """
    with sheet(rows, **about) as made:
        wide, part = rows, (part or keys(rows)[-1]) if "estimate" in rows else ""
        if part:
            own = keys(rows, [part])
            wide = spread(rows, own, part).assign(n=rows.groupby(own)["n"].max())
        table, (n,) = wide.drop(columns="n", errors="ignore").select_dtypes("number"), look.numbers(wide, "n")
        made.need(table)
        shares, at, start, axes = table.to_numpy(dtype=float), np.arange(len(table)), np.zeros(len(table)), made.axes
        for column, width, how in zip(table, shares.T, colours(list(table), ordinal), strict=True):
            axes.barh(at, width, 0.8, left=start, gid="shares", **how)
            made.handles.append(Patch(label=made.words.value(rows.attrs.get(part, part), column), **how))
            for row in np.flatnonzero(width >= LEAST):
                inside = {"ha": "center", "va": "center", "size": 7.5, "color": look.ink_on(how["facecolor"])}
                axes.text(start[row] + width[row] / 2, row, f"{100 * width[row]:.0f}%", **inside)
            start = start + np.nan_to_num(width)
        if (lacking := np.isnan(shares).any(axis=1)).any():
            axes.barh(at[lacking], 1 - start[lacking], 0.8, left=start[lacking], gid="lacking", **look.LACKING)
            made.handles.append(Patch(label=made.say("no_value"), **look.LACKING))
        made.span(axes.xaxis, np.ones(1), is_share=True, margin=0)
        labels = with_n(made, names(made, table), n) if np.isfinite(n).any() else names(made, table)
        name_rows(made, labels, table.index.get_level_values(0) == made.highlight)
    return made.axes


def colours(columns: list[Any], is_ordinal: bool) -> list[dict[str, Any]]:
    """How each part looks: of one ramp where they are ordered, grey for what is no number there."""
    ordered = [column for column in columns if str(column).isdigit()] or columns
    ramp = dict(zip(ordered, map(look.SHADES, np.linspace(0.12, 0.95, len(ordered))), strict=True))
    plain = [(look.PALETTE[turn % 8], "//" * (turn // 8)) for turn in range(len(columns))]
    chosen = [(ramp.get(column, look.PALE), "") for column in columns] if is_ordinal else plain
    return [{"facecolor": c, "hatch": h, "edgecolor": look.WHITE, "linewidth": 0.8} for c, h in chosen]
