"""Each chart beside the plain seaborn chart of the same content, font and size; refuses a peer of another size.

`ratio` is to the peer saved with one draw, `ratio_inline` to the peer as a notebook shows it (tight box, two draws).
Processor time, sides in turn. Ours is the builder and the PNG, every text laid out anew as in a fresh notebook.
"""

import argparse
import sys
from collections.abc import Callable
from io import BytesIO
from textwrap import fill
from typing import Any

import matplotlib as mpl

mpl.use("Agg")

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.patches import Patch
from matplotlib.ticker import PercentFormatter
from process import clocks

from huying import charts
from huying.charts.ink import set_line
from huying.fonts import chinese_font

rng = np.random.default_rng(1)
TOWNS = ["均值镇", "最小二乘街道", "中位镇", "马尔可夫街道", "极差镇", "方差镇", "标准差镇", "协方差乡", "自由度镇", "显著性镇", "置信区间镇",
         "贝叶斯街道", "似然比镇", "残差镇", "回归乡", "分位数镇", "样本街道", "总体镇"]  # fmt: skip
TITLE = "中位镇 · 居民对改革的知晓度不高：支持（31.2%），十八个镇街里有十一个整个区间低于一半，其余证据不足"
SOURCE = "n=2180；来源：居民问卷"
ABOUT = charts.Caption(TITLE, SOURCE, "zh", is_synthetic=True)
ANSWERS = ["旧单位", "便民服务中心", "网格员", "网上办理", "不知道"]
WORDS = dict(zip(charts.VERDICTS, ["支持", "不支持", "无法判断", "没有基线"], strict=True))
WORDS |= {"problem": "问题", "headline": "主要设定", "specifications": "设定"}
COLOURS = list(charts.VERDICTS.values())
CORNERS = ("需求少、呼叫多", "需求多、呼叫多", "都少", "需求多、呼叫少")

places = pd.DataFrame({"label": TOWNS, "estimate": np.sort(rng.beta(4, 4, 18)), "n": rng.integers(40, 400, 18)})
places = places.assign(share=rng.beta(20, 46, 18), second=rng.beta(4, 6, 18), is_here=np.arange(18) == 7)
for place, margin in (("", 0.08), ("_family", 0.12)):
    places[f"low{place}"], places[f"high{place}"] = places["estimate"] - margin, places["estimate"] + margin
places["is_outside"] = (places["share"] - 0.3).abs() > 0.07
answered = places.iloc[4:14:2].assign(label=ANSWERS).reset_index(drop=True)
reasons = places.head(9).assign(label=[f"理由之{number}：不归本单位管" for number in "一二三四五六七八九"])
units = [
    field + kind for field in ("财政", "水利", "农技", "林业", "司法", "文化", "广播", "民政") for kind in "所站办局组"
]
used = pd.DataFrame(rng.choice([0, 0.25, 0.5, 0.75, 1, np.nan], (40, 18)), units, TOWNS)
parts = pd.DataFrame(rng.dirichlet([4, 3, 2, 2, 1], 18), TOWNS, ANSWERS)
days = np.arange(60.0)
done = pd.DataFrame({"答复": 1 - np.exp(-days / 6), "办结": 0.8 - 0.8 * np.exp(-days / 6)}, days)
cases = np.arange(5, 505, 5)
limits = pd.DataFrame({"n": cases})
for name, z in (("low95", -1.96), ("high95", 1.96), ("low998", -3.09), ("high998", 3.09)):
    limits[name] = (0.3 + z * np.sqrt(0.21 / cases)).clip(0)
names = [f"{year}-{number:02d}" for year in (2022, 2023) for number in range(1, 13)]
month = pd.DataFrame({"label": names, "share": rng.beta(30, 20, 24), "n": range(10, 82, 3)})
month = month.assign(low=month["share"] - 0.06, high=month["share"] + 0.06)
claims = [f"{'PABDS'[number % 5]}{number:02d}" for number in range(72)]
judged = pd.DataFrame(rng.choice([*charts.VERDICTS, None], (72, 19)), claims, [*TOWNS, "全县"])
tried = pd.DataFrame({"estimate": np.sort(rng.normal(0.5, 0.08, 400)), "is_headline": np.arange(400) == 77})
tried = tried.assign(low=tried["estimate"] - 0.06, high=tried["estimate"] + 0.06, at=np.arange(400))
tried["verdict"] = np.select([tried["low"] > 0.5, tried["high"] < 0.5], ["supported", "not supported"], "cannot say")
ranks = pd.DataFrame({step: rng.permutation(18) + 1.0 for step in ("名义", "25%", "30%", "35%")}, TOWNS)
as_axes = places.assign(x=places["estimate"], y=places["share"], x_low=places["low"], x_high=places["high"])
as_pair = places.assign(first=places["estimate"])

