"""Measure, compare and judge, in a real viewer."""

import csv
import threading
from pathlib import Path

import numpy as np
import pytest
from napari.layers import Labels, Points, Shapes
from qtpy.QtCore import Qt
from qtpy.QtGui import QDesktopServices
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QFileDialog, QLabel

from napari_veinseg.data.image_files import image_hash, write_image
from napari_veinseg.data.mask_files import write_mask
from napari_veinseg.evaluation.baselines import BASELINES
from napari_veinseg.evaluation.caveats import caveats
from napari_veinseg.evaluation.metrics import mean_of_slices
from napari_veinseg.evaluation.report.write_report import REPORT_FILES
from napari_veinseg.evaluation.summary import summarise
from napari_veinseg.measurement.tables import measure_files
from napari_veinseg.model.card import ModelCard, TrainingData
from napari_veinseg.widgets.common.notify import past_notices
from napari_veinseg.widgets.evaluate import evaluate_work
from napari_veinseg.widgets.evaluate.evaluate import EvaluateWidget
from napari_veinseg.widgets.masks.layers import add_mask_layer
from napari_veinseg.widgets.train.open_layers import open_planes
from tests.evaluation.reports import make_dataset
from tests.evaluation.test_consistency import make_fingers
from tests.measurement.shapes import capsule

MASK = (capsule((60, 40), (140, 260), 9) | capsule((100, 150), (20, 240), 7)).astype(np.uint8)


@pytest.fixture
def widget(viewer, stub):
    made = EvaluateWidget(viewer)
    viewer.window.add_dock_widget(made, name="Evaluate")
    yield made
    made.job.abandon()
    made.on_dataset.job.abandon()


@pytest.fixture
def run(qtbot):
    def wait(button, job):
        button.click()
        qtbot.waitUntil(lambda: not job.running, timeout=30_000)

    return wait


def layer_of(viewer, kind):
    (found,) = (layer for layer in viewer.layers if isinstance(layer, kind))
    return found


def cells(table):
    return [
        [table.item(row, column).text() for column in range(table.columnCount())]
        for row in range(table.rowCount())
    ]


def test_measure_shows_the_graph_where_the_mask_lies(viewer, widget, run):
    mask = viewer.add_labels(
        MASK, scale=(0.1, 0.1), translate=(3, -2), rotate=20, units=("mm", "mm")
    )
    run(widget.measure, widget.job)
    lines, points = layer_of(viewer, Shapes), layer_of(viewer, Points)
    assert len(lines.data) == len(lines.features) == 3
    assert sorted(points.features["kind"]) == ["bifurcation", "end", "end", "end"]
    for layer in (lines, points):
        np.testing.assert_allclose(
            layer._data_to_world.affine_matrix, mask._data_to_world.affine_matrix
        )
        assert layer.units == mask.units
    np.testing.assert_allclose(
        lines.features["length_mm"], lines.features["length_px"] / 10, rtol=1e-6
    )
    assert any("mm" in value for _, value in cells(widget.figures))
    meeting = points.data[list(points.features["kind"]).index("bifurcation")]
    np.testing.assert_allclose(meeting, (100, 150), atol=6)


def test_a_layer_without_a_length_unit_is_measured_in_pixels(viewer, widget, run):
    viewer.add_labels(MASK, scale=(2, 2))
    run(widget.measure, widget.job)
    assert "length_px" in layer_of(viewer, Shapes).features
    assert not any("length_pixel" in name for name in layer_of(viewer, Shapes).features)


def test_the_mask_stays_active_so_that_keys_mean_what_they_did(viewer, widget, run):
    mask = viewer.add_labels(MASK)
    run(widget.measure, widget.job)
    assert viewer.layers.selection.active is mask
    widget.table.click()
    assert viewer.layers.selection.active is layer_of(viewer, Shapes)


def test_no_key_draws_into_what_was_measured(viewer, widget, run):
    viewer.add_labels(MASK)
    run(widget.measure, widget.job)
    widget.table.click()
    QTest.keyClick(viewer.window._qt_viewer.canvas.native, "r")  # 'Reviewed' over a mask
    assert str(layer_of(viewer, Shapes).mode) == "pan_zoom"


