"""Torch and the models behind the widgets: loaded once, and never in the viewer's thread.

Importing torch takes seconds.  `prepare` is therefore called by workers alone, and whoever waits
for it is told so.
"""

import threading
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from napari_veinseg.segmentation.devices import DeviceChoice, choose_device
from napari_veinseg.widgets.jobs import Reporter, Step

if TYPE_CHECKING:
    from napari_veinseg.segmentation.vein_model import VeinModel

LOADING = "Loading torch…"

_lock = threading.Lock()
_device: DeviceChoice | None = None
_model: "tuple[tuple[Path, int, int], VeinModel] | None" = None


def known_device() -> DeviceChoice | None:
    """Return the device that models run on, or None before torch is loaded.

    Returns
    -------
    DeviceChoice or None
        The choice with its reason.
    """
    return _device


def prepare(reporter: Reporter) -> DeviceChoice:
    """Import torch and choose the device; at once when that is done already.

    Parameters
    ----------
    reporter : Reporter
        Told that torch is being loaded.

    Returns
    -------
    DeviceChoice
        The choice with its reason.
    """
    global _device
    if _device is None:
        reporter.tell(Step(0, 0, LOADING))
        with _lock:
            # MONAI replaces `showwarning`, through which napari shows warnings to the user.
            show = warnings.showwarning
            import napari_veinseg.segmentation.predictor  # noqa: F401

            warnings.showwarning = show
            _device = choose_device()
    return _device


def load_model(path: Path, reporter: Reporter) -> "VeinModel":
    """Read a model, or take the last one again when its file is the same.

    Parameters
    ----------
    path : Path
        A model file.
    reporter : Reporter
        Told what is being loaded.

    Returns
    -------
    VeinModel
        The model.
    """
    global _model  # only the last one: pressing Segment again is quick, memory stays small
    prepare(reporter)
    from napari_veinseg.segmentation.vein_model import VeinModel

    with _lock:
        state = path.stat()
        key = (path, state.st_mtime_ns, state.st_size)
        if _model is None or _model[0] != key:
            _model = (key, VeinModel.load(path))
        return _model[1]
