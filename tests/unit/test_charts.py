"""Charts are ordinary axes: what a caller sets takes effect; what has no value, or shows nothing, is said in words."""

from types import SimpleNamespace

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.markers import MarkerStyle
from matplotlib.path import Path
from matplotlib.text import Text
from PIL import Image

matplotlib.use("Agg")

import seaborn as sns
from matplotlib import pyplot as plt

from huying import charts, labels
from huying.charts import look
from huying.charts.lines import around, overlap
from huying.charts.look import ems, ink_on, wrap
from huying.charts.rows import colours
from huying.charts.saving import is_inside
from huying.labels import Labels
from huying.words import Text as Words

NAN = np.nan
IDS = ["T01", "T02", "T03", "T04", "county"]
NAMES = [
    ("均值镇", "Mean Town"),
    ("最小二乘街道", "Least Squares Subdistrict"),
    ("中位镇", "Median Town"),
    ("马尔可夫街道", "Markov Chain Subdistrict"),
]
TOWNS = {place: Words(*name) for place, name in zip(IDS, NAMES, strict=False)}
ESTIMATE = np.array([0.21, 0.5, 0.35, NAN, 0.62])
TITLE = {
    "zh": "中位镇 · 居民对改革的知晓度不高：证据不足（35%），十八个镇街里有十一个整个区间低于一半，其余证据不足，另见下表和说明",
    "en": "Median Town · Few residents know of the reform: cannot say (35%), in eleven of eighteen towns below one half",
}
both = pytest.mark.parametrize("lang", ["zh", "en"])


def open_county(lang="en", is_synthetic=True, sampling="probability"):
    measures = {"aware": Words("知晓改革", "aware of the reform"), "told": Words("听过讲解", "was told of it")}
    known = Labels(lang, Words("示例县", "Demo County"), TOWNS, measures, None, is_synthetic, sampling)
    labels.register("charts/test", known)


@pytest.fixture(autouse=True)
def _county(monkeypatch):
    monkeypatch.setattr(labels, "_registered", {})
    monkeypatch.delenv("HUYING_FIGURES", raising=False)
    open_county()
    yield
    plt.close("all")


def rows(estimate=ESTIMATE, measure="aware", places=IDS, **columns):
    value = np.array(estimate, dtype=float)
    given = {
        "place": places,
        "measure": measure,
        "estimate": value,
        "low": value - 0.08,
        "high": value + 0.08,
        "n": 40.0,
    }
    made = pd.DataFrame({**given, "reliability": "ok", "reason": "", "wave": "2023", "period": "", **columns})
    made.attrs["labels"] = "charts/test"
    return made


def wide(values, columns):
    return pd.DataFrame(values, index=IDS[:4], columns=columns)


def limits():
    return pd.DataFrame(
        {
            "n": [5, 50, 500],
            "low95": [0, 0.2, 0.28],
            "high95": [0.8, 0.45, 0.33],
            "low998": [0, 0.1, 0.25],
            "high998": [0.95, 0.52, 0.36],
        }
    )


def waiting():
    share = [0, 0.6, 0.9, 0, 0.2, 0.5]
    return pd.DataFrame({"kind": ["answered"] * 3 + ["closed"] * 3, "wait_days": [0, 1, 4, 0, 3, 9], "share": share})


def tried():
    given = {
        "estimate": [0.4, 0.3, 0.5],
        "low": [0.3, 0.2, 0.4],
        "high": [0.5, 0.4, 0.6],
        "is_headline": [True, False, False],
    }
    return pd.DataFrame(
        {"weights": ["raked", "none", "none"], "flags": "kept", "verdict": "supported", "n": 9, **given}
    )


STATED = ["supported", "not supported", None, "cannot say", "no baseline"]
PARTS = [[0.5, 0.3, 0.2], [1, 0, 0], [NAN, NAN, NAN], [0.6, NAN, 0.1]]
KINDS = {
    "forest": lambda **about: charts.forest(rows(), 0.5, **about),
    "ranks": lambda **about: charts.ranks(
        rows([1, 2, 3, NAN, 4], low=[1, 1, 2, NAN, 3], high=[2, 3, 4, NAN, 4]), **about
    ),
    "bars": lambda **about: charts.bars(rows(n=[9, 8, 7, 0, 6]), **about),
    "stacked": lambda **about: charts.stacked(wide(PARTS, ["old", "both", "new"]).assign(n=[3, 4, 0, 9]), **about),
    "heatmap": lambda **about: charts.heatmap(wide(PARTS, ["x", "y", "z"]).T, **about),
    "verdicts": lambda **about: charts.verdicts(pd.DataFrame([STATED, STATED], ["P1", "P2"], IDS), **about),
    "curves": lambda **about: charts.curves(waiting(), "wait_days", "share", "kind", limits=(2, 5), **about),
    "slopes": lambda **about: charts.slopes(wide([[1, 2], [2, 1], [3, 3], [4, 4]], ["nominal", "30%"]), **about),
    "specifications": lambda **about: charts.specifications(tried(), 0.5, choices=["weights", "flags"], **about),
    "scatter": lambda **about: charts.scatter(
        wide([[0.2, 3], [0.5, 9], [NAN, 4], [0.9, 5]], ["x", "y"]),
        "x",
        "y",
        lines=(0.5, 4),
        corners=list("abcd"),
        **about,
    ),
    "funnel": lambda **about: charts.funnel(
        rows(n=[20, 300, 90, 0, 400], is_outside=[0, 1, 0, 0, 0]), limits(), 0.3, **about
    ),
}
every = pytest.mark.parametrize("kind", KINDS)


def part(ax, gid):
    """The artists with this gid in the order in which they were drawn."""
    return ax.figure.findobj(lambda artist: artist.get_gid() == gid)


def said(ax):
    """All that is written, without line breaks."""
    return [text.get_text().replace("\n", " ") for text in ax.figure.findobj(Text) if text.get_text()]


def opened(file):
    with Image.open(file) as picture:
        picture.load()
    return picture


def ticks(axis):
    """What stands at the ticks that are within the limits."""
    low, high = sorted(axis.get_view_interval())
    labels = axis.get_ticklabels()
    return [
        label.get_text()
        for place, label in zip(axis.get_ticklocs(), labels, strict=False)
        if low - 1e-9 <= place <= high + 1e-9
    ]


def dots(ax, gid="estimate"):
    """The markers that are drawn, as sorted (x, y)."""
    return sorted(
        (float(x), float(y))
        for artist in part(ax, gid)
        for x, y in artist.get_offsets().filled(NAN)
        if x == x and y == y
    )


# --- what holds for every chart ----------------------------------------------------------------------------------------


@every
@both
def test_a_chart_is_ordinary_axes_with_its_title_and_the_mark_of_synthetic_data(kind, lang, tmp_path):
    open_county(lang)
    ax = KINDS[kind](
        verdict=SimpleNamespace(title=TITLE[lang], subtitle="measure, n=40"), highlight="T03", note="a note"
    )
    assert type(ax) is Axes
    assert ax.get_title(loc="left").replace("\n", "").replace(" ", "") == TITLE[lang].replace(" ", "")
    assert {"合成数据 SYNTHETIC", "measure, n=40"} <= set(said(ax)) and any("a note" in text for text in said(ax))
    ax.set_title("my own title")
    ax.set_xticks([0.25, 0.75], ["a quarter", "three quarters"])
    ax.tick_params(axis="x", rotation=30, labelsize=12)
    ax.set_xlabel("my own scale")
    ax.figure.savefig(tmp_path / "chart.png", dpi=300)
    assert opened(tmp_path / "chart.png").size[0] == round(300 * ax.figure.get_size_inches()[0])
    assert ticks(ax.xaxis)[:2] == ["a quarter", "three quarters"] and ax.get_xlabel() == "my own scale"
    assert ax.get_xticklabels()[0].get_rotation() == 30 and ax.get_xticklabels()[0].get_fontsize() == 12
    assert {"my own title", "合成数据 SYNTHETIC"} <= set(said(ax)) and not any(
        TITLE[lang][14:24] in text for text in said(ax)
    )


@every
def test_everything_lies_on_the_sheet_and_the_words_below_do_not_meet(kind):
    ax = KINDS[kind](verdict=SimpleNamespace(title=TITLE["en"], subtitle="n=40"), highlight="T03", note="a note " * 30)
    ax.figure.draw_without_rendering()
    room, (width, height) = ax.figure.get_tightbbox(), ax.figure.get_size_inches()
    around = [room.x0, room.y0, height - room.y1, width - room.x1]
    assert min(around) > 0.05 and max(around[:3]) < 0.11  # inches; a heat map keeps room on its right
    legend, (below,) = ax.get_legend(), part(ax, "below")
    title, (mark,) = ax._left_title.get_window_extent(), part(ax, "synthetic")
    assert mark.get_window_extent().x0 > title.x1 and mark.get_window_extent().y0 >= title.y0 - 5
    subtitle = part(ax, "subtitle")[0].get_window_extent()
    assert min(subtitle.width, below.get_window_extent().width) > 10 and ax.bbox.y1 - 1 < subtitle.y0
    assert subtitle.y1 <= title.y0 and subtitle.x0 == pytest.approx(title.x0, abs=1) == below.get_window_extent().x0
    if ax.xaxis.get_tick_params()["labeltop"]:
        assert subtitle.y0 > ax.xaxis.get_tightbbox().y1
    under = ax.child_axes[0].xaxis if ax.child_axes else ax.xaxis
    lowest = (under.get_tightbbox() or ax.bbox).y0
    if legend:
        assert legend.get_window_extent().y1 < lowest and below.get_window_extent().y1 < legend.get_window_extent().y0
    else:
        assert Text.get_window_extent(below).y1 < lowest + 1


LIMITS = {  # limits of x and y: the values with 4% of their range, of shares at least 2.5 points; 0 and 100% where they are near
    "forest": ((-0.015 * 0.725, 1.015 * 0.725), None),  # to .7 + .025, and 1.5% at either end
    "bars": ((0, 0.728), None),  # from 0 to .7 + .04 * .7
    "stacked": ((0, 1), None),
    "curves": ((0, 9.36), (-0.015, 1.015)),  # days 0 to 9
    "slopes": ((-0.05, 1.05), (4.7, 0.3)),  # two steps, four ranks, 1 on top
    "scatter": ((-0.015, 1.015), (2.6628, 9.3372)),  # numbers from 3 to 9: .04 * 6, then .015 * 6.48
    "funnel": (None, (-0.03 * 1.026, 1.026)),  # a tenth above the highest limit, 95%
}


@pytest.mark.parametrize("kind", LIMITS)
def test_the_axes_hold_all_values(kind):
    ax, (x, y) = KINDS[kind](), LIMITS[kind]
    assert (x is None or ax.get_xlim() == pytest.approx(x)) and (y is None or ax.get_ylim() == pytest.approx(y))
    is_share = {"curves": ax.yaxis, "funnel": ax.yaxis}.get(kind, ax.xaxis)
    assert kind == "slopes" or all(text.endswith("%") for text in ticks(is_share))