OURS: dict[str, Callable[[], Any]] = {
    "forest": lambda: charts.forest(places, 0.5, ABOUT),
    "unit_heatmap": lambda: charts.unit_heatmap(used, TOWNS[7], ABOUT),
    "dumbbell": lambda: charts.dumbbell(as_pair, ("旧", "新"), ABOUT),
    "stacked": lambda: charts.stacked(parts, places.set_index("label")["n"], ABOUT),
    "waiting": lambda: charts.waiting([(name, days, done[name].to_numpy()) for name in done], [(2, "2天"), (5, "5天")], ABOUT),
    "funnel": lambda: charts.funnel(places, limits, 0.3, ABOUT),
    "quadrant": lambda: charts.quadrant(as_axes, (0.5, 0.3), ("倾向", "每百件"), CORNERS, ABOUT),
    "rates": lambda: charts.rates(answered, ABOUT),
    "bars": lambda: charts.bars(reasons, ABOUT),
    "months": lambda: charts.months(month, ABOUT),
    "verdicts": lambda: charts.verdicts(judged, judged == "not supported", WORDS, TOWNS[7], ABOUT),
    "specifications": lambda: charts.specifications(tried, 0.5, WORDS, ABOUT),
    "slopes": lambda: charts.slopes(ranks, ABOUT),
}  # fmt: skip


def per_cent(axis: Any) -> None:
    axis.set_major_formatter(PercentFormatter(1))


def whiskers(
    ax: Axes, frame: pd.DataFrame, value: str, at: str, ends: str = "", upright: bool = False, **look: Any
) -> None:
    """The intervals as error bars."""
    reach = [frame[value] - frame[f"low{ends}"], frame[f"high{ends}"] - frame[value]]
    spots = (frame[at], frame[value]) if upright else (frame[value], frame[at])
    ax.errorbar(*spots, **{"yerr" if upright else "xerr": reach, "fmt": "none", **look})


def forest(ax: Axes) -> None:
    who = np.where(places["is_here"], "本镇街", "镇街（95%置信区间）")
    sns.scatterplot(places, x="estimate", y="label", hue=who, s=36, ax=ax)
    whiskers(ax, places, "estimate", "label", ecolor="C0", elinewidth=2)
    whiskers(ax, places, "estimate", "label", "_family", ecolor="C0", elinewidth=0.7, label="同时区间")
    ax.axvline(0.5, ls="--", color="0.4", label="界限 50%")
    ax.axhspan(6.5, 7.5, color="yellow", alpha=0.3)
    per_cent(ax.xaxis)


def unit_heatmap(ax: Axes) -> None:
    look = {"cmap": "Blues", "linewidths": 0.7, "xticklabels": True, "yticklabels": True}
    sns.heatmap(used, vmin=0, vmax=1, cbar_kws={"shrink": 0.6, "format": PercentFormatter(1)}, ax=ax, **look)
    ax.legend(handles=[Patch(color="0.8", label="未查到")])


def dumbbell(ax: Axes) -> None:
    ax.hlines(as_pair["label"], as_pair["first"], as_pair["second"], color="0.6", linewidth=2)
    long = as_pair.melt("label", ["first", "second"], "when", "share_of")
    sns.scatterplot(long, x="share_of", y="label", hue="when", style="when", ax=ax)
    per_cent(ax.xaxis)


def stacked(ax: Axes) -> None:
    named = parts.set_axis([f"{town}（n={n}）" for town, n in zip(TOWNS, places["n"], strict=True)])
    named.plot.barh(stacked=True, width=0.8, color=sns.color_palette("colorblind", 5), ax=ax)
    for bars in ax.containers:
        ax.bar_label(bars, fmt=lambda share: f"{share:.0%}" if share >= 0.07 else "", label_type="center", fontsize=7.5)
    per_cent(ax.xaxis)


