"""Pictures measured from their SVG, on five awkward counties: what is written can be read, what is drawn says something."""

import re
from functools import cache
from itertools import combinations, pairwise
from pathlib import Path
from types import SimpleNamespace
from xml.etree import ElementTree

import matplotlib
import numpy as np
import pandas as pd
import pytest
from PIL import ImageFont

matplotlib.use("Agg")

from matplotlib import pyplot as plt

from huying import charts, labels
from huying.charts import look
from huying.charts.rows import colours
from huying.fonts import BOLD, REGULAR
from huying.labels import Labels
from huying.words import Text as Words

TERMS = Path(__file__).parents[1] / "data" / "latin_terms.txt"
NAN, SVG, WIDTH_MM = np.nan, "{http://www.w3.org/2000/svg}", 156
LONG_ZH, LONG_EN = "极大似然估计与稳健性检验街", "Maximum Likelihood Subdistrict"
MARKS = {"estimate", "shares", "curve", "rank", "points", "interval", "QuadMesh_1", "problem"}


def county(kind):
    """Ids, names, and the estimates of an awkward county."""
    n = {"three": 3, "long": 26, "long_en": 26}.get(kind, 8)
    lang = "en" if kind == "long_en" else "zh"
    ids = [f"T{k:02d}" for k in range(1, n + 1)]
    zh = [f"{LONG_ZH[:11]}{chr(0x7532 + k)}" if n == 26 else f"第{k}镇" for k in range(n)]
    names = {key: Words(zh[k], f"{LONG_EN} {k + 1}") for k, key in enumerate(ids)}
    value = np.linspace(0.31, 0.68, n)
    value = {
        "empty": np.where(np.arange(n) == 4, NAN, value),
        "full": np.arange(n) % 2 * 1.0,
        "ties": value * 0 + 0.4,
    }.get(kind, value)
    labels.register("pictures", Labels(lang, Words("示例县", "Demo County"), names, MEASURES, None, True))
    return ids, value


SOURCE, TITLE = Words("居民问卷", "survey of residents"), Words("知晓改革的居民不多：", "Few residents know: ")
CLAIM = Words(
    "居民对改革的知晓度不高，办事群众仍先找原站所",
    "Few residents know of the reform, and most turn to the old station first",
)
CHECK = Words("牌章群表单文的核查", "Check of plates, seals and documents")
MEASURES = {
    "aware": Words("知晓改革的居民比例", "share of residents aware of the reform"),
    "paper": Words("机构设置符合方案", "scheme met on paper"),
    "went": Words("办事先去原站所", "went to the old station first"),
    **{f"part{k}": Words(f"第{k}个地方", f"place number {k}") for k in range(8)},
}


def long(ids, value, measure="aware", **more):
    """An estimate frame, its intervals of zero width at 0 and 100%."""
    at_end = np.isin(value, (0.0, 1.0))
    given = {
        "place": ids,
        "measure": measure,
        "estimate": value,
        "low": np.where(at_end, value, value - 0.12),
        "high": np.where(at_end, value, value + 0.14),
    }
    made = pd.DataFrame({**given, "n": 90.0, "reliability": "ok", "reason": "", "wave": "2023", "period": "", **more})
    made.attrs |= {"labels": "pictures", "source": SOURCE(labels.of(None).lang)}
    return made


def parts_of(ids, value):
    """Eight parts of each row's whole, some of them nothing."""
    first = np.tile([0.5, 0.0, 0.2, 0.0, 0.1, 0.1, 0.06, 0.04], (len(ids), 1))
    first[1::2] = [0.0, 0.4, 0.0, 0.3, 0.0, 0.2, 0.0, 0.1]
    first[np.isnan(value)] = NAN
    if np.isin(value, (0.0, 1.0)).all():
        first = np.eye(8)[value.astype(int)]
    made = pd.DataFrame(first, ids, [f"part{k}" for k in range(8)]).assign(n=90)
    made.attrs["labels"] = "pictures"
    return made


