import itertools

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text

matplotlib.use("Agg")

from matplotlib import pyplot as plt

from huying import charts
from huying.charts.frame import ems, wrap
from huying.errors import HuyingError

NAN = np.nan
TITLE = {"zh": "中位镇 · 居民对改革的知晓度不高：支持（31.2%），十八个镇街里有十一个整个区间低于一半，其余证据不足",
         "en": "Median Town · Few residents know of the reform: supported (31.2%), in eleven of eighteen towns below one half"}  # fmt: skip
SOURCE = {"zh": "n=2180；来源：居民问卷", "en": "n=2180; source: survey of residents"}
TOWNS = {"zh": ["均值镇", "最小二乘街道", "中位镇", "马尔可夫街道", "极差镇"],
         "en": ["Mean Town", "Least Squares Subdistrict", "Median Town", "Markov Chain Subdistrict", "Range Town"]}  # fmt: skip
ESTIMATE = np.array([0.21, 0.35, 0.5, NAN, 0.92])
LOW, HIGH = ESTIMATE - 0.08, ESTIMATE + 0.08
HERE = np.arange(5) == 2


def caption(lang, is_synthetic=True):
    return charts.Caption(TITLE[lang], SOURCE[lang], lang, is_synthetic)


def table(lang, **columns):
    return pd.DataFrame({"label": TOWNS[lang], **columns})


def forest(lang, about, names=None):
    reliability = ["ok", "read with care", "ok", "not estimable", "ok"]
    frame = table(lang, estimate=ESTIMATE, low=LOW, high=HIGH, reliability=reliability, is_here=HERE, is_county=np.arange(5) == 1,
                  low_family=LOW - 0.04, high_family=HIGH + 0.04)  # fmt: skip
    return charts.forest(frame.assign(label=names or frame["label"]), 0.5, about)


def unit_heatmap(lang, about, names=None):
    names = names or TOWNS[lang]
    matrix = pd.DataFrame([ESTIMATE, [0, 1, 0.5, 0.25, NAN]], index=["财政所", "水利站"], columns=names)
    return charts.unit_heatmap(matrix, names[2], about)


def dumbbell(lang, about, names=None):
    frame = table(lang, first=ESTIMATE, second=[0.1, NAN, 0.3, NAN, 0.4], is_here=HERE)
    return charts.dumbbell(frame.assign(label=names or frame["label"]), ("old", "new"), about)


SHARES = np.array([[0.5, 0.3, 0.2], [0.2, 0.2, 0.6], [1, 0, 0], [NAN, NAN, NAN], [0.6, NAN, 0.1]])


def stacked(lang, about, names=None):
    names = names or TOWNS[lang]
    frame = pd.DataFrame(SHARES, index=names, columns=["old", "centre", "new"])
    return charts.stacked(frame, pd.Series([31, 42, 53, 0, NAN], index=names), about)


DAYS, DONE = np.arange(6.0), np.array([0, 0.3, 0.6, 0.7, 0.9, 0.95])


def waiting(lang, about, names=None):
    label = (names or TOWNS[lang])[0]
    return charts.waiting([(label, DAYS, DONE), ("closed", DAYS, DONE / 2)], [(2, "2 d"), (5, "5 d")], about)


LIMITS = pd.DataFrame({"n": [5, 50, 500], "low95": [0, 0.2, 0.28], "high95": [0.8, 0.45, 0.33],
                       "low998": [0, 0.1, 0.25], "high998": [0.95, 0.52, 0.36]})  # fmt: skip


def funnel(lang, about, names=None):
    frame = table(
        lang, n=[20, 300, 90, 0, 400], share=ESTIMATE, is_outside=[False, False, False, False, True], is_here=HERE
    )
    return charts.funnel(frame.assign(label=names or frame["label"]), LIMITS, 0.3, about)


def quadrant(lang, about, names=None):
    frame = table(lang, x=ESTIMATE, y=[3, 8, 5, 7, 9], is_here=HERE, x_low=LOW, x_high=HIGH)
    corners = ("few, many", "many, many", "few, few", "many, few")
    return charts.quadrant(
        frame.assign(label=names or frame["label"]), (0.5, 6), ("x", "y"), corners, about, (True, False)
    )


def rates(lang, about, names=None):
    frame = table(lang, estimate=ESTIMATE, low=LOW, high=HIGH, n=[9, 8, 7, 0, 6])
    return charts.rates(frame.assign(label=names or frame["label"]), about)


