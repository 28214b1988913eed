"""Shows a chart in its notebook and keeps the same picture as a file of the run; refuses to lose the mark of synthetic data."""

import os
from html import escape
from io import BytesIO
from pathlib import Path

from IPython.core.getipython import get_ipython
from IPython.display import Image, display
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from huying import labels
from huying.charts import look
from huying.fonts import FAMILY
from huying.store import file_part, write_bytes

# Whoever opens an SVG has these rather than the house's font: its letters are as wide.
ELSEWHERE = "'Noto Sans CJK SC', 'Source Han Sans SC', 'Microsoft YaHei', 'PingFang SC', sans-serif"


def save(ax: Axes, name: str, place: str = "", formats: tuple[str, ...] = (), dpi: float | None = None) -> None:
    """Show the figure of `ax` and close it; in a run, also write it to `HUYING_FIGURES`.

    The file is called `<name>_<place>_<wave>_<lang>.png`, each as the run has it. `place="county"`: a chart that is the
    same for every town, so that only the county's own run writes it. Also for charts that seaborn or pandas drew.
    `formats`: "png", "svg" or both (else what `HUYING_FORMATS` says, else PNG); `dpi`: of the PNG (else `HUYING_DPI`, else
    that of the screen: then the file is the picture that is shown).
    """
    figure, words = ax.get_figure(root=True), labels.of(None)
    told, content = say_what(ax), as_png(ax, None)
    folder, here = os.environ.get("HUYING_FIGURES"), os.environ.get("HUYING_PLACE", "")
    if folder and (place != labels.COUNTY or here == labels.COUNTY):
        parts = name, place or here, os.environ.get("HUYING_WAVE", ""), os.environ.get("HUYING_LANG", words.lang)
        stem = "_".join(file_part(part) for part in parts if part)
        dpi = dpi or float(os.environ.get("HUYING_DPI", figure.dpi))
        for kind in formats or os.environ.get("HUYING_FORMATS", "png").split(","):
            made = as_svg(ax).encode() if kind == "svg" else content if dpi == figure.dpi else as_png(ax, dpi)
            write_bytes(Path(folder) / f"{stem}.{kind}", made)
    if get_ipython() is not None:
        display(Image(data=content, alt=told))


def as_png(ax: Axes, dpi: float | None = 300) -> bytes:
    """The figure of `ax` as PNG, in print quality or at so many dots an inch; it is closed."""
    about = {"Software": None, "Title": title_of(ax), "Description": say_what(ax)}
    # Of flat colours level 1 makes files as small as the usual 6, in half the time.
    return draw(ax, format="png", metadata=about, dpi=dpi or "figure", pil_kwargs={"compress_level": 1})


def as_svg(ax: Axes) -> str:
    """The figure of `ax` as SVG whose text is text, with its name and what it shows for who cannot see it; it is closed."""
    title, told = escape(title_of(ax)), escape(say_what(ax), quote=True)
    drawn = draw(ax, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None}).decode()
    head, _, body = drawn.partition("<svg ")
    opened, _, rest = body.partition(">")
    picture = f'{head}<svg role="img" aria-label="{told}" {opened}>\n <title>{title}</title>{rest}'
    return picture.replace(f"'{FAMILY}'", f"'{FAMILY}', {ELSEWHERE}")


def draw(ax: Axes, **how: object) -> bytes:
    """The figure in a format, marked where it is of synthetic data: laid out anew only where a change made it not fit."""
    figure, words, picture = ax.get_figure(root=True), labels.of(None), BytesIO()
    with look.styled():
        if words.is_synthetic and not figure.findobj(lambda artist: artist.get_gid() == "synthetic"):
            corner = {"ha": "right", "va": "top", "weight": "bold", "color": look.WHITE, "bbox": look.STAMP}
            figure.text(0.99, 0.985, words.say("charts.synthetic"), gid="synthetic", **corner)
        fits = not figure.stale or is_inside(figure)
        if not fits and (engine := figure.get_layout_engine()):
            engine.execute(figure)
            fits = is_inside(figure)
        figure.set_layout_engine(None)
        figure.savefig(picture, bbox_inches=None if fits else "tight", **how)
    plt.close(figure)
    return picture.getvalue()


def is_inside(figure: Figure) -> bool:
    """Whether nothing of the figure stands outside its edges."""
    room, (width, height) = figure.get_tightbbox(), figure.get_size_inches()
    return bool(min(room.x0, room.y0, width - room.x1, height - room.y1) > -0.01)


def title_of(ax: Axes) -> str:
    """The title of the axes, wherever it stands."""
    return next(filter(None, (ax.get_title(loc) for loc in ("left", "center", "right"))), "").replace("\n", " ")


def say_what(ax: Axes) -> str:
    """What the picture shows, for who cannot see it: its title, the line under it, and the names of its axes and colours."""
    legend = ax.get_legend()
    marks = [text.get_text() for text in legend.get_texts()] if legend else []
    under = [text.get_text() for text in ax.texts if text.get_gid() == "subtitle"]
    parts = (title_of(ax), *under, ax.get_xlabel(), ax.get_ylabel(), *marks)
    return " · ".join(text.replace("\n", " ") for text in parts if text)
