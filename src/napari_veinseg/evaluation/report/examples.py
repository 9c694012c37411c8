"""Which images a report shows, and their pictures inside the page."""

import base64
import io
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from napari_veinseg.data.grey import to_grey
from napari_veinseg.data.sample import Fault, read_pair
from napari_veinseg.evaluation.comparison import ContenderResult, ImageResult
from napari_veinseg.evaluation.report.contact_sheet import agreement_picture, mask_picture
from napari_veinseg.evaluation.summary import worst_first
from napari_veinseg.wording import counted

WORST = 8
"""How many of the images that need most work are shown."""

_WIDEST = 520  # px of a picture


@dataclass(frozen=True)
class Example:
    """An image that is shown for a contender."""

    rank: str
    """Why: best, median, worst."""
    place: int
    """From the worst, which has 1."""
    image: ImageResult
    """The image and its scores."""

    def anchor(self, contender: int) -> str:
        """Name the place in the page."""
        return f"contender-{contender + 1}-image-{self.place}"


def choose_examples(result: ContenderResult) -> list[Example]:
    """Choose the best image, the median and the worst, by `worst_first`; of a baseline the median.

    At most half of the images are called worst, and each image is there once.
    """
    ranked = worst_first(result.judged)
    if not ranked:
        return []
    last, middle = len(ranked) - 1, len(ranked) // 2
    ranks = {middle: "median" if last else "the only image"}
    if result.contender.kind != "baseline" and last:
        ranks[last] = "best"
        ranks |= {place: _ordinal(place + 1) for place in range(min(WORST, middle))}
    chosen = sorted(ranks, key=lambda place: (ranks[place] not in ("best", "median"), place))
    return [Example(ranks[place], place + 1, ranked[place]) for place in chosen]


def _ordinal(place: int) -> str:
    which = {1: "", 2: "2nd ", 3: "3rd "}.get(place, f"{place}th ")
    return f"{which}worst"


def draw_example(result: ContenderResult, contender: int, example: Example) -> dict[str, Any]:
    """Predict an image again and draw it for the page."""
    scored, pictures = example.image, []
    pair = read_pair(scored.sample, needs_vein=False)
    if not isinstance(pair, Fault):  # else the file has gone since it was scored
        mask = result.contender.predict(scored.sample, pair.image).mask
        pictures = [
            {"caption": "image", "data": _png(_grey(to_grey(pair.image)), smooth=True)},
            {"caption": "truth", "data": _png(mask_picture(pair.mask))},
            {"caption": "prediction", "data": _png(mask_picture(mask))},
            {"caption": "agreement", "data": _png(agreement_picture(mask, pair.mask))},
        ]
    metrics, places = scored.metrics, scored.metrics["corrections"]
    return {
        "id": example.anchor(contender),
        "rank": example.rank,
        "stem": scored.sample.stem,
        "remark": f"{counted(round(places), 'place')} to correct, "
        f"{metrics['missed_length_px']:.0f} px missed, {metrics['too_much_length_px']:.0f} px "
        f"too much, vein IoU {metrics['vein_iou']:.3f}, clDice {metrics['cldice']:.3f}",
        "pictures": pictures,
    }


def _png(pixels: NDArray[np.uint8], *, smooth: bool = False) -> str:
    """Encode a picture; a mask is never averaged into colours that mean nothing."""
    image = Image.fromarray(pixels)
    if image.width > _WIDEST:
        size = (_WIDEST, max(1, round(image.height * _WIDEST / image.width)))
        image = image.resize(size, Image.Resampling.LANCZOS if smooth else Image.Resampling.NEAREST)
    file = io.BytesIO()
    image.save(file, "PNG", optimize=True)
    return base64.b64encode(file.getvalue()).decode()


def _grey(pixels: NDArray[Any]) -> NDArray[np.uint8]:
    low, high = np.nanpercentile(pixels, (0.5, 99.5))
    scaled = (np.nan_to_num(pixels, nan=low) - low) / max(high - low, 1e-12)
    return (np.clip(scaled, 0, 1) * 255).astype(np.uint8)
