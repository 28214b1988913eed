"""Charts that run along an axis, and between two: curves, ranks that move, one estimate under many specifications; named points."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Patch
from matplotlib.text import Text

from huying.charts import look
from huying.charts.rows import VERDICTS
from huying.charts.sheet import Sheet, places, sheet
from huying.intervals import Bools, Floats
from huying.words import all_words


def curves(rows: pd.DataFrame, x: str, y: str, by: str, *, limits: Iterable[float], **about: Any) -> Axes:
    """Steps of a share along working days, a line for each value of `by`, each share held until the next day of its curve.

    `low`, `high` are drawn as a band, `at_risk` is told below; the axis ends where fewer than 1% still wait. Upright lines at
    the limits, in working days.
    """
    with sheet(rows, **about) as made:
        made.need(look.numbers(rows, y))
        waiting = rows.get("at_risk", pd.Series(1.0, rows.index))  # the last hundredth would take most of the axis
        end = max([float(rows.loc[waiting >= 0.01 * waiting.groupby(rows[by]).transform("first"), x].max()), *limits])
        for turn, (key, part) in enumerate(rows.groupby(by, sort=False)):
            last = part.tail(1).assign(**{x: max(end, float(part[x].iloc[-1]))})
            days, share, low, high = look.numbers(pd.concat([part, last]), x, y, "low", "high")
            colour, dash = look.PALETTE[turn % 8], look.DASHES[turn % 4]
            made.axes.step(days, share, where="post", color=colour, linestyle=dash, linewidth=2, gid="curve")
            made.axes.fill_between(days, low, high, step="post", color=colour, alpha=0.2, linewidth=0, gid="band")
            made.handles.append(look.line(colour, 2, made.words.value(by, key), dash))
        if np.isfinite(look.numbers(rows, "low")[0]).any():
            made.handles.append(Patch(color=look.GREY, alpha=0.3, label=made.say("band")))
        for place, day in enumerate(sorted(limits)):
            made.axes.axvline(day, color=look.DIM, linewidth=1, linestyle=":", gid="limit")
            # The first label ends at its line and the others start at theirs: 2 and 5 days stand close on a long axis.
            side = {"ha": "left" if place else "right", "color": look.DIM, "xycoords": made.axes.get_xaxis_transform()}
            look.note(made.axes, made.say("days", n=f"{day:g}"), (day, 1), (0, 3), size=look.TINY, **side)
        made.title_pad, made.inches = 20, 2.8
        made.span(made.axes.yaxis, np.array([0.0, 1.0]), is_share=True)
        made.span(made.axes.xaxis, np.array([0.0, end]), is_share=False, is_from_zero=True)
        made.axes.xaxis.get_major_locator().set_params(integer=True)  # there is no half a day
        made.lowest = count_at_risk(made, rows, x, by) if "at_risk" in rows else made.axes
        made.lowest.set_xlabel(made.words.column(x))
    return made.axes


def add_panel(made: Sheet, labels: Sequence[str], pad: float) -> Axes:
    """A panel below the axes, a line for each label."""
    tall = 0.18 * len(labels) / made.inches
    panel = made.axes.inset_axes((0, -tall - pad / made.inches, 1, tall), sharex=made.axes)
    panel.set_yticks(range(len(labels)), labels, size=look.TINY)
    panel.tick_params(length=0)
    panel.spines[:].set_visible(False)
    panel.set(ylim=(len(labels) - 0.4, -0.6))
    return panel


def count_at_risk(made: Sheet, rows: pd.DataFrame, x: str, by: str) -> Axes:
    """A panel below: how many were still waiting at the beginning of these days, a line for each curve."""
    groups = list(rows.groupby(by, sort=False))
    panel = add_panel(made, [made.say("at_risk", what=made.words.value(by, key)) for key, _ in groups], 0.27)
    panel.tick_params(labelbottom=False, pad=10)
    for row, (_, part) in enumerate(groups):
        days, left = look.numbers(part, x, "at_risk")
        for day in [day for day in made.axes.get_xticks() if days[0] <= day <= min(days[-1], made.axes.get_xlim()[1])]:
            panel.text(day, row, f"{left[np.searchsorted(days, day)]:.0f}", size=look.TINY, ha="center", va="center")
    return panel


def trend(rows: pd.DataFrame, x: str, **about: Any) -> Axes:
    """Estimates with their intervals along time: the values of `x` in their order, with as many digits as the fewest cases bear."""
    with sheet(rows, **about) as made:
        value, low, high, n = look.numbers(rows, "estimate", "low", "high", "n")
        made.need(value, low, high)
        axes, at, is_share = made.axes, np.arange(len(rows)), made.is_share(value, low, high)
        axes.vlines(at, low, high, color=look.BLUE, linewidth=1.6, gid="interval")
        axes.plot(at, value, "o-", markersize=4, color=look.BLUE, linewidth=0.8, gid="estimate")
        for place in np.flatnonzero(np.isfinite(value)):
            at_value, told = (place, value[place]), made.show(value[place], is_share, n.min())
            look.note(axes, told, at_value, (0, 5), ha="center", size=look.TINY, gid="cell")
        made.explain_intervals(rows, look.BLUE, 1.6)
        made.span(axes.yaxis, value, low, high, is_share=is_share)
        times = [made.words.value(x, time) for time in rows[x]]
        step = -(-len(times) // int(46 / max(map(look.ems, times))))  # so many have room
        axes.set_xticks(at[::step], times[::step])
        axes.set(xlabel=made.words.column(x), xlim=(-0.5, len(times) - 0.5))
        made.inches = 2.4
    return made.axes


def slopes(rows: pd.DataFrame, **about: Any) -> Axes:
    """How ranks move from step to step: the index is what is ranked, columns the steps, 1 on top; what moves is in colour."""
    with sheet(rows, **about) as made:
        ordered = rows.sort_values(list(rows.columns[:1]), kind="stable")
        values = ordered.to_numpy(dtype=float, na_value=np.nan)
        made.need(values)
        axes, steps, turn = made.axes, np.arange(values.shape[1]), 0
        for label, line in zip(made.names(ordered), values, strict=True):
            moved = len(set(line[np.isfinite(line)])) > 1
            colour, dash = (look.PALETTE[turn % 6], look.DASHES[turn // 6 % 4]) if moved else (look.GREY, "-")
            turn += moved
            ink = {"color": colour, "linestyle": dash, "linewidth": 2 if moved else 1, "clip_on": False}
            axes.plot(steps, line, marker="o", markersize=4, gid="rank", **ink)
            near = {"va": "center", "size": look.TINY, "color": look.BLACK if moved else look.DIM, "gid": "label"}
            for step, away, side in ((0, -8, "right"), (len(steps) - 1, 8, "left")):
                if np.isfinite(line[step]):
                    look.note(axes, label, (step, line[step]), (away, 0), ha=side, **near)
        axes.set_xticks(steps, [made.words.word(step) for step in rows.columns])
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
        ends = {"xlim": (-0.05, len(steps) - 0.95), "ylim": (np.nanmax(values) + 0.7, 0.3), "yticks": []}
        axes.set(xlabel=made.words.word(rows.columns.name or ""), **ends)
        made.inches = 0.27 * max(len(rows), 4)
    return made.axes


def specifications(rows: pd.DataFrame, threshold: float | None = None, *, choices: Any = (), **about: Any) -> Axes:
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
        drawn = judged if np.isfinite(judged).any() else threshold
        made.threshold(drawn, is_share, lambda one, **how: draw_threshold(axes, judged, one, **how))
        axes.margins(y=0.08)
        look.scale(axes.yaxis, is_share)
        # Limits, no margin: of two axes that share a scale it is chance whose margin would count.
        axes.set(xticks=[], xlim=(-1.5, len(shown) + 0.5))
        made.inches = 2.6
        shown["threshold"] = [look.show(one, is_share) for one in judged]
        used = [name for name in dict.fromkeys([*choices, "threshold"]) if name in shown and shown[name].nunique() > 1]
        made.lowest = draw_choices(made, shown, used) if used else axes
        made.lowest.set_xlabel(made.say("specifications"))
    return made.axes


def draw_threshold(axes: Axes, judged: Floats, one: float, **how: Any) -> None:
    """A threshold across those judged by it: where it is nowhere said, across all."""
    at = np.flatnonzero((judged == one) | np.isnan(judged).all())
    axes.hlines(np.full(len(at), one), at - 0.5, at + 0.5, **how)


def draw_points(made: Sheet, shown: pd.DataFrame, estimate: Floats, low: Floats, high: Floats) -> None:
    """The estimates in the colours of their verdicts, the headline ringed."""
    at, verdict = np.arange(len(shown)), shown.get("verdict", pd.Series("", shown.index))
    for key in dict.fromkeys([*VERDICTS, *verdict]):
        part, ink = (verdict == key).to_numpy(), look.GREY if key == "cannot say" else VERDICTS.get(key, look.BLUE)
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
    called = {name: f"choice_{name}" if f"labels.choice_{name}" in all_words() else name for name in used}
    said = [f"{made.words.column(called[name])} · {made.words.value(name, value) or '–'}" for name, value in lines]
    panel = add_panel(made, said, 0.15)
    for row, (name, value) in enumerate(lines):
        own, colour = np.flatnonzero(shown[name] == value), look.PALETTE[used.index(name) % 6]
        panel.plot(own, np.full(len(own), row), "|", color=colour, markersize=7, gid="choice")
    return panel


# --- a named point a place: two numbers against each other, shares against cases; labels move apart -------------------

# Every place that a label may take around its point: 16 directions, at growing distances in pixels.
ANGLES = np.linspace(0, 2 * np.pi, 16, endpoint=False)
DIRECTIONS = np.tile(np.column_stack([np.cos(ANGLES), np.sin(ANGLES)]), (9, 1))
RADII = np.repeat([7.0, 12, 18, 26, 36, 48, 64, 84, 110], len(ANGLES))
LEADER = 13.0
CORNERS = ((0.01, "left"), (0.99, "right")), ((0.985, "top"), (0.015, "bottom"))  # across, up
# Near places first; a level leader would run through the other points where many share a value.
DISLIKE = RADII + 1500 * ((RADII > LEADER) & (np.abs(DIRECTIONS[:, 1]) < 0.1))


def scatter(
    rows: pd.DataFrame, x: str, y: str, *, lines: tuple[Any, Any] = (None, None), corners: Any = (), **about: Any
) -> Axes:
    """Two columns against each other, a named point a row, divided by a line on either axis.

    `<x>_low` to `<x>_high` are drawn as intervals where they are there. `corners`: what upper left, upper right, lower
    left and lower right mean. Rows without a value are named below.
    """
    with sheet(rows, **about) as made:
        wanted = [f"{name}{end}" for name in (x, y) for end in ("", "_low", "_high")]
        across, x_low, x_high, up, y_low, y_high = look.numbers(rows, *wanted)
        made.need(across + up)
        axes, is_here, made.measures = made.axes, (places(rows) == made.highlight).to_numpy(), (x, y)
        axes.hlines(up, x_low, x_high, color=look.GREY, linewidth=0.7, gid="x_interval")
        axes.vlines(across, y_low, y_high, color=look.GREY, linewidth=0.7, gid="y_interval")
        for value, draw in zip(lines, (axes.axvline, axes.axhline), strict=True):
            if value is not None:
                draw(value, color=look.DIM, linestyle="--", linewidth=1, zorder=1, gid="line")
        edge: dict[str, Any] = {"edgecolors": look.WHITE, "linewidths": 0.8, "zorder": 3, "clip_on": False}
        for part, ink, size in ((~is_here, look.BLUE, 36), (is_here, look.VERMILLION, 70)):
            axes.scatter(across[part], up[part], color=ink, s=size, gid="points", **edge)
        if is_here.any() and not is_here.all():
            marks = ((look.BLUE, "town"), (look.VERMILLION, "here"))
            made.handles = [look.mark("o", ink, made.say(key)) for ink, key in marks]
        sides = ((axes.xaxis, across, x_low, x_high), (axes.yaxis, up, y_low, y_high))
        for (axis, *values), line in zip(sides, lines, strict=True):
            made.span(axis, *values, [np.nan if line is None else line], is_share=made.is_share(values[0]))
        axes.set(xlabel=made.words.measure(x), ylabel=made.words.measure(y))
        for place, text in enumerate(corners):
            (left, ha), (top, va) = CORNERS[0][place % 2], CORNERS[1][place // 2]
            side = {"size": look.TINY, "color": look.DIM, "transform": axes.transAxes, "gid": "corner"}
            axes.text(left, top, made.words.word(text), ha=ha, va=va, **side)
        made.inches = 4.6
        name_points(made, made.names(rows), across, up, is_here)
    return made.axes


def funnel(points: pd.DataFrame, limits: pd.DataFrame, centre: float, **about: Any) -> Axes:
    """Shares against the number of cases, with the limits that chance alone would give around `centre`.

    `points`: n, estimate, is_outside; `limits`: n, low95, high95, low998, high998.
    """
    with sheet(points, **about) as made:
        n, share = look.numbers(points, "n", "estimate")
        made.need(share)
        axes, is_here = made.axes, (places(points) == made.highlight).to_numpy()
        outside = points["is_outside"].to_numpy(dtype=bool)
        grid, *bounds = look.numbers(limits, "n", "low95", "high95", "low998", "high998")
        for name, dash, pair in (("limits_95", "--", bounds[:2]), ("limits_998", "-", bounds[2:])):
            axes.plot(grid, np.column_stack(pair), color=look.GREY, linestyle=dash, linewidth=1.1, gid=name)
            made.handles.append(look.line(look.GREY, 1.1, made.say(name), dash))
        axes.axhline(centre, color=look.DIM, linewidth=1, gid="centre")
        made.handles.append(look.line(look.DIM, 1, made.say("centre", value=look.show(centre))))
        edge = {"s": np.where(is_here, 60, 36), "edgecolors": np.where(is_here, look.BLACK, look.WHITE), "zorder": 3}
        axes.scatter(n, share, c=np.where(outside, look.VERMILLION, look.BLUE), clip_on=False, gid="points", **edge)
        made.handles += [look.mark("o", look.VERMILLION, made.say("outside"))] if outside.any() else []
        made.span(axes.xaxis, grid, n, is_share=False, is_from_zero=True)
        top = 1.08 * float(np.nanmax(np.concatenate([share, *(bound[grid >= np.nanmin(n)] for bound in bounds)])))
        axes.set(xlabel=made.say("cases"), ylabel=made.say("share"), ylim=(-0.03 * top, top))
        look.scale(axes.yaxis, True)
        made.inches = 3.8
        name_points(made, made.names(points), n, share, is_here)
    return made.axes


def name_points(made: Sheet, labels: list[str], x: Floats, y: Floats, is_bold: Bools) -> None:
    """Name the points, once the sizes are known, and below those that have no value."""
    known = np.isfinite(x + y)
    if lacking := [label for label, is_known in zip(labels, known, strict=True) if not is_known]:
        made.lines.append(made.say("no_value_for", names=made.listed(lacking)))
    made.later = lambda: place_labels(made.axes, labels, np.column_stack([x, y]), known, is_bold)


def overlap(boxes: Floats, others: Floats) -> Floats:
    """The area in square pixels that each of `boxes` (left, bottom, right, top, last) shares with all `others`."""
    low, high = np.maximum(boxes[..., None, :2], others[:, :2]), np.minimum(boxes[..., None, 2:], others[:, 2:])
    return np.asarray(np.clip(high - low, 0, None).prod(axis=-1).sum(axis=-1))


def around(centre: Floats, half: Floats | float) -> Floats:
    """Boxes around `centre` that reach `half` their size to each side."""
    return np.concatenate([centre - half, centre + half], axis=-1)


def place_labels(axes: Axes, labels: list[str], at: Floats, is_named: Bools, is_bold: Bools) -> None:
    """A label at the nearest free place around each named point, the bold ones first.

    Labels keep off each other, points, their lines back to their points, the texts in the corners and the border.
    """
    style: dict[str, Any] = {"ha": "center", "va": "center", "size": look.TINY, "zorder": 5, "gid": "label"}
    style["bbox"] = {"facecolor": look.WHITE, "edgecolor": "none", "pad": 0.3, "alpha": 0.85}
    style["arrowprops"] = {"arrowstyle": "-", "color": look.GREY, "linewidth": 0.7, "shrinkA": 0, "shrinkB": 2}
    border, points, along = axes.bbox.extents, axes.transData.transform(at), np.linspace(0.1, 0.95, 14)[:, None]
    corners = [text.get_window_extent().extents for text in axes.texts if text.get_gid() == "corner"]
    solid = np.vstack([around(points[np.isfinite(points).all(axis=1)], 5.0), *corners])
    for row in sorted(np.flatnonzero(is_named).tolist(), key=lambda row: (not is_bold[row], at[row, 0])):
        weight = "bold" if is_bold[row] else "normal"
        label = axes.annotate(labels[row], at[row], (0, 0), textcoords="offset points", weight=weight, **style)
        half = np.array(Text.get_window_extent(label).size) / 2 + 1
        shift = DIRECTIONS * (RADII[:, None] + half)
        boxes, leaders = around(points[row] + shift, half), around(points[row] + shift[:, None] * along, 2.0)
        beyond = np.clip(border[:2] - boxes[:, :2], 0, None) + np.clip(boxes[:, 2:] - border[2:], 0, None)
        cost = DISLIKE + 100 * overlap(boxes, solid) + 1000 * beyond.sum(axis=1)
        cost += 30 * (RADII > LEADER) * overlap(leaders, solid).sum(axis=1)
        far = bool(RADII[best := int(np.argmin(cost))] > LEADER)
        label.set_position(tuple(shift[best] * 72 / axes.get_figure(root=True).dpi))
        label.arrow_patch.set_visible(far)
        solid = np.vstack([solid, boxes[best], *([leaders[best]] if far else [])])
