"""Make the starter model from nothing: synthesise, train, measure, write.

    python recipes/starter.py                    # what ships
    python recipes/starter.py --steps 200 --output /tmp/quick.safetensors

An interrupted run goes on where it stopped.  A GPU is used when there is one.
"""

import argparse
import os
import time
from pathlib import Path

import torch
from measure import measure_hold_out
from pool import open_pool
from train import Budget, Trainer

from napari_veinseg.model.card import DenseUNetArguments, ModelCard, TrainingData
from napari_veinseg.model.file import build_network, write_model
from napari_veinseg.segmentation.vein_model import VeinModel

_ROOT = Path(__file__).parents[1]
_POOL = 2400
_BUDGET = Budget()
_CARD = ModelCard(
    name="starter",
    description="Dark veins in near-infrared images, learnt from synthetic fingers alone",
    network=DenseUNetArguments(),
    working_vein_width=7.0,
    training_data=TrainingData(
        summary=f"{_POOL} synthetic images (seeds 0 to {_POOL - 1}), no photograph"
    ),
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

    pool = open_pool(arguments.work / "pool", _POOL, arguments.threads, log)
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(_BUDGET.seed)
    network = build_network(_CARD)
    log(f"training on {arguments.device}, {torch.get_num_threads()} threads")
    budget = Budget(steps=arguments.steps)
    trainer = Trainer(arguments.work, network, budget)
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
    parser.add_argument("--steps", type=int, default=_BUDGET.steps)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    return parser.parse_args()


if __name__ == "__main__":
    main()
