"""What every chart has: a title, lines below, the mark of synthetic data, room, names of its rows; refuses a picture that says nothing.

All of it belongs to the axes, so that a caller may set ticks, titles and sizes afterwards as on any other.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.layout_engine import TightLayoutEngine
from matplotlib.transforms import Bbox, offset_copy
from pandas.api.types import is_bool_dtype, is_numeric_dtype

from huying import labels
from huying.charts import look
from huying.intervals import COUNT, Floats
from huying.labels import COUNTY, Labels, part_word
from huying.units import say_value

SHOWN = ("share", "ratio", "days", "months", "score", "index")  # units that a value bears in a picture
PAD = 0.09  # inches around everything
PLACES = ("place", "town_id", "dept_id")


class NothingToDrawError(Exception):
    """There is nothing that a picture would show; the text says why."""


@dataclass
class Sheet:
    """The axes of one chart and what stands around them.

    What every chart takes (`about`): `highlight`: the place that is read; `verdict`: gives the title where its number is
    among those drawn, and the line under it; else `title` and `subtitle`; `note`: a line below; `percent`: whether the values
    are shares (where it is not said, they are if none is above 1); `interval`: what the legend calls the intervals, a key of
    the charts' words; `ax`: where to draw; `width`: of a figure of its own, in inches.

    `inches`: height of the drawing itself, `width` of the figure; `lowest`: the axes below which the legend stands;
    `measures`: what is drawn, for the title; `later`: what can only be drawn when all sizes are known.
    """

    rows: pd.DataFrame
    axes: Axes
    lowest: Axes
    words: Labels
    is_own: bool
    highlight: str | None = None
    verdict: Any = None
    title: str = ""
    subtitle: str = ""
    note: str = ""
    percent: bool | None = None
    interval: str = "interval"
    inches: float = 4.0
    width: float = look.WIDTH
    measures: tuple[str, ...] = ()
    handles: list[Any] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    title_pad: float = 8
    later: Callable[[], None] = lambda: None

    def say(self, key: str, **values: object) -> str:
        """A text of the charts."""
        return self.words.say(f"charts.{key}", **values)

    def listed(self, names: Any) -> str:
        """Names one after another."""
        return self.say("comma").join(map(str, names))

    def need(self, values: Any, low: Any = None, high: Any = None) -> None:
        """Write a sentence in place of the picture where none of the values is known, or all are one without an interval.

        All may be one where no ends are given.
        """
        values = np.asarray(values, dtype=float)
        if low is not None and values.size > 1 and np.ptp(values) == 0 and not np.any(np.asarray(high) > low):
            value = look.show(values.flat[0], self.is_share(values))
            raise NothingToDrawError(self.say("all_equal", n=values.size, value=value))
        if not np.isfinite(values).any():
            reasons = list(self.rows["reason"].unique()) if "reason" in self.rows else []
            why = self.words.value("reason", reasons[0]) if len(reasons) == 1 else ""
            raise NothingToDrawError(self.say("nothing_because", why=why) if why else self.say("no_rows"))

    def is_share(self, *values: Any) -> bool:
        """Whether the values are shares."""
        if self.percent is not None or self.unit not in ("share", "points"):
            return bool(self.percent)
        return bool(np.nanmax(np.abs(np.concatenate(values))) <= 1)

    def span(self, axis: Any, *values: Any, is_share: bool, is_from_zero: bool = False) -> None:
        """Limits that hold all values and use the room: shares near 0 or 100% begin or end there, bars begin at 0."""
        known = np.concatenate([*values, [0.0]] if is_from_zero else values)
        low, high = float(np.nanmin(known)), float(np.nanmax(known))
        pad = max(0.04 * (high - low), 0.025 if is_share else 0) or 0.5
        low, high = low if is_from_zero else low - pad, high + pad
        if is_share and np.nanmin(known) >= 0:
            low, high = 0.0 if low < 0.2 else low, 1.0 if 0.8 < high <= 1 + pad else high
        edge = 0 if is_from_zero else 0.015 * (high - low)
        axis.axes.set(**{f"{axis.axis_name}lim": (low - edge, high + edge)})
        look.scale(axis, is_share)

    def show(self, value: float, is_share: bool, n: float = np.inf, against: Any = ()) -> str:
        """A value as a statement tells it: the fewer it is of, the fewer digits, and on its own side of the threshold."""
        unit = "share" if is_share else self.unit.replace("share", "")
        known = [one for one in np.atleast_1d(np.array(against, dtype=float)) if np.isfinite(one)]
        lang, size = self.words.lang, n if n > 0 else np.inf
        return say_value(value, unit, lang, size, known) if unit in SHOWN else look.show(value, is_share)

    def value(self, x: float, y: float, text: str, **style: Any) -> None:
        """A value in figures beside its mark."""
        look.note(self.axes, text, (x, y), (4, 0), va="center", size=look.TINY, gid="value", **style)

    def explain_intervals(self, rows: pd.DataFrame, colour: str, width: float) -> None:
        """Lines of the legend for the intervals that are drawn: those of a complete list are bounds."""
        low, high = look.numbers(rows, "low", "high")
        is_bound = rows.get("method", pd.Series("", rows.index)).eq(COUNT).to_numpy()
        for key, own in ((self.interval, ~is_bound), ("bounds", is_bound)):
            self.handles += [look.line(colour, width, self.say(key))] if (high > low)[own].any() else []

    def threshold(self, value: Any, is_share: bool, draw: Callable[..., Any]) -> Floats:
        """Draw the thresholds as dashed lines with one line of the legend; gives those there are."""
        found: Floats = np.unique(np.array([] if value is None else value, dtype=float))
        values = np.asarray(found[np.isfinite(found)])
        for one in values:
            draw(one, color=look.DIM, linestyle="--", linewidth=1.2, gid="threshold")
        label = self.say("threshold", value=self.listed(look.show(one, is_share) for one in values))
        self.handles += [look.line(look.DIM, 1.2, label, "--")] if len(values) else []
        return values

    def fit(self, left: float, bottom: float, right: float, top: float) -> None:
        """Give the chart's own figure these margins in inches around a drawing of its height."""
        if self.is_own:
            figure, total = self.axes.get_figure(root=True), bottom + self.inches + top
            figure.set_size_inches(self.width, total)
            sides = {"left": left / self.width, "right": 1 - right / self.width}
            figure.subplots_adjust(bottom=bottom / total, top=1 - top / total, **sides)

    def finish(self) -> None:
        """Add title, mark, legend and the lines below, and give the chart's own figure the room that they take."""
        figure = self.axes.get_figure(root=True)
        left, right = self.beside()
        self.write(left * 72, right * 72, (left + right + self.axes.bbox.width / figure.dpi) * 72)
        if self.is_own:
            box, inner, (width, height) = figure.get_tightbbox(), figure.subplotpars, figure.get_size_inches()
            bottom, top = inner.bottom * height - box.y0, box.y1 - inner.top * height
            self.fit(inner.left * width - box.x0 + PAD, bottom + PAD, box.x1 - inner.right * width + PAD, top + PAD)
        self.later()
        figure.stale = not self.is_own  # whatever a caller changes from here on marks the figure as stale again

    def beside(self) -> tuple[float, float]:
        """The room in inches that is taken on the left and the right of the axes, which it is given here."""
        axes, dpi = self.axes, self.axes.get_figure(root=True).dpi
        self.fit(1, 1, 0.2, 1)
        parts = [part for part in {axes, self.lowest} if part.axison]
        boxes = [part.yaxis.get_tightbbox() or part.get_tightbbox() for part in parts]
        boxes += [text.get_window_extent() for text in axes.texts if text.get_gid() == "value"]
        left = max([0.0, *(axes.bbox.x0 - box.x0 for box in boxes)]) / dpi
        right = max([0.0, *(box.x1 - axes.bbox.x1 for box in boxes)]) / dpi
        self.fit(left + PAD, 1, right + PAD, 1)
        return float(left), float(right)

    def write(self, left: float, right: float, room: float) -> None:
        """All that stands around the axes, from so many points left of them to so many right of them, which are `room` points."""
        axes, (heading, subtitle) = self.axes, self.headings()
        # No title runs into the mark of synthetic data, which is 100 points wide.
        heading = look.wrap(heading, (room - 100 * self.words.is_synthetic) / look.TITLE / 1.05)
        subtitle = look.wrap(subtitle, room / look.SMALL)
        tall = 1.3 * look.SMALL * (subtitle.count("\n") + 1) + 2 if subtitle else 0
        # Where nothing stands above, matplotlib need not look for it.
        y = 1.0 if self.lowest is axes and not axes.xaxis.get_tick_params()["labeltop"] else None
        title = axes.set_title(heading or " ", loc="left", x=0, y=y, pad=self.title_pad + tall)
        title.set_transform(offset_copy(title.get_transform(), axes.get_figure(root=True), -left, 0, units="points"))
        small = {"size": look.SMALL, "color": look.DIM, "linespacing": 1.25, "va": "top"}
        look.note(axes, subtitle, (0, 0), (0, -2), xycoords=title, gid="subtitle", **small)
        # What stands below finds its place when it is drawn: a caller may set other ticks and a name of the axis before.
        under: Any = partial(self.under, left)
        if self.handles:
            columns = look.columns_of([str(handle.get_label()) for handle in self.handles], room / look.SMALL)
            legend = axes.legend(handles=self.handles, loc="upper left", ncols=columns, columnspacing=1.4)
            legend.get_bbox_to_anchor, under = under, legend
        if lines := "\n".join(look.wrap(line, room / look.SMALL) for line in self.below()):
            at = {"xycoords": (axes.transAxes, under), "gid": "below"}
            look.note(axes, lines, (0, 0), (-left, -5 if self.handles else 0), **at, **small)
        if self.words.is_synthetic:
            bold = {"ha": "right", "va": "bottom", "weight": "bold", "color": look.WHITE, "bbox": look.STAMP}
            at = {"xycoords": (axes.transAxes, title), "gid": "synthetic"}
            look.note(axes, self.say("synthetic"), (1, 0), (right, 2), **at, **bold)

    def under(self, left: float, renderer: Any = None) -> Bbox:
        """The point so many points left of the axes below which nothing of them stands, in pixels, as a box without size."""
        lowest, x = self.lowest, self.axes.bbox.x0 - left * self.axes.get_figure(root=True).dpi / 72
        if lowest is not self.axes:  # a panel places the name of its axis later than the texts around its parent
            lowest.xaxis.get_tightbbox(renderer)
        # The name stands below the ticks, also where it is empty.
        above = lowest.xaxis.label if lowest.axison else lowest
        drop = (3 if lowest.axison and not lowest.get_xlabel() else 7) * lowest.get_figure(root=True).dpi / 72
        return Bbox.from_bounds(x, above.get_window_extent(renderer).y0 - drop, 0, 0)

    def headings(self) -> tuple[str, str]:
        """Title and subtitle: the verdict's where its number is drawn, else the caller's, else what is measured and where."""
        asked = filter(None, [self.rows.attrs.get("answer", "")])
        measures = self.measures or tuple(self.rows["measure"].dropna().unique() if "measure" in self.rows else asked)
        places = [self.words.place(self.highlight)] if self.highlight and self.highlight != COUNTY else []
        what = [self.listed(map(self.words.measure, measures))] if 0 < len(measures) < 3 else []
        when = [*only(self.rows, "wave"), *only(self.rows, "period"), self.count()]
        told = self.verdict if self.is_told else None
        title, under = str(told.title) if told else self.title, self.subtitle or getattr(told, "subtitle", "")
        under = under or " · ".join(filter(None, [*(what + places if title else []), *when]))
        return title or " · ".join([*places, *what]) or str(self.words.place(COUNTY)), under

    @cached_property
    def is_told(self) -> bool:
        """Whether a verdict is given whose number is among those drawn, if it has one."""
        value = float(getattr(self.verdict, "row", {}).get("estimate", np.nan))
        is_drawn = np.isnan(value) or np.isclose(self.rows.select_dtypes("number"), value).any()
        return self.verdict is not None and bool(is_drawn)

    @cached_property
    def unit(self) -> str:
        """The unit of the verdict that is told, else that of shares."""
        return str(getattr(self.verdict, "row", {}).get("unit", "share")) if self.is_told else "share"

    def below(self) -> list[str]:
        """The lines below: what lacks a value, the caller's note, the sampling."""
        is_list = "wave" in self.rows and self.rows["wave"].eq("").all()  # of a ledger, whose rows are all there
        drawn = "" if is_list or (how := self.words.sampling) == "probability" else f"counties.sampling_{how}"
        return [line for line in (*self.lines, self.note, drawn and self.words.say(drawn)) if line]

    def count(self) -> str:
        """The n of the place that is read (else the county's) where it has one, and of what: where the rows come from."""
        at = [self.rows["place"] == place for place in (self.highlight, COUNTY)] if "place" in self.rows else []
        n = set(look.numbers(next((self.rows[rows] for rows in at if rows.any()), self.rows), "n")[0])
        source = str(self.rows.attrs.get("source", ""))
        if len(n) != 1 or not np.isfinite(max(n)):
            return source
        return self.say("n_of" if source else "n", n=f"{max(n):.0f}", source=source)

    # --- what its rows are called ----------------------------------------------------------------------------------------

    def names(self, rows: pd.DataFrame, besides: Sequence[str] = ()) -> list[str]:
        """What each row is called: by its index where that holds no numbers, else by its keys."""
        is_indexed = not is_numeric_dtype(rows.index.dtype)
        table = rows.reset_index() if is_indexed else rows
        columns = list(table.columns[: rows.index.nlevels]) if is_indexed else keys(table, besides)
        said = [[self.call(rows, name, value) for value in table[name]] for name in columns]
        told = [" · ".join(filter(None, parts)) for parts in zip(*said, strict=True)]
        return told or [str(row) for row in rows.index]

    def call(self, rows: pd.DataFrame, column: str, value: Any) -> str:
        """A value of a column in words; a part of a claim by what it measures."""
        word = self.words.value(rows.attrs.get(column, column), value)
        return part_word(str(value), self.words.lang, word) if column == "part" and value else word

    def with_n(self, labels: Sequence[str], n: Floats) -> list[str]:
        """Labels with their n, a dash where it is missing."""
        shown = ["–" if np.isnan(value) else f"{value:.0f}" for value in n]
        return [self.say("with_n", label=label, n=value) for label, value in zip(labels, shown, strict=True)]

    def name_rows(self, labels: Sequence[str], is_here: Any = ()) -> None:
        """Label the rows, the first on top, the one that is read here with a band and in bold; sets the height."""
        # Of a very long name the middle is left out: the rows are as high as the longest needs.
        axes, wrapped = self.axes, [look.wrap(s if len(s) < 120 else f"{s[:80]}…{s[-20:]}", 20) for s in labels]
        axes.set_yticks(range(len(labels)), wrapped)
        axes.set_ylim(len(labels) - 0.4, -0.6)
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        for row in np.flatnonzero(np.asarray(is_here, dtype=bool)):
            axes.axhspan(row - 0.5, row + 0.5, color=look.YELLOW, alpha=0.3, linewidth=0, zorder=0)
            axes.get_yticklabels()[row].set_fontweight("bold")
        tall = max((name.count("\n") for name in wrapped), default=0)
        self.inches = 0.15 + (0.26 + 0.13 * tall) * max(len(labels), 2)

    def say_why_missing(self, at: Any, row: pd.Series) -> None:
        """Words in a row in place of its value: why it has none."""
        few = self.say("too_few_answers") if row.get("reliability") == "too few answers" else ""
        text = few or self.words.value("reason", row.get("reason", "")) or self.say("no_value")
        style = {"bbox": {"facecolor": look.WHITE, "edgecolor": "none", "pad": 1}, "zorder": 4, "gid": "remark"}
        style |= {"transform": self.axes.get_yaxis_transform(), "va": "center", "size": look.TINY, "color": look.DIM}
        self.axes.text(0.02, at, text, **style)