def months(lang, about, names=None):
    labels = names or ["2022-01", "2022-02", "2022-03", "2022-04", "2022-05"]
    return charts.months(table(lang, share=ESTIMATE, n=[9, 8, 7, 0, 6], low=LOW, high=HIGH).assign(label=labels), about)


def bars(lang, about, names=None):
    frame = table(lang, estimate=ESTIMATE, low=LOW, high=HIGH)
    return charts.bars(frame.assign(label=names or frame["label"]), about)


VERDICT_WORDS = {"supported": "yes", "not supported": "no", "cannot say": "unsure", "no baseline": "new", "problem": "problem",
                 "headline": "headline", "specifications": "specifications"}  # fmt: skip


def verdicts(lang, about, names=None):
    names = names or TOWNS[lang]
    cells = [["supported", "not supported", "cannot say", None, "no baseline"], ["supported"] * 5]
    matrix = pd.DataFrame(cells, index=["P16", "A02"], columns=names)
    return charts.verdicts(matrix, matrix == "supported", VERDICT_WORDS, names[2], about)


def specifications(lang, about, names=None):
    frame = table(
        lang, estimate=ESTIMATE, low=LOW, high=HIGH, is_headline=HERE, verdict=["supported"] * 2 + ["cannot say"] * 3
    )
    words = {**VERDICT_WORDS, "headline": names[0] if names else "headline"}
    return charts.specifications(frame, 0.5, words, about)


def slopes(lang, about, names=None):
    ranks = pd.DataFrame({"30%": [1, 2, 3, 4, 5], "50%": [2, 1, 3, 4, 5]}, index=names or TOWNS[lang])
    return charts.slopes(ranks, about)


KINDS = [
    verdicts,
    specifications,
    slopes,
    forest,
    unit_heatmap,
    dumbbell,
    stacked,
    waiting,
    funnel,
    quadrant,
    rates,
    months,
    bars,
]
every = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
both = pytest.mark.parametrize("lang", ["zh", "en"])


@pytest.fixture(autouse=True)
def _closed():
    yield
    plt.close("all")


def part(figure, gid):
    """The artists with this gid in the order in which they were drawn."""
    return figure.findobj(lambda artist: artist.get_gid() == gid)


def said(figure):
    return [text.get_text() for text in figure.findobj(Text) if text.get_text()]


def joined(text):
    return text.replace("\n", "").replace(" ", "")


def dots(figure, gid):
    """The markers as (x, y) in the order of y, those that are not drawn last."""
    drawn = np.vstack([np.ma.filled(artist.get_offsets(), NAN) for artist in part(figure, gid)])
    return drawn[np.argsort(drawn[:, 1], kind="stable")]


def lines(figure, gid, across=0):
    """The ends of each line of a collection, NaN where it is not drawn."""
    segments = part(figure, gid)[0].get_segments()
    return np.array([segment[:, across] if len(segment) else (NAN, NAN) for segment in segments])


def bars_across(figure, gid):
    """Where each bar of each collection begins and ends."""
    return [np.array([path.vertices[[0, 2], 0] for path in artist.get_paths()]) for artist in part(figure, gid)]


def visible_texts(figure):
    """Each text on the sheet with its box in pixels."""
    figure.draw_without_rendering()
    renderer, legends = figure.canvas.get_renderer(), [legend.get_texts() for legend in figure.legends]
    texts = itertools.chain(figure.texts, figure.axes[0].texts, *legends)
    return [(text.get_text(), Text.get_window_extent(text, renderer)) for text in texts if text.get_text().strip()]


def beside(figure, side):
    """The texts written on a side of the axes."""
    return [text.get_text() for text in figure.texts if text.get_gid() == side]


@every
@both
def test_holds_its_caption_and_the_synthetic_mark_without_overlaps(kind, lang):
    figure = kind(lang, caption(lang))
    assert joined(part(figure, "title")[0].get_text()) == joined(TITLE[lang])
    assert SOURCE[lang] in part(figure, "source")[0].get_text()
    assert [text.get_text() for text in part(figure, "synthetic")] == ["合成数据 SYNTHETIC"]
    texts, (width, height) = visible_texts(figure), figure.bbox.size
    for text, box in texts:
        assert box.x0 >= 0 and box.y0 >= 0 and box.x1 <= width and box.y1 <= height, f"{text} leaves the sheet"
    for (text, box), (other, beside) in itertools.combinations(texts, 2):
        across = min(box.x1, beside.x1) - max(box.x0, beside.x0)
        assert across <= 1 or min(box.y1, beside.y1) - max(box.y0, beside.y0) <= 1, f"{text} on {other}"