def marked(frame):
    frame.attrs["labels"] = "pictures"
    return frame


def draw(kind, ids, value):
    """One chart of a kind, of that county."""
    rows, own, n = long(ids, value), {"highlight": ids[1]}, len(ids)
    told = SimpleNamespace(
        title=TITLE(labels.of(None).lang) + "40%" * int(value[1] == 0.4),
        subtitle="",
        row={"estimate": value[1], "unit": "share"},
    )
    months = pd.DataFrame({"month": [f"2022-{k:02d}" for k in range(1, 13)], "estimate": np.resize(value, 12)})
    months = marked(months.assign(low=months["estimate"] * 0.9, high=months["estimate"] * 0.95 + 0.05, n=90.0))
    share = [0, 0.6, 0.9, 1.0, 0, 0.2, 0.5, 0.8]
    waits = marked(
        pd.DataFrame(
            {
                "kind": ["answered"] * 4 + ["closed"] * 4,
                "wait_days": [0, 1, 2, 3, 0, 3, 9, 15],
                "share": share,
                "low": share,
                "high": np.clip(np.add(share, 0.1), 0, 1),
                "at_risk": [1052, 400, 30, 2, 1052, 900, 200, 8],
            }
        )
    )
    limits = pd.DataFrame(
        {
            "n": [5, 50, 500],
            "low95": [0, 0.2, 0.28],
            "high95": [0.8, 0.45, 0.33],
            "low998": [0, 0.1, 0.25],
            "high998": [0.95, 0.52, 0.36],
        }
    )
    tried = marked(
        pd.DataFrame(
            {
                "estimate": np.resize(value, 9),
                "low": np.resize(value, 9) - 0.1,
                "high": np.resize(value, 9) + 0.1,
                "threshold": [0.45, 0.5, 0.55] * 3,
                "weights": ["raked", "none", "cell"] * 3,
                "verdict": "supported",
                "is_headline": [True] + [False] * 8,
                "n": 90.0,
            }
        )
    )
    verdict = [*charts.VERDICTS, None]
    said = marked(
        pd.DataFrame(
            [np.roll(np.resize(np.array(verdict, dtype=object), n), k) for k in range(6)],
            [f"P1{k} {CLAIM(labels.of(None).lang)}" for k in range(6)],
            ids,
        )
    )
    wide = marked(
        pd.DataFrame(
            np.tile(value, (6, 1)) * np.linspace(0.5, 1, 6)[:, None],
            [f"{CHECK(labels.of(None).lang)} {k}" for k in range(6)],
            ids,
        )
    )
    made = {
        "forest": lambda: charts.forest(rows, 0.5, verdict=told, **own),
        "waves": lambda: charts.forest(
            pd.concat([rows.assign(wave="2021", estimate=value * 0.9), rows], ignore_index=True), by="wave", **own
        ),
        "ranks": lambda: charts.ranks(
            rows.assign(
                estimate=np.arange(1.0, n + 1), low=np.fmax(1, np.arange(n) - 2.0), high=np.fmin(n, np.arange(n) + 4.0)
            ),
            **own,
        ),
        "bars": lambda: charts.bars(rows.assign(low=value, high=value, method="count"), sort=True, **own),
        "stacked": lambda: charts.stacked(parts_of(ids, value), sort=True, **own),
        "ordinal": lambda: charts.stacked(
            marked(parts_of(ids, value).set_axis([*"12345", "6", "cannot_say", "unknown", "n"], axis=1)),
            ordinal=True,
            **own,
        ),
        "stages": lambda: charts.stages(
            marked(
                pd.DataFrame({"stage": ["need", "calls", "answered", "closed"], "estimate": [2100.0, 1068, 990, 90]})
            )
        ),
        "panels": lambda: charts.panels(
            pd.concat(
                [
                    rows.assign(threshold=0.5),
                    *(long(ids, value * f, name) for name, f in (("paper", 1), ("went", 0.6))),
                ],
                ignore_index=True,
            ),
            **own,
        ),
        "heatmap": lambda: charts.heatmap(wide, **own),
        "verdicts": lambda: charts.verdicts(said, problems=said == "supported", **own),
        "curves": lambda: charts.curves(waits, "wait_days", "share", "kind", limits=(2, 5), **own),
        "trend": lambda: charts.trend(months, "month", **own),
        "slopes": lambda: charts.slopes(
            marked(
                pd.DataFrame({"nominal": range(1, n + 1), "30%": np.roll(np.arange(1, n + 1), 2)}, ids).rename_axis(
                    columns="weight"
                )
            )
        ),
        "specifications": lambda: charts.specifications(tried, choices=["weights"], **own),
        "scatter": lambda: charts.scatter(
            marked(pd.DataFrame({"paper": value, "aware": value[::-1] * 0.8}, ids)),
            "paper",
            "aware",
            lines=(0.5, 0.4),
            corners=["calls_freely", "holds_back", "holds_back", "calls_freely"],
            **own,
        ),
        "funnel": lambda: charts.funnel(rows.assign(n=np.linspace(20, 400, n), is_outside=False), limits, 0.3, **own),
    }
    return made[kind]()