def test_small_shares_fill_the_axis_and_numbers_may_be_below_zero():
    assert charts.bars(rows([0.1, 0.2, 0.3, NAN, 0.4])).get_xlim() == pytest.approx((0, 0.48 + 0.025))
    assert charts.bars(rows([0.01, 0.01, 0.0, NAN, 0.02], low=0.0, high=0.02)).get_xlim() == pytest.approx((0, 0.045))
    high = rows([0.88, 0.9, 0.91, NAN, 0.94], low=0.87, high=0.95)  # dots need no 0, and the axis ends at 100% for them
    assert charts.forest(high).get_xlim() == pytest.approx((0.845 - 0.015 * 0.155, 1 + 0.015 * 0.155))
    changed = charts.bars(rows([-3, 2, 1, NAN, 5], low=NAN, high=NAN))
    assert changed.get_xlim() == pytest.approx((-3, 5.32)) and not any("%" in text for text in ticks(changed.xaxis))


@every
def test_the_legend_and_the_lines_below_give_way_to_a_name_of_the_axis_set_afterwards(kind):
    ax = KINDS[kind]()
    ax.set_xlabel("what a caller adds\nin two lines")
    ax.figure.draw_without_rendering()
    if legend := ax.get_legend():
        assert legend.get_window_extent().y1 <= ax.xaxis.label.get_window_extent().y0


@every
def test_two_charts_stand_on_one_figure(kind):
    figure, (left, right) = plt.subplots(1, 2, figsize=(14, 5), layout="tight")
    assert KINDS[kind](ax=left) is left and charts.forest(rows(), ax=right) is right
    assert tuple(figure.get_size_inches()) == (14, 5) and len(part(left, "synthetic")) == 2
    figure.draw_without_rendering()


@every
def test_real_data_bear_no_mark_and_a_quota_sample_says_what_it_assumes(kind):
    open_county(is_synthetic=False, sampling="quota")
    ax = KINDS[kind]()
    assert not any("SYNTHETIC" in text for text in said(ax))
    assert any("quota sample" in text for text in said(ax))


@every
def test_a_character_that_the_font_lacks_is_drawn_as_a_box(kind, monkeypatch, tmp_path):
    """And no warning is an error: `check` has named it."""
    run(monkeypatch, tmp_path)
    charts.save(KINDS[kind](title="甲镇😀\u202e", note="a note"), "box")
    inked = np.asarray(opened(next(tmp_path.rglob("*box*.png"))).convert("L")) < 250
    across, down = np.flatnonzero(inked.any(axis=0)), np.flatnonzero(inked.any(axis=1))
    around = [across[0], down[0], inked.shape[1] - across[-1] - 1, inked.shape[0] - down[-1] - 1]
    assert min(around) > 2 and max(around) < 16, around  # of 130 an inch: the picture ends where its last mark does


@every
def test_a_theme_of_the_session_leaves_chinese_readable(kind, monkeypatch, tmp_path):
    run(monkeypatch, tmp_path)
    open_county("zh")
    with plt.rc_context():
        sns.set_theme(style="darkgrid", context="talk")
        ax = KINDS[kind](highlight="T03")
        assert {text.get_fontfamily()[0] for text in ax.figure.findobj(Text) if text.get_text()} == {"Huying Sans SC"}
        charts.save(ax, "themed")  # a missing letter would warn, and a warning is an error here


EMPTY = {
    "forest": lambda: charts.forest(rows().iloc[:0]),
    "ranks": lambda: charts.ranks(rows().iloc[:0]),
    "bars": lambda: charts.bars(rows().iloc[:0]),
    "stacked": lambda: charts.stacked(wide(PARTS, list("abc")).iloc[:0]),
    "heatmap": lambda: charts.heatmap(pd.DataFrame()),
    "verdicts": lambda: charts.verdicts(pd.DataFrame()),
    "curves": lambda: charts.curves(waiting().iloc[:0], "wait_days", "share", "kind", limits=(2, 5)),
    "slopes": lambda: charts.slopes(pd.DataFrame()),
    "specifications": lambda: charts.specifications(tried().iloc[:0], 0.5),
    "scatter": lambda: charts.scatter(wide([[1.0, 2.0]] * 4, ["x", "y"]).iloc[:0], "x", "y"),
    "funnel": lambda: charts.funnel(rows(is_outside=False).iloc[:0], limits().iloc[:0], 0.3),
}


@every
def test_no_rows_are_said_in_a_sentence(kind):
    ax = EMPTY[kind]()
    assert "nothing to draw: no rows with a value" in said(ax) and "合成数据 SYNTHETIC" in said(ax)
    assert not ax.axison and ax.figure.get_size_inches()[1] < 2


@pytest.mark.parametrize("kind", ["forest", "bars"])
@both
def test_rows_that_lack_a_value_for_one_reason_give_that_reason(kind, lang):
    open_county(lang)
    ax = getattr(charts, kind)(rows(np.full(5, NAN), reason="not asked"))
    assert {"zh": "没有可画的数据：问卷没有问到", "en": "nothing to draw: no item of the questionnaire asks for it"}[
        lang
    ] in said(ax)


@pytest.mark.parametrize("kind", ["forest", "bars"])
@pytest.mark.parametrize("value", [0.0, 1.0])
def test_all_of_nothing_and_all_of_everything_are_drawn(kind, value):
    ax = getattr(charts, kind)(rows(np.full(5, value), low=value, high=value))
    ax.figure.draw_without_rendering()
    assert said(ax)


@pytest.mark.parametrize("kind", ["forest", "bars"])
def test_one_place_alone_is_drawn(kind):
    ax = getattr(charts, kind)(rows().iloc[:1])
    assert said(ax) and not any("nothing" in text for text in said(ax))


# --- titles and lines below --------------------------------------------------------------------------------------------


def test_without_a_verdict_the_title_says_what_is_measured_and_where():
    assert charts.forest(rows(), highlight="T03").get_title(loc="left") == "Median Town · aware of the reform"
    assert charts.forest(rows(), highlight="county").get_title(loc="left") == "aware of the reform"
    assert charts.forest(rows(), title="Mine").get_title(loc="left") == "Mine"


def test_the_line_under_the_title_says_when_n_and_of_what():
    frame = rows(n=[9, 8, 7, 0, 24])
    frame.attrs["source"] = "survey of residents"
    assert "2023 · n=7 (survey of residents)" in said(charts.forest(frame, highlight="T03"))
    assert "2023 · n=24 (survey of residents)" in said(charts.forest(frame))
    assert "my own line" in said(charts.forest(frame, subtitle="my own line"))


def test_a_verdict_gives_the_title_only_where_its_number_is_drawn():
    """92.9 over a chart of ranks, or 55.6 over one of two other measures, cannot be found in the picture."""
    told = SimpleNamespace(title="Few know: 35%", subtitle="of all residents", row={"estimate": 0.35})
    ax = charts.forest(rows(), verdict=told)
    assert ax.get_title(loc="left") == "Few know: 35%" and {"of all residents", "35%"} <= set(said(ax))
    told.row["estimate"] = 0.556
    ax = charts.forest(rows(), verdict=told)
    assert ax.get_title(loc="left") == "aware of the reform" and "of all residents" not in said(ax)


def test_lines_break_at_spaces_and_between_chinese_characters_but_not_before_a_closing_mark():
    assert ems("中a") == 1.54
    assert wrap("about the towns", 6) == "about the\ntowns"  # 9 × .54 = 4.86; with " towns" 15 × .54 = 8.1
    assert wrap("甲乙丙丁，戊", 4) == "甲乙丙\n丁，戊"
    assert wrap("甲乙（丙）", 3) == "甲乙\n（丙）"
    assert wrap("", 3) == ""


def test_letters_stand_out_from_what_they_stand_on():
    # contrast by WCAG 2: white on #0072B2 5.2:1, black on #009E73 6.2:1, black on #D55E00 5.4:1
    assert [ink_on(colour) for colour in ("#0072B2", "#009E73", "#D55E00", "#FFFFFF")] == ["#FFFFFF", *["#000000"] * 3]


# --- each kind ---------------------------------------------------------------------------------------------------------


@both
def test_forest_sorts_the_rows_marks_the_place_and_words_what_is_missing(lang):
    open_county(lang)
    few = ["ok", "ok", "read with care", "too few answers", "ok"]
    ax = charts.forest(
        rows(reliability=few, low_family=ESTIMATE - 0.1, high_family=ESTIMATE + 0.1), 0.5, highlight="T03"
    )
    order = [4, 1, 2, 0, 3]
    assert ticks(ax.yaxis) == [labels.of(rows()).place(IDS[k]) for k in order]
    assert dots(ax) == sorted((float(ESTIMATE[k]), float(at)) for at, k in enumerate(order[:4]))
    assert [label.get_fontweight() for label in ax.get_yticklabels()] == [
        "normal",
        "normal",
        "bold",
        "normal",
        "normal",
    ]
    assert [line.get_xdata()[0] for line in part(ax, "threshold")] == [0.5]
    assert ticks(ax.xaxis)[:2] == ["0%", "10%"]
    wanted = {
        "zh": ["回答过少，不列数值", "判定标准 50%", "空心：谨慎使用", "细线：经多重比较校正的区间", "本镇街", "全县"],
        "en": [
            "too few answers, value not stated",
            "threshold 50%",
            "hollow: read with care",
            "this town",
            "thin line: interval after multiple-comparison adjustment",
            "county",
        ],
    }
    assert set(wanted[lang]) <= set(said(ax))
    hollow = [tuple(colour[:3]) == (1, 1, 1) for artist in part(ax, "estimate") for colour in artist.get_facecolors()]
    assert hollow.count(True) == 1


def test_the_county_is_a_black_diamond_and_the_place_that_is_read_has_its_colour():
    round_one, diamond = (Path(MarkerStyle(shape).get_path().vertices).vertices for shape in "oD")
    seen = {}
    for artist in part(charts.forest(rows(), highlight="T03"), "estimate"):
        is_diamond = len(artist.get_paths()[0].vertices) == len(diamond) != len(round_one)
        for (x, _), ink in zip(artist.get_offsets(), artist.get_edgecolors(), strict=True):
            seen[float(x)] = is_diamond, to_hex(ink)
    assert seen == {
        0.62: (True, look.BLACK.lower()),
        0.35: (False, look.VERMILLION.lower()),
        0.21: (False, look.BLUE.lower()),
        0.5: (False, look.BLUE.lower()),
    }


def test_forest_does_not_draw_a_value_from_too_few_answers_although_the_rows_hold_it():
    ax = charts.forest(rows(reliability=["too few answers", *["ok"] * 4]))
    assert 0.21 not in [x for x, _ in dots(ax)]
    assert [text.get_text() for text in part(ax, "remark")] == ["too few answers, value not stated", "no value"]


def test_forest_takes_the_interval_for_all_towns_from_the_verdict_where_it_judged_the_same_number():
    judged = rows([0.21, 0.5, 0.9, NAN, 0.62], low_family=0.1, high_family=0.8)
    ax = charts.forest(rows(), verdict=SimpleNamespace(title="t", footer="", rows=judged))
    drawn = [
        line for artist in part(ax, "family") for line in artist.get_segments() if len(line) and np.isfinite(line).all()
    ]
    assert sorted(line[0, 1] for line in drawn) == [0, 1, 3]  # not the third place, whose number is another
    assert "thin line: interval after multiple-comparison adjustment" in said(ax)


def test_forest_explains_only_what_is_in_the_picture():
    legend = charts.forest(rows(low=ESTIMATE, high=ESTIMATE)).get_legend()
    assert [text.get_text() for text in legend.get_texts()] == ["town", "county"]


