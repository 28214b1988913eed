"""Charts that run along an axis: curves, ranks that move, one estimate under many specifications."""

from collections.abc import Iterable, Sequence
from typing import Unpack

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from huying.charts import look
from huying.charts.matrix import VERDICTS
from huying.charts.names import names
from huying.charts.sheet import About, Sheet, sheet
from huying.intervals import Floats
from huying.words import all_words


def curves(rows: pd.DataFrame, x: str, y: str, by: str, *, limits: Iterable[float], **about: Unpack[About]) -> Axes:
    """Steps of a share along working days, a line for each value of `by`, each share held until the next day of its curve.

    Upright lines at the limits, in working days.
    """
    with sheet(rows, **about) as made:
        made.need(look.numbers(rows, y))
        axes, end = made.axes, max([float(rows[x].max()), *limits])
        for turn, (key, part) in enumerate(rows.groupby(by, sort=False)):
            last = (
                part.tail(1).assign(**{x: end})
                if "at_risk" not in part or part["at_risk"].iloc[-1] > 0
                else part.tail(0)
            )
            days, share, low, high = look.numbers(pd.concat([part, last]), x, y, "low", "high")
            colour, dash = look.PALETTE[turn % 8], look.DASHES[turn % 4]
            axes.step(days, share, where="post", color=colour, linestyle=dash, linewidth=2, gid="curve")
            axes.fill_between(days, low, high, step="post", color=colour, alpha=0.2, linewidth=0, gid="band")
            made.handles.append(look.line(colour, 2, made.words.value(by, key), dash))
        for place, day in enumerate(sorted(limits)):
            axes.axvline(day, color=look.DIM, linewidth=1, linestyle=":", gid="limit")
            # The first label ends at its line and the others start at theirs: 2 and 5 days stand close on a long axis.
            side = {"ha": "left" if place else "right", "color": look.DIM, "xycoords": axes.get_xaxis_transform()}
            look.note(axes, made.say("days", n=f"{day:g}"), (day, 1), (0, 3), size=look.TINY, **side)
        made.title_pad = 20
        if "at_risk" in rows:
            made.lowest = count_at_risk(made, rows, x, by)
        made.span(axes.yaxis, np.array([0.0, 1.0]), is_share=True)
        made.span(axes.xaxis, np.array([0.0, end]), is_share=False, is_from_zero=True)
        made.lowest.set_xlabel(made.words.column(x))
    return made.axes


def count_at_risk(made: Sheet, rows: pd.DataFrame, x: str, by: str) -> Axes:
    """A panel below: how many were still waiting at the beginning of these days, a line for each curve."""
    axes, groups = made.axes, list(rows.groupby(by, sort=False))
    made.inches, tall = 2.8, 0.16 * len(groups) / 2.8
    panel = axes.inset_axes((0, -tall - 0.09, 1, tall), sharex=axes)
    for row, (_, part) in enumerate(groups):
        days, left = look.numbers(part, x, "at_risk")
        for day in axes.get_xticks():
            if days[0] <= day <= days[-1]:
                first = int(np.searchsorted(days, day))
                panel.text(day, row, f"{left[first]:.0f}", size=look.TINY, ha="center", va="center")
    panel.set_yticks(range(len(groups)), [made.say("at_risk", what=made.words.value(by, key)) for key, _ in groups])
    panel.tick_params(length=0, labelbottom=False, labelsize=look.TINY, pad=10)
    panel.spines[:].set_visible(False)
    panel.set(ylim=(len(groups) - 0.5, -0.5))
    return panel


