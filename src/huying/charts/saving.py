"""Shows a chart in its notebook and keeps the same picture as a file of the run; refuses to lose the mark of synthetic data."""

import os
from io import BytesIO
from pathlib import Path

from IPython.core.getipython import get_ipython
from IPython.display import Image, display
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from huying import labels
from huying.charts import look
from huying.labels import COUNTY
from huying.store import file_part, write_bytes


def save(ax: Axes, name: str, place: str | None = None) -> None:
    """Show the figure of `ax` and close it; in a run, also write the same PNG to `HUYING_FIGURES`.

    The file is called `<name>_<place>_<wave>_<lang>.png`, each as the run has it. `place="county"`: a chart that is the
    same for every town, so that only the county's own run writes it. Also for charts that seaborn or pandas drew.
    """
    figure, words, told = ax.get_figure(root=True), labels.of(None), say_what(ax)
    with look.styled():
        if words.is_synthetic and not figure.findobj(lambda artist: artist.get_gid() == "synthetic"):
            corner = {"ha": "right", "va": "top", "weight": "bold", "color": look.WHITE, "bbox": look.STAMP}
            figure.text(0.99, 0.985, words.say("charts.synthetic"), gid="synthetic", **corner)
        content = draw(figure, told)
    plt.close(figure)
    folder, here = os.environ.get("HUYING_FIGURES"), os.environ.get("HUYING_PLACE", "")
    if folder and (place != COUNTY or here == COUNTY):
        parts = name, place or here, os.environ.get("HUYING_WAVE", ""), os.environ.get("HUYING_LANG", words.lang)
        write_bytes(Path(folder) / f"{'_'.join(file_part(part) for part in parts if part)}.png", content)
    if get_ipython() is not None:
        display(Image(data=content, alt=told))


def draw(figure: Figure, told: str) -> bytes:
    """The figure as PNG, drawn once: laid out anew only where a change made it not fit, and cut to size where it cannot be."""
    fits = not figure.stale or is_inside(figure)
    if not fits and (engine := figure.get_layout_engine()):
        engine.execute(figure)
    is_whole = fits or bool(figure.get_layout_engine())
    figure.set_layout_engine(None)
    picture, about = BytesIO(), {"Software": None, "Description": told}
    quick = {"compress_level": 1}  # of flat colours it makes files as small as the usual 6, in half the time
    figure.savefig(picture, format="png", metadata=about, bbox_inches=None if is_whole else "tight", pil_kwargs=quick)
    return picture.getvalue()


def is_inside(figure: Figure) -> bool:
    """Whether nothing of the figure stands outside its edges."""
    room, (width, height) = figure.get_tightbbox(), figure.get_size_inches()
    return bool(min(room.x0, room.y0, width - room.x1, height - room.y1) > -0.01)


def say_what(ax: Axes) -> str:
    """What the picture shows, for who cannot see it: its title and the names of its axes and colours."""
    legend = ax.get_legend()
    marks = [text.get_text() for text in legend.get_texts()] if legend else []
    title = next(filter(None, (ax.get_title(loc) for loc in ("left", "center", "right"))), "")
    return " · ".join(text.replace("\n", " ") for text in (title, ax.get_xlabel(), ax.get_ylabel(), *marks) if text)
