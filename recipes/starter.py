"""Make the starter model from nothing: synthesise, train, measure, write.

    python recipes/starter.py                    # what ships
    python recipes/starter.py --share 0.05 --output /tmp/quick.safetensors

An interrupted run goes on where it stopped.  A GPU is used when there is one.
"""

import argparse
import os
import time
from dataclasses import replace
from pathlib import Path

import torch
from measure import measure_hold_out
from pool import Kind, open_pool
from train import Budget, Trainer

from napari_veinseg.data.synthesis import SynthesisSettings
from napari_veinseg.model.card import DenseUNetArguments, ModelCard, TrainingData
from napari_veinseg.model.file import build_network, write_model
from napari_veinseg.segmentation.vein_model import VeinModel

ROOT = Path(__file__).parents[1]
SHARDS = 120  # hundreds of images in the pool
BUDGET = Budget()
# Wider than the defaults where a network went wrong: it took broad shadows for veins, drew dark
# veins too wide, marked something on fingers that show no vein, and lost the finest vessels.
_FINGERS = replace(SynthesisSettings(), shadow=(0.0, 1.2), contrast=(0.07, 1.4))
_BOLD = replace(_FINGERS, tree_share=0.0, vein_radius=(0.05, 0.11), trunks=(3, 6), height=(80, 160))
_FINE_TREES = replace(
    _FINGERS,
    tree_share=1.0,
    height=(160, 320),
    aspect=(1.0, 1.4),
    vein_radius=(0.012, 0.04),
    scatter=(0.1, 0.6),
    contrast=(0.1, 1.0),
    drawn_core=1.0,  # whoever draws the finest vessels draws all that is dark
)
KINDS = (
    Kind(70, _FINGERS),
    Kind(5, replace(_FINGERS, tree_share=0.0, trunks=(0, 0))),
    Kind(10, _BOLD),
    Kind(15, _FINE_TREES),
)
CARD = ModelCard(
    name="starter",
    description="Dark veins in near-infrared images, learnt from synthetic fingers alone",
    # Few layers where pixels are many: half the time of an even spread, and as good.
    network=DenseUNetArguments(growth_rate=32, layers=(1, 2, 4, 5), compressed_skips=True),
    working_vein_width=5.0,
    training_data=TrainingData(summary=f"{100 * SHARDS} synthetic images, no photograph"),
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
    network = build_network(CARD)
    log(f"training on {arguments.device} with {arguments.threads} threads")
    pool = open_pool(arguments.work / "pool", SHARDS, KINDS, arguments.threads, log)
    steps = max(1, round(BUDGET.steps * arguments.share))
    budget = replace(BUDGET, steps=steps)
    trainer = Trainer(arguments.work, network, budget, arguments.compile)
    trainer.run(pool, CARD.working_vein_width, torch.device(arguments.device), log)

    held_out = measure_hold_out(VeinModel(CARD, network, "cpu"))
    for metric in held_out.metrics:
        log(f"{metric.data}: {metric.name} ({metric.mean}) {metric.value}")
    card = CARD.model_copy(update={"threshold": held_out.threshold, "metrics": held_out.metrics})
    write_model(arguments.output, card, network, half=True)
    log(f"wrote {arguments.output}, threshold {held_out.threshold}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work", type=Path, default=ROOT / "runs" / "starter")
    parser.add_argument(
        "--output",
        type=Path,
        default=ROOT / "src" / "napari_veinseg" / "model" / "starter.safetensors",
    )
    parser.add_argument("--share", type=float, default=1.0, help="of all steps, for a trial")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--compile", action="store_true", help="faster; needs a C++ compiler")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    return parser.parse_args()


if __name__ == "__main__":
    main()
