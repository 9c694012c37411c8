"""The buttons of the drawing tools: one tool at a time, and none where it does not belong."""

from functools import partial

from napari.layers import Labels
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QCheckBox, QComboBox, QDoubleSpinBox, QPushButton

from napari_veinseg.data.labels import BACKGROUND, UNSURE, VEIN
from napari_veinseg.errors import VeinSegError
from napari_veinseg.widgets.common.canvas import focus_canvas
from napari_veinseg.widgets.common.form import Section, button, connect_while_alive
from napari_veinseg.widgets.common.key_bindings import KeyBindings
from napari_veinseg.widgets.common.notify import report, trying
from napari_veinseg.widgets.correct.add_tool import AddTool
from napari_veinseg.widgets.correct.box_tools import ReviewedBoxTool, UnsureBoxTool
from napari_veinseg.widgets.correct.bridge_tool import BridgeTool
from napari_veinseg.widgets.correct.canvas_input import CanvasInput, is_free
from napari_veinseg.widgets.correct.edited_mask import EditedMask
from napari_veinseg.widgets.correct.hover_tool import HoverTool
from napari_veinseg.widgets.correct.mask_actions import MaskActions
from napari_veinseg.widgets.correct.message import Message
from napari_veinseg.widgets.correct.remove_tool import RemoveTool
from napari_veinseg.widgets.correct.tool import Tool
from napari_veinseg.widgets.correct.trace_tool import TraceTool
from napari_veinseg.widgets.correct.tracing_cache import TracingCache

_REST = "A key in brackets works while the mask is the active layer."
_LABELS = {"vein": VEIN, "unsure": UNSURE, "background": BACKGROUND}


