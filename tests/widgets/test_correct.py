"""The Correct widget in a real viewer, by real mouse and key events."""

import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from napari.layers import Shapes
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from scipy import ndimage

from napari_veinseg.correction import autosave
from napari_veinseg.correction.autosave import left_sessions
from napari_veinseg.correction.lines import Line, veins_from_lines
from napari_veinseg.data.dataset import Dataset
from napari_veinseg.data.images import write_image
from napari_veinseg.widgets.common import jobs
from napari_veinseg.widgets.common.model_choice import ModelChoice
from napari_veinseg.widgets.correct import look_next, mask_actions
from napari_veinseg.widgets.correct.autosaver import restore
from napari_veinseg.widgets.correct.correct import CorrectWidget
from napari_veinseg.widgets.correct.tools import BoxTool, RemoveTool
from napari_veinseg.widgets.correct.tracing_tools import BridgeTool, GrowTool, TraceTool
from napari_veinseg.widgets.masks.layers import add_mask_layer, add_probability_layer
from napari_veinseg.widgets.masks.records import image_of, record_of
from napari_veinseg.widgets.train.open_layers import add_pairs, open_pairs
from tests.widgets.mouse import Mouse

SHAPE = (120, 180)
TRUNK = Line(np.array([[60.0, 0], [50, 60], [70, 120], [60, 179]]), 6)
BRANCH = Line(np.array([[69.0, 118], [30, 170]]), 5)
PLACES = {
    "plain": {},
    "turned": {"scale": (0.5, 0.5), "rotate": 30, "translate": (40, -25)},
}


def truth() -> np.ndarray:
    empty = np.zeros(SHAPE, np.uint8)
    return veins_from_lines(empty, [TRUNK, BRANCH]).applied_to(empty)


def photograph() -> np.ndarray:
    vein = ndimage.gaussian_filter((truth() == 1).astype(float), 1.2)
    noise = np.random.default_rng(0).normal(0, 1.5, SHAPE)
    return (150 - 50 * vein + noise).astype(np.uint8)


@pytest.fixture(autouse=True)
def own_autosave(monkeypatch, tmp_path):
    monkeypatch.setenv(autosave.FOLDER_VARIABLE, str(tmp_path / "autosave"))


@pytest.fixture
def viewer(make_napari_viewer):
    viewer = make_napari_viewer(show=True)
    viewer.window._qt_window.resize(1100, 700)
    return viewer


@pytest.fixture
def correct_in(qtbot):
    """Open an image with a mask, and the widget, in a viewer."""
    made = []

    def make(viewer, mask, image=None, **place):
        layer = viewer.add_image(photograph() if image is None else image, name="finger", **place)
        labels = add_mask_layer(viewer, mask, layer)
        widget = CorrectWidget(viewer)
        viewer.window.add_dock_widget(widget, name="Correct")
        made.append(widget)
        qtbot.wait(50)
        return widget, labels, Mouse(viewer, labels)

    yield make
    for widget in made:
        widget.closing.emit()


@pytest.fixture
def use(qtbot):
    """Press a tool's button and wait until the valleys are there."""

    def press(widget, kind):
        tool = next(tool for tool in widget.toolbox.tools if type(tool) is kind)
        widget.toolbox.buttons[tool].click()
        assert widget.toolbox.active is tool
        if isinstance(tool, TraceTool):
            qtbot.waitUntil(lambda: widget.target.valleys(widget.target.plane()) is not None)
        return tool

    return press


def dice(a, b) -> float:
    return 2 * (a & b).sum() / (a.sum() + b.sum())


@pytest.mark.parametrize("place", PLACES)
def test_three_clicks_trace_a_vein(viewer, correct_in, use, place):
    widget, labels, mouse = correct_in(viewer, np.zeros(SHAPE, np.uint8), **PLACES[place])
    zoom = viewer.scene.camera.zoom
    tool = use(widget, TraceTool)
    mouse.click((59, 4))
    mouse.move((60, 90))
    assert tool.busy
    assert not labels.data.any()
    mouse.click((60, 90))
    mouse.double_click((60, 175))
    trunk = veins_from_lines(np.zeros(SHAPE), [TRUNK]).applied_to(np.zeros(SHAPE)) == 1
    assert dice(labels.data == 1, trunk) > 0.85
    assert len(labels._undo_history) == 1
    assert not tool.busy
    assert viewer.scene.camera.zoom == zoom  # the double-click did not reach napari
    labels.undo()
    assert not labels.data.any()
    labels.redo()
    assert dice(labels.data == 1, trunk) > 0.85


