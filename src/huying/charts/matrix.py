"""Charts with a cell for each row and place: numbers as shades, verdicts in colours; a gap is hatched."""

from typing import Any

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.patches import Patch
from matplotlib.ticker import PercentFormatter

from huying.charts import look
from huying.charts.sheet import Sheet, sheet, spread

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
            how |= {"cbar_kws": bar, "cbar": not is_written, "annot_kws": {"size": look.TINY}, "fmt": ""}
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
