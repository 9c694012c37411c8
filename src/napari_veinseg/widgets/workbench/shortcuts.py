"""The keys of the workbench: on the viewer, and given back when it closes."""

import weakref
from collections.abc import Callable, Mapping
from typing import Any

import napari
from napari.utils.key_bindings import coerce_keybinding

from napari_veinseg.widgets.common.notify import reported


class ViewerKeys:
    """Binds keys in code: key bindings of a manifest do nothing."""

    def __init__(self, viewer: napari.Viewer, actions: Mapping[str, Callable[[], object]]) -> None:
        self._viewer = weakref.ref(viewer)
        self._before: dict[Any, Any] = {}
        for key, action in actions.items():
            binding = coerce_keybinding(key)
            self._before[binding] = viewer.keymap.get(binding)
            viewer.keymap[binding] = _guarded(action)

    def release(self) -> None:
        """Put back what the keys did before."""
        viewer = self._viewer()
        if viewer is None:
            return
        for binding, before in self._before.items():
            viewer.keymap.pop(binding, None)
            if before is not None:
                viewer.keymap[binding] = before
        self._before = {}


def _guarded(action: Callable[[], object]) -> Callable[[Any], None]:
    def pressed(_viewer: Any) -> None:
        with reported("A key", None):
            action()

    return pressed
