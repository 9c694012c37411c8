"""Compare choices of the starter's recipe at equal, short budgets.

    python recipes/ablate.py --steps 1500                # every variant, from one pool
    python recipes/ablate.py --only clDice wider

prints a table: means of images on the held-out sensors at the threshold that they prefer, and the
equal error rate on simulated shots.  A trained variant is kept and not trained again.
"""

import argparse
import os
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from image_kinds import VISIBLE
from image_pool import Item, make_pool, read_pool
from measure import measure_hold_out
from sensors import HELD_OUT
from shots import agreement
from starter import BUDGET, CARD, ROOT, SHARDS
from trainer import Budget, Trainer

from napari_veinseg.model.card import ModelCard
from napari_veinseg.model.file import build_network
from napari_veinseg.segmentation.vein_model import VeinModel


@dataclass(frozen=True)
class Variant:
    """What differs from the recipe."""

    budget: dict[str, Any]
    network: dict[str, Any]
    card: dict[str, Any]


VARIANTS = {
    "recipe": Variant({}, {}, {}),
    "clDice": Variant({"cldice": 0.3}, {}, {}),
    "Dice 1": Variant({"dice": 1.0}, {}, {}),
    "narrower": Variant({}, {"growth_rate": 24}, {}),
    "all maps to the decoder": Variant({}, {"compressed_skips": False}, {}),
    "even layers": Variant({}, {"growth_rate": 24, "layers": (2, 3, 4, 6)}, {}),
    "working width 7": Variant({}, {}, {"working_vein_width": 7.0}),
}


def main() -> None:
    """Train what is missing and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work", type=Path, default=ROOT / "runs" / "ablation")
    parser.add_argument("--pool", type=Path, default=ROOT / "runs" / "starter" / "images_visible")
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--only", nargs="+", choices=VARIANTS, default=list(VARIANTS))
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--compile", action="store_true", help="faster; needs a C++ compiler")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    pool = read_pool(make_pool(arguments.pool, SHARDS, VISIBLE, arguments.threads, print))
    sensors = " | ".join(f"{sensor}: vein IoU, clDice, EER" for sensor in HELD_OUT)
    print(f"| variant | weights | minutes | {sensors} |\n|---{'|---' * (2 + len(HELD_OUT))}|")
    for name in arguments.only:
        budget = replace(BUDGET, steps=arguments.steps, **VARIANTS[name].budget)
        folder = arguments.work / f"{name.replace(' ', '_')}_{arguments.steps}"
        print(_row(name, VARIANTS[name], budget, pool, folder, arguments.compile), flush=True)


def _row(
    name: str,
    variant: Variant,
    budget: Budget,
    pool: list[Item],
    folder: Path,
    compiled: bool,
) -> str:
    network_arguments = CARD.network.model_copy(update=variant.network)
    card: ModelCard = CARD.model_copy(update={"network": network_arguments, **variant.card})
    torch.manual_seed(budget.seed)
    network = build_network(card)
    folder.mkdir(parents=True, exist_ok=True)
    started = time.perf_counter()
    trainer = Trainer(folder, network, budget, compiled)
    trainer.run(pool, card.working_vein_width, torch.device("cpu"), lambda _: None)
    minutes = (time.perf_counter() - started) / 60
    model = VeinModel(card, network, "cpu")
    figures = {(metric.data, metric.name): metric.value for metric in measure_hold_out(model)}
    cells = []
    for sensor in HELD_OUT:
        iou, cldice = (
            figures[f"held-out synthetic, sensor '{sensor}'", score]
            for score in ("vein_iou", "cldice")
        )
        rate = agreement(model.segment, sensor).equal_error_rate.value
        cells.append(f"{iou:.3f}, {cldice:.3f}, {rate:.1%}")
    weights = sum(weight.numel() for weight in network.parameters())
    return f"| {name} | {weights:,} | {minutes:.1f} | {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