def test_enter_draws_escape_drops_and_backspace_takes_back(viewer, correct_in, use):
    widget, labels, mouse = correct_in(viewer, np.zeros(SHAPE, np.uint8))
    tool = use(widget, TraceTool)
    mouse.click((59, 4))
    mouse.click((50, 60))
    mouse.click((20, 90))
    mouse.key(Qt.Key.Key_Backspace)
    assert len(tool._clicks) == 2
    mouse.key(Qt.Key.Key_Return)
    assert labels.data[:, :55].any()
    assert not labels.data[:, 70:].any()
    before = labels.data.copy()
    mouse.click((60, 90))
    mouse.click((60, 120))
    mouse.key(Qt.Key.Key_Escape)
    assert not tool.busy
    np.testing.assert_array_equal(labels.data, before)
    assert widget.toolbox.active is tool
    mouse.key(Qt.Key.Key_Escape)
    assert widget.toolbox.active is None


def test_shift_makes_a_straight_line_of_a_fixed_width_and_label(viewer, correct_in, use):
    widget, labels, mouse = correct_in(viewer, np.zeros(SHAPE, np.uint8))
    widget.toolbox.width.setValue(5)
    widget.toolbox.label.setCurrentText("unsure")
    use(widget, TraceTool)
    shift = Qt.KeyboardModifier.ShiftModifier
    mouse.click((100, 20), shift)
    mouse.click((100, 120), shift)
    mouse.key(Qt.Key.Key_Return)
    assert (labels.data[98:103, 30:110] == 2).all()
    assert (labels.data == 2).sum() < 5.6 * 101 + 30


def test_one_click_adds_a_whole_vein_in_one_undo_step(viewer, correct_in, use, qtbot):
    widget, labels, mouse = correct_in(viewer, np.zeros(SHAPE, np.uint8))
    use(widget, GrowTool)
    qtbot.waitUntil(lambda: widget.target.valleys(()) is not None)
    mouse.click((55, 75))
    grown = labels.data.copy()
    assert dice(grown == 1, truth() == 1) > 0.85
    assert len(labels._undo_history) == 1
    labels.undo()
    assert not labels.data.any()
    labels.redo()
    np.testing.assert_array_equal(labels.data, grown)


def test_a_redrawn_vein_is_one_undo_step(viewer, correct_in, use):
    start = truth()
    widget, labels, mouse = correct_in(viewer, start)
    widget.toolbox.redraws.setChecked(True)
    widget.toolbox.width.setValue(3)
    use(widget, TraceTool)
    mouse.click((59, 4))
    mouse.double_click((52, 50))
    assert labels.data[45:70, 30].sum() == 3
    assert (labels.data[:, 70:] == start[:, 70:]).all()
    labels.undo()
    np.testing.assert_array_equal(labels.data, start)


def test_a_drag_moves_the_camera_and_adds_no_click(viewer, correct_in, use):
    widget, _, mouse = correct_in(viewer, np.zeros(SHAPE, np.uint8))
    tool = use(widget, TraceTool)
    before = viewer.scene.camera.center
    mouse.drag((60, 60), (80, 90))
    assert not tool.busy
    assert viewer.scene.camera.center != before


def test_removing_bridging_and_boxes_are_one_undo_step_each(viewer, correct_in, use):
    start = truth()
    start[:, 70:85] = 0
    widget, labels, mouse = correct_in(viewer, start)
    states = [labels.data.copy()]
    use(widget, RemoveTool)
    mouse.click((48, 148))
    assert labels.data[48, 148] == 0
    states.append(labels.data.copy())
    use(widget, BridgeTool)
    mouse.click((53, 66))
    mouse.click((57, 88))
    assert ndimage.label(labels.data == 1, np.ones((3, 3)))[1] == 1
    states.append(labels.data.copy())
    use(widget, BoxTool)
    mouse.drag((90, 20), (110, 60))
    assert (labels.data[92:108, 22:58] == 2).all()
    states.append(labels.data.copy())
    assert len(labels._undo_history) == 3
    for state in states[-2::-1]:
        labels.undo()
        np.testing.assert_array_equal(labels.data, state)
    for state in states[1:]:
        labels.redo()
        np.testing.assert_array_equal(labels.data, state)


