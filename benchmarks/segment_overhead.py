"""How much longer a whole `segment` call takes than the bare forward pass of its network.

Both see one 240x320 image in memory on the CPU, at the same working size.  They are timed in turn,
so that what else the machine does meets both, and the medians are compared.

    python benchmarks/segment_overhead.py [--data DIR] [--model NAME] [--threads N]
        [--fast] [--json]

Both compute with torch, as a plain installation does; `--fast` lets both use ONNX Runtime, whose
shorter pass makes the same work around it a larger share.
"""

import argparse
import json
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from data_option import add_data_option, set_in

from napari_veinseg import VeinModel
from napari_veinseg.cli.start import keep_freed_memory
from napari_veinseg.data.grey import to_grey
from napari_veinseg.data.image_files import list_images, read_image
from napari_veinseg.data.synthesis import synthetic_finger
from napari_veinseg.model.card import ModelCard
from napari_veinseg.model.file import build_network
from napari_veinseg.model.store import STARTER, installed_models
from napari_veinseg.segmentation.settings import SegmentationSettings
from napari_veinseg.segmentation.tiling.predict_parts import MultiScalePrediction

SHAPE = (240, 320)


def benchmark_image(data: Path | None) -> np.ndarray:
    """Crop the first image of `fingerveinsyn`, or make a synthetic finger without it."""
    folder = set_in(data, "fingerveinsyn")
    if folder is None:
        return synthetic_finger(0, SHAPE).image
    grey = to_grey(read_image(list_images(folder / "images")[0]))
    return grey[: SHAPE[0], : SHAPE[1]].astype(np.uint8)


def load(name: str) -> VeinModel:
    if name == STARTER and not any(model.name == STARTER for model in installed_models()):
        card = ModelCard()
        return VeinModel(card, build_network(card), "cpu")
    return VeinModel.load(name, "cpu")


def paired(
    first: Callable[[], object], second: Callable[[], object], repeats: int
) -> list[list[float]]:
    """Seconds of both, timed in turn; the first turns warm up."""
    seconds: list[list[float]] = [[], []]
    for turn in range(repeats + 3):
        for call, record in zip((first, second), seconds, strict=True):
            begin = time.perf_counter()
            call()
            if turn >= 3:
                record.append(time.perf_counter() - begin)
    return seconds


def measure(
    model: VeinModel, image: np.ndarray, vein_width: float | None, repeats: int
) -> dict[str, Any]:
    settings = SegmentationSettings(vein_width)
    width = model.resolve(settings, image).vein_width
    factors = [seen / width for seen in model.card.seen_widths]
    scales = MultiScalePrediction(image.shape, factors, model.runtime).scales
    rng = np.random.default_rng(0)
    inputs = [rng.random((1, *scale.working_shape), np.float32) for scale in scales]

    def bare() -> None:
        for seen in inputs:
            model.runtime(seen)

    whole, forward = paired(lambda: model.segment(image, settings), bare, repeats)
    return {
        "vein_width": round(width, 2),
        "working_size": max(scale.working_shape for scale in scales),
        "segment_ms": round(1e3 * statistics.median(whole), 2),
        "forward_ms": round(1e3 * statistics.median(forward), 2),
        "overhead_ratio": round(statistics.median(whole) / statistics.median(forward), 3),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_data_option(parser)
    parser.add_argument("--model", default=STARTER)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--repeats", type=int, default=31)
    parser.add_argument("--fast", action="store_true")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    keep_freed_memory()  # as our commands do; the bare pass gains by it as well
    os.environ["VEINSEG_FAST"] = "1" if arguments.fast else "0"
    torch.set_num_threads(arguments.threads)
    model, image = load(arguments.model), benchmark_image(arguments.data)
    auto = measure(model, image, None, arguments.repeats)
    given = measure(model, image, auto["vein_width"], arguments.repeats)
    if arguments.json:
        print(json.dumps(auto | {"overhead_ratio_given_width": given["overhead_ratio"]}))
        return
    print(f"{'vein width':12}{'working size':16}{'segment':>12}{'forward':>12}{'ratio':>8}")
    for name, row in (("auto", auto), ("given", given)):
        size = "x".join(map(str, row["working_size"]))
        print(
            f"{name:12}{size:16}{row['segment_ms']:9.1f} ms{row['forward_ms']:9.1f} ms"
            f"{row['overhead_ratio']:8.2f}"
        )


if __name__ == "__main__":
    main()
