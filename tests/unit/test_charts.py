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
from huying.charts.look import ems, ink_on, wrap
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
    charts.save(KINDS[kind](title="甲镇😀\u202e"), "box")
    assert list(tmp_path.rglob("*box*.png"))


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
