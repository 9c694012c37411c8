"""The buttons of the drawing tools: one tool at a time, and none where it does not belong."""

from collections.abc import Callable
from typing import Any

import napari
from napari.layers import Labels
from napari.utils.key_bindings import coerce_keybinding
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QCheckBox, QComboBox, QDoubleSpinBox, QPushButton

from napari_veinseg.data.labels import BACKGROUND, UNSURE, VEIN
from napari_veinseg.errors import VeinSegError
from napari_veinseg.widgets.common.form import Section, button, connect_while_alive, hint
from napari_veinseg.widgets.common.notify import report
from napari_veinseg.widgets.correct.canvas_input import CanvasInput, is_free
from napari_veinseg.widgets.correct.preview import canvas_of
from napari_veinseg.widgets.correct.target import Target
from napari_veinseg.widgets.correct.tools import BoxTool, RemoveTool, Tool
from napari_veinseg.widgets.correct.tracing_tools import BridgeTool, GrowTool, TraceTool

_LABELS = {"vein": VEIN, "unsure": UNSURE, "background": BACKGROUND}


class Toolbox(Section):
    """Chooses the active tool.

    Parameters
    ----------
    target : Target
        What is corrected.
    """

    active_changed = Signal()

    def __init__(self, target: Target) -> None:
        super().__init__("Draw")
        self._target = target
        self._input: CanvasInput | None = None
        self._watched: Labels | None = None
        self._bound: dict[Any, Labels] = {}
        self.active: Tool | None = None
        self.say = hint()
        self.tools = [kind(target, self.say.setText) for kind in _KINDS]
        self.buttons = {tool: _tool_button(tool) for tool in self.tools}
        self._keys: list[tuple[str, QPushButton, str, Callable[[], object]]] = []
        for tool, each in self.buttons.items():
            each.clicked.connect(lambda checked, tool=tool: self.use(tool if checked else None))
            self.add_key(tool.key, each, lambda tool=tool: self._toggle(tool))
        pairs = list(self.buttons.values())
        for first in range(0, len(pairs), 2):
            self.add_buttons(*pairs[first : first + 2])
        self.add_wide(self.say)
        self.label = QComboBox()
        self.label.addItems(list(_LABELS))
        self.width = QDoubleSpinBox()
        self.width.setRange(0, 500)
        self.width.setDecimals(1)
        self.width.setSingleStep(0.5)
        self.width.setSuffix(" px")
        self.width.setSpecialValueText("measured")
        self.add_row("Draws", self.label, "The label that tracing, bridging and removing leave.")
        self.add_row(
            "Width",
            self.width,
            "Width of a drawn vein; at 0 it is measured in the image, all along the vein.",
        )
        self.redraws = QCheckBox("Replace the vein that a traced line follows")
        self.add_wide(
            self.redraws, "Clear what the old vein has beside the new one: mends a wrong width."
        )
        self.redraws.toggled.connect(self._set_options)
        self.label.currentTextChanged.connect(self._set_options)
        self.width.valueChanged.connect(self._set_options)
        viewer = target.viewer
        connect_while_alive(self, viewer.layers.selection.events.active, self._on_other_layer)
        connect_while_alive(self, viewer.dims.events.current_step, self._on_slice)
        connect_while_alive(self, viewer.dims.events.ndisplay, self._on_slice)
        self._rest()

    def use(self, tool: Tool | None) -> None:
        """Make a tool the active one; None leaves drawing to napari.

        Parameters
        ----------
        tool : Tool or None
            One of `tools`.
        """
        self._stop()
        if tool is not None:
            try:
                self._start(tool)
            except VeinSegError as error:
                self._stop()
                report(error, tool.name)
        for each, its_button in self.buttons.items():
            its_button.setChecked(each is self.active)
        self.active_changed.emit()

    def follow_mask(self) -> None:
        """Take over the target's mask: tools stop, and their keys move to the new layer."""
        self.use(None)
        for key, layer in self._bound.items():
            layer.keymap.pop(key, None)
        self._bound = {}
        if self._watched is not None:
            self._watched.events.mode.disconnect(self._on_mode)
        layer = self._watched = self._target.mask
        if layer is None:
            return
        layer.events.mode.connect(self._on_mode)
        for key, its_button, text, action in self._keys:
            free = is_free(self._target.viewer, layer, key)
            its_button.setText(f"{text}  ({key})" if free else text)
            if free:
                layer.bind_key(key, lambda _layer, action=action: action())
                self._bound[coerce_keybinding(key)] = layer

    def add_key(
        self, key: str, its_button: QPushButton, action: Callable[[], object] | None = None
    ) -> None:
        """Give a button a key, which works while the mask is the active layer and the key is free.

        Parameters
        ----------
        key : str
            Such as 'T'; shown on the button.
        its_button : QPushButton
            The button.
        action : callable, optional
            What the key does; by default it clicks the button.
        """
        self._keys.append((key, its_button, its_button.text(), action or its_button.click))

    def release(self) -> None:
        """Give the canvas and all keys back: the widget closes."""
        self._target.mask = None
        self.follow_mask()

    def _start(self, tool: Tool) -> None:
        viewer, layer = self._target.viewer, self._target.layer()
        viewer.layers.selection.active = layer
        layer.mode = "pan_zoom"
        self._set_options()
        self.active = tool
        self.say.setText(tool.help)
        tool.begin()
        self._input = CanvasInput(viewer, layer, tool, leave=lambda: self.use(None))
        self._input.attach()
        _focus_canvas(viewer)

    def _stop(self) -> None:
        active, self.active = self.active, None
        if self._input is not None:
            self._input.detach()
            self._input = None
        if active is not None:
            active.end()
        self._rest()

    def _rest(self) -> None:
        self.say.setText("A key in brackets works while the mask is the active layer.")

    def _toggle(self, tool: Tool) -> None:
        self.use(None if self.active is tool else tool)

    def _set_options(self, *_value: object) -> None:
        for tool in self.tools:
            tool.label = _LABELS[self.label.currentText()]
            tool.fixed_width = self.width.value() or None
            tool.redraws = self.redraws.isChecked()

    def _on_other_layer(self, *_event: object) -> None:
        active = self._target.viewer.layers.selection.active
        if self.active is not None and active is not self._watched:
            self.use(None)

    def _on_mode(self, _event: object) -> None:
        # The user took one of napari's own tools.
        if self.active is not None and self._watched and self._watched.mode != "pan_zoom":
            self.use(None)

    def _on_slice(self, *_event: object) -> None:
        """Begin anew on the slice that is shown now."""
        if self.active is not None and not self.active.is_on_displayed_plane():
            self.use(self.active)


_KINDS = (TraceTool, GrowTool, RemoveTool, BridgeTool, BoxTool)


def _tool_button(tool: Tool) -> QPushButton:
    made = button(tool.name, tool.help)
    made.setCheckable(True)
    return made


def _focus_canvas(viewer: napari.Viewer) -> None:
    """Let the keys reach the canvas without a click on it first."""
    canvas = canvas_of(viewer)
    if canvas is not None:
        canvas.native.setFocus()