KINDS = [
    "forest",
    "waves",
    "ranks",
    "bars",
    "stacked",
    "ordinal",
    "stages",
    "panels",
    "heatmap",
    "verdicts",
    "curves",
    "trend",
    "slopes",
    "specifications",
    "scatter",
    "funnel",
]
SAME = {"ranks", "ordinal", "stages", "verdicts", "curves", "slopes"}  # whatever the values are
COUNTIES = [
    "long",
    "empty",
    "ties",
    *(pytest.param(one, marks=pytest.mark.slow) for one in ("three", "long_en", "full")),
]


def kinds_of(place):
    return [kind for kind in KINDS if kind not in SAME or place in ("three", "long", "long_en")]


@cache
def picture(kind, place):
    ids, value = county(place)
    svg = charts.as_svg(draw(kind, ids, value))
    plt.close("all")
    return ElementTree.fromstring(svg.partition("<svg")[1] + svg.partition("<svg")[2])


@cache
def font(is_bold):
    return ImageFont.truetype(str(BOLD if is_bold else REGULAR), 100)


def texts(root):
    """Every text of a picture: what it says, its size in points at 156 mm, its box (left, top, right, bottom)."""
    wide = float(root.get("viewBox").split()[2])
    scale = WIDTH_MM / 25.4 * 72 / wide
    for text in root.iter(f"{SVG}text"):
        style, said = text.get("style"), "".join(text.itertext())
        size = float(re.search(r"([\d.]+)px", style)[1])
        long, up, down = font("bold" in style).getlength(said) * size / 100, 0.75 * size, 0.12 * size
        turn = re.search(r"rotate\((-?[\d.]+)", text.get("transform", ""))
        move = re.search(r"translate\(([\d.-]+) ([\d.-]+)\)", text.get("transform", ""))
        x, y = (float(move[1]), float(move[2])) if move else (float(text.get("x")), float(text.get("y")))
        back = {"middle": long / 2, "end": long}.get((re.search(r"text-anchor: (\w+)", style) or [0, ""])[1], 0)
        is_upright = turn and abs(float(turn[1]) + 90) < 1
        x, y = (x, y + back) if is_upright else (x - back, y)
        box = (x - up, y - long, x + down, y) if is_upright else (x, y - up, x + long, y + down)
        yield said, size * scale, box