def test_forest_keeps_the_order_given_and_shows_numbers_as_they_are():
    ax = charts.forest(rows(ESTIMATE * 20), 3.5, sort=False)
    assert ticks(ax.yaxis)[0] == "Mean Town" and "threshold 3.5" in said(ax)
    assert all("%" not in text for text in ticks(ax.xaxis))
    assert "%" in ticks(charts.forest(rows(ESTIMATE * 20), percent=True).xaxis)[1]


def test_large_numbers_stand_in_full():
    assert "20000000" in ticks(charts.forest(rows([1e6, 2e6, 3e6, 2.5e7, 5e5], low=NAN, high=NAN)).xaxis)


def test_forest_draws_groups_side_by_side_within_a_row():
    frame = pd.concat([rows().assign(sex="male"), rows(ESTIMATE + 0.1).assign(sex="female")], ignore_index=True)
    frame.insert(1, "sex", frame.pop("sex"))
    ax = charts.forest(frame, by="sex")
    assert ticks(ax.yaxis) == [
        "Demo County",
        "Least Squares Subdistrict",
        "Median Town",
        "Mean Town",
        "Markov Chain Subdistrict",
    ]
    assert {(0.62, -0.2), (0.72, 0.2)} <= {(x, round(y, 9)) for x, y in dots(ax)}
    assert {"male", "female"} <= {text.get_text() for text in ax.get_legend().get_texts()}


def test_rows_of_several_measures_are_named_by_both():
    ax = charts.forest(pd.concat([rows(), rows(measure="told")], ignore_index=True), sort=False)
    assert (
        ticks(ax.yaxis)[0] == "Mean Town · aware of the reform" and ticks(ax.yaxis)[5] == "Mean Town · was told of it"
    )


def test_ranks_that_may_be_any_are_a_sentence():
    ax = charts.ranks(rows([1, 2, 3, NAN, 4], low=[1, 1, 1, NAN, 1], high=[4, 4, 4, NAN, 4]))
    assert any("each may have any rank" in text for text in said(ax))
    assert ticks(KINDS["ranks"]().xaxis) == ["1", "2", "3", "4"]


def test_bars_hold_values_intervals_and_n_where_it_differs():
    ax = charts.bars(rows(n=[9, 8, 7, 0, 6]), sort=True)
    assert [bar.get_width() for bar in part(ax, "estimate")][:4] == [0.62, 0.5, 0.35, 0.21]
    assert {"62%", "50%", "35%", "21%", "no value"} <= set(said(ax))
    assert ticks(ax.yaxis)[0].replace("\n", " ") == "Demo County (n=6)"
    assert ticks(charts.bars(rows()).yaxis)[0] == "Mean Town"


@pytest.mark.parametrize(("places", "bold"), [(["T01", "T03"], [False, True]), (["T03", "T03"], [False, False])])
def test_the_place_that_is_read_stands_out_among_others_only(places, bold):
    ax = charts.bars(rows([0.2, 0.3], places=places, measure=["aware", "told"]), highlight="T03")
    assert [label.get_fontweight() == "bold" for label in ax.get_yticklabels()] == bold


def test_stacked_shares_end_where_a_share_is_missing():
    ax = KINDS["stacked"](highlight="T02")
    drawn = [(round(bar.get_y() + 0.4), round(bar.get_x(), 9), round(bar.get_width(), 9)) for bar in part(ax, "shares")]
    wanted = [(0, 0, 0.5), (0, 0.5, 0.3), (0, 0.8, 0.2), (1, 0, 1), (3, 0, 0.6), (3, 0.6, 0.1)]  # and none of nothing
    assert sorted(drawn) == wanted
    assert [(bar.get_x(), bar.get_width()) for bar in part(ax, "lacking")] == [(0, 1), (0.7, pytest.approx(0.3))]
    assert ticks(ax.yaxis)[0] == "Mean Town (n=3)" and ax.get_yticklabels()[1].get_fontweight() == "bold"
    assert {"50%", "30%", "20%", "100%", "60%", "10%"} <= set(said(ax))


def test_stacked_takes_a_long_table_by_place_and_by_answer():
    long = pd.concat([rows([0.2] * 5, "aware"), rows([0.8] * 5, "told", n=41)], ignore_index=True)
    ax = charts.stacked(long, part="measure", highlight="T03")
    assert ticks(ax.yaxis)[0] == "Mean Town (n=41)"
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["aware of the reform", "was told of it"]
    assert [bar.get_x() for bar in part(ax, "shares")] == [0] * 5 + [0.2] * 5


def test_ordered_answers_go_from_light_to_dark_and_who_cannot_say_is_grey():
    ax = charts.stacked(wide([[0.2, 0.3, 0.4, 0.1]] * 4, ["1", "2", "3", "cannot_say"]), ordinal=True)
    shades = [sum(bar.get_facecolor()[:3]) for bar in part(ax, "shares")[::4]]
    assert shades[0] > shades[1] > shades[2] and "cannot say" in said(ax)
    assert part(ax, "shares")[-1].get_facecolor()[:3] == pytest.approx((0xDD / 255,) * 3)


def test_heat_map_hatches_what_was_not_found_and_frames_the_place_that_is_read():
    ax = KINDS["heatmap"](highlight="T02")
    np.testing.assert_array_equal(np.ma.filled(ax.collections[0].get_array(), NAN).reshape(3, 4), np.transpose(PARTS))
    assert ax.patch.get_hatch() and "not found" in said(ax)
    assert part(ax, "here")[0].get_x() == 1
    assert ticks(ax.xaxis) == ["Mean Town", "Least Squares Subdistrict", "Median Town", "Markov Chain Subdistrict"]
    assert {"50", "figures in cells: per cent"} <= set(said(ax))


def test_heat_map_of_yes_and_no_has_two_colours_and_no_scale():
    ax = charts.heatmap(wide([[1.0, 0, 1]] * 4, ["x", "y", "z"]))
    assert len(ax.figure.axes) == 1 and {"yes", "no"} <= set(said(ax))


def test_heat_map_of_one_value_is_a_sentence():
    assert "all 12 values are 100%: there is nothing to draw" in said(
        charts.heatmap(wide(np.ones((4, 3)), list("xyz")))
    )


def test_heat_map_takes_a_long_table():
    frame = pd.DataFrame({"check": ["b", "b", "a"], "place": ["T01", "T02", "T01"], "estimate": [0.1, 0.2, 0.3]})
    ax = charts.heatmap(frame, row="check")
    assert ticks(ax.yaxis) == ["b", "a"] and ticks(ax.xaxis) == [
        "Mean Town",
        "Least Squares\nSubdistrict".replace("\n", " "),
    ]


def test_verdicts_colour_what_is_judged_and_dot_what_is_a_problem():
    matrix = pd.DataFrame([STATED, ["supported"] * 5], ["P16", "A02"], IDS)
    ax = charts.verdicts(matrix, problems=matrix == "supported", highlight="T03")
    assert ax.collections[0].get_array().reshape(2, 5).tolist() == [[0, 1, None, 2, 3], [0, 0, 0, 0, 0]]
    assert dots(ax, "problem") == [(0.5, 0.5), *((k + 0.5, 1.5) for k in range(5))]
    assert {"supported", "not supported", "cannot say", "no baseline", "not judged here", "means a problem"} <= set(
        said(ax)
    )


def test_curves_step_to_the_common_end_and_the_limits_stand():
    ax = KINDS["curves"]()
    first, second = part(ax, "curve")
    assert first.get_xdata().tolist() == [0, 1, 4, 9] and first.get_ydata().tolist() == [0, 0.6, 0.9, 0.9]
    assert first.get_drawstyle() == second.get_drawstyle() == "steps-post"
    assert [line.get_xdata()[0] for line in part(ax, "limit")] == [2, 5]
    assert {"answered", "closed", "2 working days", "5 working days", "working days"} <= set(said(ax))


def test_slopes_draw_every_rank_and_name_both_ends():
    ax = KINDS["slopes"]()
    assert [line.get_ydata().tolist() for line in part(ax, "rank")][:2] == [[1, 2], [2, 1]]
    assert [text.get_text() for text in part(ax, "label")][:2] == ["Mean Town", "Mean Town"]
    assert ticks(ax.xaxis) == ["nominal weights", "30%"]


def test_slopes_of_nine_that_move_are_told_apart():
    moves = pd.DataFrame({"a": range(1, 10), "b": [*range(2, 10), 1]}, index=[f"d{k}" for k in range(9)])
    assert len({(line.get_color(), line.get_linestyle()) for line in part(charts.slopes(moves), "rank")}) == 9


def test_specifications_stand_in_the_order_of_their_values_with_their_choices_below():
    ax = KINDS["specifications"]()
    assert dots(ax) == [(0, 0.3), (1, 0.4), (2, 0.5)] and dots(ax, "headline") == [(1, 0.4)]
    (panel,) = ax.child_axes
    assert ticks(panel.yaxis) == [
        "how the sample is weighted · unweighted",
        "how the sample is weighted · raked",
    ]  # the flags never change
    assert [line.get_xdata().tolist() for line in part(ax, "choice")] == [[0, 2], [1]]


def test_the_ring_of_the_headline_is_explained_where_there_is_one():
    assert "as analysed" in said(charts.specifications(tried(), 0.5))
    assert "as analysed" not in said(charts.specifications(tried().assign(is_headline=False), 0.5))


def test_each_threshold_that_a_specification_was_judged_by_is_drawn():
    ax = charts.specifications(tried().assign(threshold=[0.45, 0.5, 0.55]))
    order = tried().assign(threshold=[0.45, 0.5, 0.55]).sort_values("estimate")["threshold"].tolist()
    drawn = {tuple(map(tuple, piece)) for lines in part(ax, "threshold") for piece in lines.get_segments()}
    assert drawn == {((k - 0.5, one), (k + 0.5, one)) for k, one in enumerate(order)}  # each under its own
    (panel,) = charts.specifications(tried().assign(threshold=[0.45, 0.5, 0.55]), choices=["weights"]).child_axes
    assert any("55%" in label for label in ticks(panel.yaxis))
    assert "threshold 45%, 50%, 55%" in said(ax)


def test_specifications_take_as_much_of_the_axis_whichever_axes_is_looked_at_first():
    spans = []
    for turn in (0, 1):
        ax = KINDS["specifications"]()
        spans.append([axes.get_xlim() for axes in ([ax, *ax.child_axes], [*ax.child_axes, ax])[turn]])
    assert set(spans[0] + spans[1]) == {(-1.5, len(tried()) + 0.5)}


def test_specifications_that_all_agree_are_a_sentence():
    ax = charts.specifications(tried().assign(estimate=0.4, low=0.4, high=0.4))
    assert "all 3 values are 40%: there is nothing to draw" in said(ax)


def test_scatter_names_every_point_and_says_which_has_no_value():
    ax = KINDS["scatter"](highlight="T02")
    wanted = {"Mean Town": (0.2, 3), "Least Squares Subdistrict": (0.5, 9), "Markov Chain Subdistrict": (0.9, 5)}
    assert {text.get_text(): tuple(text.xy) for text in part(ax, "label")} == wanted
    assert "no value: Median Town" in said(ax) and len(part(ax, "line")) == 2
    assert [text.get_text() for text in part(ax, "corner")] == list("abcd")


