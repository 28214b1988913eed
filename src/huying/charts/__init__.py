"""Draws estimates that others made; computes no statistic, and refuses a character that the font cannot draw."""

from huying.charts.frame import Caption, save
from huying.charts.matrix import VERDICTS, slopes, specifications, verdicts
from huying.charts.plane import funnel, months, quadrant, waiting
from huying.charts.rows import bars, dumbbell, forest, rates, stacked, unit_heatmap

__all__ = [
    "VERDICTS",
    "Caption",
    "bars",
    "dumbbell",
    "forest",
    "funnel",
    "months",
    "quadrant",
    "rates",
    "save",
    "stacked",
]
__all__ += ["slopes", "specifications", "unit_heatmap", "verdicts", "waiting"]