@contextmanager
def sheet(rows: pd.DataFrame, ax: Axes | None = None, **about: Any) -> Iterator[Sheet]:
    """A sheet to draw on, finished when the block ends; with a sentence on it where the block finds nothing to draw."""
    with look.styled():
        axes = ax or plt.figure(layout=TightLayoutEngine(pad=0.6)).add_subplot()
        made = Sheet(rows, axes, axes, labels.of(rows), ax is None, **about)
        try:
            try:
                yield made
            except NothingToDrawError as why:
                axes.clear()
                axes.set_axis_off()
                centre = {"transform": axes.transAxes, "ha": "center", "va": "center", "color": look.DIM}
                axes.text(0.5, 0.5, look.wrap(str(why), 50), **centre)
                made.inches, made.handles = 0.8, []
            made.finish()
        except Exception:
            if made.is_own:
                plt.close(axes.get_figure(root=True))
            raise


def only(rows: pd.DataFrame, column: str) -> list[str]:
    """The one value of a column, nothing where it has several or none."""
    values = [str(value) for value in rows[column].unique()] if column in rows else []
    return values if len(values) == 1 and values[0] not in ("", "nan") else []


# --- what the rows of a table are called: whatever varies among its keys, in words ----------------------------------------


def keys(rows: pd.DataFrame, besides: Sequence[str] = ()) -> list[str]:
    """The columns that tell the rows apart: of those before the estimate (else all of text) what varies, else the first."""
    if "label" in rows:
        return ["label"]
    end = rows.columns.get_loc("estimate") if "estimate" in rows else rows.shape[1]
    # These keys a frame may also have behind its estimate.
    text = [name for k, name in enumerate(rows) if k < end or name in ("measure", "answer", "period", "wave")]
    text = [name for name in text if not is_numeric_dtype(rows[name].dtype) or is_bool_dtype(rows[name].dtype)]
    own = [str(name) for name in text if name not in besides]
    own = own or [name for name in PLACES if name in rows and name not in besides]
    return [name for name in own if rows[name].nunique() > 1] or own[:1]


def places(rows: pd.DataFrame) -> pd.Series:
    """The place of each row: a column of ids, else the index."""
    name = next((name for name in PLACES if name in rows), None)
    return rows[name] if name else pd.Series(rows.index.get_level_values(0), rows.index)


def spread(rows: pd.DataFrame, index: Sequence[str], column: str) -> pd.DataFrame:
    """A long table as a wide one, its rows and columns in the order in which they come."""
    return rows.set_index([*index, column])["estimate"].unstack(sort=False)[list(dict.fromkeys(rows[column]))]
