"""The one image of a folder that the viewer shows, with the mask above it, and its coming."""

from collections.abc import Callable, Iterator

import napari
import numpy as np
from napari.layers import Image, Labels, Layer
from qtpy.QtCore import QObject, Signal

from napari_veinseg.correction.drafts import Draft
from napari_veinseg.correction.image_folder import OpenedImage
from napari_veinseg.data.grey import is_colour
from napari_veinseg.widgets.common.turns import Turns
from napari_veinseg.widgets.masks.layer_metadata import (
    Derived,
    image_of,
    is_derived,
    record_of,
)
from napari_veinseg.widgets.masks.layers import (
    add_mask_layer,
    images_of_folders,
    insert_inactive,
    is_source_image,
    mask_in_work,
    topmost_image,
)
from napari_veinseg.widgets.masks.showing import LayersLeave, fit_view, set_visible
from napari_veinseg.widgets.masks.undo import replace_mask


class ShownImage:
    """Layers of one image of the folder; what the user does to them can be taken as a draft.

    The image is out of sight and has no mask at first: each costs the viewer a turn of its own.
    """

    def __init__(
        self, viewer: napari.Viewer, opened: OpenedImage, file_name: str, drawn: Callable[[], None]
    ) -> None:
        self._viewer, self._drawn = viewer, drawn
        self.touched = False
        """Whether somebody has drawn since the mask was looked at last."""
        self.index, self.pixels = opened.index, opened.pixels
        self.stored: Draft | None = None
        """The mask as it was stored or shown last."""
        self._last_mask: Labels | None = None
        self.image = Image(
            opened.pixels,
            name=file_name,
            rgb=is_colour(opened.pixels.shape),
            metadata={"files": [file_name]},
            visible=False,
        )
        insert_inactive(viewer, len(viewer.layers), self.image)
        images_of_folders.add(self.image)

    def replace(self, opened: OpenedImage, file_name: str, leaving: LayersLeave) -> bool:
        """Show another image in the same layers; say whether they can show it."""
        layers = self._viewer.layers
        if self.image not in layers:
            return False
        if bool(self.image.rgb) != is_colour(opened.pixels.shape):
            return False
        mask = self.mask
        for layer in self.layers(besides=(self.image, mask if opened.draft is not None else None)):
            if isinstance(layer, Labels):  # in sight or not, it would be the mask of this image
                layers.remove(layer)
            else:
                leaving.leave([layer])
        self.index, self.pixels, self.stored = opened.index, opened.pixels, None
        self.image.data = opened.pixels
        self.image.name = file_name
        self.image.metadata = {"files": [file_name]}
        if not self.image.rgb:
            self.image.reset_contrast_limits()
        if opened.draft is not None:
            self.show_draft(opened.draft)
        self.show_alone()
        return True

    def show_alone(self) -> None:
        """Hide the images that are not the folder's, with all that lies over them."""
        over_another = False
        for layer in self._viewer.layers:
            if isinstance(layer, Image) and is_source_image(layer):
                over_another = layer is not self.image
            follows = is_derived(layer, Derived.ENHANCED) or is_derived(layer, Derived.REGION)
            if over_another and not follows and image_of(layer) is not self.image:
                set_visible(layer, False)
        set_visible(self.image, True)
        self.take_active()

    def take_active(self) -> None:
        """Make the mask the active layer, or the image, unless another image lies over both."""
        mask = self.mask
        if topmost_image(self._viewer) is not self.image:
            return
        if mask is not None:
            set_visible(mask, True)
        self._viewer.layers.selection.active = mask or self.image

    @property
    def mask(self) -> Labels | None:
        """The mask in work: the topmost that was made on the image."""
        if self.image in self._viewer.layers:
            self._last_mask = mask_in_work(self._viewer, self.image)
        return self._last_mask  # of a viewer that closes, and has emptied its list already

    def show_draft(self, draft: Draft) -> None:
        """Put a mask over the image, in place of one that is there."""
        mask = self.mask
        if mask is None:
            mask = add_mask_layer(self._viewer, draft.mask, self.image)
        else:
            replace_mask(mask, draft.mask, self.image)
            mask.name = f"{self.image.name} veins"
        record = record_of(mask)
        # Behind the record, also a new one: it knows a stroke from the program's own change.
        mask.events.paint.disconnect(self._note_stroke)
        mask.events.paint.connect(self._note_stroke, position="last")
        record.take(draft.probability, draft.notes)
        if draft.edited is not None:
            record.edits.accept(draft.edited)
        self.stored, self._last_mask, self.touched = draft, mask, False
        self.take_active()

    def _note_stroke(self, _event: object) -> None:
        mask = self.mask
        if mask is not None and not self.touched and record_of(mask).edits.edited.any():
            self.touched = True
            self._drawn()

    def draft(self) -> Draft | None:
        """Take a copy of the mask as it is now; None while there is none."""
        mask = self.mask
        if mask is None:
            return None
        record = record_of(mask)
        edited = record.edits.edited
        drawn = edited if edited.any() else None
        return Draft(mask.data.astype(np.uint8), drawn, record.probability, record.notes)

    def unsaved_draft(self) -> Draft | None:
        """Take the mask where it, or what of it is the user's, is not as stored or shown last."""
        now, before, self.touched = self.draft(), self.stored, False
        if now is None or before is None:
            return now
        same_mask = np.array_equal(now.mask, before.mask)
        same_edits = np.array_equal(np.asarray(now.edited), np.asarray(before.edited))
        return None if same_mask and same_edits else now

    def accept(self) -> None:
        """Make all of the mask the user's, who has reviewed it: no model draws over it."""
        mask = self.mask
        if mask is not None:
            record_of(mask).edits.accept(np.ones(mask.data.shape, bool))

    def layers(self, besides: tuple[Layer | None, ...] = ()) -> list[Layer]:
        """List the image and what lies over it, but what is kept and what goes by itself."""
        found = []
        for layer in self._viewer.layers:
            enhanced = bool(besides) and is_derived(layer, Derived.ENHANCED)
            follows = enhanced or is_derived(layer, Derived.REGION)
            ours = layer is self.image or image_of(layer) is self.image
            if layer not in besides and not follows and (ours or not is_source_image(layer)):
                found.append(layer)
        return found


