"""What the Segment widget does in its worker: images in, probabilities and masks out."""

import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari.layers import Image

from napari_veinseg.data.grey import is_colour
from napari_veinseg.errors import Cancelled, VeinSegError
from napari_veinseg.segmentation.settings import SegmentationSettings
from napari_veinseg.widgets.common import engine
from napari_veinseg.widgets.common.jobs import Reporter, Step
from napari_veinseg.widgets.masks.layers import image_data, image_shape

if TYPE_CHECKING:
    from napari_veinseg.segmentation.vein_model import Prediction, VeinModel


@dataclass(frozen=True)
class ImageTask:
    """An image as it was when Segment was pressed, and what was asked of which model."""

    layer: "weakref.ref[Image]"
    name: str
    data: Any
    settings: SegmentationSettings
    maker: str
    """What makes its mask, see `DraftNotes.model`."""

    @classmethod
    def of(cls, layer: Image, settings: SegmentationSettings, maker: str) -> "ImageTask":
        """Describe a layer, or refuse it."""
        image_shape(layer)  # refuses what is neither an image nor a stack
        data = image_data(layer)
        if is_colour(data.shape) != bool(layer.rgb):
            raise VeinSegError(
                f"The layer '{layer.name}' has 3 or 4 columns or colours (shape {data.shape}): "
                "open it as RGB, or crop it otherwise."
            )
        return cls(weakref.ref(layer), layer.name, data, settings, maker)


@dataclass(frozen=True)
class Result:
    """A segmented image."""

    task: ImageTask
    prediction: "Prediction"


@dataclass(frozen=True)
class Results:
    """What became of all images: those that were segmented, and why others were not."""

    segmented: list[Result]
    refused: str = ""


def segment_images(tasks: Sequence[ImageTask], model_path: Path, reporter: Reporter) -> Results:
    """Segment images one after the other; what is done when the user cancels is kept."""
    model = engine.load_model(model_path, reporter)
    segmented, refused = [], []
    for task in tasks:
        try:
            segmented.append(_segmented(task, model, reporter))
        except Cancelled:
            if not segmented:
                raise
            refused.append(f"Cancelled: {len(segmented)} of {len(tasks)} images were segmented.")
            break
        except VeinSegError as error:
            refused.append(f"'{task.name}': {error}" if len(tasks) > 1 else str(error))
    return Results(segmented, " ".join(refused))


def _segmented(task: ImageTask, model: "VeinModel", reporter: Reporter) -> Result:
    def progress(done: int, total: int) -> None:
        reporter.tell(Step(done, total, f"Segmenting {task.name}"))

    progress(0, 0)
    prediction = model.predict(
        task.data, task.settings, progress=progress, cancelled=reporter.cancelled
    )
    return Result(task, prediction)