def test_the_branches_of_a_mask_that_left_are_not_those_of_another(viewer, widget, run, told):
    viewer.add_labels(MASK)
    run(widget.measure, widget.job)
    for kind in (Shapes, Points):
        viewer.layers.remove(layer_of(viewer, kind))
    widget.table.click()
    assert told.texts == ["The measured mask has left the viewer: measure again."]


def test_tables_call_a_mask_as_the_command_calls_its_file(
    viewer, widget, run, tmp_path, monkeypatch
):
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(tmp_path / "widget"))
    write_image(tmp_path / "m_002.png", np.uint8(255 - 200 * MASK))
    (image,) = viewer.open(tmp_path / "m_002.png", plugin="napari")
    add_mask_layer(viewer, MASK, image)
    run(widget.measure, widget.job)
    widget.save.click()
    (tmp_path / "masks").mkdir()
    write_mask(tmp_path / "masks" / "m_002.tif", MASK)
    measure_files([tmp_path / "masks"], tmp_path / "command")
    tables = [tmp_path / folder / "images.csv" for folder in ("widget", "command")]
    by_widget, by_command = (
        next(csv.DictReader(path.read_text(encoding="utf-8").splitlines())) for path in tables
    )
    assert by_command.pop("slice") == "0"
    assert by_widget == by_command
    assert by_widget["mask"] == "m_002"


def test_measuring_again_replaces_and_a_stack_has_slices(viewer, widget, run):
    viewer.add_labels(np.stack([MASK, np.zeros_like(MASK), MASK[::-1]]))
    run(widget.measure, widget.job)
    run(widget.measure, widget.job)
    lines = layer_of(viewer, Shapes)
    assert set(lines.features["slice"]) == {0, 2}
    assert all(path.shape[1] == 3 for path in lines.data)


def test_an_empty_mask_can_be_measured(viewer, widget, run, told):
    viewer.add_labels(np.zeros((20, 30), np.uint8))
    run(widget.measure, widget.job)
    assert told.texts == []
    assert ["Branches", "0"] in cells(widget.figures)


