"""Keys and canvas callbacks: taken while they mean something, given back after."""

import numpy as np
from qtpy.QtCore import Qt

from napari_veinseg.widgets.correct.add_tool import AddTool
from napari_veinseg.widgets.correct.box_tools import UnsureBoxTool
from napari_veinseg.widgets.correct.bridge_tool import BridgeTool
from napari_veinseg.widgets.correct.correct import CorrectWidget
from napari_veinseg.widgets.correct.remove_tool import RemoveTool
from napari_veinseg.widgets.correct.trace_tool import TraceTool
from napari_veinseg.widgets.masks.layers import add_mask_layer
from tests.widgets.correct.scene import SHAPE, truth
from tests.widgets.mouse import Mouse


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
    for kind in (TraceTool, AddTool, RemoveTool, BridgeTool, UnsureBoxTool):
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
    assert keys == {"T", "A", "D", "G", "U", "I", "N", "Y", "W", "Q", "R"}
    assert not keys & taken
    trace = widget.toolbox.buttons[widget.toolbox.tools[0]]
    assert trace.text().endswith("(T)")
    widget.mask_choice.choose(labels)
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
    widget.mask_choice.choose(labels)
    widget.mask_choice.choose(other)
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
