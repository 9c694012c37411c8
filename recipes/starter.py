"""Make the starter model from nothing: synthesise, train, measure, write.

    python recipes/starter.py                    # what ships
    python recipes/starter.py --share 0.05 --output /tmp/quick.safetensors

An interrupted run goes on where it stopped.  A GPU is used when there is one.
"""

import argparse
import os
import time
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from measure import measure_hold_out
from pool import open_pool
from train import Budget, Trainer

from napari_veinseg.data.synthesis import SynthesisSettings
from napari_veinseg.model.card import DenseUNetArguments, ModelCard, TrainingData
from napari_veinseg.model.file import build_network, write_model
from napari_veinseg.segmentation.vein_model import VeinModel

_ROOT = Path(__file__).parents[1]
_POOL = 2400  # images of a stage


@dataclass(frozen=True)
class Stage:
    """One pool of images and one fall of the learning rate."""

    first_seed: int
    settings: SynthesisSettings
    budget: Budget


# The first stage took broad shadows for veins and drew a little too wide: the second mends that.
_STAGES = (
    Stage(0, SynthesisSettings(), Budget(steps=2600, peak_rate=2e-3)),
    Stage(
        100_000,
        replace(
            SynthesisSettings(),
            shadow=(0.0, 1.2),
            drawn_core=0.75,
            contrast=(0.07, 0.6),
        ),
        Budget(steps=2200, peak_rate=1.5e-3),
    ),
)
_CARD = ModelCard(
    name="starter",
    description="Dark veins in near-infrared images, learnt from synthetic fingers alone",
    network=DenseUNetArguments(),
    working_vein_width=7.0,
    training_data=TrainingData(summary=f"{len(_STAGES)} x {_POOL} synthetic images, no photograph"),
)


def main() -> None:
    """Run the recipe."""
    arguments = _arguments()
    arguments.work.mkdir(parents=True, exist_ok=True)
    started = time.perf_counter()

    def log(message: str) -> None:
        line = f"{time.perf_counter() - started:7.0f} s  {message}"
        print(line, flush=True)
        with (arguments.work / "log.txt").open("a", encoding="utf-8") as file:
            file.write(line + "\n")

    torch.set_num_threads(arguments.threads)
    torch.manual_seed(0)
    network = build_network(_CARD)
    log(f"training on {arguments.device} with {arguments.threads} threads")
    for number, stage in enumerate(_STAGES, 1):
        folder = arguments.work / f"stage_{number}"
        seeds = range(stage.first_seed, stage.first_seed + _POOL)
        pool = open_pool(folder / "pool", seeds, stage.settings, arguments.threads, log)
        steps = max(1, round(stage.budget.steps * arguments.share))
        trainer = Trainer(folder, network, replace(stage.budget, steps=steps))
        trainer.run(pool, _CARD.working_vein_width, torch.device(arguments.device), log)

    held_out = measure_hold_out(VeinModel(_CARD, network, "cpu"))
    for metric in held_out.metrics:
        log(f"{metric.data}: {metric.name} ({metric.mean}) {metric.value}")
    card = _CARD.model_copy(update={"threshold": held_out.threshold, "metrics": held_out.metrics})
    write_model(arguments.output, card, network, half=True)
    log(f"wrote {arguments.output}, threshold {held_out.threshold}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work", type=Path, default=_ROOT / "runs" / "starter")
    parser.add_argument(
        "--output",
        type=Path,
        default=_ROOT / "src" / "napari_veinseg" / "model" / "starter.safetensors",
    )
    parser.add_argument("--share", type=float, default=1.0, help="of all steps, for a trial")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    return parser.parse_args()


if __name__ == "__main__":
    main()