@pytest.mark.parametrize("pressed", ["Cancel", "Replace"])
def test_tables_are_saved_and_replaced_only_when_that_is_confirmed(
    viewer, widget, run, told, answer, tmp_path, monkeypatch, pressed
):
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(tmp_path))
    viewer.add_labels(MASK, name="vëins")
    run(widget.measure, widget.job)
    widget.save.click()
    with (tmp_path / "branches.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["mask"] for row in rows] == ["vëins"] * 3
    assert told.texts == [f"The tables are in {tmp_path}."]
    tables = [tmp_path / name for name in ("branches.csv", "images.csv")]
    for path in tables:
        path.write_text("older")
    asked = answer(pressed)
    widget.save.click()
    assert all(path.name in asked[0] for path in tables)
    kept = {path.read_text(encoding="utf-8") == "older" for path in tables}
    assert kept == {pressed == "Cancel"}


def test_compare_scores_and_shows_the_errors(viewer, widget, run):
    truth = viewer.add_labels(MASK, name="truth")
    wrong = MASK.copy()
    wrong[:, :80] = 0
    wrong[180:190, 20:60] = 1
    mask = viewer.add_labels(wrong, name="mask")
    widget.mask.choose(mask)
    widget.truth.choose(truth)
    run(widget.compare, widget.job)
    errors = viewer.layers["mask agreement"]
    assert "'mask' against 'truth'" in widget.compared_what.text()
    shown = {label.text() for label in widget.legend.findChildren(QLabel)}
    assert shown == set(errors.features["name"]) - {"background"}
    assert set(np.unique(errors.data)) == {0, 1, 2, 3}
    assert (errors.data == 2).sum() == MASK[:, :80].sum()
    assert not errors.editable
    scores = dict(cells(widget.scores))
    found = (MASK & wrong).sum() / MASK.sum()
    assert float(scores["Pixel recall"]) == pytest.approx(found, abs=1e-3)
    assert widget.mask.findText("mask agreement") == -1


def test_masks_are_compared_beside_the_viewer(viewer, widget, run, monkeypatch):
    threads = []

    def score(*masks):
        threads.append(threading.current_thread())
        return mean_of_slices(*masks)

    monkeypatch.setattr(evaluate_work, "mean_of_slices", score)
    for name in ("mask", "truth"):
        viewer.add_labels(MASK, name=name)
    run(widget.compare, widget.job)
    assert threading.main_thread() not in threads
    assert len(threads) == 1


def test_agreement_is_no_truth_to_train_on(viewer, widget, run):
    image = viewer.add_image(MASK * 100)
    layers = [add_mask_layer(viewer, MASK * share, image, name=str(share)) for share in (1, 0)]
    widget.mask.choose(layers[1])
    widget.truth.choose(layers[0])
    run(widget.compare, widget.job)
    layers[1].data_setitem((np.array([5]), np.array([5])), 1)
    (pair,) = open_planes(viewer)
    np.testing.assert_array_equal(pair.mask, layers[1].data)


def test_255_is_vein_as_in_a_file_and_other_labels_are_refused(viewer, widget, run, told):
    truth, mask = viewer.add_labels(MASK * 255, name="truth"), viewer.add_labels(MASK, name="mask")
    widget.mask.choose(mask)
    widget.truth.choose(truth)
    run(widget.compare, widget.job)
    assert float(dict(cells(widget.scores))["Pixel recall"]) == 1
    assert not (viewer.layers["mask agreement"].data == 2).any()
    mask.data = MASK * 7
    run(widget.compare, widget.job)
    assert "'mask' holds labels other than" in told.texts[-1]


def test_a_truth_of_which_nothing_is_known_scores_nothing(viewer, widget, run, told):
    stack = np.stack([MASK, MASK])
    truth = viewer.add_labels(np.stack([MASK, np.full_like(MASK, 2)]), name="truth")
    mask = viewer.add_labels(stack * 0, name="mask")
    widget.mask.choose(mask)
    widget.truth.choose(truth)
    run(widget.compare, widget.job)
    assert float(dict(cells(widget.scores))["Pixel recall"]) == 0, "the other slice is no success"
    truth.data = np.full_like(stack, 2)
    run(widget.compare, widget.job)
    assert "unsure everywhere" in told.texts[-1]


def test_the_truth_is_another_layer_than_the_mask(viewer, widget):
    layers = [viewer.add_labels(MASK, name=name) for name in "abc"]
    for layer in layers:
        viewer.layers.selection.active = layer
        assert widget.mask.layer is layer
        assert widget.truth.layer in set(layers) - {layer}
    assert widget.compare.isEnabled()


def test_one_mask_is_no_truth_of_itself(viewer, widget):
    mask = viewer.add_labels(MASK, name="mask")
    assert widget.mask.layer is mask
    assert widget.truth.layer is None
    assert not widget.truth_needed.isHidden()
    assert not widget.compare.isEnabled()
    other = viewer.add_labels(MASK, name="other")
    assert {widget.mask.layer, widget.truth.layer} == {mask, other}
    assert widget.truth_needed.isHidden()
    assert widget.compare.isEnabled()
    viewer.layers.remove(other)
    assert widget.truth.layer is None
    assert not widget.truth_needed.isHidden()


def test_masks_of_different_images_are_refused_in_one_sentence(viewer, widget, run, told):
    viewer.add_labels(MASK, name="a")
    viewer.add_labels(MASK[:50], name="b")
    widget.mask.choose(viewer.layers["a"])
    widget.truth.choose(viewer.layers["b"])
    run(widget.compare, widget.job)
    assert any("layers of the same image" in text for text in told.texts)


def test_nothing_can_be_pressed_without_masks(viewer, widget):
    assert not widget.measure.isEnabled()
    assert not widget.compare.isEnabled()
    viewer.add_labels(MASK)
    assert widget.measure.isEnabled()
    assert not widget.compare.isEnabled()


def told_by(judge):
    return judge.caveats.text() + judge.more.said.text()


@pytest.fixture
def judged(viewer, widget, run, stub, tmp_path):
    """The widget after a run of the stub model on a dataset."""
    stub.card = ModelCard()
    judge = widget.on_dataset
    judge.dataset.setText(str(make_dataset(tmp_path / "data", fingers=3)))
    judge.models.item(0).setCheckState(Qt.CheckState.Checked)
    run(judge.evaluate, judge.job)
    return judge


def test_the_worst_images_of_models_come_before_those_of_baselines(judged, run):
    judged.baselines.setChecked(True)
    run(judged.evaluate, judged.job)
    whose = [row[1] for row in cells(judged.images)]
    models = {result.contender.name for result in judged.comparison.results} - set(BASELINES)
    assert [name in models for name in whose] == [True] * 6 + [False] * (len(whose) - 6)


def test_models_are_judged_on_a_dataset(viewer, judged, qtbot, told):
    assert told.texts == []
    assert not judged.results.isHidden()
    shown = cells(judged.images)
    assert len(shown) == 6
    ious = [float(row[2]) for row in shown]
    assert ious == sorted(ious), "the worst image comes first"
    (result,) = judged.comparison.results
    interval = str(summarise(result).mean_of_images["vein_iou"])
    assert " to " in interval
    assert judged.summary.item(0, 1).toolTip() == interval
    judged.images.sortItems(2, Qt.SortOrder.DescendingOrder)
    assert [float(row[2]) for row in cells(judged.images)] == ious[::-1]
    assert "too narrow" in told_by(judged)
    assert all(each in told_by(judged) for each in caveats(judged.comparison))
    assert judged.about.text().startswith("data by starter at ")


def test_what_was_trained_on_is_marked_in_the_narrowest_column(judged, run, stub, qtbot):
    assert judged.seen.isHidden()
    sample = judged.comparison.samples[0]
    learned = TrainingData(image_hashes=(image_hash(sample.image()),))
    stub.card = ModelCard(training_data=learned)
    run(judged.evaluate, judged.job)
    assert not judged.seen.isHidden()
    table, names = judged.images, [row[0] for row in cells(judged.images)]
    (marked,) = (name for name in names if name not in {s.stem for s in judged.comparison.samples})
    assert marked.startswith(sample.stem)
    mode = table.textElideMode()
    assert table.fontMetrics().elidedText(marked, mode, 50)[-1] == judged.seen.text()[0]


def test_a_folder_of_masks_is_judged_like_a_model(widget, run, stub, tmp_path, monkeypatch):
    stub.card = ModelCard()
    judge, data = widget.on_dataset, make_dataset(tmp_path / "data", fingers=3)
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(data / "masks"))
    judge.add_masks.click()
    judge.models.refresh()  # as when the dock is shown again: its tick stays
    judge.dataset.setText(str(data))
    run(judge.evaluate, judge.job)
    ious = {(by, iou) for _, by, iou, _ in cells(judge.images)}
    assert ("masks", "1.000") in ious
    assert {by for by, _ in ious} == {"masks", "starter"}


