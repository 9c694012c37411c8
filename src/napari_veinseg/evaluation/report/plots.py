"""The plots of a comparison, as matplotlib figures for the report and for the widget."""

import io
from collections.abc import Callable, Iterator, Sequence
from functools import reduce
from operator import add
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_veinseg.evaluation.comparison import ContenderResult
from napari_veinseg.evaluation.metrics import Counts
from napari_veinseg.evaluation.probability_metrics import (
    BINS,
    Rates,
    ScoreHistogram,
    best_threshold,
)
from napari_veinseg.evaluation.report.plot_colours import PAGE, Ink

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_SIZE = (5.4, 3.7)  # inches


def iou_distribution(results: Sequence[ContenderResult], ink: Ink = PAGE) -> "Figure":
    """Plot the vein IoU of every image, a column of points and a box for each contender."""
    figure, axes = _figure("", "vein IoU of an image", ink)
    for column, result in enumerate(results):
        if not result.judged:
            continue
        values = np.array([image.metrics["vein_iou"] for image in result.judged])
        # A fixed spread instead of a random one: the same data give the same picture.
        order = np.argsort(np.argsort(values, kind="stable"), kind="stable")
        spread = ((order * 0.618) % 1 - 0.5) * 0.5
        axes.plot(
            column + spread,
            values,
            "o",
            ms=3,
            alpha=0.7,
            mew=0,
            color=ink.contender(column),
            zorder=2,
        )
        axes.boxplot(
            values,
            positions=[column],
            widths=0.62,
            showfliers=False,
            medianprops={"color": ink.text, "linewidth": 1.6},
            boxprops={"color": ink.quiet},
            whiskerprops={"color": ink.quiet},
            capprops={"color": ink.quiet},
        )
    names = [f"{_wrapped(each.contender.name)}\n(n = {len(each.judged)})" for each in results]
    axes.set_xticks(range(len(results)), names, fontsize=8)
    axes.set_xlim(-0.6, len(results) - 0.4)
    axes.set_ylim(-0.02, 1.02)
    axes.axhline(0.5, color=ink.faint, lw=0.8, ls=":", zorder=1)
    return figure


def precision_recall(results: Sequence[ContenderResult], ink: Ink = PAGE) -> "Figure":
    """Plot precision over recall, pixels of all images pooled."""
    return _pooled_curves(
        results,
        ink,
        ("recall (pooled)", "precision (pooled)"),
        lambda pool: pool.precision_recall()[::-1],
        lambda counts: (counts.recall, counts.precision),
    )


def roc(results: Sequence[ContenderResult], ink: Ink = PAGE) -> "Figure":
    """Plot the true positive rate over the false positive rate, pixels of all images pooled."""
    return _pooled_curves(
        results,
        ink,
        ("false positive rate (pooled)", "true positive rate (pooled)"),
        ScoreHistogram.roc,
        lambda counts: (_false_positive_rate(counts), counts.recall),
    )


def _pooled_curves(
    results: Sequence[ContenderResult],
    ink: Ink,
    labels: tuple[str, str],
    curve: Callable[[ScoreHistogram], tuple[Rates, Rates]],
    place: Callable[[Counts], tuple[float, float]],
) -> "Figure":
    """Draw one curve a contender with scores, and the mask of each as a point."""
    figure, axes = _figure(*labels, ink)
    for number, result in enumerate(results):
        if not result.judged:
            continue
        colour, label = ink.contender(number), _label(result.contender.name)
        if result.histograms:
            axes.plot(*curve(reduce(add, result.histograms)), color=colour, lw=1.6, label=label)
            label = "_"
        x, y = place(reduce(add, (image.counts for image in result.judged)))
        axes.plot(x, y, "o", color=colour, mec=ink.ground, ms=7, label=label, zorder=5)
    _unit_square(axes)
    return _with_legend(figure, ink)


def threshold_sweep(results: Sequence[ContenderResult], ink: Ink = PAGE) -> "Figure":
    """Plot the vein IoU, mean of images, over the threshold; a point marks the best one."""
    figure, axes = _figure("threshold", "vein IoU (mean of images)", ink)
    thresholds = np.arange(BINS) / BINS
    for result, colour, label in _with_scores(results, ink):
        mean = np.mean([histogram.vein_iou() for histogram in result.histograms], axis=0)
        axes.plot(thresholds, mean, color=colour, lw=1.6, label=label)
        axes.plot(*best_threshold(result.histograms), "o", color=colour, mec=ink.ground, ms=7)
        if result.contender.card:
            axes.axvline(result.contender.card.threshold, color=colour, lw=0.9, ls="--")
    axes.set_xlim(0, 1)
    axes.set_ylim(0, None)
    return _with_legend(figure, ink)


def calibration(results: Sequence[ContenderResult], ink: Ink = PAGE) -> "Figure":
    """Plot the share of vein pixels over the probability of models: other scores are none."""
    figure, axes = _figure("predicted probability", "share of vein pixels (pooled)", ink)
    axes.plot([0, 1], [0, 1], color=ink.faint, lw=0.9, ls=":")
    for result, colour, label in _with_scores(results, ink):
        if result.contender.kind == "model":
            probability, share, weight = reduce(add, result.histograms).calibration()
            line = probability[weight > 0], share[weight > 0]
            axes.plot(*line, "o-", color=colour, lw=1.4, ms=4, label=label)
    _unit_square(axes)
    return _with_legend(figure, ink)


def as_svg(figure: "Figure") -> str:
    """Draw a figure as SVG for a page."""
    from matplotlib import rc_context

    text = io.StringIO()
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "veinseg"}):
        figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
    svg = text.getvalue()
    return svg[svg.index("<svg") :]


def _figure(x_label: str, y_label: str, ink: Ink) -> "tuple[Figure, Axes]":
    from matplotlib.figure import Figure

    figure = Figure(_SIZE, layout="constrained", facecolor=ink.ground)
    axes = figure.subplots()
    axes.set_facecolor(ink.ground)
    axes.set_xlabel(x_label, color=ink.text)
    axes.set_ylabel(y_label, color=ink.text)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["bottom", "left"]].set_color(ink.text)
    axes.tick_params(colors=ink.text)
    axes.grid(axis="y", color=ink.grid, lw=0.7)
    axes.set_axisbelow(True)
    return figure, axes


def _with_scores(
    results: Sequence[ContenderResult], ink: Ink
) -> Iterator[tuple[ContenderResult, str, str]]:
    """Give each contender that has scores, with the colour and the name of its curve."""
    for number, result in enumerate(results):
        if result.histograms:
            yield result, ink.contender(number), _label(result.contender.name)


def _with_legend(figure: "Figure", ink: Ink) -> "Figure":
    """Name the curves below the plot, where it hides none."""
    if figure.axes[0].get_legend_handles_labels()[0]:
        figure.legend(
            loc="outside lower center", ncols=2, frameon=False, fontsize=8, labelcolor=ink.text
        )
    return figure


def _false_positive_rate(counts: Counts) -> float:
    return counts.false_positive / max(counts.false_positive + counts.true_negative, 1)


def _unit_square(axes: Any) -> None:
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1.02)


def _label(name: str) -> str:
    """Keep matplotlib from reading a formula, or something to be hidden, in a name."""
    return ("\u200b" if name.startswith("_") else "") + name.replace("$", r"\$")


def _wrapped(name: str) -> str:
    return _label(name).replace(" ", "\n").replace("_", "_\u200b")
