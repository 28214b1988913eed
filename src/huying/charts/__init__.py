"""Draws estimates that others made, on ordinary axes of matplotlib; computes no statistic, and refuses a picture that says nothing.

Importing it makes the house style that of the session, so that charts a reader draws herself look alike and show Chinese.
"""

import matplotlib as mpl

from huying.charts.lines import curves, funnel, scatter, slopes, specifications, trend
from huying.charts.look import style
from huying.charts.rows import VERDICTS, bars, forest, heatmap, panels, ranks, stacked, stages, verdicts
from huying.charts.saving import as_png, as_svg, save

__all__ = ["VERDICTS", "as_png", "as_svg", "bars", "curves", "forest", "funnel", "heatmap", "panels", "ranks", "save"]
__all__ += ["scatter", "slopes", "specifications", "stacked", "stages", "style", "trend", "verdicts"]

mpl.rcParams.update(style())
