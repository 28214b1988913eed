"""Charts with a row a place or an answer: bars, parts of a whole, intervals and ranks, and a cell for each row and column.

A row without a value says why; a gap between cells is hatched.
"""

from typing import Any

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.patches import Patch
from matplotlib.ticker import PercentFormatter

from huying import labels
from huying.charts import look
from huying.charts.sheet import NothingToDrawError, Sheet, keys, places, sheet, spread
from huying.intervals import COUNT, Floats
from huying.labels import COUNTY
from huying.units import say_value

HATCHES = ("", "////", "....")
LIMITS = ("low", "high", "low_family", "high_family")
LANE = 0.74  # of the width of a lane: the rest is for the value in figures
DOT: dict[str, Any] = {"s": 26, "clip_on": False, "zorder": 3}


def forest(rows: pd.DataFrame, threshold: Any = None, *, by: str = "", sort: bool = True, **about: Any) -> Axes:
    """Each row's estimate with its interval, the highest on top (`sort=False`: as given), the threshold as a dashed line.

    `by` draws the values of one key in colours within each row. Thin lines: the interval that holds for all towns at once,
    where `low_family` and `high_family` are there. Hollow: read with care. A value from too few answers is not drawn.
    """
    with sheet(rows, **about) as made:
        shown = rows.assign(**adjusted(rows, made.verdict), _name=made.names(rows, [by]), _place=places(rows))
        drawn = [f"_{name}" for name in ("estimate", *LIMITS)]
        shown[drawn] = np.column_stack(look.numbers(shown, "estimate", *LIMITS))
        shown.loc[shown.get("reliability", shown["_name"]) == "too few answers", drawn] = np.nan
        ends = [shown[f"_{name}"].to_numpy(dtype=float) for name in ("estimate", "low", "high")]
        made.need(*ends)
        known = np.isfinite(ends[0])
        if known.sum() > 1 and (ends[1][known] <= 0).all() and (ends[2][known] >= 1).all() and made.is_share(*ends):
            raise NothingToDrawError(made.say("all_across", n=known.sum()))
        order = shown.groupby("_name", sort=False).agg({"_estimate": "mean", "_place": "first"})
        order = order.sort_values("_estimate", ascending=False, kind="stable") if sort else order
        groups, heights = list(shown[by].unique()) if by else [""], np.zeros(len(shown))
        for turn, group in enumerate(groups):
            chosen = shown[by].eq(group).to_numpy() if by else np.ones(len(shown), dtype=bool)
            part = shown[chosen]
            at = order.index.get_indexer(part["_name"]) + (turn - (len(groups) - 1) / 2) * 0.8 / len(groups)
            draw_intervals(made, part, at, look.PALETTE[turn % 8] if by else "")
            heights[chosen] = at
            shape = "D" if part["_place"].eq(COUNTY).all() else "o"
            made.handles += [look.mark(shape, look.PALETTE[turn % 8], made.words.value(by, group))] if by else []
        explain(made, shown, set() if by or len(order) < 2 else set(order["_place"]))
        values = [shown[name].to_numpy(dtype=float) for name in drawn]
        is_share = made.is_share(*values)
        (n,) = look.numbers(shown, "n")
        for row in np.flatnonzero(known):
            told = made.show(values[0][row], is_share, n[row], threshold)
            made.value(1, heights[row], told, xycoords=made.axes.get_yaxis_transform())
        made.span(made.axes.xaxis, *values, made.threshold(threshold, is_share, made.axes.axvline), is_share=is_share)
        made.name_rows(list(order.index), order["_place"] == made.highlight)
        made.inches *= max(1.0, 0.6 * len(groups))
        first = shown.drop_duplicates("_name").set_index("_name").loc[order.index]
        for row in np.flatnonzero(order["_estimate"].isna()):
            made.say_why_missing(row, first.iloc[row])
    return made.axes