def test_scatter_draws_intervals_where_the_table_has_them():
    table = wide([[0.2, 0.1, 0.3, 3.0]] * 4, ["x", "x_low", "x_high", "y"]).assign(
        kind="town", is_new=[True, False] * 2
    )
    assert "Mean Town" in said(charts.scatter(table, "x", "y"))  # named by its index alone
    (lines,) = part(charts.scatter(table, "x", "y"), "x_interval")
    assert lines.get_segments()[0].tolist() == [[0.1, 3], [0.3, 3]]


def test_scatter_keeps_26_long_names_apart():
    rng = np.random.default_rng(7)
    names = [f"Maximum Likelihood Town {c}" for c in "abcdefghijklmnopqrstuvwxyz"]
    ax = charts.scatter(
        pd.DataFrame({"x": rng.beta(4, 4, 26), "y": rng.choice([0.25, 0.5, 0.75, 1], 26)}, index=names), "x", "y"
    )
    ax.figure.draw_without_rendering()
    boxes = [Text.get_window_extent(label) for label in part(ax, "label")]
    shared = [(a, b) for k, a in enumerate(boxes) for b in boxes[:k] if a.shrunk(0.9, 0.9).overlaps(b.shrunk(0.9, 0.9))]
    assert len(boxes) == 26 and not shared


def test_funnel_names_every_point():
    ax = KINDS["funnel"](highlight="T03")
    assert [text.get_text() for text in part(ax, "label")] == [
        "Median Town",
        "Mean Town",
        "Least Squares Subdistrict",
        "Demo County",
    ]
    assert any(text.startswith("no value: Markov Chain Subdistrict") for text in said(ax))
    assert {"common level 30%", "95% limits", "99.8% limits", "outside the 99.8% limits"} <= set(said(ax))
    np.testing.assert_array_equal(
        [line.get_ydata() for line in part(ax, "limits_998")], limits()[["low998", "high998"]].T
    )


# --- saving ------------------------------------------------------------------------------------------------------------


def run(monkeypatch, folder, place="T03"):
    for name, value in (("FIGURES", str(folder)), ("PLACE", place), ("WAVE", "2023"), ("LANG", "zh")):
        monkeypatch.setenv(f"HUYING_{name}", value)


def test_outside_a_run_nothing_is_written_and_the_figure_is_closed():
    charts.save(charts.forest(rows()), "awareness")
    assert not plt.get_fignums()


def test_a_run_writes_the_same_bytes_each_time_under_a_name_with_place_wave_and_language(monkeypatch, tmp_path):
    run(monkeypatch, tmp_path)
    charts.save(charts.forest(rows()), "awareness")
    first = (tmp_path / "awareness_T03_2023_zh.png").read_bytes()
    charts.save(charts.forest(rows()), "awareness")
    assert (tmp_path / "awareness_T03_2023_zh.png").read_bytes() == first
    picture = opened(tmp_path / "awareness_T03_2023_zh.png")
    assert picture.size[0] == 798 and picture.text["Description"].startswith("aware of the reform · 2023")


def test_a_chart_of_the_county_is_written_by_the_countys_own_run_alone(monkeypatch, tmp_path):
    run(monkeypatch, tmp_path)
    charts.save(charts.forest(rows()), "awareness", place="county")
    assert not list(tmp_path.iterdir())
    run(monkeypatch, tmp_path, "county")
    charts.save(charts.forest(rows()), "awareness", place="county")
    assert [file.name for file in tmp_path.iterdir()] == ["awareness_county_2023_zh.png"]


def test_a_notebook_shows_the_picture_that_was_written_with_words_for_who_cannot_see_it(monkeypatch, tmp_path):
    shown = []
    monkeypatch.setattr("huying.charts.saving.get_ipython", lambda: object())
    monkeypatch.setattr("huying.charts.saving.display", shown.append)
    run(monkeypatch, tmp_path)
    charts.save(charts.forest(rows(), 0.5), "awareness")
    _, about = shown[0]._repr_png_()
    assert "threshold 50%" in about["alt"] and len(shown) == 1
    assert shown[0].data == (tmp_path / "awareness_T03_2023_zh.png").read_bytes()


def test_what_a_caller_has_made_longer_is_not_cut_off(monkeypatch, tmp_path):
    run(monkeypatch, tmp_path)
    ax = charts.forest(rows())
    ax.set_yticks(range(5), ["a very long label that nobody expected to stand here"] * 5)
    charts.save(ax, "long")
    assert ax.yaxis.get_tightbbox().x0 > 0


def test_a_picture_drawn_with_seaborn_bears_the_mark_and_the_house_style(monkeypatch, tmp_path):
    ax = sns.ecdfplot(pd.DataFrame({"seconds": [1, 2, 3]}), x="seconds")
    ax.set_title("中位镇")
    charts.save(ax, "seconds")
    assert [text.get_text() for text in part(ax, "synthetic")] == ["合成数据 SYNTHETIC"]
    assert ax.title.get_fontfamily() == ["Huying Sans SC", "Huying Sans SC Rare"]


def test_the_title_of_a_heat_map_stands_above_the_names_of_its_rows_whatever_room_the_scale_of_colours_takes():
    table = pd.DataFrame(np.random.default_rng(1).random((6, 18)), index=[f"农业技术推广站{k}" for k in range(6)])
    axes = charts.heatmap(table.rename(columns=str), title="中位镇")
    figure = axes.get_figure()
    figure.canvas.draw()
    title, names = axes._left_title.get_window_extent(), axes.yaxis.get_tightbbox()
    assert abs(title.x0 - names.x0) / figure.dpi < 0.03 and title.x0 / figure.dpi > 0.05
    plt.close(figure)


def test_the_mark_stands_above_the_names_of_columns_where_a_chart_has_no_title():
    axes = KINDS["verdicts"]()
    axes.get_figure().canvas.draw()
    (mark,) = part(axes, "synthetic")
    assert mark.get_window_extent().y0 >= axes.xaxis.get_tightbbox().y1
    plt.close(axes.get_figure())


def test_parts_without_an_order_have_colours_of_their_own():
    ax = charts.stacked(wide(PARTS, ["old", "both", "new"]))
    assert [to_hex(patch.get_facecolor()) for patch in ax.get_legend().get_patches()[:3]] == [
        to_hex(c) for c in look.AREAS[:3]
    ]


# --- what a reader sees: marks, figures, words and colours by their meaning ------------------------------------------------


def legend(ax):
    """The lines of the legend in their order."""
    return [text.get_text() for text in ax.get_legend().get_texts()] if ax.get_legend() else []


def pieces(ax, gid):
    """The straight lines with this gid, each as ((x, y), (x, y))."""
    every = [piece.tolist() for artist in part(ax, gid) for piece in artist.get_segments()]
    return [
        [tuple(round(one, 9) for one in end) for end in piece] for piece in every if piece and np.isfinite(piece).all()
    ]


def colours_of(ax, gid="estimate"):
    """The colour of each mark by its place on the axes."""
    found = {}
    for artist in part(ax, gid):
        at, ink = artist.get_offsets().filled(NAN), [to_hex(one).upper() for one in artist.get_facecolors()]
        found |= dict(zip(map(tuple, at.round(9).tolist()), ink * (len(at) if len(ink) == 1 else 1), strict=True))
    return found


def written(ax, gid):
    """What the texts with this gid say, by where they point."""
    return {tuple(np.round(getattr(text, "xy", text.get_position()), 9)): text.get_text() for text in part(ax, gid)}


def box(text):
    """Where a text stands, without its leader, in inches."""
    return Text.get_window_extent(text).transformed(text.figure.dpi_scale_trans.inverted())


def are_apart(texts):
    """Whether no two texts meet."""
    boxes = [box(text).shrunk(0.9, 0.9) for text in texts if text.get_text()]
    return not any(one.overlaps(other) for k, one in enumerate(boxes) for other in boxes[:k])


def at_risk(**columns):
    """Three in four of the answered are soon done; of the closed fewer than 1% wait beyond the twentieth day."""
    days, left = [0, 1, 10, 0, 20, 40], [1000, 250, 30, 1000, 400, 9]
    made = pd.DataFrame({"kind": ["answered"] * 3 + ["closed"] * 3, "wait_days": days, "share": [0, 0.7, 0.9] * 2})
    return made.assign(at_risk=left, low=made["share"] - 0.05, high=made["share"] + 0.05, **columns)


def test_curves_end_where_fewer_than_one_in_a_hundred_wait_and_tell_below_how_many_wait():
    ax = charts.curves(at_risk(), "wait_days", "share", "kind", limits=(2, 5))
    assert ax.get_xlim() == pytest.approx((0, 20.8)) and ax.yaxis.get_gridlines()[0].get_visible()
    assert not any("%" in text for text in ticks(ax.xaxis))
    assert legend(ax) == ["answered", "closed", "band: 95% confidence interval"]
    assert [(line.get_color(), line.get_linestyle()) for line in part(ax, "curve")] == [
        (look.BLUE, "-"),
        (look.VERMILLION, "--"),
    ]
    assert [to_hex(band.get_facecolor()).upper() for band in part(ax, "band")] == [look.BLUE, look.VERMILLION]
    assert part(ax, "band")[1].get_paths()[0].get_extents().extents.round(9).tolist() == [0, -0.05, 40, 0.95]
    (panel,) = ax.child_axes
    assert ticks(panel.yaxis) == ["still waiting (answered)", "still waiting (closed)"]
    told = {(text.get_position()): text.get_text() for text in panel.texts}
    days = [day for day in ax.get_xticks() if 0 <= day <= 20]
    assert told == {  # at the beginning of the day, and no further than the curve, or the axis, goes
        **{(day, 0): {0: "1000", 1: "250"}.get(day, "30") for day in days if day <= 10},
        **{(day, 1): {0: "1000"}.get(day, "400") for day in days},
    }
    assert panel.get_xlabel() == "working days" and not ax.get_xlabel()
    ax.figure.draw_without_rendering()
    above, below = ax.get_tightbbox(for_layout_only=True), panel.get_window_extent()
    assert below.y1 < min(label.get_window_extent().y0 for label in ax.get_xticklabels() if label.get_text())
    assert below.width == pytest.approx(ax.bbox.width) and above.y0 <= below.y0
    assert are_apart(panel.get_yticklabels()) and 0.3 < below.height / ax.figure.dpi < 0.5
    assert ax.bbox.y0 - below.y1 < 0.5 * ax.figure.dpi and panel.get_ylim() == pytest.approx((1.6, -0.6))


def test_curves_reach_the_last_limit_in_whole_days_and_without_intervals_speak_of_none():
    ax = charts.curves(waiting().query("wait_days < 2"), "wait_days", "share", "kind", limits=(3, 2))
    assert ax.get_xlim() == pytest.approx((0, 3.12)) and {line.get_xdata()[-1] for line in part(ax, "curve")} == {3}
    assert ticks(ax.xaxis) == ["0", "1", "2", "3"] and legend(ax) == ["answered", "closed"]
    assert ax.get_xlabel() == "working days" and not ax.child_axes
    first, second = [text for text in ax.texts if "working days" in text.get_text()]
    assert (first.get_text(), second.get_text()) == ("2 working days", "3 working days") and are_apart([first, second])
    assert (first.get_ha(), second.get_ha()) == ("right", "left")


