"""Show where a model fails: the median and the worst image of each held-out sensor.

python recipes/failures.py docs/images/starter.png [--model NAME_OR_FILE]
"""

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from sensors import FIRST_SEED, HELD_OUT

from napari_veinseg.data.synthesis import SyntheticFinger, synthetic_finger
from napari_veinseg.evaluation.metrics import mask_metrics
from napari_veinseg.evaluation.report.contact_sheet import (
    SheetRow,
    agreement_picture,
    mask_picture,
    write_contact_sheet,
)
from napari_veinseg.segmentation.vein_model import VeinModel

_IMAGES = 24  # of each sensor, those of `measure.py`


def main() -> None:
    """Write the picture."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("output", type=Path)
    parser.add_argument("--model", default="starter")
    arguments = parser.parse_args()
    model = VeinModel.load(arguments.model, device="cpu")
    rows = [row for sensor in HELD_OUT for row in _examples(model, sensor)]
    columns = ["image", "truth", "prediction and truth"]
    write_contact_sheet(arguments.output, columns, rows, legend=True)
    # A page's pictures must stay small, and noise does not compress: 64 colours show as much.
    Image.open(arguments.output).convert("RGB").quantize(64).save(arguments.output, optimize=True)


def _examples(model: VeinModel, sensor: str) -> list[SheetRow]:
    judged = []
    for seed in range(FIRST_SEED, FIRST_SEED + _IMAGES):
        finger = synthetic_finger(seed, settings=HELD_OUT[sensor])
        mask = model.segment(finger.image)
        judged.append((mask_metrics(mask, finger.mask)["vein_iou"], finger, mask))
    judged.sort(key=lambda each: each[0])
    ranks = {"median": _IMAGES // 2, "worst": 0}
    return [_row(f"{sensor}, {rank}", *judged[at]) for rank, at in ranks.items()]


def _row(title: str, vein_iou: float, finger: SyntheticFinger, mask: NDArray[np.uint8]) -> SheetRow:
    pictures = [finger.image, mask_picture(finger.mask), agreement_picture(mask, finger.mask)]
    return SheetRow(f"{title}: vein IoU {vein_iou:.2f}", pictures)


if __name__ == "__main__":
    main()