def test_escape_drops_a_box_that_is_being_dragged(viewer, correct_in, use):
    widget, labels, mouse = correct_in(viewer, truth())
    keys = set(labels.keymap)
    use(widget, BoxTool)
    native, left = mouse.canvas.native, Qt.MouseButton.LeftButton
    none = Qt.KeyboardModifier.NoModifier
    QTest.mousePress(native, left, none, mouse.where((90, 20)))
    mouse.move((100, 40))
    mouse.move((105, 50))
    mouse.key(Qt.Key.Key_Escape)
    assert widget.toolbox.active is None
    mouse.move((110, 60))
    QTest.mouseRelease(native, left, none, mouse.where((110, 60)))
    np.testing.assert_array_equal(labels.data, truth())
    assert set(labels.keymap) == keys


def test_tools_and_the_brush_undo_in_turn(viewer, correct_in, use):
    widget, labels, mouse = correct_in(viewer, np.zeros(SHAPE, np.uint8))
    use(widget, TraceTool)
    mouse.click((59, 4))
    mouse.double_click((50, 60))
    traced = labels.data.copy()
    labels.mode = "paint"
    assert widget.toolbox.active is None
    mouse.drag((100, 40), (100, 80))
    painted = labels.data.copy()
    assert (painted != traced).any()
    use(widget, RemoveTool)
    mouse.click((100, 60))
    np.testing.assert_array_equal(labels.data, traced)
    for state in (painted, traced, np.zeros(SHAPE)):
        labels.undo()
        np.testing.assert_array_equal(labels.data, state)
    for state in (traced, painted, traced):
        labels.redo()
        np.testing.assert_array_equal(labels.data, state)


BUTTONS = ["Drop small pieces", "Fill small holes", "Smooth", "Thinner", "Thicker",
           "Move onto veins", "Rest is unsure", "Redraw as measured"]  # fmt: skip


def button_of(widget, text):
    from qtpy.QtWidgets import QPushButton

    return next(b for b in widget.findChildren(QPushButton) if b.text() == text)


@pytest.mark.parametrize("text", BUTTONS)
def test_actions_on_the_whole_mask_are_one_undo_step(viewer, correct_in, text):
    start = np.roll(truth(), -6, axis=0)
    start[5, 5] = 1
    start[49, 30] = 0
    start[48, 60] = 1
    widget, labels, _ = correct_in(viewer, start)
    labels.data_setitem((np.array([52]), np.array([20])), 1)
    before, steps = labels.data.copy(), len(labels._undo_history)
    button_of(widget, text).click()
    after = labels.data.copy()
    assert (after != before).any()
    assert len(labels._undo_history) == steps + 1
    labels.undo()
    np.testing.assert_array_equal(labels.data, before)
    labels.redo()
    np.testing.assert_array_equal(labels.data, after)


def test_veins_become_lines_beside_the_viewer(qtbot, viewer, correct_in, monkeypatch):
    monkeypatch.setattr(jobs, "AT_ONCE", 0)
    widget, *_ = correct_in(viewer, truth())
    button_of(widget, "Veins to lines").click()
    qtbot.waitUntil(lambda: not widget.actions.job.running)
    lines = next(layer for layer in viewer.layers if isinstance(layer, Shapes))
    assert len(lines.data) >= 2


@pytest.mark.parametrize("lost", [0, 1])
def test_a_mask_above_the_veins_is_moved_onto_them(viewer, correct_in, lost):
    image = photograph().astype(np.float32)
    image[:lost, :lost] = np.nan
    widget, labels, _ = correct_in(viewer, np.roll(truth(), -7, axis=0), image=image)
    button_of(widget, "Move onto veins").click()
    assert dice(labels.data == 1, truth() == 1) > 0.9


def test_moving_all_slices_is_told_once(viewer, correct_in, told):
    masks = np.stack([np.roll(truth(), -7, axis=0), truth() * 0, np.roll(truth(), 5, axis=0)])
    widget, *_ = correct_in(viewer, masks, image=np.stack([photograph()] * 3))
    widget.actions.all_slices.setChecked(True)
    button_of(widget, "Move onto veins").click()
    assert told.texts == ["Move onto veins: 2 of 3 slices were changed."]