class Toolbox(Section):
    """Chooses the active tool."""

    active_changed = Signal()

    def __init__(
        self, edited_mask: EditedMask, tracing: TracingCache, mask_actions: MaskActions
    ) -> None:
        super().__init__("Draw")
        self._edited_mask = edited_mask
        self._input: CanvasInput | None = None
        self._watched: Labels | None = None
        self._bindings: KeyBindings | None = None
        self.active: Tool | None = None
        self.message = Message(_REST, lines=4)
        self.tools = [kind(edited_mask, tracing, self.message.show_text) for kind in _TOOLS]
        self.buttons = {tool: button(tool.name, tool.help, checkable=True) for tool in self.tools}
        self._keys: list[tuple[str, QPushButton, str]] = []
        for tool, each in self.buttons.items():
            each.clicked.connect(partial(self._toggle, tool))
            self.add_key(tool.key, each)
        pairs = list(self.buttons.values())
        for first in range(0, len(pairs), 2):
            self.add_buttons(*pairs[first : first + 2])
        self.add_buttons(mask_actions.redraw)
        self.add_wide(
            mask_actions.all_slices,
            "Let 'Redraw as measured', and the buttons under 'Whole mask', act on every slice.",
        )
        self.add_wide(self.message)
        self.label = QComboBox()
        self.label.addItems(list(_LABELS))
        self.vein_width = QDoubleSpinBox(
            maximum=500, decimals=1, singleStep=0.5, suffix=" px", specialValueText="measured"
        )
        self.add_row("Draws", self.label, "The label that tracing, bridging and removing leave.")
        self.add_row(
            "Width",
            self.vein_width,
            "Width of a drawn vein; at 0 it is measured in the image, all along the vein.",
        )
        self.redraws = QCheckBox("Replace the vein that a traced line follows")
        self.add_wide(
            self.redraws, "Clear what the old vein has beside the new one: mends a wrong width."
        )
        self.redraws.toggled.connect(self._set_options)
        self.label.currentTextChanged.connect(self._set_options)
        self.vein_width.valueChanged.connect(self._set_options)
        viewer = edited_mask.viewer
        connect_while_alive(self, viewer.layers.selection.events.active, self._on_other_layer)
        connect_while_alive(self, viewer.dims.events.current_step, self._on_slice)
        connect_while_alive(self, viewer.dims.events.ndisplay, self._on_slice)

    def fixed_width(self) -> float | None:
        """Return the width of a drawn vein in px; None where it is measured."""
        return self.vein_width.value() or None

    def use(self, tool: Tool | None) -> None:
        """Make a tool the active one; None leaves drawing to napari."""
        self._stop()
        if tool is not None:
            trying(tool.name, self)
            try:
                self._start(tool)
            except VeinSegError as error:
                self._stop()
                report(error, tool.name, self)
        for each, its_button in self.buttons.items():
            its_button.setChecked(each is self.active)
        self.active_changed.emit()

    def follow_mask(self) -> None:
        """Take over the chosen mask: tools stop, and their keys move to the new layer."""
        self.use(None)
        if self._bindings is not None:
            self._bindings.release()
        if self._watched is not None:
            self._watched.events.mode.disconnect(self._on_mode)
            self._watched.events.set_data.disconnect(self._on_change)
        layer = self._watched = self._edited_mask.layer
        if layer is None:
            return
        layer.events.mode.connect(self._on_mode)
        layer.events.set_data.connect(self._on_change)  # undo has no event of its own
        free = {}
        for key, its_button, text in self._keys:
            if is_free(self._edited_mask.viewer, layer, key):
                free[key], text = its_button.click, f"{text}  ({key})"
            its_button.setText(text)
        self._bindings = KeyBindings(layer)
        self._bindings.bind(free)

    def begin_anew(self) -> None:
        """Let the active tool forget what it began and said on another image."""
        if self.active is not None:
            self.active.drop()
            self.message.show_text(self.active.help)
            self._on_change()

    def add_key(self, key: str, its_button: QPushButton) -> None:
        """Give a button a key, for while the mask is the active layer and the key is free."""
        self._keys.append((key, its_button, its_button.text()))

    def release(self) -> None:
        """Give the canvas and all keys back: the widget closes."""
        self._edited_mask.layer = None
        self.follow_mask()

    def _start(self, tool: Tool) -> None:
        viewer, layer = self._edited_mask.viewer, self._edited_mask.bring_in_sight()
        viewer.layers.selection.active = layer
        layer.mode = "pan_zoom"
        self._set_options()
        self.active = tool
        self.message.show_text(tool.help)
        tool.begin()
        self._input = CanvasInput(viewer, layer, tool, self, leave=lambda: self.use(None))
        self._input.attach()
        focus_canvas(viewer)

    def _stop(self) -> None:
        active, self.active = self.active, None
        if self._input is not None:
            self._input.detach()
            self._input = None
        if active is not None:
            active.end()
        self.message.show_text(_REST)

    def _toggle(self, tool: Tool, *_checked: object) -> None:
        self.use(None if self.active is tool else tool)

    def _set_options(self, *_value: object) -> None:
        for tool in self.tools:
            tool.label = _LABELS[self.label.currentText()]
            tool.fixed_width = self.fixed_width()
            tool.redraws = self.redraws.isChecked()

    def _on_other_layer(self, *_event: object) -> None:
        active = self._edited_mask.viewer.layers.selection.active
        if self.active is not None and active is not self._watched:
            self.use(None)

    def _on_mode(self, _event: object) -> None:
        # The user took one of napari's own tools.
        if self.active is not None and self._watched and self._watched.mode != "pan_zoom":
            self.use(None)

    def _on_change(self, _event: object = None) -> None:
        """Let what is shown and said be true of the mask as it is now."""
        if isinstance(self.active, HoverTool):
            self.active.look_again()

    def _on_slice(self, *_event: object) -> None:
        """Begin anew on the slice that is shown now."""
        if self.active is not None and not self.active.is_on_displayed_plane():
            self.use(self.active)


_TOOLS = (TraceTool, AddTool, RemoveTool, BridgeTool, UnsureBoxTool, ReviewedBoxTool)