def panels(rows: pd.DataFrame, by: str = "measure", **about: Any) -> Axes:
    """Several shares (`by`) of the same rows beside each other, a lane each from 0 to 100%, sorted by the first.

    The column `threshold`, where there is one, is drawn in its lane.
    """
    with sheet(rows, **about) as made:
        made.need(rows["estimate"])
        shown = rows.assign(_name=made.names(rows, [by, "wave", "period"]), _place=places(rows))
        order = shown.drop_duplicates("_name").set_index("_name")  # by the first lane, also where it has no value
        order = order.sort_values("estimate", ascending=False, kind="stable")
        axes, groups = made.axes, list(shown.groupby(by, sort=False))
        for lane, (group, part) in enumerate(groups):
            value, low, high, line = look.numbers(part, "estimate", "low", "high", "threshold")
            at, ink = order.index.get_indexer(part["_name"]), colour_places(made, part)
            axes.hlines(at, lane + LANE * low, lane + LANE * high, color=ink, linewidth=1.6, gid="interval")
            axes.scatter(lane + LANE * value, at, c=ink, gid="estimate", **DOT | {"s": 16})
            axes.vlines(lane + LANE * line[:1], -0.6, len(order) - 0.4, color=look.DIM, linestyle="--", gid="threshold")
            for row, one in zip(at[np.isfinite(value)], value[np.isfinite(value)], strict=True):
                axes.text(lane + 0.98, row, f"{100 * one:.0f}", ha="right", va="center", size=look.TINY, gid="cell")
            head = look.wrap(made.words.value(by, group), 330 / len(groups) / look.SMALL)
            axes.text(lane, -0.8, head, size=look.SMALL, va="bottom", gid="cell")
            made.title_pad = max(made.title_pad, 10 + 10 * (head.count("\n") + 1))
        made.explain_intervals(rows, look.DIM, 1.6)
        made.threshold(look.numbers(rows, "threshold")[0], True, lambda *_, **how: None)  # drawn in its lane
        ticks = [lane + LANE * share for lane in range(len(groups)) for share in (0, 0.5, 1)]
        axes.set_xticks(ticks, ["0", "50%", "100%"] * len(groups))
        axes.grid(True, axis="x")
        axes.set(xlim=(-0.02, len(groups)))
        made.name_rows(list(order.index), order["_place"] == made.highlight)
        made.inches *= 0.8
    return made.axes


def adjusted(rows: pd.DataFrame, verdict: Any) -> dict[str, Any]:
    """The intervals that hold for all towns at once, from the verdict's rows where the chart's own have none."""
    judged = getattr(verdict, "rows", None)
    if judged is None or "low_family" in rows or "place" not in rows:
        return {}
    headline = judged[judged["part"] == ""] if "part" in judged else judged
    judged = headline.drop_duplicates("place").set_index("place").reindex(rows["place"])
    is_same = np.isclose(judged["estimate"].astype(float), rows["estimate"].astype(float))
    return {name: np.where(is_same, judged[name].astype(float), np.nan) for name in LIMITS[2:]}


def colour_places(made: Sheet, part: pd.DataFrame) -> Any:
    """The county in black, the place that is read here in its colour, all others in blue."""
    own = [part["_place"].eq(place) for place in (COUNTY, made.highlight)]
    return np.select(own, [look.BLACK, look.VERMILLION], look.BLUE)


def needs_care(shown: pd.DataFrame) -> pd.Series:
    """Which rows are to be read with care."""
    return shown.get("reliability", shown["_name"]).eq("read with care")


def draw_intervals(made: Sheet, part: pd.DataFrame, at: Floats, colour: str) -> None:
    """The marks of a forest: dots and lines at the heights `at`; the county a diamond."""
    value, low, high, *family = (part[f"_{name}"].to_numpy(dtype=float) for name in ("estimate", *LIMITS))
    is_county, care = part["_place"].eq(COUNTY).to_numpy(), needs_care(part).to_numpy()
    ink = np.full(len(part), colour) if colour else colour_places(made, part)
    made.axes.hlines(at, low, high, color=ink, linewidth=2, gid="interval")
    made.axes.hlines(at, *family, color=ink, linewidth=0.7, gid="family")
    for shape, chosen in (("o", ~is_county), ("D", is_county)):
        known = chosen & np.isfinite(value)
        fill = np.where(care, look.WHITE, ink)[known]
        edge = {"edgecolors": ink[known], "linewidths": 1.3, "gid": "estimate"} if known.any() else {}
        made.axes.scatter(value[known], at[known], c=fill, marker=shape, **edge, **DOT)


def explain(made: Sheet, shown: pd.DataFrame, drawn: set[Any]) -> None:
    """A legend of what is in the picture, and of nothing else."""
    is_hollow = needs_care(shown) | shown["_estimate"].isna()
    others = shown["_place"].isin(drawn - {COUNTY, made.highlight})
    fill = look.WHITE if is_hollow[others].all() else ""
    kind = "_department" if drawn - {COUNTY} <= set(made.words.departments) else ""
    found = [look.mark("o", look.BLUE, made.say(f"town{kind}"), fill=fill)] if others.any() else []
    found += [look.mark("o", look.VERMILLION, made.say(f"here{kind}"))] if made.highlight in drawn - {COUNTY} else []
    found += [look.mark("D", look.BLACK, made.say("county"))] if COUNTY in drawn else []
    made.handles, found = found, made.handles
    made.explain_intervals(shown, look.DIM, 2)
    care = [look.mark("o", look.DIM, made.say("care"), fill=look.WHITE)] if needs_care(shown).any() else []
    is_apart = (shown["_high_family"] > shown["_low_family"]).any()  # not where a value is counted
    made.handles += [*care, *([look.line(look.DIM, 0.7, made.say("family"))] if is_apart else []), *found]