def months(n=3, **columns):
    time = [f"2022-{k:02d}" for k in range(1, n + 1)]
    value = np.linspace(0.2, 0.4, n)
    return rows(value, places="county", low=value - 0.1, high=value + 0.1, n=400).assign(month=time, **columns)


def test_a_trend_shows_each_value_with_its_interval_at_its_time():
    ax = charts.trend(months(estimate=[0.2, NAN, 0.4], low=[0.1, NAN, 0.3], high=[0.3, NAN, 0.5]), "month")
    assert pieces(ax, "interval") == [[(0, 0.1), (0, 0.3)], [(2, 0.3), (2, 0.5)]]
    (line,) = part(ax, "estimate")
    np.testing.assert_array_equal(line.get_xydata(), [[0, 0.2], [1, NAN], [2, 0.4]])
    assert written(ax, "cell") == {(0, 0.2): "20.0%", (2, 0.4): "40.0%"} and line.get_marker() == "o"
    assert ticks(ax.xaxis) == ["2022-01", "2022-02", "2022-03"] and ax.get_xlabel() == "month"
    assert ax.get_xlim() == (-0.5, 2.5) and ax.get_ylim()[0] < 0.1 and ax.get_ylim()[1] > 0.5
    assert "%" in ticks(ax.yaxis)[0] and legend(ax) == ["line: 95% confidence interval"]
    assert ticks(charts.trend(months(24), "month").xaxis) == [f"2022-{k:02d}" for k in range(1, 25, 2)]
    assert len(ticks(charts.trend(months(12), "month").xaxis)) == 12  # as many as have room
    few = charts.trend(months(estimate=[0.214, 0.3, 0.4]).assign(n=[99, 400, 400]), "month")
    assert list(written(few, "cell").values()) == ["21%", "30%", "40%"]  # of the fewest cases, in all months


def test_slopes_colour_what_moves_and_name_it_outside_where_it_has_a_rank():
    steps = pd.Index(["raked", "none"], name="weights")
    moves = pd.DataFrame([[3, 4], [1, 1], [2, 3], [4, NAN], [5, 2]], ["c", "a", "b", "d", "e"], columns=steps)
    ax = charts.slopes(moves)
    looks = {line.get_ydata()[0]: (line.get_color(), line.get_linewidth()) for line in part(ax, "rank")}
    assert looks == {
        1: (look.GREY, 1),
        2: (look.BLUE, 2),
        3: (look.VERMILLION, 2),
        4: (look.GREY, 1),
        5: ("#009E73", 2),
    }
    assert all(line.get_linestyle() == "-" and not line.get_clip_on() for line in part(ax, "rank"))
    names = part(ax, "label")
    assert [text.get_text() for text in names] == [*"aabbccd", *"ee"]
    ax.figure.draw_without_rendering()
    for name in names:
        x = ax.transData.transform(name.xy)[0]
        assert Text.get_window_extent(name).x1 < x if name.xy[0] == 0 else Text.get_window_extent(name).x0 > x
        assert name.get_color() == (look.DIM if name.get_text() in "ad" else look.BLACK)
    assert ax.get_xlabel() == labels.of(None).word("weights") and not ticks(ax.yaxis)
    long = pd.DataFrame({"x": range(20), "y": range(20)}, index=[f"d{k}" for k in range(20)])
    made = charts.slopes(long + 1)
    made.figure.draw_without_rendering()
    assert are_apart(part(made, "label"))


def judged(**columns):
    table = {"estimate": [0.4, 0.3, 0.5], "low": [0.3, 0.2, 0.4], "high": [0.5, 0.4, 0.6]}
    return pd.DataFrame({**table, "verdict": ["supported", "not supported", "cannot say"], **columns})


def test_specifications_have_the_colours_of_their_verdicts_and_the_choices_theirs():
    choices = {"weights": ["raked", "none", "none"], "sex": ["male", "", "male"]}
    ax = charts.specifications(judged(**choices), 0.45, choices=["weights", "sex", "nothing"])
    assert colours_of(ax) == {(0, 0.3): look.ORANGE, (1, 0.4): look.BLUE, (2, 0.5): look.GREY}
    assert sorted(pieces(ax, "interval")) == [[(k, (k + 2) / 10), (k, (k + 4) / 10)] for k in range(3)]
    assert legend(ax) == ["supported", "not supported", "cannot say", "threshold 45%"]
    assert pieces(ax, "threshold") == [[(k - 0.5, 0.45), (k + 0.5, 0.45)] for k in range(3)]
    (panel,) = ax.child_axes
    assert [text.split(" · ")[1] for text in ticks(panel.yaxis)] == ["unweighted", "raked", "–", "male"]
    assert [line.get_color() for line in part(ax, "choice")] == [look.BLUE] * 2 + [look.VERMILLION] * 2
    assert [line.get_xdata().tolist() for line in part(ax, "choice")] == [[0, 2], [1], [0], [1, 2]]
    told = "specifications, in the order of their values"
    assert panel.get_xlabel() == told and not ax.get_xlabel() and "%" in ticks(ax.yaxis)[0]
    alone = charts.specifications(judged(verdict="supported"), title="t")
    assert alone.get_xlabel() == told and not alone.child_axes and legend(alone) == ["supported"]
    assert legend(charts.specifications(judged().drop(columns="verdict"))) == [] == pieces(alone, "threshold")


def plane(**about):
    """Four towns by two shares, with intervals of the second."""
    table = wide([[0.2, 0.3], [0.5, 0.9], [0.6, 0.4], [0.9, 0.5]], ["aware", "told"])
    low, high = {"told_low": table["told"] - 0.1}, {"told_high": table["told"] + 0.1}
    return charts.scatter(table.assign(**low, **high), "aware", "told", **about)


def test_scatter_tells_the_place_that_is_read_from_the_others():
    ax = plane(highlight="T02", corners=["w", "x", "y", "z"], lines=(None, 1.4))
    ink = colours_of(ax, "points")
    assert ink == dict.fromkeys([(0.2, 0.3), (0.6, 0.4), (0.9, 0.5)], look.BLUE) | {(0.5, 0.9): look.VERMILLION}
    assert legend(ax) == ["town", "this town"] and not any(artist.get_clip_on() for artist in part(ax, "points"))
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("aware of the reform", "was told of it")
    title = ax.get_title(loc="left").replace("\n", " ")
    assert title == "Least Squares Subdistrict · aware of the reform, was told of it"
    assert [(0.2, 0.2), (0.2, 0.4)] in pieces(ax, "y_interval") and not pieces(ax, "x_interval")
    assert [line.get_ydata()[0] for line in part(ax, "line")] == [1.4] and ax.get_ylim()[1] > 1.4
    assert {text.get_text(): text.get_fontweight() for text in part(ax, "label")}["Least Squares Subdistrict"] == "bold"
    assert [text.get_fontweight() for text in part(ax, "label")].count("bold") == 1
    (w, x, y, z), middle = map(box, part(ax, "corner")), box(part(ax, "corner")[0]).x0
    assert w.x0 == y.x0 == middle and x.x1 == z.x1 and w.y1 == x.y1 and y.y0 == z.y0 and w.y0 > y.y1 and w.x1 < x.x0
    assert not legend(plane()) and not legend(
        charts.scatter(wide(np.eye(4)[:, :2], ["x", "y"]).iloc[:1], "x", "y", highlight="T01")
    )


def test_labels_stand_near_their_points_but_on_no_point_text_or_border():
    alone = charts.scatter(pd.DataFrame({"x": [0.5], "y": [0.5]}, index=["alone"]), "x", "y")
    (label,) = part(alone, "label")
    apart = (np.array(label.get_position()) / 72 * alone.figure.dpi) - 0
    half = np.array(Text.get_window_extent(label).size) / 2
    assert (np.abs(apart) <= half + 9).all() and (np.abs(apart) > half).any() and not label.arrow_patch.get_visible()
    crowd = pd.DataFrame({"x": [0.5] * 9, "y": np.linspace(0.5, 0.52, 9)}, index=[f"town {k}" for k in range(9)])
    corner = pd.DataFrame({"x": [0, 1, 0, 1, 0.25], "y": [0, 0, 1, 1, 0.75]}, index=[*"abcd", "free"])
    ax = charts.scatter(pd.concat([crowd, corner]), "x", "y", corners=["corner w", "corner x", "corner y", "corner z"])
    ax.figure.draw_without_rendering()
    names, points = part(ax, "label"), ax.transData.transform(pd.concat([crowd, corner]).to_numpy())
    assert are_apart([*names, *part(ax, "corner")])
    boxes = [Text.get_window_extent(name) for name in names]
    assert not any(one.contains(*point) for one in boxes for point in points)
    assert all(ax.bbox.padded(1).count_contains(one.corners()) == 4 for one in boxes)
    far = [name for name in names if name.arrow_patch.get_visible()]
    assert 3 < len(far) < 16 and "free" not in [name.get_text() for name in far]


def test_overlaps_are_areas():
    boxes = np.array([[0.0, 0, 2, 2], [5, 5, 6, 6], [10, 10, 11, 11]])
    assert overlap(boxes, np.array([[1.0, 0, 3, 3], [0, 1, 1, 2], [5, 5, 7, 7]])).tolist() == [3, 1, 0]
    assert around(np.array([[3.0, 4]]), 2.0).tolist() == [[1, 2, 5, 6]]


def test_funnel_colours_what_lies_outside_and_leaves_room_for_the_limits_of_the_cases_there_are():
    frame = rows([0.2, 0.5, 0.35, 0.3], places=IDS[:4], n=[60, 300, 90, 400], is_outside=[0, 1, 0, 0])
    ax = charts.funnel(frame, limits(), 0.3, highlight="T03")
    assert colours_of(ax, "points") == {
        (60, 0.2): look.BLUE,
        (300, 0.5): look.VERMILLION,
        (90, 0.35): look.BLUE,
        (400, 0.3): look.BLUE,
    }
    (points,) = part(ax, "points")
    assert (
        points.get_sizes().argmax() == 2
        and to_hex(points.get_edgecolors()[2]) == "#000000"
        and not points.get_clip_on()
    )
    assert [to_hex(one) for one in points.get_edgecolors()].count("#000000") == 1
    assert [line.get_linestyle() for gid in ("limits_95", "limits_998", "centre") for line in part(ax, gid)] == [
        "--"
    ] * 2 + ["-"] * 3
    assert part(ax, "centre")[0].get_ydata()[0] == 0.3 and ax.get_ylim()[1] == pytest.approx(1.08 * 0.5)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("number of cases, n", "share") and ax.get_xlim()[0] == 0
    assert ax.get_xlim()[1] == pytest.approx(520) and not any("%" in text for text in ticks(ax.xaxis))
    assert legend(charts.funnel(frame.assign(is_outside=0), limits(), 0.3)) == [
        "95% limits",
        "99.8% limits",
        "common level 30%",
    ]


def lanes(**about):
    second = rows([0.9, 0.8, 0.7, 0.1, 0.5], "told", low=0.4, high=0.9)
    return charts.panels(pd.concat([rows(threshold=[0.5] * 5), second], ignore_index=True), **about)


