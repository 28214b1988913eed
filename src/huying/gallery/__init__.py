"""Each figure of the house by its name: stored numbers given their labels and handed to a chart; computes nothing."""

from __future__ import annotations

from matplotlib.figure import Figure

from huying.gallery import advice, agencies, calls, overview, parallel, reform
from huying.gallery.frame import Entry, draw_figure
from huying.reading import Reading

FIGURES: dict[str, Entry] = {
    name: entry
    for part in (reform, parallel, agencies, calls, advice, overview)
    for name, entry in part.FIGURES.items()
}


def draw(here: Reading, name: str) -> Figure | None:
    """The figure `name` for this place, saved under `figures/` and shown; a line instead where the county lacks its data.

    Raises KeyError for an unknown name.
    """
    return draw_figure(here, name, FIGURES[name])
