"""Segment, correct, retrain and evaluate veins in near-infrared images, in napari.

The public names below are imported on first use, so that `import napari_veinseg` costs
milliseconds and loads neither torch nor napari.
"""

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari_veinseg.segmentation.vein_model import VeinModel as VeinModel
    from napari_veinseg.training.train import train as train

__version__ = version("napari-veinseg")

_HOMES = {
    "VeinModel": "napari_veinseg.segmentation.vein_model",
    "train": "napari_veinseg.training.train",
}

__all__ = ["VeinModel", "__version__", "train"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'napari_veinseg' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