def test_a_stack_is_corrected_on_the_displayed_slice_or_on_all(viewer, correct_in, use):
    stack = np.stack([photograph()] * 3)
    specks = np.zeros((3, *SHAPE), np.uint8)
    specks[:, 5, 5] = 1
    widget, labels, mouse = correct_in(viewer, specks, image=stack, scale=(2, 1, 1))
    viewer.dims.set_point(0, 2)
    use(widget, TraceTool)
    mouse.click((59, 4))
    mouse.double_click((50, 60))
    assert labels.data[1].sum() > 100
    assert labels.data[[0, 2]].sum() == 2
    widget.toolbox.use(None)
    button_of(widget, "Drop small pieces").click()
    assert labels.data[:, 5, 5].tolist() == [1, 0, 1]
    widget.actions.all_slices.setChecked(True)
    button_of(widget, "Drop small pieces").click()
    assert labels.data[:, 5, 5].tolist() == [0, 0, 0]
    labels.undo()
    assert labels.data[:, 5, 5].tolist() == [1, 0, 1]


@pytest.fixture(params=[3])
def slow_drop(request, viewer, correct_in, monkeypatch):
    """A stack of specks whose dropping goes on beside the viewer until it is let go."""
    monkeypatch.setattr(jobs, "AT_ONCE", 0)
    go_on = threading.Event()
    drop = mask_actions.cleanup.drop_specks

    def slowly(mask, size):
        go_on.wait(10)
        return drop(mask, size)

    monkeypatch.setattr(mask_actions.cleanup, "drop_specks", slowly)
    specks = np.zeros((request.param, *SHAPE), np.uint8)
    specks[:, 5, 5] = 1
    image = np.stack([photograph()] * request.param)
    widget, labels, _ = correct_in(viewer, specks, image=image)
    widget.actions.all_slices.setChecked(True)
    pressed = button_of(widget, "Drop small pieces")
    pressed.click()
    yield widget, labels, pressed, go_on
    go_on.set()


def test_all_slices_are_changed_beside_the_viewer(qtbot, slow_drop):
    widget, labels, pressed, go_on = slow_drop
    assert pressed.text() == "Cancel"
    assert not button_of(widget, "Smooth").isEnabled()
    assert labels.data.sum() == 3
    go_on.set()
    qtbot.waitUntil(lambda: not widget.actions.job.running)
    assert labels.data.sum() == 0
    assert pressed.text() == "Drop small pieces"
    assert button_of(widget, "Smooth").isEnabled()
    labels.undo()
    assert labels.data.sum() == 3


def test_what_was_painted_in_the_meantime_is_kept(qtbot, slow_drop, told):
    widget, labels, _, go_on = slow_drop
    labels.data_setitem((np.array([1]), np.array([5]), np.array([6])), 1)
    go_on.set()
    qtbot.waitUntil(lambda: not widget.actions.job.running)
    assert labels.data.sum() == 4
    assert "press 'Drop small pieces' once more" in told.texts[-1]


@pytest.mark.parametrize("slow_drop", [1, 3], indirect=True)
def test_a_change_can_be_cancelled(qtbot, slow_drop):
    widget, labels, pressed, go_on = slow_drop
    before = labels.data.copy()
    pressed.click()
    go_on.set()
    qtbot.waitUntil(lambda: not widget.actions.job.running)
    np.testing.assert_array_equal(labels.data, before)
    assert pressed.text() == "Drop small pieces"


def test_a_slice_change_begins_the_tool_anew(viewer, correct_in, use):
    widget, labels, mouse = correct_in(
        viewer, np.zeros((2, *SHAPE), np.uint8), image=np.stack([photograph()] * 2)
    )
    tool = use(widget, TraceTool)
    mouse.click((59, 4))
    viewer.dims.set_point(0, 1)
    assert widget.toolbox.active is tool
    assert not tool.busy
    mouse.click((59, 4))
    mouse.double_click((50, 60))
    assert not labels.data[0].any()
    assert labels.data[1].any()


def test_an_error_restores_pixels_and_history(viewer, correct_in, use, told, monkeypatch):
    widget, labels, mouse = correct_in(viewer, truth())
    use(widget, RemoveTool)
    mouse.click((48, 148))
    after_one = labels.data.copy()

    def fail(*_args, **_kwargs):
        raise RuntimeError("a listener broke")

    labels.events.paint.connect(fail, position="last")
    mouse.click((55, 30))
    labels.events.paint.disconnect(fail)
    np.testing.assert_array_equal(labels.data, after_one)
    assert len(labels._undo_history) == 1
    assert any("a listener broke" in text for text in told.texts)
    labels.undo()
    np.testing.assert_array_equal(labels.data, truth())