def faults_of(root):
    """What is wrong with how a picture is written."""
    _, _, width, height = map(float, root.get("viewBox").split())
    written = [one for one in texts(root) if one[0].strip()]
    for said, size, (x0, y0, x1, y1) in written:
        if size < 7 - 1e-6:
            yield f"{said!r} has {size:.1f} pt"
        if x0 < -0.6 or y0 < -0.6 or x1 > width + 0.6 or y1 > height + 0.6:
            yield f"{said!r} is cut off: {x0:.0f} {y0:.0f} {x1:.0f} {y1:.0f} of {width:.0f} {height:.0f}"
    for (said, _, one), (other, _, two) in combinations(written, 2):
        across = min(one[2], two[2]) - max(one[0], two[0])
        down = min(one[3], two[3]) - max(one[1], two[1])
        if across > 0.8 and down > 0.8:
            yield f"{said!r} runs into {other!r} by {across:.1f} x {down:.1f} pt"


def foreign_to(lang, said):
    """The Latin words of a Chinese text that are no term or id, the Chinese ones of an English text."""
    if lang == "en":
        return re.findall(r"[\u4e00-\u9fff]+", said.replace("合成数据 SYNTHETIC", ""))
    terms = [line for line in TERMS.read_text("utf-8").splitlines() if line and not line.startswith("#")]
    return [
        word for word in re.findall(r"[A-Za-z][A-Za-z_\d]*", said) if not any(re.fullmatch(one, word) for one in terms)
    ]


def by_gid(root, gid):
    return [group for group in root.iter(f"{SVG}g") if group.get("id") == gid]


def extent(group):
    """The leftmost and rightmost point of a group's paths."""
    found = [
        float(x) for path in group.iter(f"{SVG}path") for x in re.findall(r"[ML] ([\d.-]+) [\d.-]+", path.get("d", ""))
    ]
    return min(found), max(found)


@pytest.fixture(autouse=True)
def _registered(monkeypatch):
    monkeypatch.setattr(labels, "_registered", {})


@pytest.mark.parametrize("place", COUNTIES)
def test_every_text_has_seven_points_and_stands_whole_and_alone(place):
    found = {kind: list(faults_of(picture(kind, place))) for kind in kinds_of(place)}
    assert not {kind: faults for kind, faults in found.items() if faults}


@pytest.mark.parametrize("place", COUNTIES)
def test_a_picture_keeps_one_language(place):
    lang = "en" if place == "long_en" else "zh"
    found = {kind: [foreign_to(lang, said) for said, *_ in texts(picture(kind, place))] for kind in kinds_of(place)}
    assert not {kind: words for kind, parts in found.items() if (words := [word for part in parts for word in part])}


@pytest.mark.parametrize("place", COUNTIES)
def test_every_picture_has_a_name_and_a_mark_or_is_a_sentence(place):
    for kind in kinds_of(place):
        root = picture(kind, place)
        assert root.get("role") == "img" and root.get("aria-label") and root.find(f"{SVG}title").text, kind
        said = " ".join(said for said, *_ in texts(root))
        has_mark = any(by_gid(root, gid) for gid in MARKS)
        assert has_mark or "不作" in said or "not drawn" in said or "nothing to draw" in said, kind


@pytest.mark.parametrize("place", COUNTIES)
@pytest.mark.parametrize("kind", ["forest", "waves", "ranks", "bars"])
def test_not_all_lines_run_across_the_axis(kind, place):
    root = picture(kind, place)
    if not by_gid(root, "interval"):
        return
    left, right = extent(root.find(".//*[@id='patch_2']"))
    drawn = [path.get("d", "") for one in by_gid(root, "interval") for path in one.iter(f"{SVG}path")]
    lines = [list(map(float, re.findall(r"[ML] ([\d.-]+)", line))) for line in drawn if line]
    assert not lines or not all(max(xs) - min(xs) > 0.97 * (right - left) for xs in lines)


def test_intervals_from_nought_to_everything_are_a_sentence():
    ids, value = county("three")
    ax = charts.forest(long(ids, value, low=0.0, high=1.0))
    assert not ax.axison and "都从0到100%" in charts.as_svg(ax)


def test_one_value_everywhere_is_a_sentence():
    ids, value = county("three")
    for ax in (
        charts.forest(long(ids, value * 0 + 1)),
        charts.bars(long(ids, value * 0)),
        charts.heatmap(marked(pd.DataFrame(1.0, list("ab"), ids))),
    ):
        assert not ax.axison and "不作图" in charts.as_svg(ax)