class ImageDisplay(QObject):
    """Shows one image after the other: in the same layers, where these can show it."""

    arrived = Signal(object)
    """An image and its mask are in sight: as it was opened."""

    def __init__(self, viewer: napari.Viewer, drawn: Callable[[], None], parent: QObject) -> None:
        super().__init__(parent)
        self._viewer, self._drawn = viewer, drawn
        self.shown: ShownImage | None = None
        self._extent: tuple[int, ...] = ()
        self._leaving, self._turns = LayersLeave(viewer), Turns("Showing the image", self)

    @property
    def running(self) -> bool:
        """Whether an image is not in sight yet, or its mask."""
        return self._turns.running

    def show(self, opened: OpenedImage, file_name: str) -> None:
        """Show an image in place of the one before."""
        if self.shown is not None and self.shown.replace(opened, file_name, self._leaving):
            self._arrive(opened)
        else:
            self.leave()
            self.shown = ShownImage(self._viewer, opened, file_name, self._drawn)
            self._turns.begin(self._show_new(self.shown, opened))

    def _show_new(self, shown: ShownImage, opened: OpenedImage) -> Iterator[None]:
        """Show layers that are new to the viewer in turns: it needs long for each."""
        yield
        if opened.draft is not None:
            shown.show_draft(opened.draft)
            yield
        shown.show_alone()
        self._arrive(opened)

    def _arrive(self, opened: OpenedImage) -> None:
        self._turns.stop()
        extent = opened.pixels.shape[:2]
        if extent != self._extent:
            fit_view(self._viewer)
        self._extent = extent
        self.arrived.emit(opened)

    def leave(self, *, keep_layers: bool = False) -> None:
        """Show no image."""
        self._turns.stop()
        if keep_layers:
            self._leaving.stop()
        elif self.shown is not None:
            self._leaving.leave(self.shown.layers())
        self.shown = None