def test_keys_and_callbacks_are_taken_only_while_a_tool_is_active(viewer, correct_in, use):
    widget, labels, _ = correct_in(viewer, truth())

    def hooks():
        return (
            list(labels.mouse_drag_callbacks), list(labels.mouse_move_callbacks),
            list(labels.mouse_double_click_callbacks), list(viewer.mouse_double_click_callbacks),
            {key for key in labels.keymap if len(str(key)) > 1}, labels.mouse_pan,
        )  # fmt: skip

    nodes = len(Mouse(viewer, labels).canvas.view.scene.children)
    before = hooks()
    for kind in (TraceTool, GrowTool, RemoveTool, BridgeTool, BoxTool):
        use(widget, kind)
        assert hooks() != before
    widget.toolbox.use(None)
    assert hooks() == before
    assert len(Mouse(viewer, labels).canvas.view.scene.children) == nodes
    use(widget, RemoveTool)
    Mouse(viewer, labels).key(Qt.Key.Key_Escape)
    assert widget.toolbox.active is None
    assert hooks() == before


def test_no_key_of_napari_is_taken_and_free_ones_are_shown(viewer, correct_in):
    labels = viewer.add_labels(np.zeros(SHAPE, np.uint8))
    taken = {str(key) for cls in type(labels).__mro__ for key in getattr(cls, "class_keymap", {})}
    taken |= {str(key) for cls in type(viewer).__mro__ for key in getattr(cls, "class_keymap", {})}
    labels.bind_key("T", lambda _layer: None)
    widget, _, _ = correct_in(viewer, truth())
    keys = {str(key) for key in viewer.layers["finger veins"].keymap}
    assert keys == {"T", "A", "D", "G", "U", "N", "R"}
    assert not keys & taken
    trace = widget.toolbox.buttons[widget.toolbox.tools[0]]
    assert trace.text().endswith("(T)")
    widget.mask.choose(labels)
    assert trace.text() == "Trace a vein"
    assert not viewer.layers["finger veins"].keymap


def test_a_key_chooses_a_tool_and_leaves_it(viewer, correct_in):
    widget, _, mouse = correct_in(viewer, truth())
    mouse.key(Qt.Key.Key_T)
    assert isinstance(widget.toolbox.active, TraceTool)
    mouse.key(Qt.Key.Key_D)
    assert isinstance(widget.toolbox.active, RemoveTool)
    mouse.key(Qt.Key.Key_D)
    assert widget.toolbox.active is None


def test_a_closed_dock_leaves_the_keys_to_the_next(viewer, correct_in, qtbot):
    closed = CorrectWidget(viewer)
    viewer.window.add_dock_widget(closed, name="closed")
    widget, labels, _ = correct_in(viewer, truth())
    viewer.window.remove_dock_widget(closed)
    qtbot.wait(50)
    other = add_mask_layer(viewer, truth(), viewer.layers["finger"], name="other")
    widget.mask.choose(labels)
    widget.mask.choose(other)
    assert widget.toolbox.buttons[widget.toolbox.tools[0]].text() == "Trace a vein  (T)"


def test_choosing_another_layer_ends_the_tool(viewer, correct_in, use):
    widget, _, _ = correct_in(viewer, truth())
    use(widget, TraceTool)
    viewer.layers.selection.active = viewer.layers["finger"]
    assert widget.toolbox.active is None
    assert not any(each.isChecked() for each in widget.toolbox.buttons.values())


def test_turning_to_3d_with_a_tool_in_hand(viewer, correct_in, use):
    widget, _, _ = correct_in(viewer, truth())
    use(widget, TraceTool)  # its preview is on the canvas, and holds nothing yet
    viewer.dims.ndisplay = 3
    viewer.dims.ndisplay = 2


@pytest.mark.parametrize("at_once", [jobs.AT_ONCE, 0])
def test_next_moves_the_camera_to_the_doubt(qtbot, viewer, correct_in, monkeypatch, at_once):
    monkeypatch.setattr(jobs, "AT_ONCE", at_once)
    mask = truth()
    probability = np.where(mask == 1, 0.98, 0.01).astype(np.float32)
    probability[20:36, 155:175] = np.where(mask[20:36, 155:175] == 1, 0.5, 0.01)
    widget, labels, mouse = correct_in(viewer, mask, scale=(2, 2))
    add_probability_layer(viewer, probability, viewer.layers["finger"])
    viewer.layers.selection.active = labels
    mouse.key(Qt.Key.Key_N)
    qtbot.waitUntil(lambda: not widget.look_next.search.running)
    row, column = labels.world_to_data(viewer.scene.camera.center[-2:])
    assert 15 < row < 45
    assert 145 < column < 179
    assert "1 of" in widget.look_next.said.text()