@pytest.mark.parametrize("place", COUNTIES)
def test_neighbours_are_told_apart_in_grey_print_whatever_lies_between_them_is_nothing(place):
    root = picture("stacked", place)
    bars = [(*extent(bar), bar) for bar in by_gid(root, "shares")]
    rows = {}
    for left, right, bar in bars:
        path = bar.find(f"{SVG}path")
        y = re.findall(r"[ML] [\d.-]+ ([\d.-]+)", path.get("d"))[0]
        rows.setdefault(y, []).append((left, right, re.search(r"fill: ([^;]+)", path.get("style"))[1]))
    for cells in rows.values():
        cells.sort()
        for (_, _, one), (_, _, other) in pairwise(cells):
            is_hatched = [fill.startswith("url") for fill in (one, other)]
            assert any(is_hatched) or abs(look.grey(one) - look.grey(other)) >= 40, (one, other)


@pytest.mark.parametrize(
    ("keys", "is_ordinal"), [([f"p{k}" for k in range(15)], False), ([*"12345", "x"], True), (list("1234567"), True)]
)
def test_any_two_parts_are_told_apart_in_grey_print(keys, is_ordinal):
    looks = colours(keys, is_ordinal)
    for number, one in enumerate(looks):
        for other in looks[:number][-1:] if is_ordinal else looks[:number]:
            assert (
                one["hatch"] != other["hatch"] or abs(look.grey(one["facecolor"]) - look.grey(other["facecolor"])) >= 40
            )
    if is_ordinal:
        shades = [look.grey(one["facecolor"]) for one, key in zip(looks, keys, strict=True) if key.isdigit()]
        assert shades == sorted(shades, reverse=True)


def test_verdicts_are_told_apart_in_grey_print():
    filled = [
        look.grey(colour) for key, colour in charts.VERDICTS.items() if key != "no baseline"
    ]  # that one is dotted
    assert all(abs(one - other) >= 40 for one, other in combinations(filled, 2))


@pytest.mark.parametrize("place", COUNTIES)
def test_the_number_of_a_title_is_written_in_the_picture(place):
    written = list(texts(picture("forest", place)))
    title = max(written, key=lambda one: one[1])[0]
    assert all(any(number in said for said, *_ in written if said != title) for number in re.findall(r"[\d.]+%", title))


def test_a_title_whose_number_is_not_drawn_is_refused():
    ids, value = county("three")
    told = SimpleNamespace(title="知晓的不多：12%", subtitle="", row={"estimate": 0.12, "unit": "share"})
    assert charts.forest(long(ids, value), verdict=told).get_title(loc="left") == "知晓改革的居民比例"


def test_both_formats_are_written_on_request_with_names_and_three_hundred_dots(monkeypatch, tmp_path):
    for name, given in (("FIGURES", str(tmp_path)), ("PLACE", "T01"), ("WAVE", "2023"), ("LANG", "zh")):
        monkeypatch.setenv(f"HUYING_{name}", given)
    ids, value = county("three")
    charts.save(charts.forest(long(ids, value)), "aware", formats=("png", "svg"), dpi=300)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["aware_T01_2023_zh.png", "aware_T01_2023_zh.svg"]
    content = (tmp_path / "aware_T01_2023_zh.png").read_bytes()
    assert int.from_bytes(content[16:20], "big") == int(look.WIDTH * 300)
    svg = (tmp_path / "aware_T01_2023_zh.svg").read_text("utf-8")
    assert "<text" in svg and "知晓改革的居民比例" in svg and "Microsoft YaHei" in svg
    monkeypatch.setenv("HUYING_FORMATS", "svg")
    charts.save(charts.forest(long(ids, value)), "again")
    assert (tmp_path / "again_T01_2023_zh.svg").exists() and not (tmp_path / "again_T01_2023_zh.png").exists()
