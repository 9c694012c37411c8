"""Which choices of a retraining pay: the same steps, images and seeds for each of them.

    python benchmarks/fine_tuning.py [--data DIR] [--only SET ...] [--variants NAME ...]
        [--steps 240] [--seeds 3] [--base starter] [--json]

Sets: `shots` (3 images of `fingerveinsyn`, judged on 10 others; needs `--data DIR`, see
`data_option`), `sensor` (4 fingers of a
synthetic sensor that the starter never saw, judged on 8 others) and `trees` (5 images of fine
vessels at all angles, drawn wider than the starter's, judged on 8 others: a stand-in for
photographs of a retina).  A seed chooses the images, too.  Printed for each set and choice: the
mean of images of vein IoU and Dice, the same with the threshold that the training images prefer,
and the seeds' standard deviation of Dice.  The budget is in steps, so a busy machine changes
nothing.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from data_option import add_data_option, needed_set, set_in

sys.path.insert(0, str(Path(__file__).parents[1] / "recipes"))
from sensors import FIRST_SEED, HELD_OUT

from napari_veinseg import VeinModel, train
from napari_veinseg.data.dataset import Dataset
from napari_veinseg.data.synthesis import SynthesisSettings, synthetic_finger
from napari_veinseg.evaluation.probability_metrics import (
    BINS,
    ScoreHistogram,
    best_threshold,
    score_histogram,
)

TREES = replace(
    SynthesisSettings(),
    tree_share=1.0,
    height=(330, 350),
    aspect=(1.0, 1.1),
    vein_radius=(0.010, 0.028),
    contrast=(0.25, 0.5),
    contrast_spread=0.5,
    scatter=(0.05, 0.2),
    drawn_core=1.15,
    mottle=(0.02, 0.05),
    illumination=(0.2, 0.35),
    white=(130, 190),
    gamma=(0.9, 1.2),
    defocus=(0.4, 0.7),
    noise=(1.5, 3.0),
    crease_share=0.0,
    hair_share=0.0,
    bar_share=0.0,
    object_share=0.0,
    motion_share=0.0,
)
VARIANTS: dict[str, dict[str, Any]] = {
    "default": {},
    "photometric": {"augmentation": "photometric"},
    "no variation": {"augmentation": "none"},
    "float32": {"precision": "float32"},
    "clDice 0.5": {"cldice_weight": 0.5},
    "no averaging": {"averaging": 0.0},
    "frozen statistics": {"freeze_statistics": True},
    "rate 1e-3": {"learning_rate": 1e-3},
    "rate 4e-3": {"learning_rate": 4e-3},
    "crops of 224": {"crop": 224, "batch_size": 2},
    "crops of 112": {"crop": 112, "batch_size": 8},
    "synthetic fingers": {"synthetic": 0.25},
}
SYNTHETIC = 8  # different fingers that are mixed in

Pair = tuple[np.ndarray, np.ndarray]
COUNTS = {"shots": (3, 10), "sensor": (4, 8), "trees": (5, 8)}


def pairs_of(name: str, data: Dataset | None, seed: int) -> list[Pair]:
    """Give the images to learn from, then those to be judged by."""
    count = sum(COUNTS[name])
    if name == "shots":
        assert data is not None
        order = np.random.default_rng(seed).permutation(len(data))[:count]
        return [(data.samples[i].image(), data.samples[i].mask()) for i in order]
    settings = TREES if name == "trees" else HELD_OUT["bars"]
    first = FIRST_SEED + 100 * seed
    fingers = (synthetic_finger(first + i, settings=settings) for i in range(count))
    return [(finger.image, finger.mask) for finger in fingers]


def histograms(model: VeinModel, pairs: list[Pair]) -> list[ScoreHistogram]:
    return [score_histogram(model.probability(image), mask) for image, mask in pairs]


def scores(model: VeinModel, learned: list[Pair], judged: list[Pair]) -> dict[str, float]:
    found = histograms(model, judged)
    figures = {}
    fitted = best_threshold(histograms(model, learned))[0]
    for suffix, threshold in (("", model.card.threshold), ("_fitted", fitted)):
        ious = np.array([each.vein_iou()[round(threshold * BINS)] for each in found])
        figures[f"vein_iou{suffix}"] = float(ious.mean())
        figures[f"dice{suffix}"] = float((2 * ious / (1 + ious)).mean())
    return figures | {"threshold_fitted": fitted}


def mixed(learned: list[Pair], share: float) -> list[Pair]:
    """Add synthetic fingers, and repeat the images so that these take their share of the crops."""
    made = [synthetic_finger(seed) for seed in range(SYNTHETIC)]
    repeats = round(SYNTHETIC * (1 / share - 1) / len(learned))
    return learned * repeats + [(finger.image, finger.mask) for finger in made]


def trained(
    learned: list[Pair], folder: Path, base: str, steps: int, synthetic: float = 0.0, **choice: Any
) -> VeinModel:
    dataset = Dataset.create(folder / "set")
    for number, (image, mask) in enumerate(mixed(learned, synthetic) if synthetic else learned):
        dataset.add(f"image{number}", image, mask)
    run = train(
        dataset,
        base=base,
        run=folder / "run",
        epochs=1,
        steps_per_epoch=steps,
        validation_share=0,
        **choice,
    )
    return run.model()


def measured(arguments: argparse.Namespace, data: Dataset | None) -> Iterator[dict[str, Any]]:
    """Give a row for each set, seed and choice, as soon as it is known."""
    for seed in range(arguments.first_seed, arguments.first_seed + arguments.seeds):
        for name in arguments.only:
            pairs = pairs_of(name, data, seed)
            learned, judged = pairs[: COUNTS[name][0]], pairs[COUNTS[name][0] :]
            if "start" in arguments.variants:
                start = scores(VeinModel.load(arguments.base), learned, judged)
                yield {"set": name, "seed": seed, "variant": "start", **start}
            for variant in arguments.variants:
                if variant == "start":
                    continue
                with tempfile.TemporaryDirectory() as folder:
                    choice = VARIANTS[variant] | {"seed": seed}
                    model = trained(
                        learned, Path(folder), arguments.base, arguments.steps, **choice
                    )
                    row = scores(model, learned, judged)
                yield {"set": name, "seed": seed, "variant": variant, **row}


def print_table(rows: list[dict[str, Any]]) -> None:
    print(f"{'set':<8} {'choice':<20} {'vein IoU':>8} {'Dice':>6} {'sd':>6}   threshold fitted:")
    for name, variant in dict.fromkeys((row["set"], row["variant"]) for row in rows):
        some = [row for row in rows if (row["set"], row["variant"]) == (name, variant)]
        iou, dice, iou_fitted, dice_fitted, threshold = (
            float(np.mean([row[key] for row in some]))
            for key in ("vein_iou", "dice", "vein_iou_fitted", "dice_fitted", "threshold_fitted")
        )
        spread = float(np.std([row["dice"] for row in some]))
        print(
            f"{name:<8} {variant:<20} {iou:8.3f} {dice:6.3f} {spread:6.3f}   "
            f"{iou_fitted:.3f} {dice_fitted:.3f} at {threshold:.2f}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_data_option(parser)
    parser.add_argument("--only", nargs="*", choices=COUNTS, help="sets; all by default")
    parser.add_argument("--variants", nargs="*", default=["start", *VARIANTS])
    parser.add_argument("--steps", type=int, default=240)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--base", default="starter")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    stored = set_in(arguments.data, "fingerveinsyn")
    arguments.only = arguments.only or list(COUNTS)[0 if stored else 1 :]
    if "shots" in arguments.only:
        stored = needed_set(arguments.data, "fingerveinsyn")
    data = Dataset.open(stored) if stored else None
    rows = []
    for row in measured(arguments, data):
        rows.append(row)
        print(json.dumps(row), file=sys.stderr, flush=True)
    if arguments.json:
        print(json.dumps(rows))
    else:
        print_table(rows)


if __name__ == "__main__":
    main()
