"""How well the vein width is found, and what segmenting gains by it, beside the estimate before.

    python benchmarks/scale.py --data DIR [--model NAME] [--images 400] [--parts width size dice]

`DIR` holds `forearm_masks/`, `fingerveinsyn/` and `nupt_fpv/`; without it only synthetic images are
measured.  *before* is the estimate from valleys of the image alone, which tracing still uses.

Errors are in octaves against the width of the masks; *steadiness* is the standard deviation between
shots of one finger.  *size* compares the masks of an image at half and twice its size with that at
its own, after resizing back.
"""

import argparse
import os
import sys
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_veinseg import VeinModel
from napari_veinseg.data.grey import to_grey
from napari_veinseg.data.image_files import list_images, read_image
from napari_veinseg.data.mask_files import read_mask
from napari_veinseg.errors import VeinSegWarning
from napari_veinseg.evaluation.metrics import mask_metrics
from napari_veinseg.measurement.vein_width_from_image import estimate_vein_width
from napari_veinseg.measurement.vein_width_from_mask import median_width
from napari_veinseg.segmentation.tiling.resampling import Resampling, resample

sys.path.insert(0, str(Path(__file__).parents[1] / "recipes"))
from image_kinds import VISIBLE
from image_pool import make_image, settings_of

Grey = NDArray[np.float32]
Width = Callable[[Grey], float]
_FIRST_SEED = 4_000_000  # far from every seed that training uses
_SIZES = (0.5, 2.0)


def synthetic(count: int) -> Iterator[tuple[Grey, NDArray[np.uint8]]]:
    """Make images of the recipe's kinds, in their shares."""
    settings = settings_of(VISIBLE)
    for number in range(count):
        made = make_image(_FIRST_SEED + number, settings[37 * number % 100])
        yield made.image.astype(np.float32), made.mask


def dataset(folder: Path) -> Iterator[tuple[Grey, NDArray[np.uint8]]]:
    """Read images with their masks."""
    masks = {path.stem: path for path in list_images(folder / "masks")}
    for path in list_images(folder / "images"):
        yield to_grey(read_image(path)), read_mask(masks[path.stem])


def fingers(folder: Path) -> Iterator[tuple[str, Grey]]:
    """Read shots of both sessions with the name of their finger."""
    for session in ("session1", "session2"):
        for path in list_images(folder / session):
            yield f"{session}/{path.stem.split('_')[0]}", to_grey(read_image(path))


def errors(pairs: Iterator[tuple[Grey, NDArray[np.uint8]]], ways: dict[str, Width]) -> None:
    found = defaultdict(list)
    for grey, mask in pairs:
        true = median_width(mask)
        if np.isfinite(true):
            for name, width in ways.items():
                found[name].append(np.log2(width(grey) / true))
    for name, each in found.items():
        print(
            f"  {name:8} median {np.median(each):+.2f}, median size {np.median(np.abs(each)):.2f},"
            f" standard deviation {np.std(each):.2f} octaves ({len(each)} images)"
        )


def steadiness(shots: Iterator[tuple[str, Grey]], ways: dict[str, Width]) -> None:
    found: dict[str, dict[str, list[float]]] = {name: defaultdict(list) for name in ways}
    for finger, grey in shots:
        for name, width in ways.items():
            found[name][finger].append(np.log2(width(grey)))
    for name, groups in found.items():
        spread = np.sqrt(np.mean([np.var(each, ddof=1) for each in groups.values()]))
        typical = np.median([2**each for group in groups.values() for each in group])
        print(f"  {name:8} {spread:.3f} octaves within a finger, median {typical:.1f} px")


def agreement(images: list[Grey], model: VeinModel, ways: dict[str, Width]) -> None:
    """Compare the masks of an image at several sizes."""
    for name, width in ways.items():
        scores = []
        for grey in images:
            own = model.segment(grey, vein_width=width(grey)) == 1
            for size in _SIZES:
                other = _resized(grey, [round(side * size) for side in grey.shape])
                probability = model.probability(other, vein_width=width(other))
                back = _resized(probability, grey.shape) >= model.card.threshold
                either = (own | back).sum()
                if either:
                    scores.append((own & back).sum() / either)
        print(f"  {name:8} vein IoU {np.mean(scores):.3f}, median {np.median(scores):.3f}")


def dice(
    pairs: Iterator[tuple[Grey, NDArray[np.uint8]]], model: VeinModel, ways: dict[str, Width]
) -> None:
    found = defaultdict(list)
    for grey, mask in pairs:
        for name, width in (ways | {"told": lambda _, mask=mask: median_width(mask)}).items():
            scores = mask_metrics(model.segment(grey, vein_width=width(grey)), mask)
            found[name].append((scores["dice"], scores["vein_iou"]))
    for name, each in found.items():
        means = np.nanmean(each, axis=0)
        print(f"  {name:8} Dice {means[0]:.3f}, vein IoU {means[1]:.3f}, means of images")


def _resized(image: NDArray[Any], shape: tuple[int, ...] | list[int]) -> Grey:
    rows, columns = (
        Resampling(side, wanted).matrix(0, wanted)
        for side, wanted in zip(image.shape, shape, strict=True)
    )
    return resample(np.asarray(image, np.float32), rows, columns)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=os.environ.get("VEINSEG_DATA"))
    parser.add_argument("--model", default="starter")
    parser.add_argument("--images", type=int, default=400, help="synthetic ones")
    parts = ("width", "size", "dice")
    parser.add_argument("--parts", nargs="+", choices=parts, default=parts)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore", VeinSegWarning)
    model, data = VeinModel.load(arguments.model), arguments.data and Path(arguments.data)
    ways: dict[str, Width] = {"before": estimate_vein_width, "now": model.vein_width}
    if "width" in arguments.parts:
        print("width, synthetic images of the recipe's kinds")
        errors(synthetic(arguments.images), ways)
        if data:
            print("width, forearm_masks")
            errors(dataset(data / "forearm_masks"), ways)
            print("steadiness, nupt_fpv")
            steadiness(fingers(data / "nupt_fpv"), ways)
    if "size" in arguments.parts:
        print("size, 40 synthetic images")
        agreement([grey for grey, mask in synthetic(40) if (mask == 1).any()], model, ways)
        if data:
            print("size, 40 images of nupt_fpv")
            agreement([grey for _, grey in fingers(data / "nupt_fpv")][::5], model, ways)
    if "dice" in arguments.parts and data:
        for name in ("forearm_masks", "fingerveinsyn"):
            print(f"segmentation, {name}, threshold {model.card.threshold}")
            dice(dataset(data / name), model, ways)


if __name__ == "__main__":
    main()
