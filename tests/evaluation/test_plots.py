import warnings

import numpy as np
import pytest

from napari_veinseg.data.dataset import Dataset
from napari_veinseg.data.image_files import image_hash
from napari_veinseg.evaluation.baselines import BASELINES
from napari_veinseg.evaluation.comparison import compare
from napari_veinseg.evaluation.contenders import MaskFolder
from napari_veinseg.evaluation.report import plots
from napari_veinseg.evaluation.report.plot_colours import PAGE, Ink, contrast
from napari_veinseg.evaluation.selection import select
from napari_veinseg.evaluation.summary import summarise
from tests.evaluation.reports import make_dataset, model


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return make_dataset(tmp_path_factory.mktemp("figures"), fingers=2)


@pytest.mark.parametrize("draw", [plots.precision_recall, plots.roc])
def test_the_mask_of_a_model_lies_on_its_curve_and_the_legend_off_the_plot(folder, draw):
    contenders = [model(threshold=0.4), MaskFolder("second annotator", folder / "masks")]
    figure = draw(compare(select(Dataset.open(folder)), contenders).results)
    curve, point, other = (line.get_xydata() for line in figure.axes[0].lines)
    assert np.linalg.norm(curve - point, axis=1).min() < 0.01
    assert len(other) == 1
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["dark", "second annotator"]
    figure.draw_without_rendering()
    assert not legend.get_window_extent().overlaps(figure.axes[0].get_window_extent())


@pytest.mark.parametrize("draw", [plots.threshold_sweep, plots.calibration])
def test_a_plot_that_lies_in_a_file_of_its_own_names_its_curves(folder, draw):
    figure = draw(compare(select(Dataset.open(folder)), [model(), model("other", 0.6)]).results)
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["dark", "other"]


def test_the_best_threshold_of_the_plot_is_that_of_the_table(folder):
    """Of several equals it is the middle one in both."""
    (result,) = compare(select(Dataset.open(folder)), [model()]).results
    _, point, _ = (line.get_xydata() for line in plots.threshold_sweep([result]).axes[0].lines)
    assert tuple(point[0]) == summarise(result).threshold


@pytest.mark.parametrize(
    "draw",
    [
        plots.iou_distribution,
        plots.precision_recall,
        plots.roc,
        plots.threshold_sweep,
        plots.calibration,
    ],
)
def test_a_plot_with_nothing_to_show_is_drawn_without_a_warning(folder, draw):
    dataset = Dataset.open(folder)
    seen = model(hashes=tuple(image_hash(sample.image()) for sample in dataset))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        plots.as_svg(draw(compare(select(dataset), [seen]).results))


def test_two_models_two_annotators_and_all_baselines_have_a_colour_each():
    assert len({PAGE.contender(number) for number in range(4 + len(BASELINES))}) == 4 + len(
        BASELINES
    )


@pytest.mark.parametrize(("ground", "text"), [("#262930", "#f0f1f2"), ("#efebe9", "#3b3a39")])
def test_what_is_drawn_can_be_seen_on_the_ground_of_either_theme(ground, text):
    ink = Ink.on(ground, text)
    assert contrast(ink.quiet, ground) >= 4.5
    assert min(contrast(colour, ground) for colour in ink.contenders) >= 3
    assert len(set(ink.contenders)) == len(PAGE.contenders)
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
