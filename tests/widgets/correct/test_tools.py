"""The drawing tools, by real mouse and key events."""

import numpy as np
import pytest
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest
from scipy import ndimage

from napari_veinseg.correction.lines import veins_from_lines
from napari_veinseg.widgets.correct.add_tool import AddTool
from napari_veinseg.widgets.correct.box_tools import ReviewedBoxTool, UnsureBoxTool
from napari_veinseg.widgets.correct.bridge_tool import BridgeTool
from napari_veinseg.widgets.correct.remove_tool import RemoveTool
from napari_veinseg.widgets.correct.trace_tool import TraceTool
from napari_veinseg.widgets.masks.layers import topmost_image
from tests.widgets.correct.scene import PLACES, SHAPE, TRUNK, dice, photograph, truth
from tests.widgets.mouse import Mouse


def hover(qtbot, mouse, place, shown):
    """Rest the cursor at a place until something is shown there."""

    def rest():
        mouse.move(np.add(place, (0, 1)))
        mouse.move(place)
        return shown()

    qtbot.waitUntil(rest, timeout=30_000)


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


def test_a_hand_on_its_way_to_the_next_click_loses_none(viewer, correct_in, use):
    widget, _, mouse = correct_in(viewer, np.zeros(SHAPE, np.uint8))
    tool = use(widget, TraceTool)
    native, plain = mouse.canvas.native, Qt.KeyboardModifier.NoModifier
    for clicks, place in enumerate([(59, 30), (50, 60), (60, 90), (70, 120)], start=1):
        QTest.mousePress(native, Qt.MouseButton.LeftButton, plain, mouse.where(place))
        QTest.qWait(15)
        QTest.mouseMove(native, mouse.where(place) + QPoint(6, 4))
        QTest.qWait(15)
        QTest.mouseRelease(
            native, Qt.MouseButton.LeftButton, plain, mouse.where(place) + QPoint(6, 4)
        )
        assert len(tool._clicks) == clicks


def test_shift_makes_a_straight_line_of_a_fixed_width_and_label(viewer, correct_in, use):
    widget, labels, mouse = correct_in(viewer, np.zeros(SHAPE, np.uint8))
    widget.toolbox.vein_width.setValue(5)
    widget.toolbox.label.setCurrentText("unsure")
    use(widget, TraceTool)
    shift = Qt.KeyboardModifier.ShiftModifier
    mouse.click((100, 20), shift)
    mouse.click((100, 120), shift)
    mouse.key(Qt.Key.Key_Return)
    assert (labels.data[98:103, 30:110] == 2).all()
    assert (labels.data == 2).sum() < 5.6 * 101 + 30


def test_a_straight_line_begins_where_it_was_clicked_also_before_the_veins_are_known(
    viewer, correct_in, qtbot
):
    widget, *_ = correct_in(viewer, np.zeros(SHAPE, np.uint8))
    tool = widget.toolbox.tools[0]
    widget.toolbox.buttons[tool].click()
    assert widget.tracing.find(()) is None
    beside_the_vein = (51.0, 30.0)
    tool.click(beside_the_vein, straight=True)
    qtbot.waitUntil(lambda: widget.tracing.find(()) is not None)
    assert tool._clicks == [beside_the_vein]


def test_one_click_adds_one_whole_vein_in_one_undo_step(viewer, correct_in, use, qtbot):
    widget, labels, mouse = correct_in(viewer, np.zeros(SHAPE, np.uint8))
    use(widget, AddTool)
    qtbot.waitUntil(lambda: widget.tracing.find(()) is not None)
    shown = widget.toolbox.active._preview._middle
    hover(qtbot, mouse, (55, 75), lambda: shown.visible)  # before the click
    assert not labels.data.any()
    mouse.click((55, 75))
    grown = labels.data.copy()
    trunk = veins_from_lines(np.zeros(SHAPE), [TRUNK]).applied_to(np.zeros(SHAPE)) == 1
    assert dice(grown == 1, trunk) > 0.85
    assert len(labels._undo_history) == 1
    labels.undo()
    assert not labels.data.any()
    labels.redo()
    np.testing.assert_array_equal(labels.data, grown)


def test_a_redrawn_vein_is_one_undo_step(viewer, correct_in, use):
    start = truth()
    widget, labels, mouse = correct_in(viewer, start)
    widget.toolbox.redraws.setChecked(True)
    widget.toolbox.vein_width.setValue(3)
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


