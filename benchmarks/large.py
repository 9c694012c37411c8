"""A 20,000 x 20,000 image from a memory map: time, peak memory, and the pixels of one piece.

    python benchmarks/large.py [--side 20000] [--share 1.0] [--vein-width 10] [--json]

`--share` of the rows show veins, the rest is constant ground; a peak beyond 2 GB on top of the mask
fails.
"""

import argparse
import json
import os
import tempfile
import time
from pathlib import Path

import numpy as np
from timing import machine, peak_memory

from napari_veinseg import VeinModel
from napari_veinseg.data.synthesis import synthetic_finger
from napari_veinseg.segmentation.masks import mask_from_probability
from napari_veinseg.segmentation.tiling.image_source import ImageSource
from napari_veinseg.segmentation.tiling.normalisation import Normaliser
from napari_veinseg.segmentation.tiling.predict_parts import MultiScalePrediction

PIECE = 500
MOST_MEGABYTES = 2000


def draw(path: Path, side: int, share: float) -> np.memmap:
    image = np.memmap(path, np.uint8, "w+", shape=(side, side))
    pieces = [synthetic_finger(seed, (PIECE, PIECE)).image for seed in range(6)]
    image[...] = 90
    for row in range(0, int(side * share), PIECE):
        for column in range(0, side, PIECE):
            part = image[row : row + PIECE, column : column + PIECE]
            part[...] = pieces[(row + 3 * column) // PIECE % 6][: part.shape[0], : part.shape[1]]
    image.flush()
    return np.memmap(path, np.uint8, "r", shape=(side, side))


def differing_pixels(model: VeinModel, image: np.memmap, mask: np.ndarray, width: float) -> int:
    """Pixels of a corner that one piece of it, with the whole's normalisation, gives otherwise."""
    factors = [seen / width for seen in model.card.seen_widths]
    corner = min(image.shape[0], int(1500 / max(factors)))
    inner = corner - int(400 / min(factors))  # beyond, the piece's own border is seen
    plane = ImageSource(image).plane(0)
    percentiles = model.card.normalisation
    normaliser = Normaliser.from_image(
        plane.sample, percentiles.low_percentile, percentiles.high_percentile
    )
    piece = ImageSource(np.asarray(image[:corner, :corner])).plane(0)
    whole = MultiScalePrediction((corner, corner), factors, model.runtime, corner)
    (tile,) = whole.tiles([(piece, normaliser)])
    alone = mask_from_probability(tile.probability[0], model.card.threshold, round(3 * width**2))
    return int((alone[:inner, :inner] != mask[:inner, :inner]).sum())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--side", type=int, default=20_000)
    parser.add_argument("--share", type=float, default=1.0)
    parser.add_argument("--vein-width", type=float, default=10.0)
    parser.add_argument("--model", default="starter")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    model = VeinModel.load(arguments.model, "cpu")
    steps: list[tuple[int, int]] = []
    result: dict[str, np.ndarray] = {}
    with tempfile.TemporaryDirectory() as folder:
        image = draw(Path(folder) / "image.raw", arguments.side, arguments.share)

        def segment() -> None:
            result["mask"] = model.segment(
                image,
                vein_width=arguments.vein_width,
                progress=lambda *step: steps.append(step),
            )

        began = time.perf_counter()
        cpu = time.process_time()
        peak = peak_memory(segment)
        cpu, seconds = time.process_time() - cpu, time.perf_counter() - began
        mask = result["mask"]
        different = differing_pixels(model, image, mask, arguments.vein_width)
    beyond = None if peak is None else peak - mask.nbytes / 2**20
    facts = {
        "machine": machine(),
        "threads": os.environ.get("OMP_NUM_THREADS", "all"),
        "side": arguments.side,
        "share with veins": arguments.share,
        "vein width": arguments.vein_width,
        "runtime": model.device_choice.label,
        "tiles": steps[-1][1] // len(model.card.scales),  # each is looked at once a scale
        "seconds": round(seconds, 1),
        "processor seconds": round(cpu, 1),
        "MB beyond the mask (with mapped pages of the image)": beyond and round(beyond),
        "vein share": round(float(mask.mean()), 4),
        "pixels unlike one piece": different,
    }
    lines = "\n".join(f"{name}: {value}" for name, value in facts.items())
    print(json.dumps(facts) if arguments.json else lines)
    if beyond and beyond > MOST_MEGABYTES:
        raise SystemExit("The peak memory is above 2 GB beyond the mask.")


if __name__ == "__main__":
    main()