def test_the_places_are_looked_for_again_after_another_run_or_threshold(viewer, correct_in):
    mask = truth()
    certain = np.where(mask == 1, 0.98, 0.01).astype(np.float32)
    widget, labels, mouse = correct_in(viewer, mask)
    record = record_of(labels)
    record.probability = certain
    mouse.key(Qt.Key.Key_N)
    assert "certain everywhere" in widget.look_next.said.text()
    record.probability = certain.copy()
    record.probability[20:36, 155:175][mask[20:36, 155:175] == 1] = 0.5
    mouse.key(Qt.Key.Key_N)
    assert "1 of" in widget.look_next.said.text()
    before = widget.look_next.said.text()
    record.threshold = 0.7
    mouse.key(Qt.Key.Key_N)
    assert "1 of" in widget.look_next.said.text()
    assert widget.look_next.said.text() != before


def test_bright_veins_are_bright_in_the_samples_too(
    viewer, correct_in, stub, qtbot, tmp_path, monkeypatch
):
    monkeypatch.setattr(ModelChoice, "path", property(lambda self: Path("stub")))
    Dataset.create(tmp_path / "set").add("one", photograph(), truth())
    seen = []
    monkeypatch.setattr(
        stub, "probability", lambda image, how: seen.append(how.invert) or image / np.float32(255)
    )
    widget, *_ = correct_in(viewer, truth())
    widget.invert.setChecked(True)
    widget.reviewing.folder.setText(str(tmp_path / "set"))
    widget.look_next.order.click()
    qtbot.waitUntil(lambda: widget.look_next.images.count() == 1, timeout=10_000)
    assert seen == [True]


def test_slices_are_listed_by_doubt_with_the_reviewed_ticked(viewer, correct_in, qtbot, tmp_path):
    mask = np.stack([truth()] * 3)
    probability = np.where(mask == 1, 0.98, 0.01).astype(np.float32)
    probability[1][mask[1] == 1] = 0.5
    widget, _, _ = correct_in(viewer, mask, image=np.stack([photograph()] * 3))
    add_probability_layer(viewer, probability, viewer.layers["finger"])
    widget.reviewing.folder.setText(str(tmp_path / "set"))
    viewer.dims.set_point(0, 0)
    widget.reviewing.reviewed.click()
    widget.look_next.order.click()
    qtbot.waitUntil(lambda: widget.look_next.images.count() == 3, timeout=10_000)
    texts = [widget.look_next.images.item(row).text() for row in range(3)]
    assert [text.split(":")[0] for text in texts] == ["Slice 1", "Slice 2", "✓ Slice 0"]
    widget.look_next.images.itemClicked.emit(widget.look_next.images.item(0))
    assert viewer.dims.current_step[0] == 1


def test_a_sample_is_opened_once(viewer, correct_in, qtbot, tmp_path, monkeypatch):
    dataset = Dataset.create(tmp_path / "set")
    dataset.add("one", photograph(), truth())
    dataset.add("two", photograph()[::-1], truth()[::-1])
    monkeypatch.setattr(look_next, "_sample_doubts", lambda *_: [0.2, 0.1])
    widget, *_ = correct_in(viewer, truth())
    widget.reviewing.folder.setText(str(tmp_path / "set"))
    widget.look_next.order.click()
    qtbot.waitUntil(lambda: widget.look_next.images.count() == 2, timeout=10_000)
    rows = widget.look_next.images
    for tell in (rows.itemClicked, rows.itemActivated):  # as a double-click does
        tell.emit(rows.item(0))
    assert len(viewer.layers) == 4
    mask = widget.target.mask
    assert mask.name == "one veins"
    rows.itemClicked.emit(rows.item(1))
    rows.itemClicked.emit(rows.item(0))
    assert widget.target.mask is mask, "its corrections are not covered by what is stored"
    viewer.layers.remove(mask)
    rows.itemClicked.emit(rows.item(0))
    np.testing.assert_array_equal(widget.target.mask.data, truth())
    assert widget.target.mask is not mask