@pytest.mark.parametrize("side", [1, 10])
def test_a_click_means_the_vein_that_a_hand_just_missed_on_the_screen(
    viewer, correct_in, use, side
):
    """In a large photograph that is shown small a thin vein is a pixel or less of the screen."""
    widget, labels, _ = correct_in(viewer, truth(), affine=np.diag([side, side, 1]))
    lowest = int(np.flatnonzero(labels.data[:, 148] == 1).max())
    beside = (lowest + 12.0, 148.0)  # px of the mask
    tool = use(widget, RemoveTool)
    for zoom, goes in ((4.0, False), (0.5, True)):
        viewer.scene.camera.zoom = zoom / side
        tool.click(beside, straight=False)
        assert (labels.data[lowest, 148] == 0) == goes


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
    use(widget, UnsureBoxTool)
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
    use(widget, UnsureBoxTool)
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


def test_a_layer_that_cannot_be_edited_is_refused_in_words(viewer, correct_in, told):
    widget, labels, _ = correct_in(viewer, truth())
    labels.editable = False
    widget.toolbox.buttons[widget.toolbox.tools[0]].click()
    assert widget.toolbox.active is None
    assert any("locked" in text for text in told.texts)


def test_the_widget_opens_from_the_plugin_menu(viewer):
    viewer.add_image(photograph())
    labels = viewer.add_labels(truth())
    _, workbench = viewer.window.add_plugin_dock_widget("napari-veinseg", "Correct")
    widget = workbench.correct
    assert widget.edited_mask.layer is labels
    tool = next(tool for tool in widget.toolbox.tools if type(tool) is RemoveTool)
    widget.toolbox.buttons[tool].click()
    Mouse(viewer, labels).click((48, 148))
    assert labels.data[48, 148] == 0
    widget.closing.emit()


def test_what_goes_is_shown_before_the_click_and_words_follow_undo(viewer, correct_in, use, qtbot):
    widget, labels, mouse = correct_in(viewer, truth())
    tool = use(widget, RemoveTool)
    hover(qtbot, mouse, (66, 100), lambda: tool._preview._ribbon.visible)
    np.testing.assert_array_equal(labels.data, truth())
    mouse.click((10, 20))
    assert "no vein" in widget.toolbox.message.text()
    mouse.click((66, 100))
    labels.undo()
    qtbot.waitUntil(lambda: widget.toolbox.message.text() == tool.help, timeout=30_000)


def test_what_was_removed_is_not_said_to_be_missing(viewer, correct_in, use, qtbot):
    widget, labels, mouse = correct_in(viewer, truth())
    tool, told = use(widget, RemoveTool), widget.toolbox.message
    hover(qtbot, mouse, (66, 100), lambda: tool._preview._ribbon.visible)
    mouse.click((66, 100))
    assert labels.data[66, 100] == 0
    mouse.move((67, 101))  # a hand is never quite still
    qtbot.wait(200)
    assert told.text().startswith("Removed")
    hover(qtbot, mouse, (95, 100), lambda: "no vein" in told.text())


def test_a_bridge_is_shown_from_end_to_end_before_the_second_click(viewer, correct_in, use, qtbot):
    start = truth()
    start[:, 70:85] = 0
    widget, labels, mouse = correct_in(viewer, start)
    tool = use(widget, BridgeTool)
    hover(qtbot, mouse, (53, 64), lambda: tool._preview._marks.visible)
    mouse.click((53, 66))
    hover(qtbot, mouse, (57, 88), lambda: tool._preview._middle.visible)
    np.testing.assert_array_equal(labels.data, start)
    mouse.key(Qt.Key.Key_Escape)
    mouse.click((110, 20))
    assert not tool.busy
    assert "no vein near" in widget.toolbox.message.text()


@pytest.mark.parametrize("off", [-6, 6])
def test_clicks_beside_a_vein_leave_no_hooks(viewer, correct_in, use, off):
    widget, labels, mouse = correct_in(viewer, np.zeros(SHAPE, np.uint8))
    use(widget, TraceTool)
    mouse.click((57 + off, 20))
    mouse.double_click((63 + off, 100))
    trunk = veins_from_lines(np.zeros(SHAPE), [TRUNK]).applied_to(np.zeros(SHAPE)) == 1
    beyond = (labels.data == 1) & ~ndimage.binary_dilation(trunk, iterations=2)
    assert not beyond.any()