def test_two_folders_of_one_name_have_a_tick_each(widget, tmp_path):
    models = widget.on_dataset.models
    folders = [tmp_path / person / "masks" for person in ("first", "second")]
    for folder in folders:
        models.add_folder(folder)
    first, _second = models.findItems("masks in masks", Qt.MatchFlag.MatchExactly)
    first.setCheckState(Qt.CheckState.Unchecked)
    models.refresh()  # as when the dock is shown again
    assert models.folders() == folders[1:]


def test_enter_opens_the_chosen_row(judged, qtbot):
    judged.images.setCurrentCell(1, 0)
    with qtbot.waitSignal(judged.images.chosen) as chosen:
        qtbot.keyClick(judged.images, Qt.Key.Key_Return)
    assert chosen.args == [1]
    qtbot.waitUntil(lambda: not judged.job.running, timeout=20_000)


def test_a_click_opens_the_image_with_its_errors(viewer, judged, qtbot):
    judged.images.sortItems(0, Qt.SortOrder.DescendingOrder)
    judged.images.cellClicked.emit(0, 0)
    qtbot.waitUntil(lambda: len(viewer.layers) == 4, timeout=20_000)
    stem = judged.images.item(0, 0).text()
    assert viewer.layers[0].name == stem
    first = [layer for layer in viewer.layers if isinstance(layer, Labels)]
    judged.images.cellClicked.emit(1, 0)
    qtbot.waitUntil(lambda: not judged.job.running, timeout=20_000)
    second = judged.images.item(1, 0).text()
    names = [second, f"{second} truth", f"{second} starter", f"{second} starter agreement"]
    qtbot.waitUntil(lambda: [layer.name for layer in viewer.layers] == names)  # in place of it
    assert first[0] not in viewer.layers

    viewer.layers[1].paint((5, 5), 1)
    judged.images.cellClicked.emit(2, 0)
    qtbot.waitUntil(lambda: len(viewer.layers) == 8, timeout=20_000)  # what was painted on stays