def test_reviewed_stores_image_and_mask(viewer, correct_in, tmp_path, told):
    widget, labels, mouse = correct_in(viewer, truth())
    mouse.key(Qt.Key.Key_R)
    assert any("Choose a dataset" in text for text in told.texts)
    widget.reviewing.folder.setText(str(tmp_path / "Fingervenen ü"))
    labels.data_setitem((np.array([5]), np.array([5])), 2)
    mouse.key(Qt.Key.Key_R)
    (sample,) = Dataset.open(tmp_path / "Fingervenen ü")
    assert sample.reviewed
    np.testing.assert_array_equal(sample.mask(), labels.data)
    np.testing.assert_array_equal(sample.image(), photograph())
    assert widget.reviewing.said.text() == "1 of 1 images are reviewed."


@pytest.mark.parametrize("files", [[], ["in/f1_1.png", "in/f1_2.png"], ["in/two.tif"]])
def test_reviewing_and_adding_open_layers_store_an_image_under_one_name(
    viewer, correct_in, tmp_path, files
):
    """Under two names it could be learned from and judged on in one run."""
    images = np.stack([photograph(), photograph()[::-1]])
    widget, *_ = correct_in(viewer, np.stack([truth()] * 2), image=images)
    viewer.layers["finger"].metadata["files"] = files
    viewer.dims.set_point(0, 1)
    widget.reviewing.folder.setText(str(tmp_path / "set"))
    widget.reviewing.reviewed.click()
    dataset = Dataset.open(tmp_path / "set")
    (stem,) = (sample.stem for sample in dataset)
    assert add_pairs(dataset, open_pairs(viewer)) == 2
    assert len(list(dataset)) == 2
    assert stem in dataset


def test_a_mask_is_stored_with_its_own_image_whichever_layer_is_looked_at(
    viewer, correct_in, tmp_path, told
):
    other = photograph()[::-1].copy()
    widget, *_ = correct_in(viewer, truth())
    second = viewer.add_image(other, name="second")
    viewer.layers.selection.active = second
    assert widget.image.layer is viewer.layers["finger"]
    widget.reviewing.folder.setText(str(tmp_path / "set"))
    viewer.layers.remove("finger")  # the choice falls to the other image
    widget.reviewing.reviewed.click()
    assert "was not made on the image 'second'" in told.texts[-1]
    assert not (tmp_path / "set").exists()
    widget.image.activated.emit(0)  # the user picks it
    widget.reviewing.reviewed.click()
    (sample,) = Dataset.open(tmp_path / "set")
    np.testing.assert_array_equal(sample.image(), other)


@pytest.mark.parametrize("place", PLACES)
def test_veins_become_lines_and_veins_again(viewer, correct_in, place):
    widget, labels, _ = correct_in(viewer, truth(), **PLACES[place])
    button_of(widget, "Veins to lines").click()
    shapes = viewer.layers[-1]
    assert isinstance(shapes, Shapes)
    assert len(shapes.data) == 3
    shapes.selected_data = {0}
    shapes.remove_selected()
    viewer.layers.selection.active = labels
    button_of(widget, "Lines to veins").click()
    left = (labels.data == 1).sum() / (truth() == 1).sum()
    assert 0.3 < left < 0.9
    labels.undo()
    np.testing.assert_array_equal(labels.data, truth())


def test_drawn_lines_are_added_with_the_width(viewer, correct_in):
    widget, labels, _ = correct_in(viewer, truth())
    widget.toolbox.width.setValue(7)
    viewer.add_shapes([[[100, 20], [100, 120]]], shape_type="line")
    button_of(widget, "Lines to veins").click()
    assert labels.data[:, 70][90:110].sum() == 7
    assert (labels.data[truth() == 1] == 1).all()