def test_reviewed_boxes_leave_the_rest_unsure_in_one_undo_step(viewer, correct_in, use):
    widget, labels, mouse = correct_in(viewer, truth())
    tool = use(widget, ReviewedBoxTool)
    mouse.drag((30, 20), (80, 60))
    mouse.drag((90, 100), (110, 150))
    mouse.drag((5, 5), (15, 15))
    mouse.key(Qt.Key.Key_Backspace)
    np.testing.assert_array_equal(labels.data, truth())
    mouse.key(Qt.Key.Key_Return)
    assert not tool.busy
    for place in ((50, 40), (100, 120)):
        assert labels.data[place] == truth()[place]
    for place in ((10, 10), (50, 90), (100, 40)):
        assert labels.data[place] == 2
    assert len(labels._undo_history) == 1
    labels.undo()
    np.testing.assert_array_equal(labels.data, truth())


def test_no_message_moves_what_is_below_it(viewer, correct_in, use):
    widget, *_ = correct_in(viewer, truth())
    heights = set()
    for tool in widget.toolbox.tools:
        widget.toolbox.use(tool)
        heights.add(widget.toolbox.message.sizeHint().height())
    widget.toolbox.message.show_text("words " * 100)
    heights.add(widget.toolbox.message.sizeHint().height())
    assert len(heights) == 1


def test_a_box_dragged_while_the_viewer_is_busy_counts(viewer, correct_in, use):
    """The canvas leaves out moves that follow each other fast: there may be none at all."""
    widget, labels, mouse = correct_in(viewer, np.zeros(SHAPE, np.uint8))
    use(widget, UnsureBoxTool)
    native, plain = mouse.canvas.native, Qt.KeyboardModifier.NoModifier
    left = Qt.MouseButton.LeftButton
    QTest.mousePress(native, left, plain, mouse.where((90, 20)))
    QTest.mouseRelease(native, left, plain, mouse.where((110, 60)))
    assert (labels.data[92:108, 22:58] == 2).all()


def test_nothing_is_drawn_on_a_mask_that_is_hidden(viewer, correct_in, use):
    widget, labels, mouse = correct_in(viewer, truth())
    labels.visible = False
    tool = use(widget, RemoveTool)
    assert labels.visible, "a tool shows what it is used on"
    labels.visible = False
    assert widget.toolbox.active is tool, "the mask may blink under it"
    mouse.click((48, 148))
    assert labels.data[48, 148] == 0
    assert labels.visible, "what is changed is seen"


@pytest.mark.parametrize(
    ("place", "look", "covers"),
    [
        ((0, 0), {}, True),
        ((0, 60), {}, True),
        ((0, 400), {}, False),
        ((0, 0), {"opacity": 0.5}, False),
        ((0, 0), {"blending": "additive"}, False),
        ((0, 0), {"visible": False}, False),
    ],
)
def test_nothing_is_drawn_under_another_image(viewer, correct_in, told, place, look, covers):
    widget, labels, _ = correct_in(viewer, truth())
    viewer.add_image(photograph(), name="far", translate=place, **look)
    before = labels.data.copy()
    widget.mask_choice.choose(labels)
    trace, redraw = widget.toolbox.tools[0], widget.mask_actions.redraw
    widget.toolbox.buttons[trace].click()
    assert (widget.toolbox.active is None) == covers
    assert widget.toolbox.buttons[trace].isChecked() != covers
    if covers:
        widget.doubtful_places.next.click()
        redraw.click()
        assert len(told.texts) == 3
        assert all("'far' lies over the mask 'finger veins'" in each for each in told.texts)
        assert not widget.work.job.running
        np.testing.assert_array_equal(labels.data, before)
    else:
        assert not told.texts


def test_a_hidden_mask_of_a_hidden_image_is_shown_over_its_own_image(viewer, correct_in, told):
    below = viewer.add_image(photograph(), name="below")
    widget, labels, _ = correct_in(viewer, truth())
    image = viewer.layers["finger"]
    labels.visible = image.visible = False
    widget.mask_choice.choose(labels)
    widget.toolbox.buttons[widget.toolbox.tools[0]].click()
    assert widget.toolbox.active is not None
    assert labels.visible
    assert image.visible
    assert topmost_image(viewer) is image
    assert below.visible, "it lies below and hides nothing"


def test_a_person_who_looks_at_a_mask_alone_goes_on_to_do_so(viewer, correct_in):
    widget, _labels, _ = correct_in(viewer, truth())
    viewer.layers["finger"].visible = False
    widget.toolbox.buttons[widget.toolbox.tools[0]].click()
    assert widget.toolbox.active is not None
    assert not viewer.layers["finger"].visible
