"""`segment` against bare networks and ridge filters: time, memory, share of the machine's peak."""

import argparse
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from importlib.util import find_spec
from typing import Any

import numpy as np
import torch
from monai.networks.nets import AttentionUnet, BasicUNet, SegResNet
from timing import finished, multiply_adds, paired, peak_memory, summary

from napari_veinseg import VeinModel
from napari_veinseg.data.synthesis import synthetic_finger
from napari_veinseg.evaluation.baselines import maximum_curvature
from napari_veinseg.measurement.ridge_filter import valley_strength
from napari_veinseg.model.file import read_model
from napari_veinseg.model.network import original_2020
from napari_veinseg.model.store import resolve
from napari_veinseg.segmentation.runtimes.onnx_runtime import OnnxRuntime
from napari_veinseg.segmentation.runtimes.runtime import Runtime
from napari_veinseg.segmentation.runtimes.torch_runtime import TorchRuntime
from napari_veinseg.segmentation.settings import SegmentationSettings
from napari_veinseg.segmentation.tiling.predict_parts import MultiScalePrediction

PIECE = 512  # px: the side of what a rival gets of a large image
LARGE = 2048  # px: from this side on
BASIC = "MONAI BasicUNet"
RIVALS: dict[str, Callable[[], torch.nn.Module]] = {
    BASIC: lambda: BasicUNet(spatial_dims=2, features=(32, 32, 64, 128, 256, 32)),
    "MONAI AttentionUnet": lambda: AttentionUnet(2, 1, 1, (32, 64, 128, 256), (2, 2, 2)),
    "MONAI SegResNet": lambda: SegResNet(2, in_channels=1, out_channels=1),
    "original 2020": lambda: original_2020(in_channels=1),
}
if find_spec("segmentation_models_pytorch"):

    def _densenet() -> torch.nn.Module:
        # It imports torchvision, whose operators, which a U-Net has no use for, are missing where
        # its build is not that of torch.
        with suppress(Exception):
            import torchvision  # noqa: F401
        for operator in ("nms", "qnms"):
            with suppress(RuntimeError):
                torch.library.define(
                    f"torchvision::{operator}", "(Tensor a, Tensor b, float c) -> Tensor"
                )
        import segmentation_models_pytorch as smp

        return smp.Unet("densenet121", encoder_weights=None, in_channels=1, classes=1)

    RIVALS["smp Unet densenet121"] = _densenet


def tables(arguments: argparse.Namespace, rate: float) -> list[dict[str, Any]]:
    card, network = read_model(resolve(arguments.model))
    models = {"torch": VeinModel(card, network, arguments.device)}
    fast = VeinModel.load(arguments.model, arguments.device)
    if isinstance(fast.runtime, OnnxRuntime):
        models["ONNX Runtime"] = fast
    results = []
    for size in arguments.sizes:
        height, width = map(int, size.split("x"))
        rounds = arguments.rounds if max(height, width) < LARGE else min(arguments.rounds, 2)
        results.append(_table((height, width), models, rounds, rate))
    return results


def _image(shape: tuple[int, int]) -> np.ndarray:
    """Make a finger; a large image shows the same one again and again."""
    if max(shape) < LARGE:
        return synthetic_finger(1, shape).image
    piece = synthetic_finger(1, (PIECE, PIECE)).image
    return np.tile(piece, [-(-side // PIECE) for side in shape])[: shape[0], : shape[1]]


def _table(
    shape: tuple[int, int], models: dict[str, VeinModel], rounds: int, rate: float
) -> dict[str, Any]:
    image = _image(shape)
    any_model = next(iter(models.values()))
    width = any_model.resolve(SegmentationSettings(), image).vein_width
    factors = [each / width for each in any_model.card.seen_widths]
    scales = MultiScalePrediction(shape, factors, any_model.runtime).scales
    count = len(scales[0])
    one_piece = count == 1
    rng = np.random.default_rng(0)
    seen = [rng.random((1, *scale.working_shape), np.float32) for scale in scales]
    calls: dict[str, Callable[[], object]] = {}
    for name, model in models.items():
        calls[f"segment, {name}"] = partial(model.segment, image)
        calls[f"segment, width given, {name}"] = partial(model.segment, image, vein_width=width)
        if one_piece:
            calls[f"forward pass, {name}"] = partial(_each, model.runtime, seen)
            if shape == (240, 320):
                every = model.card.working_vein_width
                calls[f"segment at full size, {name}"] = partial(
                    model.segment, image, vein_width=every
                )
    pieces, amounts = 1, {}
    sides = [-(-side // 32) * 32 for side in shape]
    if max(shape) >= LARGE:
        pieces, sides = shape[0] * shape[1] // PIECE**2, [PIECE, PIECE]
    torch_runtime = models["torch"].runtime
    assert isinstance(torch_runtime, TorchRuntime)
    rival_image = torch.rand(1, 1, *sides)
    for name, make in RIVALS.items():
        calls[name] = _bare(make().eval(), rival_image, torch_runtime.device)
        amounts[name] = pieces
    grey = image[: sides[0], : sides[1]].astype(np.float32)
    for name, filtered in (
        ("ridge filter", lambda: valley_strength(grey, (3.0, 4.5, 6.5, 9.5, 14.0, 20.0))),
        ("maximum curvature", lambda: maximum_curvature(grey, width)),
    ):
        calls[name], amounts[name] = filtered, pieces
    seconds = {
        name: [amounts.get(name, 1) * time for time in times]
        for name, times in paired(calls, rounds).items()
    }
    work = 0
    if one_piece:
        inputs = [torch.from_numpy(each)[:, None].to(torch_runtime.device) for each in seen]
        work = sum(multiply_adds(torch_runtime.core, each) for each in inputs)
    rows = []
    for name, call in calls.items():
        found = summary(seconds[name], seconds[BASIC])
        counted = name.startswith("forward") and torch_runtime.device.type == "cpu"
        share = work / found["median_s"] / rate if counted else None
        rows.append(
            {
                "contender": name,
                "median ms": 1e3 * found["median_s"],
                "quartiles ms": f"{1e3 * found['low_s']:.3g} to {1e3 * found['high_s']:.3g}",
                "/ BasicUNet": found["ratio"],
                "/ own forward": _over(name, "forward pass, ", seconds),
                "/ width given": _over(name, "segment, width given, ", seconds),
                "share of peak": share,
                "memory MB": peak_memory(call, torch_runtime.device),
            }
        )
    sizes = " and ".join("x".join(map(str, scale.working_shape)) for scale in scales)
    title = f"{shape[0]}x{shape[1]}, veins of {width:.1f} px, seen at {sizes} in {count} "
    return {"title": title + ("piece" if one_piece else "tiles"), "rows": rows}


def _each(runtime: Runtime, inputs: list[np.ndarray]) -> None:
    for each in inputs:
        runtime(each)


def _over(name: str, other: str, seconds: dict[str, list[float]]) -> float | None:
    """Hold `segment` against another way of the same runtime."""
    base = name.replace("segment, ", other)
    if base == name or base not in seconds or name.startswith("segment, width"):
        return None
    return summary(seconds[name], seconds[base])["ratio"]


def _bare(
    network: torch.nn.Module, image: torch.Tensor, device: torch.device
) -> Callable[[], object]:
    network.to(device)
    mixed = device.type == "cuda"

    def run() -> None:
        with torch.inference_mode(), torch.autocast(device.type, torch.float16, enabled=mixed):
            network(image.to(device))
        finished(device)

    return run