def test_panels_have_a_lane_for_each_share():
    ax = lanes(highlight="T03")
    assert ticks(ax.yaxis) == [labels.of(None).place(IDS[k]) for k in (4, 1, 2, 0, 3)]  # by the first share
    assert ticks(ax.xaxis) == ["0", "50%", "100%"] * 2 and ax.get_xlim() == (-0.02, 2)
    assert [x for x, _ in dots(ax)] == pytest.approx(
        sorted([*(0.74 * ESTIMATE[[4, 1, 2, 0]]), *(1 + 0.74 * np.array([1, 5, 7, 8, 9]) / 10)])
    )
    ink = {y: colour for (x, y), colour in colours_of(ax).items() if x > 1}
    assert ink == {0: look.BLACK, 1: look.BLUE, 2: look.VERMILLION, 3: look.BLUE, 4: look.BLUE}
    assert [(0.3996, 0), (0.518, 0)] in pieces(ax, "interval") and [(1.296, 4), (1.666, 4)] in pieces(ax, "interval")
    assert pieces(ax, "threshold") == [[(0.37, -0.6), (0.37, 4.6)]]
    told = written(ax, "cell")
    assert {told[0, -0.8], told[1, -0.8]} == {"aware of the reform", "was told of it"}
    assert [told.get((0.98, row)) for row in range(5)] == ["62", "50", "35", "21", None] and told[1.98, 4] == "10"
    assert (
        legend(ax) == ["line: 95% confidence interval", "threshold 50%"] and ax.xaxis.get_gridlines()[0].get_visible()
    )
    assert ax.get_yticklabels()[2].get_fontweight() == "bold" and not ax.yaxis.get_gridlines()[0].get_visible()


def test_rows_of_panels_without_a_value_in_the_first_lane_stand_last():
    second = rows([0.1, 0.2, 0.3, 0.99, 0.4], "told", low=0.05, high=1.0)
    ax = charts.panels(pd.concat([rows(), second], ignore_index=True))
    assert ticks(ax.yaxis) == [labels.of(None).place(IDS[k]) for k in (4, 1, 2, 0, 3)]


def test_long_names_of_lanes_stand_between_the_title_and_the_lanes_in_their_own_width():
    known = {f"m{k}": Words("", "a very long name of what was measured in the towns " * 2) for k in range(4)}
    labels.register("charts/test", Labels("en", "County", TOWNS, known))
    ax = charts.panels(pd.concat([rows(measure=name) for name in known], ignore_index=True), title="t")
    heads = [text for text in part(ax, "cell") if "measured" in text.get_text()]
    title = ax._left_title.get_window_extent()
    assert len(heads) == 4 and are_apart(heads)
    assert all(head.get_window_extent().y1 < title.y0 and head.get_window_extent().y0 > ax.bbox.y1 for head in heads)


def test_forest_draws_intervals_and_its_groups_in_colours_with_room():
    frame = pd.concat([rows(ESTIMATE + k / 50).assign(wave=str(2020 + k)) for k in range(4)], ignore_index=True)
    ax, alone = charts.forest(frame, by="wave"), charts.forest(rows(), highlight="T03")
    assert legend(ax)[-4:] == ["2020", "2021", "2022", "2023"] and "town" not in legend(ax)
    ink = {x: colour for (x, y), colour in colours_of(ax).items() if round(y) == 0}
    assert list(ink.values()) == list(look.PALETTE[:4]) and list(ink) == sorted(ink)
    assert [(0.54, 0), (0.7, 0)] in pieces(alone, "interval") and len(pieces(alone, "interval")) == 4
    assert ax.bbox.height == pytest.approx(2.4 * alone.bbox.height)
    assert legend(alone) == ["town", "this town", "county", "line: 95% confidence interval"]
    assert not any(label.get_fontweight() == "bold" for label in charts.forest(rows()).get_yticklabels())


def hollow(handle):
    return to_hex(handle.get_markerfacecolor()).upper() == look.WHITE


def test_the_legend_of_a_forest_names_the_kinds_of_places_and_is_hollow_where_all_are():
    care = charts.forest(rows(reliability=["read with care"] * 4 + ["ok"]))
    assert hollow(care.get_legend().legend_handles[0]) and legend(care)[0] == "town"
    assert not hollow(charts.forest(rows(reliability=["read with care", *["ok"] * 4])).get_legend().legend_handles[0])
    assert legend(charts.forest(rows().iloc[:1])) == ["line: 95% confidence interval"]
    two = charts.forest(rows().iloc[[0, 2]], highlight="T03")
    assert legend(two) == ["town", "this town", "line: 95% confidence interval"]
    offices = Labels("en", "County", {"D1": "One", "D2": "Two"}, departments=["D1", "D2", "D3"])
    labels.register("charts/test", offices)
    ax = charts.forest(rows([0.2, 0.3, 0.4], places=["D1", "D2", "county"]), highlight="D1")
    assert legend(ax) == ["department", "this department", "county", "line: 95% confidence interval"]
    only = charts.forest(rows([0.2, 0.3, NAN], places=["D1", "county", "D3"], method="count"), highlight="D1")
    bounds = "line: bounds, with those who did not answer all counted as no, and as yes"
    assert bounds in legend(only) and "line: 95% confidence interval" not in legend(only)


@pytest.mark.parametrize(
    ("low", "high", "n", "about", "is_drawn"),
    [
        (0, 1, 4, {}, False),
        (0, 1, 1, {}, True),  # one place is shown however little is known
        (0, [1, 0.9, 1, NAN, 1], 5, {}, True),
        ([0, 0.1, 0, NAN, 0], 1, 5, {}, True),
        (-1, 2, 5, {"percent": False}, True),
    ],
)
def test_a_forest_whose_intervals_all_say_nothing_is_a_sentence(low, high, n, about, is_drawn):
    ax = charts.forest(rows(low=low, high=high).iloc[-n:], **about)
    assert ax.axison == is_drawn
    assert is_drawn or "all 3 intervals run from 0 to 100%: they say nothing, and are not drawn" in said(ax)


def test_a_forest_keeps_the_intervals_for_all_towns_of_its_own_rows_and_takes_the_headlines_of_a_verdict():
    both_parts = pd.concat(
        [rows(low_family=0.0, high_family=0.9, part="x"), rows(low_family=0.1, high_family=0.8, part="")]
    )
    for given, wanted in ((rows(), 0.1), (rows(low_family=0.2, high_family=0.7), 0.2)):
        ax = charts.forest(given, verdict=SimpleNamespace(title="t", footer="", rows=both_parts))
        assert {piece[0][0] for piece in pieces(ax, "family")} == {wanted}
    unnamed = rows().drop(columns="place").set_index(pd.Index(IDS))
    assert not pieces(charts.forest(unnamed, verdict=SimpleNamespace(title="t", rows=both_parts)), "family")
    assert not pieces(charts.forest(rows(), verdict=SimpleNamespace(title="t")), "family")


@pytest.mark.parametrize(("last", "shown"), [(4, range(1, 5)), (14, range(1, 15)), (15, range(1, 16, 2))])
def test_ranks_stand_first_on_top_over_whole_numbers(last, shown):
    rank, ids = np.arange(last, 0.0, -1), [f"T{k}" for k in range(last)]
    ax = charts.ranks(rows(rank, places=ids, low=np.fmax(rank - 1, 1), high=np.fmin(rank + 1, last)))
    assert ticks(ax.xaxis) == list(map(str, shown)) and ticks(ax.yaxis)[0] == ids[-1]
    assert ax.get_xlabel() == "rank (1 on top)" and "line: ranks possible at 95% confidence" in legend(ax)


@pytest.mark.parametrize(
    ("low", "high", "is_drawn"),
    [([1, 1], [2, 2], False), ([1, 2], [2, 2], True), ([1, 1], [1, 2], True), ([1], [1], True)],
)
def test_ranks_are_drawn_where_one_place_at_least_cannot_have_any(low, high, is_drawn):
    ax = charts.ranks(rows([1.0, 2][: len(low)], places=IDS[: len(low)], low=low, high=high))
    assert ax.axison == is_drawn


def test_bars_of_counted_shares_say_how_many_of_how_many():
    counted = {"low": [0.21, 0.5, 0.2, NAN, 0.62], "high": [0.21, 0.5, 0.4, NAN, 0.62], "n": [100, 8, 20, 0, 50]}
    ax = charts.bars(rows(method="count", **counted))
    told = written(ax, "value")
    assert told == {(0.21, 0): "21.0% (21/100)", (0.5, 1): "50% (4/8)", (0.4, 2): "35%", (0.62, 4): "62% (31/50)"}
    assert ticks(ax.yaxis)[1] == "Least Squares Subdistrict" and pieces(ax, "interval")[2] == [(0.2, 2), (0.4, 2)]
    assert to_hex(part(ax, "estimate")[0].get_facecolor()).upper() == look.SKY
    several = written(charts.bars(rows([3.0, 2, 1, 5, 4], low=NAN, high=NAN, method="count")), "value")
    assert several[3, 0] == "3" and "(" not in "".join(several.values())
    sampled = charts.bars(rows(method="logit", **counted))
    assert "(" not in "".join(written(sampled, "value").values()) and "(n=8)" in ticks(sampled.yaxis)[1]
    assert ticks(charts.bars(rows(n=[9, NAN, 9, NAN, 9])).yaxis)[0] == "Mean Town"


def test_stages_tell_which_share_came_as_far_as_each():
    frame = pd.DataFrame({"stage": ["need", "calls", "answered"], "estimate": [2100.0, 1050, 990]})
    ax = charts.stages(frame)
    assert [text.replace("\n", " ") for text in ticks(ax.yaxis)] == [
        "matters counted by hotline and grid",
        "calls made (50.0% of the stage before)",
        "answered (94.3% of the stage before)",
    ]
    assert list(written(ax, "value").values()) == ["2,100", "1,050", "990"]
    assert not any("%" in text for text in ticks(ax.xaxis))
    assert "%" not in "".join(written(charts.stages(frame.assign(estimate=[1.0, 1, 0])), "value").values())


def test_parts_of_a_whole_bear_their_numbers_in_their_middles_where_there_is_room():
    table = wide([[0.5, 0.44, 0.06], [0.2, 0.4, 0.4], [0.9, 0.1, 0], [0.5, 0.5, 0]], list("xyz"))
    ax = charts.stacked(table, sort=True)
    assert ticks(ax.yaxis) == [NAMES[k][1] for k in (2, 0, 3, 1)] and legend(ax) == ["x", "y", "z"]
    inside = {(round(text.get_position()[0], 9), text.get_position()[1]): text for text in ax.texts}
    assert {at: text.get_text() for at, text in inside.items() if at[1] == 1} == {(0.25, 1): "50%", (0.72, 1): "44%"}
    assert inside[0.25, 1].get_color() == look.WHITE and inside[0.25, 1].get_bbox_patch() is None
    assert ticks(ax.xaxis)[0] == "0%" and "(n=" not in ticks(ax.yaxis)[0]
    six = charts.stacked(wide(np.full((4, 6), 1 / 6), list("uvwxyz")))
    last = [text for text in six.texts if text.get_position()[1] == 0][-1]
    assert part(six, "shares")[-1].get_hatch() and to_hex(last.get_bbox_patch().get_facecolor()) == to_hex(
        part(six, "shares")[-1].get_facecolor()
    )
    assert not charts.stacked(wide(np.tile([1.0, 0], (4, 1)), ["x", "y"])).axison
    assert 'all 4 rows are "x" throughout: there is nothing to draw' in said(
        charts.stacked(wide(np.tile([1.0, 0], (4, 1)), ["x", "y"]))
    )
    assert charts.stacked(wide(np.tile([1.0, 0], (4, 1)), ["x", "y"]).iloc[:1]).axison


