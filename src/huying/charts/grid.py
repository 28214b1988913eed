"""Old units by towns as a heat map; a cell that was not found is hatched and never shown as nought."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle
from matplotlib.ticker import PercentFormatter

from huying.charts.frame import GREY, PALE, VERMILLION, Caption, canvas, chart, legend, settle, wrap

SHADES = LinearSegmentedColormap.from_list("use", ["#F7FBFF", "#6BAED6", "#08306B"])


@chart
def unit_heatmap(matrix: pd.DataFrame, here: str | None, caption: Caption) -> Figure:
    """How much each old unit (row) is still in use in each town (column), 0-1; NaN (not found) hatched, `here` framed."""
    values = np.ma.masked_invalid(matrix.apply(pd.to_numeric).to_numpy(dtype=float, na_value=np.nan))
    n_rows, n_columns = values.shape
    figure, axes = canvas(caption, 1.9 + 0.22 * max(n_rows, 4), width=9.0, is_empty=matrix.empty)
    lacking = {"facecolor": PALE, "hatch": "////", "edgecolor": GREY, "linewidth": 0}
    axes.add_patch(Rectangle((-0.5, -0.5), n_columns, n_rows, zorder=0, **lacking))
    edges = np.arange(n_columns + 1) - 0.5, np.arange(n_rows + 1) - 0.5
    if not matrix.empty:
        mesh = axes.pcolormesh(*edges, values, cmap=SHADES, vmin=0, vmax=1, edgecolors="white", linewidth=0.7, gid="values")
        bar = figure.colorbar(mesh, ax=axes, shrink=0.6, aspect=25, pad=0.015, format=PercentFormatter(1))
        bar.ax.tick_params(labelfontfamily=axes.xaxis.get_tick_params()["labelfontfamily"])
        bar.outline.set_visible(False)
    towns = [str(town) for town in matrix.columns]
    axes.set_xticks(range(n_columns), labels=towns, rotation=90)
    axes.set_yticks(range(n_rows), labels=[wrap(str(unit), 30) for unit in matrix.index])
    axes.set_ylim(n_rows - 0.5, -0.5)
    axes.tick_params(length=0, top=True, labeltop=True, bottom=False, labelbottom=False)
    axes.spines[:].set_visible(False)
    if here in towns:
        column = towns.index(here)
        axes.add_patch(Rectangle((column - 0.5, -0.5), 1, n_rows, fill=False, edgecolor=VERMILLION, linewidth=2.2, clip_on=False))
        axes.get_xticklabels()[column].set(fontweight="bold", color=VERMILLION)
    if values.mask.any():
        legend(axes, [Patch(label=caption.say("not_found"), **lacking)], drop=8)
    return settle(figure)