def ranks(rows: pd.DataFrame, **about: Any) -> Axes:
    """The rank of each place (`estimate`, 1 on top) with the ranks from `low` to `high` that its interval allows.

    A sentence where every place may have every rank.
    """
    low, high = look.numbers(rows, "low", "high")
    last = np.nanmax(high, initial=1)
    if last > 1 and not ((low > 1) | (high < last)).any():
        with sheet(rows, **about) as made:
            raise NothingToDrawError(made.say("any_rank", n=np.isfinite(low).sum()))
        return made.axes
    about |= {"percent": False, "interval": "rank_interval"}
    axes = forest(rows.sort_values("estimate", kind="stable"), sort=False, **about)
    axes.set_xticks([1, *range(2 + (last > 14), int(last) + 1, 1 + (last > 14))])
    axes.set_xlabel(labels.of(rows).say("charts.rank"))
    return axes


# --- lying bars ---------------------------------------------------------------------------------------------------------


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
            made.say_why_missing(row, shown.iloc[row])
        for row in np.flatnonzero(np.isfinite(estimate)).tolist():
            of = made.say("of", k=f"{estimate[row] * n[row]:.0f}", n=f"{n[row]:.0f}") if is_counted[row] else ""
            made.value(np.fmax(estimate[row], high[row]), float(row), made.show(estimate[row], is_share, n[row]) + of)
        made.span(axes.xaxis, estimate, low, high, is_share=is_share, is_from_zero=True)
        called, place = made.names(shown), places(shown)
        called = made.with_n(called, n) if len({*n[np.isfinite(n)]}) > 1 and not is_counted.any() else called
        made.name_rows(called, (place == made.highlight) & (place.nunique() > 1))
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
            # A narrower part of the whole has no room for its number.
            inside: dict[str, Any] = {"color": look.ink_on(how["facecolor"]), "size": look.TINY, "in_layout": False}
            inside["bbox"] = {"facecolor": how["facecolor"], "edgecolor": "none", "pad": 0.5} if how["hatch"] else None
            for row in np.flatnonzero(width >= 0.065):
                axes.text(
                    start[row] + width[row] / 2, row, f"{100 * width[row]:.0f}%", ha="center", va="center", **inside
                )
            start = start + np.nan_to_num(width)
        if (lacking := np.isnan(shares).any(axis=1)).any():
            axes.barh(at[lacking], 1 - start[lacking], 0.8, left=start[lacking], gid="lacking", **look.LACKING)
            made.handles.append(Patch(label=made.say("no_value"), **look.LACKING))
        made.span(axes.xaxis, np.ones(1), is_share=True, is_from_zero=True)
        called = made.with_n(made.names(table), n) if np.isfinite(n).any() else made.names(table)
        made.name_rows(called, table.index.get_level_values(0) == made.highlight)
    return made.axes