@pytest.mark.parametrize(
    ("columns", "is_ordinal", "hatches"),
    [(list("12345"), True, [""] * 5), (list("123456"), True, ["", "////"] * 3), (["1", "2", "other"], True, ["", "", "////"]),
     (["low", "high"], True, ["", ""]), (list("abcde"), False, [""] * 5), (list("abcdefghijk"), False, [""] * 5 + ["////"] * 5 + ["...."])],
)  # fmt: skip
def test_no_two_parts_look_alike(columns, is_ordinal, hatches):
    looks = colours(columns, is_ordinal)
    assert [one["hatch"] for one in looks] == hatches
    assert len({(to_hex(one["facecolor"]), one["hatch"]) for one in looks}) == len(columns)


def test_stacked_takes_the_last_key_for_the_parts():
    long = pd.concat([rows([0.2] * 5).assign(sex="male"), rows([0.8] * 5).assign(sex="female")], ignore_index=True)
    long.insert(2, "sex", long.pop("sex"))
    assert legend(charts.stacked(long)) == ["male", "female"]


@pytest.mark.parametrize(
    ("values", "about", "ends"),
    [([0.1, 0.5], {}, (0, 0.5)), ([0.1, 0.7], {}, (0, 1)), ([0.6, 0.9], {}, (0.6, 1)), ([0.4, 0.5], {}, (0.4, 0.5)),
     ([-3, 4], {}, (-3, 4)), ([5, 8], {}, (5, 8)), ([0.2, 0.9], {"percent": False}, (0, 0.9))],
)  # fmt: skip
def test_the_shades_of_a_heat_map_begin_at_zero_unless_all_are_high(values, about, ends):
    mesh = charts.heatmap(wide([values] * 4, ["x", "y"]).iloc[:1], **about).collections[0]
    assert mesh.get_clim() == ends
    assert sum(mesh.cmap(mesh.norm(values[0]))[:3]) > sum(mesh.cmap(mesh.norm(values[1]))[:3])


def test_a_heat_map_has_figures_up_to_twenty_columns_and_then_a_scale():
    rng = np.random.default_rng(1)
    for n, times, cell, scale in ((20, 1, "51", None), (21, 1, None, "%"), (21, 10, None, ""), (2, 10, "5.1", None)):
        ax = charts.heatmap(pd.DataFrame(rng.random((2, n)).round(3) * times).rename(columns=str))
        figures = [text.get_text() for text in ax.texts if text.get_gid() is None]
        values = ax.collections[0].get_array().ravel()
        assert figures == ([f"{100 * one:.0f}" if times == 1 else f"{one:.2g}" for one in values] if cell else [])
        assert len(ax.figure.axes) == 1 + (scale is not None)
        assert ("figures in cells: per cent" in said(ax)) == (n == 20)
        if scale is not None:
            assert all(text.endswith("%") == bool(scale) for text in ticks(ax.figure.axes[1].yaxis))


def test_the_cells_of_a_heat_map_stand_under_names_with_room():
    table = pd.DataFrame(
        np.random.default_rng(1).random((12, 4)),
        [f"check number {k} of the plates and seals of the station" for k in range(12)],
        IDS[:4],
    )
    ax = charts.heatmap(table.rename_axis("check").rename_axis(columns="place"), highlight="T02")
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("", "") and are_apart(ax.get_yticklabels())
    (frame,) = part(ax, "here")
    assert frame.get_width() == 1 and not frame.get_fill() and to_hex(frame.get_edgecolor()).upper() == look.VERMILLION
    assert [label.get_fontweight() == "bold" for label in ax.get_xticklabels()] == [False, True, False, False]
    assert ax.get_xticklabels()[1].get_color() == look.VERMILLION and ax.get_xticklabels()[0].get_rotation() == 90
    short = charts.heatmap(table.set_axis(list("abcd"), axis=1))
    assert short.get_xticklabels()[0].get_rotation() == 0 and not part(short, "here")


def test_yes_is_dark_and_no_is_light_in_legend_and_cells():
    ax = charts.heatmap(wide([[1.0, 0]] * 4, ["x", "y"]))
    shown = dict(zip(legend(ax), (patch.get_facecolor() for patch in ax.get_legend().get_patches()), strict=True))
    mesh = ax.collections[0]
    assert shown == {"yes": mesh.cmap(mesh.norm(1)), "no": mesh.cmap(mesh.norm(0))} and "scale" not in said(ax)
    counted = charts.heatmap(wide([[1.0, 0]] * 4, ["x", "y"]), percent=False)
    assert (
        not legend(counted)
        and [text.get_text() for text in counted.texts if text.get_text() in ("0", "1")] == ["1", "0"] * 4
    )


def test_each_verdict_has_its_colour_and_only_those_given_are_explained():
    matrix = pd.DataFrame([STATED[:4], ["no baseline", *STATED[:3]]], ["P16", "A02"], IDS[:4])
    ax = charts.verdicts(matrix, problems=pd.DataFrame(True, matrix.index, matrix.columns))
    mesh = ax.collections[0]
    shown = [to_hex(mesh.cmap(mesh.norm(code))).upper() for code in range(4)]
    assert shown == list(charts.VERDICTS.values()) and len(ax.figure.axes) == 1
    hatched = [bar for bar in ax.patches if bar.get_hatch() and bar.get_gid() is None]
    assert [(bar.get_x(), round(bar.get_y() + bar.get_height() / 2, 9)) for bar in hatched] == [(0, 1.5)]
    assert len(dots(ax, "problem")) == 6  # where nothing is judged there is no problem
    assert legend(ax) == [
        "supported",
        "not supported",
        "cannot say",
        "no baseline",
        "not judged here",
        "means a problem",
    ]
    assert [bool(patch.get_hatch()) for patch in ax.get_legend().get_patches()] == [False, False, False, True, True]
    assert legend(charts.verdicts(matrix.iloc[:1, :2])) == ["supported", "not supported"]


# --- what stands around the drawing ----------------------------------------------------------------------------------------


def table_of(**attrs):
    """A wide table, which has no column of measures."""
    made = wide([[0.2, 0.5], [0.4, 0.6], [0.3, 0.1], [0.7, 0.8]], ["x", "y"])
    made.attrs |= attrs
    return made


@pytest.mark.parametrize(
    ("draw", "about", "title", "under"),
    [
        (rows, {"highlight": "T03"}, "Median Town · aware of the reform", "2023 · n=40"),
        (rows, {"highlight": "T03", "title": "Mine"}, "Mine", "aware of the reform · Median Town · 2023 · n=40"),
        (rows, {"title": "Mine", "subtitle": "under"}, "Mine", "under"),
        (lambda: rows(n=[1, 2, 3, 4, 5], wave=list("abcde"), period="p").iloc[:4], {}, "aware of the reform", "p"),
        (lambda: rows(n=NAN, wave=""), {}, "aware of the reform", ""),
        (lambda: rows(measure=["aware", "told"] * 2 + ["aware"]), {}, "aware of the reform, was told of it", "2023 · n=40"),
        (lambda: rows(measure=["aware", "told", "x", "y", NAN]), {"highlight": "T03"}, "Median Town", "2023 · n=40"),
        (table_of, {}, "Demo County", ""),
        (table_of, {"highlight": "T03"}, "Median Town", ""),
        (lambda: table_of(answer="told", source="the ledger"), {}, "was told of it", "the ledger"),
    ],
)  # fmt: skip
def test_the_title_says_what_and_where_and_the_line_under_it_when_and_of_how_many(draw, about, title, under):
    frame = draw()
    ax = (charts.bars if "estimate" in frame else charts.heatmap)(frame, **about)
    assert ax.get_title(loc="left") == title
    assert [text.get_text() for text in part(ax, "subtitle")] == [under]


def test_a_verdict_without_a_number_gives_the_title_and_a_line_of_the_callers_stands_under_it():
    told = SimpleNamespace(title="Cannot say", subtitle="of all residents")
    ax = charts.forest(rows(), verdict=told, subtitle="mine", title="Mine")
    assert ax.get_title(loc="left") == "Cannot say" and [text.get_text() for text in part(ax, "subtitle")] == ["mine"]
    ax = charts.forest(rows(), verdict=SimpleNamespace(title="Other", row={"estimate": 0.9}), title="Mine")
    assert ax.get_title(loc="left") == "Mine"


def test_values_bear_the_unit_of_the_verdict_and_as_many_digits_as_their_n_allows():
    told = SimpleNamespace(title="t", subtitle="", row={"estimate": 3.0, "unit": "days"})
    waits = rows([3.0, 0.5, 1, NAN, 0.75], low=NAN, high=NAN)
    ax = charts.bars(waits, verdict=told)
    assert [text.split()[-1] for text in written(ax, "value").values()] == ["days", "days", "day", "days"]
    assert written(ax, "value")[3, 0] == "3 days" and not any("%" in text for text in ticks(ax.xaxis))
    days = charts.bars(
        waits.assign(estimate=waits["estimate"] / 4),
        verdict=SimpleNamespace(title="t", row={"estimate": 0.75, "unit": "days"}),
    )
    assert all("day" in text for text in written(days, "value").values())
    other = charts.bars(waits, verdict=SimpleNamespace(title="t", row={"estimate": 7.7, "unit": "days"}))
    assert written(other, "value")[3, 0] == "3"
    shares = charts.bars(rows([0.6234, 0.6234, 0.6234, NAN, 0.5], n=[40, 150, 0, 0, 99], low=NAN, high=NAN))
    assert list(written(shares, "value").values()) == ["62%", "62.3%", "62.3%", "50%"]
    near = charts.forest(rows([0.4996, 0.3, 0.2, NAN, 0.1], n=20), [0.5, NAN])
    assert written(near, "value")[1, 0] == "49.96%" and "threshold 50%" in said(near)
    whole = charts.bars(rows([1.0, 1.0, 0.5, NAN, 0.2], low=NAN, high=NAN))
    assert written(whole, "value")[1, 0] == "100%"


@pytest.mark.parametrize(
    ("value", "is_share", "text"),
    [(0.5, True, "50%"), (0.555, True, "55.5%"), (0.1004, True, "10%"), (99.4, False, "99.4"), (1234.6, False, "1,235"), (0.12345, False, "0.123")],
)  # fmt: skip
def test_numbers_have_three_figures_and_shares_a_decimal_where_there_is_one(value, is_share, text):
    assert look.show(value, is_share) == text and (not is_share or look.show(value) == text)


@pytest.mark.parametrize(
    ("estimate", "ends", "is_drawn"),
    [([0.4] * 5, 0, False), ([0.4] * 5, 0.1, True), ([0.4], 0, True), ([0.4] * 4 + [0.5], 0, True)],
)
def test_values_that_are_all_one_are_drawn_where_they_have_intervals(estimate, ends, is_drawn):
    value = np.array(estimate)
    for chart in (charts.forest, charts.bars)[: 2 - is_drawn]:
        ax = chart(rows(value, places=IDS[: len(value)], low=value - ends, high=value + ends))
        assert ax.axison == is_drawn and ("all 5 values are 40%: there is nothing to draw" in said(ax)) != is_drawn
        assert is_drawn or not ax.get_legend()