def test_corrections_are_saved_and_offered_again(viewer, correct_in, qtbot, monkeypatch, use):
    monkeypatch.setattr(autosave, "_SECONDS_UNTIL_LEFT", 0.0)
    widget, labels, mouse = correct_in(viewer, truth())
    use(widget, RemoveTool)
    mouse.click((48, 148))
    corrected = labels.data.copy()
    widget.autosaver.save()
    qtbot.waitUntil(lambda: len(left_sessions()) == 1, timeout=10_000)
    widget.offer.look()
    assert widget.offer.isVisibleTo(widget)
    viewer.layers.remove(labels)
    monkeypatch.setattr(autosave, "_SECONDS_UNTIL_LEFT", 15.0)  # what follows is alive
    widget.offer.restore.click()
    restored = viewer.layers["finger veins"]
    np.testing.assert_array_equal(restored.data, corrected)
    assert not widget.offer.isVisibleTo(widget)
    monkeypatch.setattr(autosave, "_SECONDS_UNTIL_LEFT", 0.0)
    (again,) = left_sessions()  # as after a second crash, before anything else is changed
    np.testing.assert_array_equal(again.restored(), corrected)


def test_labels_of_other_things_are_restored_over_the_image(viewer, monkeypatch):
    monkeypatch.setattr(autosave, "_SECONDS_UNTIL_LEFT", 0.0)
    labels = truth().astype(np.int32)
    description = {"name": "veins", "image_name": "finger", "image_path": "", "place": {}}
    saver = autosave.Autosave(labels, description)
    labels[5:9, 5:9] = 300
    saver.save(labels)
    viewer.add_image(photograph(), name="finger")
    (session,) = left_sessions()
    np.testing.assert_array_equal(restore(viewer, session).data, labels)


def test_corrections_do_not_go_into_the_mask_of_another_file(viewer, tmp_path, monkeypatch):
    monkeypatch.setattr(autosave, "_SECONDS_UNTIL_LEFT", 0.0)
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        write_image(tmp_path / folder / "001.tif", photograph())
    description = {"name": "001 veins", "image_name": "001", "place": {}}
    saver = autosave.Autosave(truth(), description | {"image_path": str(tmp_path / "a/001.tif")})
    saver.save(np.zeros(SHAPE, np.uint8))
    (image,) = viewer.open(tmp_path / "b" / "001.tif", plugin="napari")
    mask = add_mask_layer(viewer, truth(), image)
    (session,) = left_sessions()
    restored = restore(viewer, session)
    assert restored is not mask
    np.testing.assert_array_equal(mask.data, truth())


def test_corrections_are_not_laid_over_the_image_of_another_file(viewer, tmp_path, monkeypatch):
    monkeypatch.setattr(autosave, "_SECONDS_UNTIL_LEFT", 0.0)
    description = {"name": "001 veins", "image_name": "001", "place": {}}
    saver = autosave.Autosave(truth(), description | {"image_path": str(tmp_path / "gone/001.tif")})
    saver.save(np.zeros(SHAPE, np.uint8))
    write_image(tmp_path / "001.tif", photograph())
    viewer.open(tmp_path / "001.tif", plugin="napari")
    (session,) = left_sessions()
    assert image_of(restore(viewer, session)) is None


def test_a_killed_viewer_loses_seconds_only(tmp_path, monkeypatch):
    child = subprocess.Popen(
        [sys.executable, Path(__file__).with_name("killed_viewer.py")], stdout=subprocess.PIPE
    )
    try:
        assert child.stdout.readline() == b"painted\n"
        painted = time.monotonic()
        while not list((tmp_path / "autosave").glob("*/plane-*.tif")):
            assert time.monotonic() - painted < 10
            time.sleep(0.1)
    finally:
        child.kill()
        child.wait(10)
        child.stdout.close()
    monkeypatch.setattr(autosave, "_SECONDS_UNTIL_LEFT", 0.0)
    (session,) = left_sessions()
    assert session.restored()[100, 150] == 1
    size = sum(path.stat().st_size for path in session.folder.iterdir())
    assert size < 50_000


def test_the_widget_opens_from_the_plugin_menu(viewer):
    viewer.add_image(photograph())
    labels = viewer.add_labels(truth())
    _, widget = viewer.window.add_plugin_dock_widget("napari-veinseg", "Correct")
    assert widget.target.mask is labels
    tool = next(tool for tool in widget.toolbox.tools if type(tool) is RemoveTool)
    widget.toolbox.buttons[tool].click()
    Mouse(viewer, labels).click((48, 148))
    assert labels.data[48, 148] == 0
    widget.closing.emit()


def test_a_layer_that_cannot_be_edited_is_refused_in_words(viewer, correct_in, told):
    widget, labels, _ = correct_in(viewer, truth())
    labels.editable = False
    widget.toolbox.buttons[widget.toolbox.tools[0]].click()
    assert widget.toolbox.active is None
    assert any("locked" in text for text in told.texts)
