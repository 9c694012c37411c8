"""Torch and the models behind the widgets: loaded once, and never in the viewer's thread.

Importing torch takes seconds.  `load_torch` is therefore called by workers alone, and whoever waits
for it is told so.
"""

import threading
import warnings
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from napari_veinseg.errors import VeinSegError
from napari_veinseg.files import opening
from napari_veinseg.segmentation.runtimes.devices import DeviceChoice, choose_device
from napari_veinseg.widgets.common.garbage_collection import loading
from napari_veinseg.widgets.common.jobs import Reporter, Step
from napari_veinseg.widgets.common.preferences import preferences
from napari_veinseg.widgets.common.warm_up import prepare_masks

if TYPE_CHECKING:
    from napari_veinseg.segmentation.vein_model import VeinModel

LOADING = "Loading torch…"

_lock = threading.Lock()
_device: DeviceChoice | None = None
_wish = "auto"  # what `_device` was chosen for
_model: "tuple[tuple[Path, int, int, str], VeinModel] | None" = None


def known_device() -> DeviceChoice | None:
    """Return the device that models run on, or None before torch is loaded."""
    return _device


def load_torch(reporter: Reporter) -> DeviceChoice:
    """Import torch and choose the device of the preferences; at once when that is done already."""
    global _device, _wish
    wish = preferences().device
    if _device is None or wish != _wish:
        reporter.tell(Step(0, 0, LOADING))
        with _lock:
            # MONAI replaces `showwarning`, through which napari shows warnings to the user.
            show = warnings.showwarning
            with loading():
                import napari_veinseg.segmentation.runtimes.torch_runtime  # noqa: F401

            warnings.showwarning = show
            prepare_masks(reporter)  # whoever waits for torch will show a mask next
            _device, _wish = _chosen_device(wish), wish
    return _device


def _chosen_device(wish: str) -> DeviceChoice:
    """Choose the device that is wished for; where it is not there, say so and take the best."""
    if wish == "auto":
        return choose_device()
    try:
        return replace(choose_device(wish), reason="chosen in napari's preferences")
    except VeinSegError as error:
        return replace(choose_device(), reason=str(error).rstrip("."))


def load_model(path: Path, reporter: Reporter) -> "VeinModel":
    """Read a model, or take the last one again when its file is the same.

    One that had to leave its device, whose memory was too small, is read again: there may be room.
    """
    global _model  # only the last one: pressing Segment again is quick, memory stays small
    device = load_torch(reporter)
    from napari_veinseg.segmentation.vein_model import VeinModel

    with _lock:
        with opening(path):
            state = path.stat()
        key = (path, state.st_mtime_ns, state.st_size, device.name)
        model = _model[1] if _model is not None and _model[0] == key else None
        if model is None or (model.runtime.place == "cpu" and device.name != "cpu"):
            model = VeinModel.load(path, device.name)
            _model = (key, model)
        return model