@every
def test_real_data_bear_no_synthetic_mark(kind):
    figure = kind("zh", caption("zh", is_synthetic=False))
    assert not [text for text in said(figure) if "SYNTHETIC" in text or "合成" in text]


@every
def test_saving_twice_gives_the_same_bytes_whatever_the_session_has_set(kind, tmp_path):
    first = charts.save(kind("zh", caption("zh")), tmp_path / "new" / "chart.png")
    figure = kind("zh", caption("zh"))
    with plt.rc_context({"font.size": 20, "axes.facecolor": "black", "savefig.dpi": 30, "text.usetex": False}):
        assert charts.save(kind("zh", caption("zh"))) == first
    assert charts.save(figure) == charts.save(figure) == first == (tmp_path / "new" / "chart.png").read_bytes()
    assert first.startswith(b"\x89PNG") and b"Software" not in first


def test_the_bytes_of_a_chart_do_not_depend_on_what_was_drawn_before():
    forwards = {kind: charts.save(kind("zh", caption("zh"))) for kind in KINDS}
    for kind in reversed(KINDS):
        assert charts.save(kind("en", caption("en"))) != forwards[kind] == charts.save(kind("zh", caption("zh")))


@pytest.mark.parametrize("spare", [NAN, 2.5e7])
def test_large_numbers_stand_in_full(spare):
    frame = table("en", estimate=[1e6, 2e6, 3e6, spare, 5e5], reliability="ok")
    labels = beside(charts.forest(frame, None, caption("en"), percent=False), "bottom")
    assert "1000000" in labels or "5000000" in labels


@every
def test_a_character_that_the_font_lacks_is_refused_by_name(kind):
    names = ["甲镇😀", "乙镇", "丙镇😀", "丁镇", "戊镇"]
    with pytest.raises(HuyingError) as refused:
        kind("zh", caption("zh"), names)
    for lang in ("zh", "en"):
        assert "😀 (U+1F600)" in refused.value.say(lang)


def test_forest_draws_the_rows_given_and_words_where_there_is_no_value():
    figure = forest("en", caption("en"))
    np.testing.assert_array_equal(dots(figure, "estimate")[:4], np.column_stack([ESTIMATE, range(5)])[[0, 1, 2, 4]])
    known = [0, 1, 2, 4]
    np.testing.assert_allclose(lines(figure, "interval")[known], np.column_stack([LOW, HIGH])[known])
    np.testing.assert_allclose(lines(figure, "family")[known], np.column_stack([LOW - 0.04, HIGH + 0.04])[known])
    assert list(part(figure, "bar")[0].get_xdata()) == [0.5, 0.5]
    axes = figure.axes[0]
    assert beside(figure, "left") == TOWNS["en"]
    assert [label.get_fontweight() == "bold" for label in figure.texts if label.get_gid() == "left"] == list(HERE)
    assert [text.get_text() for text in axes.texts] == ["not estimable"]
    assert "bar 50%" in said(figure) and "hollow: read with care" in said(figure)
    hollow = [tuple(artist.get_facecolors()[0, :3]) == (1, 1, 1) for artist in part(figure, "estimate")]
    assert hollow == [False, False, True]  # towns, the place read here, the county, which is to be read with care


def test_forest_does_not_draw_a_value_from_too_few_answers():
    frame = table("zh", estimate=ESTIMATE, low=LOW, high=HIGH, reliability="ok")
    frame.loc[0, "reliability"] = "too few answers"
    figure = charts.forest(frame, None, caption("zh"))
    assert 0.21 not in dots(figure, "estimate")[:, 0] and np.isnan(lines(figure, "interval")[0]).all()
    assert [text.get_text() for text in figure.axes[0].texts] == ["回答过少，不列数值", "无数值"]
    assert not part(figure, "bar") and not part(figure, "family")


def test_forest_without_per_cent_shows_numbers_as_they_are():
    frame = table("en", estimate=ESTIMATE * 20, low=LOW * 20, high=HIGH * 20, reliability="ok")
    figure = charts.forest(frame, 3.5, caption("en"), percent=False)
    assert "bar 3.5" in said(figure)
    assert beside(figure, "bottom") == ["4", "6", "8", "10", "12", "14", "16", "18", "20"]  # from 2.6 to 20