def test_what_an_evaluation_opened_is_truth_only_once_it_is_edited(viewer, judged, qtbot):
    judged.images.cellClicked.emit(0, 0)
    qtbot.waitUntil(lambda: len(viewer.layers) == 4, timeout=20_000)
    assert open_planes(viewer) == []
    truth = viewer.layers[1]
    truth.data_setitem((np.array([5]), np.array([5])), 1)
    (pair,) = open_planes(viewer)
    np.testing.assert_array_equal(pair.mask, truth.data)


def test_no_report_is_written_into_the_dataset(judged, qtbot, told, monkeypatch):
    folder = judged.dataset.text()
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: folder)
    judged.save.click()
    qtbot.waitUntil(lambda: not judged.job.running, timeout=20_000)
    assert "lies in the dataset" in told.texts[-1]
    assert not (Path(folder) / "report.html").exists()


def test_a_truth_that_was_painted_on_stays_when_its_image_is_gone(viewer, judged, qtbot):
    judged.images.cellClicked.emit(0, 0)
    qtbot.waitUntil(lambda: len(viewer.layers) == 4, timeout=20_000)
    truth = viewer.layers[1]
    truth.paint((5, 5), 1)
    viewer.layers.remove(viewer.layers[0])
    judged.images.cellClicked.emit(1, 0)
    qtbot.waitUntil(lambda: not judged.job.running, timeout=20_000)
    assert truth in viewer.layers


def test_a_report_bears_the_name_of_what_it_judged(judged, qtbot, tmp_path, monkeypatch):
    judged.dataset.setText(str(tmp_path / "other"))
    judged.evaluate.click()  # fails: there is no such dataset
    qtbot.waitUntil(lambda: not judged.job.running, timeout=20_000)
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(tmp_path / "report"))
    judged.save.click()
    qtbot.waitUntil(lambda: not judged.job.running, timeout=20_000)
    page = (tmp_path / "report" / "report.html").read_text(encoding="utf-8")
    assert "data</title>" in page
    assert "other</title>" not in page


def test_how_far_the_evaluation_is_can_be_seen(judged, qtbot, monkeypatch):
    seen, hear = [], judged._hear

    def look(news):
        hear(news)
        seen.append(not judged.status.isHidden() and judged.status.text())

    monkeypatch.setattr(judged, "_hear", look)
    judged.evaluate.click()
    qtbot.waitUntil(lambda: not judged.job.running, timeout=20_000)
    assert seen
    assert all(seen)


def test_the_report_is_saved(judged, qtbot, told, tmp_path, monkeypatch):
    out = tmp_path / "report"
    out.mkdir()
    begins = []
    monkeypatch.setattr(
        QFileDialog, "getExistingDirectory", lambda *given: begins.append(given[-1]) or str(out)
    )
    judged.save.click()
    qtbot.waitUntil(lambda: not judged.job.running, timeout=20_000)
    assert begins == [str(tmp_path)], "beside the dataset, where a report is not refused"
    assert {path.name for path in out.iterdir()} == set(REPORT_FILES)
    assert judged.status.text() == f"The report is {out / 'report.html'}"
    assert past_notices[-1].text == judged.status.text()
    assert told.texts == [], "what the dock says covers no image"
    opened = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: opened.append(url) or True)
    judged.open_report.click()
    assert [Path(url.toLocalFile()) for url in opened] == [out / "report.html"]
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda _: False)
    judged.open_report.click()
    assert str(out / "report.html") in past_notices[-1].text, "nothing opens it, and that is told"
    judged.evaluate.click()
    qtbot.waitUntil(lambda: not judged.job.running, timeout=20_000)
    assert judged.open_report.isHidden(), "it is of the figures before"