def test_one_number_alone_has_an_axis_around_it():
    ax = charts.forest(rows([3.0], places=["T01"], low=NAN, high=NAN))
    assert ax.get_xlim() == pytest.approx((2.5 - 0.015, 3.5 + 0.015))


def test_rows_without_a_value_give_their_own_reasons():
    why = ["no ledger", "not asked in this wave", "", "", ""]
    ax = charts.bars(rows([NAN, NAN, NAN, NAN, 0.5], reason=why, reliability=["ok"] * 3 + ["too few answers", "ok"]))
    told = ["no ledger", "not asked in this wave", "no value", "too few answers, value not stated"]
    assert [text.get_text() for text in part(ax, "remark")] == told
    assert [text.get_position()[1] for text in part(ax, "remark")] == [0, 1, 2, 3]
    assert "nothing to draw: no rows with a value" in said(charts.bars(rows([NAN] * 5, reason=why)))


def test_a_very_long_name_loses_its_middle_and_every_row_has_room_for_the_longest():
    names = ["a" * 119, "b" * 120, "short"]
    ax = charts.bars(rows([0.2, 0.3, 0.4], places=names))
    shown = [text.replace("\n", "") for text in ticks(ax.yaxis)]
    assert shown == ["a" * 119, f"{'b' * 80}…{'b' * 20}", "short"]
    assert are_apart(ax.get_yticklabels()) and ax.get_ylim() == pytest.approx((2.6, -0.6))
    assert charts.bars(rows()).bbox.height > 1.8 * charts.bars(rows().iloc[:2]).bbox.height
    assert charts.bars(rows().iloc[:1]).bbox.height == pytest.approx(charts.bars(rows().iloc[:2]).bbox.height)


def test_the_row_that_is_read_lies_on_a_band():
    ax = charts.forest(rows(), highlight="T03")
    (band,) = [patch for patch in ax.patches if to_hex(patch.get_facecolor()).upper() == look.YELLOW]
    assert (band.get_y(), band.get_height()) == (1.5, 1)
    assert not charts.forest(rows()).patches


@pytest.mark.parametrize(
    ("frame", "names"),
    [
        (lambda: rows().assign(label=list("vwxyz")), list("vwxyz")),
        (lambda: rows(measure=["aware", "told", "aware", "told", "aware"], places="T01"), ["aware of the reform", "was told of it"] * 2 + ["aware of the reform"]),
        (lambda: rows(places="T01").assign(sex=list("vwxyz"))[["sex", "place", "estimate"]], list("vwxyz")),
        (lambda: rows()[["estimate", "n"]], list("01234")),
        (lambda: rows()[["n", "estimate"]].assign(town_id=IDS), [name for _, name in NAMES] + ["Demo County"]),
        (lambda: rows()[["estimate"]].assign(measure=["aware", "told"] * 2 + ["x"], note=list("vwxyz")), ["aware of the reform", "was told of it"] * 2 + ["x"]),
        (lambda: rows()[["estimate"]].set_axis(list("vwxyz")), list("vwxyz")),
        (lambda: rows(places="T01")[["place", "estimate"]].assign(**{"is_new": True}), ["Mean Town"] * 5),
        (lambda: rows(places="T01")[["place"]].assign(is_new=[True, False] * 2 + [True], estimate=ESTIMATE), ["yes", "no", "yes", "no", "yes"]),
    ],
)  # fmt: skip
def test_rows_are_called_by_what_tells_them_apart(frame, names):
    assert ticks(charts.bars(frame()).yaxis) == names


def test_a_part_is_called_by_what_it_measures():
    frame = rows(places="T01", part=["", "aware", "told", "x", "y"])[["part", "estimate", "low", "high"]]
    frame.attrs["part"] = "measure"
    assert ticks(charts.bars(frame).yaxis)[1:3] == ["aware of the reform", "was told of it"]


def test_a_quota_sample_says_so_unless_the_rows_are_a_whole_list_and_notes_come_first():
    open_county(sampling="quota")
    ax = charts.forest(rows(), note="a note of mine")
    assert part(ax, "below")[0].get_text().startswith("a note of mine\n")
    few = rows().iloc[:1]
    told = [charts.bars(one) for one in (few, few.drop(columns="wave"), few.assign(wave=""))]
    assert [any("quota sample" in text for text in said(ax)) for ax in told] == [True, True, False]
    open_county()
    assert not part(charts.bars(few), "below")


def test_a_title_has_the_room_of_the_mark_where_there_is_none():
    long = "Few residents know of the reform, and most turn to the old station first whatever the sign over its door may say"
    lines = [charts.forest(rows(), title=long).get_title(loc="left").count("\n")]
    open_county(is_synthetic=False)
    ax = charts.forest(rows(), title=long)
    ax.figure.draw_without_rendering()
    assert ax._left_title.get_window_extent().x1 > ax.bbox.x1 - 90 * ax.figure.dpi / 72 and lines[0] >= 1


def test_a_chart_is_as_wide_as_asked_and_one_that_fails_leaves_no_figure_open():
    assert charts.forest(rows(), width=4.0).figure.get_size_inches()[0] == 4
    plt.close("all")
    for chart in (charts.forest, charts.bars):
        with pytest.raises(ValueError, match="word"):
            chart(rows().assign(estimate="word"))
    assert not plt.get_fignums()
    _, own = plt.subplots()
    with pytest.raises(ValueError, match="word"):
        charts.bars(rows().assign(estimate="word"), ax=own)
    assert plt.get_fignums()  # the caller's stays


# --- how charts look -------------------------------------------------------------------------------------------------------


def test_the_house_style_has_no_box_no_formulas_and_lines_behind_the_marks():
    ax = charts.forest(rows(), title="from $5 to $6")
    assert [side for side, spine in ax.spines.items() if spine.get_visible()] == ["bottom"]
    assert not ax._left_title.get_parse_math() and not ax.get_legend().get_frame_on() and ax.get_axisbelow() is True
    with plt.rc_context(charts.style()):
        assert [side for side, spine in plt.figure().add_subplot().spines.items() if spine.get_visible()] == [
            "left",
            "bottom",
        ]


def test_whether_figures_show_themselves_stays_as_a_chart_leaves_it():
    was = matplotlib.is_interactive()
    for wanted in (True, False):
        with look.styled():
            matplotlib.interactive(wanted)
        assert matplotlib.is_interactive() == wanted
    matplotlib.interactive(was)


@pytest.mark.parametrize("n", [2, 5, 9])
def test_shades_go_from_light_to_dark_in_equal_steps_of_grey(n):
    assert (look.grey("#FFFFFF"), look.grey("#000000")) == pytest.approx((255, 0))
    greys = [look.grey(shade) for shade in look.shades(n)]
    assert np.diff(greys) == pytest.approx(np.full(n - 1, (44 - 232) / (n - 1)), abs=1.5) and greys[0] == pytest.approx(
        232, abs=1
    )


@pytest.mark.parametrize(
    ("names", "room", "n"),
    [(["ab"] * 3, 17, 3), (["ab"] * 3, 16.5, 2), (["ab"] * 3, 11, 1), (["ab"], 99, 1), ([], 99, 1)],
)
def test_a_legend_has_as_many_columns_as_have_room(names, room, n):
    assert look.columns_of(names, room) == n  # each 2 × .54 ems and 4.5 for its mark


# --- pictures as files -----------------------------------------------------------------------------------------------------


def plain():
    """Axes that nobody of the house has drawn on."""
    return plt.figure(figsize=(2, 2), dpi=look.DPI, layout="tight").add_subplot()


def test_a_run_writes_the_formats_and_dots_that_are_asked_for(monkeypatch, tmp_path):
    run(monkeypatch, tmp_path)
    charts.save(plain(), "one", place="T01", formats=("svg", "png"), dpi=260)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["one_T01_2023_zh.png", "one_T01_2023_zh.svg"]
    assert opened(tmp_path / "one_T01_2023_zh.png").size[0] == 2 * 260
    monkeypatch.setenv("HUYING_FORMATS", "png,svg")
    monkeypatch.setenv("HUYING_DPI", "65")
    monkeypatch.delenv("HUYING_WAVE")
    monkeypatch.delenv("HUYING_LANG")
    charts.save(plain(), "two")
    assert opened(tmp_path / "two_T03_en.png").size[0] == 130 and (tmp_path / "two_T03_en.svg").is_file()
    monkeypatch.delenv("HUYING_FIGURES")
    charts.save(plain(), "three", formats=("png",))
    assert len(list(tmp_path.iterdir())) == 4 and not plt.get_fignums()


def test_a_picture_for_print_has_300_dots_and_one_of_text_its_title_and_words(tmp_path):
    (tmp_path / "a.png").write_bytes(charts.as_png(charts.forest(rows().iloc[:1], width=2.0)))
    assert opened(tmp_path / "a.png").size[0] == 600 and not plt.get_fignums()
    svg = charts.as_svg(charts.forest(rows().iloc[:1], 0.5, title='less "<" than', subtitle="of all"))
    told = "less &quot;&lt;&quot; than · of all · line: 95% confidence interval · threshold 50%"
    assert "<title>less &quot;&lt;&quot; than</title>" in svg and f'role="img" aria-label="{told}"' in svg
    assert "'Huying Sans SC', 'Noto Sans CJK SC'" in svg and svg.startswith("<?xml") and "Mean Town</text>" in svg
    assert "<dc:date>" not in svg


def test_a_real_picture_drawn_with_seaborn_bears_no_mark_and_is_named_wherever_its_title_stands(tmp_path):
    open_county(is_synthetic=False)
    for loc in ("left", "center", "right"):
        ax = sns.ecdfplot(pd.DataFrame({"seconds": [1, 2, 3]}), x="seconds", ax=plain())
        ax.set_title("in two\nlines", loc=loc)
        (tmp_path / "a.png").write_bytes(charts.as_png(ax, None))
        assert not part(ax, "synthetic")
        assert opened(tmp_path / "a.png").text == {
            "Title": "in two lines",
            "Description": "in two lines · seconds · Proportion",
        }


def test_what_stands_beyond_an_edge_of_a_caller_s_figure_is_kept(tmp_path):
    for at, is_whole in (((-0.2, 0.5), 0), ((1.2, 0.5), 0), ((0.5, -0.3), 0), ((0.5, 1.3), 0), ((0.5, 0.5), 1)):
        figure = plt.figure(figsize=(3, 2), layout=None)
        figure.text(*at, "far away", ha="center")
        assert is_inside(figure) == bool(is_whole)
    for ax in (
        figure.add_axes((0, 0.3, 0.6, 0.4)),
        charts.forest(rows(), ax=plt.figure(figsize=(3, 2), layout=None).gca()),
    ):
        ax.set_ylabel("beyond the left edge")
        (tmp_path / "a.png").write_bytes(charts.as_png(ax, 50))
        assert opened(tmp_path / "a.png").size[0] > 150
    (tmp_path / "a.png").write_bytes(charts.as_png(plt.figure(figsize=(3, 2), layout=None).gca(), 50))
    assert opened(tmp_path / "a.png").size == (150, 100)