def test_heat_map_hatches_what_was_not_found_and_frames_the_place_read_here():
    figure = unit_heatmap("en", caption("en"))
    drawn = part(figure, "values")[0].get_array()
    np.testing.assert_array_equal(np.ma.filled(drawn, NAN), [ESTIMATE, [0, 1, 0.5, 0.25, NAN]])
    assert figure.axes[0].patch.get_hatch() and "not found" in said(figure)
    assert part(figure, "here")[0].get_x() == 1.5
    assert beside(figure, "left") == ["财政所", "水利站"]


def test_dumbbell_names_the_side_without_a_value():
    figure = dumbbell("en", caption("en"))
    np.testing.assert_array_equal(
        part(figure, "first")[0].get_offsets().filled(NAN)[[0, 1, 2, 4], 0], [0.21, 0.35, 0.5, 0.92]
    )
    np.testing.assert_array_equal(part(figure, "second")[0].get_offsets().filled(NAN)[[0, 2, 4], 0], [0.1, 0.3, 0.4])
    assert [text.get_text() for text in figure.axes[0].texts] == ["no value: new", "no value: old, new"]


def test_stacked_shares_end_where_a_share_is_missing():
    figure = stacked("en", caption("en"))
    widths = np.array([boxes[:, 1] - boxes[:, 0] for boxes in bars_across(figure, "shares")]).T
    np.testing.assert_allclose(widths, SHARES)
    np.testing.assert_allclose(bars_across(figure, "lacking"), [[(0, 1), (0.7, 1)]], atol=1e-15)
    assert [path.vertices[:4, 1].mean() for path in part(figure, "lacking")[0].get_paths()] == [3, 4]
    labels = beside(figure, "left")
    assert labels[0] == "Mean Town (n=31)" and labels[4] == "Range Town (n=–)"
    assert {"old", "centre", "new", "no value"} <= set(said(figure))


def test_waiting_curves_step_and_the_limits_stand():
    figure = waiting("en", caption("en"))
    first, second = part(figure, "curve")
    np.testing.assert_array_equal(first.get_xdata(orig=True), DAYS)
    np.testing.assert_array_equal(second.get_ydata(orig=True), DONE / 2)
    assert first.get_drawstyle() == "steps-post"
    assert [line.get_xdata()[0] for line in part(figure, "limit")] == [2, 5]


def test_funnel_names_only_points_outside_and_the_one_read_here():
    figure = funnel("en", caption("en"))
    points = part(figure, "points")[0].get_offsets().filled(NAN)
    np.testing.assert_array_equal(points[[0, 1, 2, 4]], [(20, 0.21), (300, 0.35), (90, 0.5), (400, 0.92)])
    assert [text.get_text() for text in part(figure, "label")] == ["Median Town", "Range Town"]
    assert part(figure, "source")[0].get_text().startswith("no value: Markov Chain Subdistrict")
    np.testing.assert_array_equal(
        [line.get_ydata() for line in part(figure, "limits_998")], LIMITS[["low998", "high998"]].T
    )
    assert part(figure, "centre")[0].get_ydata()[0] == 0.3 and "common level 30%" in said(figure)


def test_quadrant_names_every_point_and_says_which_has_no_value():
    figure = quadrant("en", caption("en"))
    labels = part(figure, "label")
    assert [text.get_text() for text in labels] == [
        "Median Town",
        "Mean Town",
        "Least Squares Subdistrict",
        "Range Town",
    ]
    assert {text.xy for text in labels} == {(0.5, 5), (0.21, 3), (0.35, 8), (0.92, 9)}
    assert part(figure, "source")[0].get_text().startswith("no value: Markov Chain Subdistrict")
    np.testing.assert_allclose(lines(figure, "x_interval")[[0, 1, 2, 4]], np.column_stack([LOW, HIGH])[[0, 1, 2, 4]])
    assert next(iter(part(figure, "line"))).get_xdata()[0] == 0.5


def test_quadrant_keeps_26_long_names_apart():
    rng = np.random.default_rng(7)
    frame = pd.DataFrame({"label": [f"Maximum Likelihood Town {c}" for c in "abcdefghijklmnopqrstuvwxyz"],
                          "x": rng.beta(4, 4, 26), "y": rng.choice([0.25, 0.5, 0.75, 1], 26)})  # fmt: skip
    figure = charts.quadrant(frame, (0.5, None), ("x", "y"), None, caption("en"))
    figure.draw_without_rendering()
    renderer = figure.canvas.get_renderer()
    boxes = [Text.get_window_extent(label, renderer) for label in part(figure, "label")]
    points = figure.axes[0].transData.transform(frame[["x", "y"]].to_numpy())
    assert not [1 for box, other in itertools.combinations(boxes, 2) if box.overlaps(other)]
    assert not [1 for box in boxes for x, y in points if box.x0 < x < box.x1 and box.y0 < y < box.y1]


