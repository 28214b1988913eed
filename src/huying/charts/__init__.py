"""Draws estimates that others made; computes no statistic, and refuses a character that the font cannot draw."""

from huying.charts.frame import Caption, save
from huying.charts.grid import unit_heatmap
from huying.charts.plane import funnel, quadrant
from huying.charts.ranks import bars, dumbbell, forest, stacked
from huying.charts.series import months, rates, waiting

__all__ = [
    *("Caption", "bars", "dumbbell", "forest", "funnel", "months", "quadrant", "rates", "save", "stacked"),
    *("unit_heatmap", "waiting"),
]