def waiting(ax: Axes) -> None:
    long = done.reset_index(names="day").melt("day", var_name="kind", value_name="share")
    sns.lineplot(long, x="day", y="share", hue="kind", drawstyle="steps-post", estimator=None, ax=ax)
    for day in (2, 5):
        ax.axvline(day, ls=":", color="0.4")
        ax.annotate(f"{day}天", (day, 1), (0, 5), xycoords=ax.get_xaxis_transform(), textcoords="offset points")
    per_cent(ax.yaxis)


def name_points(ax: Axes, frame: pd.DataFrame, x: str, y: str) -> None:
    for row in frame.itertuples():
        ax.annotate(row.label, (getattr(row, x), getattr(row, y)), (4, 4), textcoords="offset points", fontsize=8)


def funnel(ax: Axes) -> None:
    for column in limits.columns[1:]:
        ax.plot(limits["n"], limits[column], color="0.6", ls="--" if "95" in column else "-", label=column)
    ax.axhline(0.3, color="0.4", label="总体水平 30%")
    sns.scatterplot(places, x="n", y="share", hue="is_outside", ax=ax)
    name_points(ax, places[places["is_outside"] | places["is_here"]], "n", "share")
    per_cent(ax.yaxis)


def quadrant(ax: Axes) -> None:
    whiskers(ax, places, "estimate", "share", ecolor="0.6", elinewidth=0.7)
    sns.scatterplot(places, x="estimate", y="share", hue="is_here", legend=False, ax=ax)
    ax.axvline(0.5, ls="--", color="0.4")
    ax.axhline(0.3, ls="--", color="0.4")
    name_points(ax, places, "estimate", "share")
    for place, text in enumerate(CORNERS):
        spot = (0.01, 0.99)[place % 2], (0.985, 0.015)[place // 2]
        ax.text(*spot, text, transform=ax.transAxes, ha=("left", "right")[place % 2], va=("top", "bottom")[place // 2])
    ax.set(xlabel="倾向", ylabel="每百件")
    per_cent(ax.xaxis)
    per_cent(ax.yaxis)


def lying_bars(ax: Axes, frame: pd.DataFrame) -> None:
    sns.barplot(frame, x="estimate", y="label", color="skyblue", errorbar=None, ax=ax)
    whiskers(ax, frame, "estimate", "label", ecolor="k", label="线段：95%置信区间")
    for row in frame.itertuples():
        ax.annotate(f"{row.estimate:.1%}", (row.high, row.Index), (5, 0), textcoords="offset points", va="center")
    per_cent(ax.xaxis)


def rates(ax: Axes) -> None:
    lying_bars(ax, answered.assign(label=[f"{row.label}（n={row.n}）" for row in answered.itertuples()]))


def bars(ax: Axes) -> None:
    lying_bars(ax, reasons)


def months(ax: Axes) -> None:
    frame = month.assign(label=[f"{row.label}（n={row.n}）" for row in month.itertuples()])
    whiskers(ax, frame, "share", "label", upright=True, ecolor="skyblue", elinewidth=2.4, label="线段：95%置信区间")
    sns.lineplot(frame, x="label", y="share", marker="o", estimator=None, ax=ax)
    ax.tick_params(axis="x", rotation=90)
    per_cent(ax.yaxis)


def verdicts(ax: Axes) -> None:
    codes = judged.replace({verdict: code for code, verdict in enumerate(charts.VERDICTS)}).astype(float)
    look = {"cbar": False, "linewidths": 0.7, "xticklabels": True, "yticklabels": True}
    sns.heatmap(codes, cmap=ListedColormap(COLOURS), vmin=-0.5, vmax=3.5, ax=ax, **look)
    row, column = np.nonzero((judged == "not supported").to_numpy())
    ax.scatter(column + 0.5, row + 0.5, s=12, color="k", label="问题")
    ax.xaxis.tick_top()
    ax.tick_params(axis="x", rotation=90)
    ax.legend(handles=[Patch(color=colour, label=WORDS[verdict]) for verdict, colour in charts.VERDICTS.items()])


def specifications(ax: Axes) -> None:
    for verdict, part in tried.groupby("verdict"):
        whiskers(ax, part, "estimate", "at", upright=True, ecolor=charts.VERDICTS[str(verdict)])
    sns.scatterplot(tried, x="at", y="estimate", hue="verdict", palette=charts.VERDICTS, s=18, ax=ax)
    ax.scatter(77, tried["estimate"][77], s=90, facecolors="none", edgecolors="k", label="主要设定")
    ax.axhline(0.5, ls="--", color="0.4", label="界限 50%")
    per_cent(ax.yaxis)
    ax.set(xticks=[], xlabel="设定")


def slopes(ax: Axes) -> None:
    long = ranks.reset_index(names="place").melt("place", var_name="step", value_name="rank")
    sns.lineplot(long, x="step", y="rank", hue="place", marker="o", estimator=None, legend=False, ax=ax)
    for town, row in ranks.iterrows():
        ax.annotate(town, (0, row.iloc[0]), (-8, 0), textcoords="offset points", ha="right", va="center")
        ax.annotate(town, (3, row.iloc[-1]), (8, 0), textcoords="offset points", va="center")
    ax.set(yticks=[], xlim=(-1, 4), ylim=(18.7, 0.3))


PEERS = (forest, unit_heatmap, dumbbell, stacked, waiting, funnel, quadrant,
         rates, bars, months, verdicts, specifications, slopes)  # fmt: skip


def plain(draw: Callable[[Axes], None], size: Any, **saving: Any) -> bytes:
    """The peer as PNG: title, source, legend and the mark of synthetic data are in the picture too."""
    figure, ax = plt.subplots(figsize=size)
    draw(ax)
    ax.set_title(fill(TITLE, 44), loc="left", weight="bold")
    if ax.get_legend_handles_labels()[1] and not ax.get_legend():
        ax.legend()
    figure.text(0.01, 0.01, SOURCE)
    figure.text(0.99, 0.99, "合成数据 SYNTHETIC", ha="right", va="top", color="w", bbox={"facecolor": "C1"})
    picture = BytesIO()
    figure.savefig(picture, dpi=100, **saving)
    plt.close(figure)
    return picture.getvalue()


def took(work: Callable[[], object], draws: int) -> float:
    """Milliseconds of the processor for one draw."""
    start = clocks()[0]
    for _ in range(draws):
        work()
    return float(clocks()[0] - start) * 1000 / draws


def compare(peer: Callable[[Axes], None], rounds: int, draws: int) -> dict[str, float]:
    """The medians of one chart; raises ValueError where the two pictures have not the same size."""
    ours = OURS[peer.__name__]
    size = ours().get_size_inches()
    sides = {"ours": lambda: (set_line.cache_clear(), charts.save(ours()))[1], "seaborn": lambda: plain(peer, size),
             "inline": lambda: plain(peer, size, bbox_inches="tight")}  # fmt: skip
    shapes = {who: plt.imread(BytesIO(side())).shape[:2] for who, side in sides.items()}
    if max(abs(a - b) for a, b in zip(shapes["ours"], shapes["seaborn"], strict=True)) > 1:
        raise ValueError(f"{peer.__name__}: ours has {shapes['ours']} pixels, the peer {shapes['seaborn']}")
    timed = pd.DataFrame([{who: took(side, draws) for who, side in sides.items()} for _ in range(rounds)]).median()
    return {"ours_ms": timed["ours"], "seaborn_ms": timed["seaborn"], "ratio": timed["ours"] / timed["seaborn"],
            "ratio_inline": timed["ours"] / timed["inline"]}  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="of each side, in turn; the median counts")
    parser.add_argument("--draws", type=int, default=5, help="in each round")
    asked = parser.parse_args()
    sns.set_theme(style="whitegrid", font=chinese_font(), font_scale=0.8)
    found = pd.DataFrame({peer.__name__: compare(peer, asked.rounds, asked.draws) for peer in PEERS}).T
    print(found.rename_axis("chart").round(2).to_string())
    print(f"all 13: {found['ours_ms'].sum():.0f} ms, seaborn {found['seaborn_ms'].sum():.0f} ms")
    missed = list(found.index[found["ratio"] >= 1])
    print("a target was missed: " + ", ".join(missed) if missed else "all targets met")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
