"""Mouse and keys of a tool: taken while the tool is active, given back after."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import napari
import numpy as np
from napari.layers import Labels, Layer
from napari.utils.key_bindings import coerce_keybinding
from qtpy.QtCore import QObject
from qtpy.QtWidgets import QApplication

from napari_veinseg.data.array_types import Point
from napari_veinseg.widgets.common.key_bindings import KeyBindings
from napari_veinseg.widgets.common.notify import reported
from napari_veinseg.widgets.correct.tool import Tool

# A press that moves no farther than this, in px of the canvas, draws no box.
_STILL = 4.0


class CanvasInput:
    """Feeds the mouse and the keys over one layer to a tool.

    Dragging and scrolling still move the camera, unless the tool draws boxes.
    """

    def __init__(
        self,
        viewer: napari.Viewer,
        layer: Labels,
        tool: Tool,
        dock: QObject,
        leave: Callable[[], None],
    ) -> None:
        self._viewer, self._layer, self._tool, self._leave = viewer, layer, tool, leave
        self._dock = dock  # says what the tool refuses
        self._keys = KeyBindings(layer)
        self._zoom: list[tuple[int, Any]] = []
        self._panned = layer.mouse_pan
        self._attached = False

    def attach(self) -> None:
        """Begin to listen."""
        self._attached = True
        layer = self._layer
        layer.mouse_drag_callbacks.append(self._on_press)
        layer.mouse_move_callbacks.append(self._on_move)
        layer.mouse_double_click_callbacks.append(self._on_double_click)
        # napari zooms on a double-click before the layer hears of it.
        callbacks = self._viewer.mouse_double_click_callbacks
        self._zoom = [
            (place, callback)
            for place, callback in enumerate(callbacks)
            if getattr(callback, "__name__", "") == "double_click_to_zoom"
        ]
        for _, callback in self._zoom:
            callbacks.remove(callback)
        if self._tool.draws_boxes:
            layer.mouse_pan = False
        self.follow()

    def detach(self) -> None:
        """Give everything back."""
        self._attached = False
        layer = self._layer
        for callbacks, own in (
            (layer.mouse_drag_callbacks, self._on_press),
            (layer.mouse_move_callbacks, self._on_move),
            (layer.mouse_double_click_callbacks, self._on_double_click),
        ):
            if own in callbacks:
                callbacks.remove(own)
        for place, callback in self._zoom:
            self._viewer.mouse_double_click_callbacks.insert(place, callback)
        self._zoom = []
        if self._tool.draws_boxes:
            layer.mouse_pan = self._panned
        self._keys.release()

    def follow(self) -> None:
        """Bind the keys that mean something now; none once the tool is left."""
        if not self._attached:
            return
        keys = {"Escape": self._escape}
        if self._tool.busy:
            keys |= {"Enter": self._tool.finish, "Backspace": self._tool.take_back}
        self._keys.bind({key: partial(self._act, action) for key, action in keys.items()})

    def _act(self, action: Callable[[], None]) -> None:
        with reported(self._tool.name, self._dock):
            action()
        self.follow()

    def _escape(self) -> None:
        if self._tool.busy:
            self._tool.drop()
        else:
            self._leave()

    def _on_press(self, layer: Labels, event: Any) -> Iterator[None]:
        if event.button != 1 or {"Alt", "Control"} & set(event.modifiers):
            return
        pressed, start = np.array(event.pos), find_point(layer, event)
        # A hand that clicks quickly is on its way to the next click before it lets go.
        draws_boxes = self._tool.draws_boxes
        still = _STILL if draws_boxes else QApplication.startDragDistance()
        moved = False
        yield
        # napari goes on with a drag that was begun, also when Escape leaves the tool meanwhile.
        while self._attached and event.type == "mouse_move":
            moved = moved or bool(np.linalg.norm(event.pos - pressed) > still)
            if moved and draws_boxes:
                with reported(self._tool.name, self._dock):
                    self._tool.drag(start, find_point(layer, event), False)
            yield
        if not self._attached:
            return
        # The canvas leaves moves out that follow each other fast: the release knows of all.
        moved = moved or (draws_boxes and bool(np.linalg.norm(event.pos - pressed) > still))
        with reported(self._tool.name, self._dock):
            if not moved:
                self._tool.click(start, "Shift" in event.modifiers)
                self._tool.move(start)  # what is shown follows what was changed
            elif draws_boxes:
                self._tool.drag(start, find_point(layer, event), True)
        self.follow()

    def _on_move(self, layer: Labels, event: Any) -> None:
        with reported(self._tool.name, self._dock):
            self._tool.move(find_point(layer, event))

    def _on_double_click(self, _layer: Labels, _event: Any) -> None:
        self._act(self._tool.finish)


def find_point(layer: Layer, event: Any) -> Point:
    """Return where an event is in a layer, (row, column)."""
    row, column = layer.world_to_data(event.position)[-2:]
    return float(row), float(column)


def is_free(viewer: napari.Viewer, layer: Layer, key: str) -> bool:
    """Say whether napari, the user and other plugins leave a key to us."""
    binding = coerce_keybinding(key)
    classes = (*type(layer).__mro__, *type(viewer).__mro__)
    keymaps = [viewer.keymap, layer.keymap, *(getattr(c, "class_keymap", {}) for c in classes)]
    return not any(binding in keymap for keymap in keymaps)
