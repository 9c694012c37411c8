"""Time and memory of `segment` against bare networks and ridge filters, as ratios in one run.

Every rival gets the same image at its own size on the same threads and takes its turn in each
round, so that what else the machine does meets all; medians of the rounds are compared.

    python benchmarks/speed.py [--sizes 60x152 240x320 512x512] [--threads N] [--json]
"""

import argparse
import json
import platform
import statistics
import time
from collections.abc import Callable

import numpy as np
import torch
from monai.networks.nets import AttentionUnet, BasicUNet, SegResNet
from segment_overhead import load

from napari_veinseg.data.synthesis import synthetic_finger
from napari_veinseg.evaluation.baselines import maximum_curvature
from napari_veinseg.measurement.ridges import valley_strength
from napari_veinseg.model.network import original_2020
from napari_veinseg.model.store import STARTER

RIVALS: dict[str, Callable[[], torch.nn.Module]] = {
    "BasicUNet": lambda: BasicUNet(spatial_dims=2, features=(32, 32, 64, 128, 256, 32)),
    "AttentionUnet": lambda: AttentionUnet(2, 1, 1, (32, 64, 128, 256), (2, 2, 2)),
    "SegResNet": lambda: SegResNet(2, in_channels=1, out_channels=1),
    "original 2020": lambda: original_2020(in_channels=1),
}


def bare_pass(
    network: torch.nn.Module,
    height: int,
    width: int,
    memory_format: torch.memory_format = torch.contiguous_format,
) -> Callable[[], None]:
    network.eval()
    sides = [-(-side // 32) * 32 for side in (height, width)]
    tensor = torch.rand(1, 1, *sides).to(memory_format=memory_format)

    def run() -> None:
        with torch.inference_mode():
            network(tensor)

    return run


def contenders(height: int, width: int, model_name: str) -> dict[str, Callable[[], object]]:
    """Everything that is timed on an image of one size, ours first."""
    model = load(model_name)
    image = synthetic_finger(1, (height, width)).image
    vein_width = model.card.working_vein_width  # no rescaling: the network sees every pixel
    calls: dict[str, Callable[[], object]] = {
        "segment": lambda: model.segment(image, vein_width=vein_width),
        "segment, width auto": lambda: model.segment(image),
        "our forward pass": bare_pass(model._predictor.core, height, width, torch.channels_last),
    }
    calls |= {name: bare_pass(make(), height, width) for name, make in RIVALS.items()}
    grey = image.astype(np.float32)
    calls["valley filter"] = lambda: valley_strength(grey)
    calls["maximum curvature"] = lambda: maximum_curvature(grey, vein_width)
    return calls


def measure(calls: dict[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    for turn in range(rounds + 1):
        for name, call in calls.items():
            begin = time.perf_counter()
            call()
            if turn:
                seconds[name].append(time.perf_counter() - begin)
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", nargs="+", default=["60x152", "240x320", "512x512"])
    parser.add_argument("--model", default=STARTER)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    results = []
    for size in arguments.sizes:
        height, width = map(int, size.split("x"))
        seconds = measure(contenders(height, width, arguments.model), arguments.rounds)
        yardstick = statistics.median(seconds["BasicUNet"])
        for name, times in seconds.items():
            quartiles = statistics.quantiles(times, n=4)
            results.append(
                {
                    "size": size,
                    "contender": name,
                    "median_ms": round(1e3 * quartiles[1], 2),
                    "spread_ms": round(1e3 * (quartiles[2] - quartiles[0]), 2),
                    "ratio_to_basicunet": round(quartiles[1] / yardstick, 3),
                }
            )
    if arguments.json:
        print(json.dumps({"machine": platform.platform(), "results": results}))
        return
    print(f"{arguments.threads} threads, torch {torch.__version__}, {platform.machine()}")
    print(f"{'size':10}{'contender':22}{'median':>12}{'quartiles':>13}{'/ BasicUNet':>13}")
    for row in results:
        print(
            f"{row['size']:10}{row['contender']:22}{row['median_ms']:9.1f} ms"
            f"{row['spread_ms']:10.1f} ms{row['ratio_to_basicunet']:13.2f}"
        )


if __name__ == "__main__":
    main()