def trend(rows: pd.DataFrame, x: str, *, by: str = "", **about: Unpack[About]) -> Axes:
    """Estimates with their intervals along time (the values of `x` in their order), a line for each value of `by`."""
    with sheet(rows, **about) as made:
        ends = look.numbers(rows, "estimate", "low", "high")
        made.need(*ends)
        axes, times, is_share = made.axes, list(dict.fromkeys(rows[x])), made.is_share(*ends)
        groups = list(rows[by].unique()) if by else [""]
        for turn, group in enumerate(groups):
            part, colour = rows[rows[by] == group] if by else rows, look.PALETTE[turn % 8]
            value, low, high = look.numbers(part, "estimate", "low", "high")
            at = np.array([times.index(time) for time in part[x]]) + 0.12 * (turn - (len(groups) - 1) / 2)
            axes.vlines(at, low, high, color=colour, linewidth=1.6, gid="interval")
            axes.plot(
                at,
                value,
                "o",
                markersize=4,
                linestyle=look.DASHES[turn % 4],
                color=colour,
                linewidth=0.8,
                gid="estimate",
            )
            for place, one in zip(at[np.isfinite(value)], value[np.isfinite(value)], strict=True):
                look.note(axes, made.show(one, is_share), (place, one), (0, 5), ha="center", size=look.TINY, gid="cell")
            made.handles += [look.mark("o", colour, made.words.value(by, group))] if by else []
        made.explain_intervals(rows, look.DIM, 1.6)
        made.span(axes.yaxis, *ends, is_share=is_share)
        step = -(-len(times) // int(46 / max(look.ems(str(time)) for time in times)))  # so many labels have room
        axes.set_xticks(range(0, len(times), step), [made.words.value(x, time) for time in times[::step]])
        axes.set(xlabel=made.words.column(x), xlim=(-0.5, len(times) - 0.3))
        made.inches = 2.4
    return made.axes


def slopes(rows: pd.DataFrame, **about: Unpack[About]) -> Axes:
    """How ranks move from step to step: the index is what is ranked, columns the steps, 1 on top; what moves is in colour."""
    with sheet(rows, **about) as made:
        ordered = rows.sort_values(list(rows.columns[:1]), kind="stable")
        values = ordered.to_numpy(dtype=float, na_value=np.nan)
        made.need(values)
        axes, steps, turn = made.axes, np.arange(values.shape[1]), 0
        for label, line in zip(names(made, ordered), values, strict=True):
            moved = len(set(line[np.isfinite(line)])) > 1
            colour, dash = (look.PALETTE[turn % 6], look.DASHES[turn // 6 % 4]) if moved else (look.GREY, "-")
            turn += moved
            ink = {"color": colour, "linestyle": dash, "linewidth": 2 if moved else 1, "clip_on": False}
            axes.plot(steps, line, marker="o", markersize=4, gid="rank", **ink)
            near = {"va": "center", "size": look.TINY, "color": look.BLACK if moved else look.DIM, "gid": "label"}
            for step, away, side in ((0, -8, "right"), (len(steps) - 1, 8, "left")):
                if np.isfinite(line[step]):
                    look.note(axes, label, (step, line[step]), (away, 0), ha=side, **near)
        axes.set_xlabel(made.words.word(rows.columns.name or ""))
        axes.set_xticks(steps, [made.words.word(step) for step in rows.columns])
        axes.tick_params(length=0)
        axes.set_yticks([])
        axes.spines[:].set_visible(False)
        axes.set(xlim=(-0.05, len(steps) - 0.95), ylim=(np.nanmax(values) + 0.7, 0.3))
        made.inches = 0.27 * max(len(rows), 4)
    return made.axes


def specifications(
    rows: pd.DataFrame, threshold: float | None = None, *, choices: Sequence[str] = (), **about: Unpack[About]
) -> Axes:
    """One estimate under every specification, in the order of the values, the headline ringed; below, which choices made it.

    `rows`: estimate, low, high; `verdict` colours them, `is_headline` rings one, the column `threshold` holds what
    each was judged by: it is drawn under its own and shown among the choices; without it the one threshold crosses the axis.
    `choices` names the columns that say what was chosen. A sentence where every specification gives the same value.
    """
    with sheet(rows, **about) as made:
        shown = rows.sort_values("estimate", kind="stable", ignore_index=True)
        estimate, low, high, judged = look.numbers(shown, "estimate", "low", "high", "threshold")
        made.need(estimate, low, high)
        axes, is_share = made.axes, made.is_share(estimate, low, high)
        draw_points(made, shown, estimate, low, high)
        if np.isfinite(judged).any():  # each at its own
            thresholds = {one: np.flatnonzero(judged == one) for one in np.unique(judged)}
            made.threshold(
                judged,
                is_share,
                lambda one, **how: axes.hlines(
                    one + 0 * thresholds[one], thresholds[one] - 0.5, thresholds[one] + 0.5, **how
                ),
            )
        else:
            made.threshold(threshold, is_share, axes.axhline)
        axes.margins(x=1 / len(shown), y=0.08)
        look.scale(axes.yaxis, is_share)
        axes.set_xticks([])
        made.inches = 2.6
        shown["threshold"] = [look.show(one, is_share) for one in judged]
        used = [name for name in dict.fromkeys([*choices, "threshold"]) if name in shown and shown[name].nunique() > 1]
        made.lowest = draw_choices(made, shown, used) if used else axes
        made.lowest.set_xlabel(made.say("specifications"))
    return made.axes


def draw_points(made: Sheet, shown: pd.DataFrame, estimate: Floats, low: Floats, high: Floats) -> None:
    """The estimates in the colours of their verdicts, the headline ringed."""
    at, verdict = np.arange(len(shown)), shown.get("verdict", pd.Series("", shown.index))
    for key in dict.fromkeys([*VERDICTS, *verdict]):
        part = (verdict == key).to_numpy()
        ink = look.GREY if key == "cannot say" else VERDICTS.get(key, look.BLUE)
        made.axes.vlines(at[part], low[part], high[part], color=ink, linewidth=1.2, gid="interval")
        made.axes.scatter(at[part], estimate[part], color=ink, s=18, zorder=3, gid="estimate")
        made.handles += [look.mark("o", ink, made.words.value("verdict", key), size=5)] if key and part.any() else []
    ringed = shown.get("is_headline", pd.Series(False, shown.index)).to_numpy(dtype=bool)
    ring = {"s": 90, "facecolors": "none", "edgecolors": look.BLACK, "linewidths": 1.4, "zorder": 4, "gid": "headline"}
    made.axes.scatter(at[ringed], estimate[ringed], **ring)
    made.handles += [look.mark("o", look.BLACK, made.say("headline"), fill="none", size=8)] if ringed.any() else []


def draw_choices(made: Sheet, shown: pd.DataFrame, used: Sequence[str]) -> Axes:
    """A panel below: a line for each choice, a mark under each specification that made it."""
    lines = [(name, value) for name in used for value in dict.fromkeys(shown[name])]
    tall = 0.2 * len(lines) / made.inches
    panel = made.axes.inset_axes((0, -tall - 0.06, 1, tall), sharex=made.axes)
    for row, (name, value) in enumerate(lines):
        own = np.flatnonzero(shown[name] == value)
        colour = look.PALETTE[used.index(name) % 6]
        panel.plot(own, np.full(len(own), row), "|", color=colour, markersize=7, gid="choice")
    called = {name: f"choice_{name}" if f"labels.choice_{name}" in all_words() else name for name in used}
    said = [f"{made.words.column(called[name])} · {made.words.value(name, value) or '–'}" for name, value in lines]
    panel.set_yticks(range(len(lines)), said, size=look.TINY)
    panel.tick_params(length=0)
    panel.spines[:].set_visible(False)
    panel.set(ylim=(len(lines) - 0.4, -0.6))
    return panel