def colours(columns: list[Any], is_ordinal: bool) -> list[dict[str, Any]]:
    """How each part looks, so that any two are told apart in grey print: of one ramp where they are ordered, then what is no number there."""
    ordered = [column for column in columns if str(column).isdigit()] or columns
    marks = [HATCHES[turn % 2] if len(ordered) > 5 else "" for turn in range(len(ordered))]
    ramp = dict(zip(ordered, zip(look.shades(len(ordered)), marks, strict=True), strict=True))
    plain = [(look.AREAS[turn % 5], HATCHES[turn // 5 % 3]) for turn in range(len(columns))]
    chosen = [ramp.get(key, (look.PALE, "////")) for key in columns] if is_ordinal else plain
    return [{"facecolor": c, "hatch": h, "edgecolor": look.WHITE, "linewidth": 0.8} for c, h in chosen]


# --- a cell for each row and place: numbers as shades, verdicts in colours --------------------------------------------

VERDICTS = {"supported": look.BLUE, "not supported": look.ORANGE, "cannot say": "#DDDDDD", "no baseline": look.WHITE}
UNKNOWN: dict[str, Any] = {"hatch": "....", "edgecolor": look.DIM, "linewidth": 0}


def heatmap(rows: pd.DataFrame, *, row: str = "", column: str = "place", **about: Any) -> Axes:
    """A number for each row and place as a shade: a wide table, or a long one with `row`, `column` and `estimate`.

    What is not known is hatched, the place that is read framed. A sentence where all cells are alike.
    """
    with sheet(rows, **about) as made:
        wide = spread(rows, [row], column) if "estimate" in rows else rows.select_dtypes(["number", "boolean"])
        table = wide.astype("Float64").astype(float)
        made.need(table, table, table)
        known = table.to_numpy()[np.isfinite(table.to_numpy())]
        is_share = made.is_share(known)
        low, top = known.min(), 1.0 if is_share and known.max() > 0.6 else known.max()
        how: dict[str, Any] = {"cmap": look.SHADES, "vmin": low if low > 0.5 * top else min(0.0, low), "vmax": top}
        if is_share and np.isin(known, (0.0, 1.0)).all():
            how["cbar"] = False
            for answer, shade in (("yes", look.SHADES(1.0)), ("no", look.SHADES(0.0))):
                made.handles.append(Patch(fc=shade, ec=look.GREY, label=made.words.say(f"labels.{answer}")))
        else:
            bar = {"shrink": 0.6, "pad": 0.015, "aspect": 25, "format": PercentFormatter(1) if is_share else "%g"}
            # With more columns the numbers would not fit.
            is_written = table.shape[1] <= 20
            small = {"size": look.TINY, "in_layout": False}
            how |= {"cbar_kws": bar, "cbar": not is_written, "annot_kws": small, "fmt": ""}
            told = table.map(lambda one: f"{100 * one:.0f}" if is_share else f"{one:.2g}")
            how["annot"] = told if is_written else None
            made.lines += [made.say("in_per_cent")] if is_written and is_share else []
        paint(made, table, "not_found", how)
    return made.axes


def paint(made: Sheet, table: pd.DataFrame, lacking: str, how: dict[str, Any]) -> None:
    """The cells with their names, the columns' on top, and a frame around the place that is read."""
    axes, columns = made.axes, [made.words.word(name) for name in table.columns]
    labels = [look.wrap(label, 26) for label in made.names(table)]
    if table.isna().any(axis=None):
        axes.patch.set(**look.LACKING)
        made.handles.append(Patch(label=made.say(lacking), **look.LACKING))
    grid = {"linewidths": 0.7, "linecolor": look.WHITE, "xticklabels": columns, "yticklabels": labels}
    sns.heatmap(table, ax=axes, **grid, **how)
    turn = 90 if max(map(look.ems, columns)) * look.SMALL > 300 / len(columns) else 0
    axes.tick_params(length=0, rotation=0)
    axes.tick_params(axis="x", top=False, labeltop=True, bottom=False, labelbottom=False, rotation=turn)
    axes.set(xlabel="", ylabel="")
    made.inches = 0.17 * max(sum(label.count("\n") + 1 for label in labels), 5)
    if made.highlight in list(table.columns):
        at = list(table.columns).index(made.highlight)
        frame = {"fill": False, "edgecolor": look.VERMILLION, "linewidth": 2.2, "clip_on": False, "zorder": 4}
        axes.axvspan(at, at + 1, gid="here", **frame)
        axes.get_xticklabels()[at].set(fontweight="bold", color=look.VERMILLION)


def verdicts(rows: pd.DataFrame, *, problems: pd.DataFrame | None = None, **about: Any) -> Axes:
    """The verdict on each claim (index) at each place (columns): a colour a verdict, a dot where it means a problem.

    `rows` holds the keys of VERDICTS or nothing (hatched: not judged there), `problems` true and false.
    """
    with sheet(rows, **about) as made:
        codes = rows.apply(lambda values: values.map({verdict: k for k, verdict in enumerate(VERDICTS)}).astype(float))
        made.need(codes)
        for k, (verdict, colour) in enumerate(VERDICTS.items()):
            if (codes == k).any(axis=None):
                looks = UNKNOWN if verdict == "no baseline" else {}
                made.handles.append(Patch(fc=colour, label=made.words.value("verdict", verdict), **looks))
        how = {"cmap": ListedColormap(list(VERDICTS.values())), "vmin": -0.5, "vmax": len(VERDICTS) - 0.5}
        paint(made, codes, "not_judged", {**how, "cbar": False})
        rows_without, columns_without = np.nonzero((codes == list(VERDICTS).index("no baseline")).to_numpy())
        made.axes.barh(rows_without + 0.5, 1, 0.94, left=columns_without, facecolor=look.WHITE, **UNKNOWN)
        if problems is not None:
            row, column = np.nonzero(problems.fillna(False).to_numpy(dtype=bool) & codes.notna().to_numpy())
            made.axes.scatter(column + 0.5, row + 0.5, s=12, c=look.BLACK, zorder=3, gid="problem")
            made.handles.append(look.mark("o", look.BLACK, made.say("problem"), size=4))
    return made.axes