@pytest.mark.parametrize("pressed", ["Cancel", "Replace"])
def test_an_older_report_is_replaced_only_when_that_is_confirmed(
    judged, qtbot, answer, tmp_path, monkeypatch, pressed
):
    out = tmp_path / "report"
    out.mkdir()
    older = {name: out / name for name in ("report.html", "per_image.csv")}
    for path in older.values():
        path.write_text("older")
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(out))
    asked = answer(pressed)
    judged.save.click()
    qtbot.waitUntil(lambda: not judged.job.running, timeout=20_000)
    (text,) = asked
    assert str(out) in text
    assert all(name in text for name in older)
    kept = {path.read_text(encoding="utf-8") == "older" for path in older.values()}
    assert kept == {pressed == "Cancel"}
    assert (out / "summary.json").exists() == (pressed == "Replace")


def test_a_missing_choice_is_one_sentence(widget, told, tmp_path):
    judge = widget.on_dataset
    judge.evaluate.click()
    judge.dataset.setText(str(tmp_path))
    for row in range(judge.models.count()):
        judge.models.item(row).setCheckState(Qt.CheckState.Unchecked)
    judge.evaluate.click()
    assert len(told.texts) == 2
    assert "dataset first" in told.texts[0]
    assert "Tick a model" in told.texts[1]


def test_a_dataset_that_is_none_is_told(widget, told, qtbot, tmp_path, stub):
    stub.card = ModelCard()
    judge = widget.on_dataset
    judge.dataset.setText(str(tmp_path))
    judge.baselines.setChecked(True)
    judge.evaluate.click()
    qtbot.waitUntil(lambda: not judge.job.running, timeout=20_000)
    assert any("is no dataset" in text for text in told.texts)


def test_the_manifest_offers_the_widget(make_napari_viewer, stub):
    viewer = make_napari_viewer()
    _, workbench = viewer.window.add_plugin_dock_widget("napari-veinseg", "Evaluate")
    assert isinstance(workbench.tabs.currentWidget(), EvaluateWidget)


def test_repeated_shots_are_judged_without_a_truth(viewer, widget, run, qtbot, tmp_path):
    for stem, mask in make_fingers(fingers=5, shots=2).items():
        write_mask(tmp_path / f"{stem}.png", mask)
    shots = widget.repeated_shots
    shots.first.setText(str(tmp_path))
    shots.first.chosen.emit()
    assert "5 subjects" in shots.fingers.groups.text(), "what the names mean is seen before Judge"
    viewer.window._qt_window.resize(1024, 600)
    viewer.show()
    run(shots.judge, shots.job)
    qtbot.waitUntil(lambda: not shots.table.visibleRegion().isEmpty())
    ((name, rate, distance),) = cells(shots.table)
    assert name == tmp_path.name
    assert rate.startswith("0.000")
    assert float(distance.split()[0]) > 3


def test_one_name_means_one_metric():
    from napari_veinseg.evaluation.report.tables import METRIC_NAMES
    from napari_veinseg.widgets.evaluate import dataset_evaluation, evaluate

    for name in evaluate._SHOWN:
        assert name in METRIC_NAMES
    headings = (dataset_evaluation._IOU, dataset_evaluation._CLDICE, dataset_evaluation._RECALL)
    shown = [heading.partition("\n")[0] for heading in headings]
    names = [METRIC_NAMES[name] for name in dataset_evaluation._SUMMARY]
    assert shown[1:] == names[1:]
    assert names[0].endswith(shown[0])
    assert len(set(METRIC_NAMES.values())) == len(METRIC_NAMES)
