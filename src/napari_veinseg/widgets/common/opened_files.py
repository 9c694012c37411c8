"""Opened files that napari's builtin reader shows otherwise than the command line reads them.

A reader of our own would make napari ask for a choice at every image that is dropped on it; so what
the builtin reader gave is replaced where it differs, while a dock is open.
"""

from pathlib import Path
from weakref import WeakSet

from napari.components import ViewerModel
from napari.layers import Image, Labels, Layer
from napari.utils.events import Event

from napari_veinseg.data.builtin_reader import shown_otherwise
from napari_veinseg.data.image_files import read_image
from napari_veinseg.widgets.common.notify import reported, show_info, show_warning

_followed: "WeakSet[ViewerModel]" = WeakSet()


def follow_opened_files(viewer: ViewerModel) -> None:
    """Show files as the command line reads them: those that are open, and those to come."""
    if viewer in _followed:
        return
    _followed.add(viewer)
    for layer in list(viewer.layers):
        show_as_read(layer, drawn_upon=any(isinstance(each, Labels) for each in viewer.layers))

    def inserted(event: Event) -> None:
        show_as_read(event.value)

    viewer.layers.events.inserted.connect(inserted)


def show_as_read(layer: Layer, drawn_upon: bool = False) -> None:
    """Replace the pixels of a layer where napari's reader gave others than ours does."""
    path = layer.source.path
    if not isinstance(layer, Image) or layer.multiscale or not isinstance(path, str):
        return
    why = shown_otherwise(Path(path))
    if not why or layer.source.reader_plugin != "napari":
        return
    if drawn_upon:
        show_warning(
            f"{Path(path).name} is not shown as it is read elsewhere ({why}): close it and open it "
            "again before drawing on it."
        )
        return
    with reported("Reading the file again", None):
        image = read_image(path)
        if image.shape == layer.data.shape and (image == layer.data).all():
            return
        layer.rgb = image.ndim > 2 and image.shape[-1] in (3, 4)
        layer.data = image
        layer.reset_contrast_limits_range()
        layer.reset_contrast_limits()
        show_info(f"{Path(path).name} was read again: {why}.")
