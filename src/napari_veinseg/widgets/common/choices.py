"""Combo boxes that follow the viewer's layers."""

import weakref
from collections.abc import Callable
from typing import Any

import napari
from napari.layers import Image, Labels, Layer
from qtpy.QtCore import Signal
from superqt.utils import signals_blocked

from napari_veinseg.widgets.common.elided import NameCombo
from napari_veinseg.widgets.common.form import connect_while_alive


class LayerChoice(NameCombo):
    """A choice among the layers of one kind; it follows the viewer's layer list.

    It knows layers, not names: a renamed layer stays chosen.  When the user makes another layer
    of the kind active in the layer list, that one becomes the choice, unless told otherwise; of a
    layer of another kind its `counterpart` does, such as the image of a mask.
    """

    layer_changed = Signal()

    def __init__(
        self,
        viewer: napari.Viewer,
        kind: type[Image] | type[Labels],
        *,
        accepts: Callable[[Any], bool] = lambda _layer: True,
        empty: str,
        follows: bool = True,
        counterpart: Callable[[Any], Layer | None] = lambda _layer: None,
    ) -> None:
        super().__init__()
        self._viewer, self._counterpart = viewer, counterpart
        self._follows = follows
        self._kind, self._accepts, self.unchosen = kind, accepts, empty
        self._layers: list[weakref.ref[Layer]] = []
        events = viewer.layers.events
        for emitter in (events.inserted, events.removed, events.reordered, events.renamed):
            connect_while_alive(self, emitter, self.refresh)
        self.currentIndexChanged.connect(lambda _: self.layer_changed.emit())
        self.refresh()
        if follows:
            connect_while_alive(self, viewer.layers.selection.events.active, self._follow)
            self._follow()

    @property
    def layer(self) -> Any:
        """The chosen layer, or None."""
        index = self.currentIndex()
        return self._layers[index]() if 0 <= index < len(self._layers) else None

    def choose(self, layer: Layer | None) -> None:
        """Choose a layer, if it is offered."""
        for index, known in enumerate(self._layers):
            if known() is layer:
                self.setCurrentIndex(index)

    def choose_other_than(self, layer: Layer | None) -> None:
        """Leave a layer for another one, or for none where it is the only one."""
        others = [index for index, known in enumerate(self._layers) if known() is not layer]
        here = self.layer
        if layer is not None and (here is layer or (here is None and others)):
            self.setCurrentIndex(others[0] if others else -1)

    def refresh(self, *_event: object) -> None:
        """Read the viewer's layers anew, keeping the choice where it still exists."""
        before, known = self.layer, [each() for each in self._layers]
        offered = [
            layer
            for layer in reversed(self._viewer.layers)  # the topmost first, as in the layer list
            if isinstance(layer, self._kind) and self._accepts(layer)
        ]
        self._layers = [weakref.ref(layer) for layer in offered]
        active = self._viewer.layers.selection.active
        # A layer may be accepted only after it became the active one.
        late = self._follows and active in offered and active not in known
        wanted = active if late else before
        with signals_blocked(self):
            self.clear()
            self.addItems([layer.name for layer in offered] or [self.unchosen])
            self.setCurrentIndex(next((i for i, layer in enumerate(offered) if layer is wanted), 0))
        self.setEnabled(bool(offered))
        if self.layer is not before:
            self.layer_changed.emit()

    def _follow(self, *_event: object) -> None:
        active = self._viewer.layers.selection.active
        if active is not None:
            self.choose(active if isinstance(active, self._kind) else self._counterpart(active))