@pytest.mark.parametrize(("kind", "order"), [(bars, 1), (rates, -1)], ids=["bars", "rates"])
def test_bars_hold_estimates_intervals_and_a_row_without_a_value(kind, order):
    figure = kind("en", caption("en"))
    np.testing.assert_array_equal(bars_across(figure, "estimate")[0][::order, 1], ESTIMATE)
    known = [0, 1, 2, 4]
    np.testing.assert_allclose(lines(figure, "interval")[::order][known], np.column_stack([LOW, HIGH])[known])
    assert sorted(text.get_text() for text in figure.axes[0].texts) == ["21%", "35%", "50%", "92%", "no value"]
    labels = beside(figure, "left")[::order]
    assert labels[0] == ("Mean Town" if kind is bars else "Mean Town (n=9)")


def test_months_keep_a_month_without_a_value():
    figure = months("en", caption("en"))
    np.testing.assert_array_equal(part(figure, "share")[0].get_ydata(), ESTIMATE)
    np.testing.assert_allclose(
        lines(figure, "interval", across=1)[[0, 1, 2, 4]], np.column_stack([LOW, HIGH])[[0, 1, 2, 4]]
    )
    assert beside(figure, "bottom")[3] == "2022-04 (n=0)"
    assert [text.get_text() for text in figure.axes[0].texts] == ["no value"]


def test_no_rows_are_said_in_words():
    empty = table(
        "en", estimate=ESTIMATE, low=LOW, high=HIGH, n=1.0, share=1.0, x=1.0, y=1.0, first=1.0, second=1.0
    ).iloc[:0]
    about = caption("en")
    drawn = [charts.forest(empty, 0.5, about), charts.bars(empty, about), charts.rates(empty, about), charts.months(empty, about),
             charts.dumbbell(empty, ("a", "b"), about), charts.quadrant(empty, (None, None), ("x", "y"), None, about),
             charts.funnel(empty, LIMITS.iloc[:0], 0.3, about), charts.waiting([], [(2, "2 d")], about),
             charts.verdicts(pd.DataFrame(), pd.DataFrame(), VERDICT_WORDS, None, about),
             charts.specifications(empty.assign(verdict=""), 0.5, VERDICT_WORDS, about), charts.slopes(pd.DataFrame(), about),
             charts.unit_heatmap(pd.DataFrame(), None, about), charts.stacked(pd.DataFrame(), pd.Series(dtype=float), about)]  # fmt: skip
    for figure in drawn:
        assert "nothing to draw: no rows" in said(figure)
        assert charts.save(figure)


def test_verdicts_colour_what_is_judged_and_dot_what_is_a_problem():
    figure = verdicts("en", caption("en"))
    codes = part(figure, "values")[0].get_array()
    assert codes.tolist() == [[0, 1, 2, None, 3], [0, 0, 0, 0, 0]]
    problems = {tuple(point) for point in part(figure, "problem")[0].get_offsets().tolist()}
    assert problems == {(0, 0), (0, 1), (1, 1), (2, 1), (3, 1), (4, 1)}
    assert len(part(figure, "here")) == 1


def test_specifications_stand_in_the_order_of_the_values_and_ring_the_headline():
    figure = specifications("en", caption("en"))
    assert part(figure, "headline")[0].get_offsets().tolist() == [[2, 0.5]]
    drawn = np.vstack([np.ma.filled(artist.get_offsets(), NAN) for artist in part(figure, "estimate")])
    np.testing.assert_allclose(drawn[np.argsort(drawn[:, 0])][:4, 1], [0.21, 0.35, 0.5, 0.92])


def test_slopes_draw_every_rank_and_name_both_ends():
    figure = slopes("en", caption("en"))
    assert [line.get_ydata().tolist() for line in part(figure, "rank")][:2] == [[1, 2], [2, 1]]
    assert [text.get_text() for text in part(figure, "label")][:2] == ["Mean Town", "Mean Town"]


def test_lines_break_at_spaces_and_between_chinese_characters_but_not_before_a_closing_mark():
    assert ems("中a") == 1.54
    assert wrap("about the towns", 6) == "about the\ntowns"  # 9 × .54 = 4.86; with " towns" 15 × .54 = 8.1
    assert wrap("甲乙丙丁，戊", 4) == "甲乙丙\n丁，戊"
    assert wrap("甲乙（丙）", 3) == "甲乙\n（丙）"
    assert wrap("", 3) == ""
