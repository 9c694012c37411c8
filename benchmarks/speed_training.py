"""Steps of `veinseg train` against a bare loop over tensors that are in memory already."""

import argparse
import copy
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from monai.networks.nets import BasicUNet
from timing import Calls, finished, paired, peak_memory, summary

from napari_veinseg.data.dataset import Dataset
from napari_veinseg.data.synthesis import synthetic_finger
from napari_veinseg.segmentation.runtimes.devices import choose_device
from napari_veinseg.training.crops import iterate_batches
from napari_veinseg.training.fabric import launch
from napari_veinseg.training.loop import Trainer
from napari_veinseg.training.losses import vein_loss
from napari_veinseg.training.run_folder import Run
from napari_veinseg.training.train import configure
from napari_veinseg.training.training_data import load_training_data

_IMAGES = 8


def tables(arguments: argparse.Namespace, _rate: float) -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory() as name:
        trainer = _trainer(Path(name), arguments.model, arguments.device)
        device = trainer.fabric.device
        crops = iterate_batches(trainer.crops, 0, 0, 1, 0, device)
        batch = {part: tensor.to(device) for part, tensor in next(crops).items()}
        steps = arguments.steps

        def ours() -> None:
            for _ in range(steps):
                trainer.train_step(next(crops))
            finished(device)

        calls: Calls = {
            "veinseg train": ours,
            "bare loop": _bare_loop(copy.deepcopy(trainer.learner.average).train(), batch, steps),
            "bare loop, MONAI BasicUNet": _bare_loop(
                BasicUNet(spatial_dims=2, out_channels=1, features=(32, 32, 64, 128, 256, 32)),
                batch,
                steps,
            ),
        }
        seconds = paired(calls, min(arguments.rounds, 5))
        rows = [
            {
                "loop": name,
                "steps/s": steps / found["median_s"],
                "/ bare loop": 1 / found["ratio"],
                "memory MB": peak_memory(calls[name], device),
            }
            for name, times in seconds.items()
            if (found := summary(times, seconds["bare loop"]))
        ]
    height, width = trainer.crops.shape
    title = f"Training, {trainer.config.batch_size} crops of {height}x{width} a step"
    return [{"title": title, "rows": rows}]


def _trainer(folder: Path, model: str, device: str) -> Trainer:
    dataset = Dataset.create(folder / "dataset")
    for number in range(_IMAGES):
        finger = synthetic_finger(number, (240, 320))
        dataset.add(f"f{number}", finger.image, finger.mask, finger=f"f{number}")
    config = configure(dataset.path, base=model, epochs=10**6, device=device)
    choice = choose_device(device)
    precision = "float32" if choice.name == "cpu" else "auto"
    run = Run.create(folder / "run", config)
    fabric = launch(choice, precision)
    return Trainer(
        fabric, run, load_training_data(config), choice, lambda _event: None, lambda: False
    )


def _bare_loop(
    network: torch.nn.Module, batch: dict[str, torch.Tensor], steps: int
) -> Callable[[], None]:
    device = batch["image"].device
    network.to(device)
    optimiser = torch.optim.AdamW([p.requires_grad_() for p in network.parameters()], lr=1e-4)
    mixed = device.type == "cuda"

    def run() -> None:
        for _ in range(steps):
            optimiser.zero_grad()
            with torch.autocast(device.type, torch.bfloat16, enabled=mixed):
                logits = network(batch["image"])
            vein_loss(logits.float(), batch["vein"], batch["known"]).backward()
            optimiser.step()
        finished(device)

    return run
