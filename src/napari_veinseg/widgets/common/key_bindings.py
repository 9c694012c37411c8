"""Keys over a viewer or a layer that do something of ours for a while, and are given back."""

import weakref
from collections.abc import Callable, Mapping
from typing import Any

import napari
from napari.layers import Layer
from napari.utils.key_bindings import coerce_keybinding

from napari_veinseg.widgets.common.notify import reported


class KeyBindings:
    """Binds keys in code: key bindings of a manifest do nothing."""

    def __init__(self, target: napari.Viewer | Layer) -> None:
        self._target = weakref.ref(target)
        self._before: dict[Any, Any] = {}

    def bind(self, actions: Mapping[str, Callable[[], object]]) -> None:
        """Let these keys act, and no others."""
        self.release()
        if (target := self._target()) is None:
            return
        for name, action in actions.items():
            key = coerce_keybinding(name)
            self._before[key] = target.keymap.get(key)
            target.keymap[key] = _guarded(action)

    def release(self) -> None:
        """Put back what the keys did before."""
        before, self._before = self._before, {}
        if (target := self._target()) is None:
            return
        for key, action in before.items():
            target.keymap.pop(key, None)
            if action is not None:
                target.keymap[key] = action


def _guarded(action: Callable[[], object]) -> Callable[[Any], None]:
    def pressed(_target: Any) -> None:
        with reported("A key", None):
            action()

    return pressed
