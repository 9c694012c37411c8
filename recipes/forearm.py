"""Make the model `forearm`: the starter, retrained on photographs of forearms with drawn masks.

    python recipes/forearm.py --data DIR --picture docs/images/forearm.png

It is judged on groups of subjects that were left out, and what ships has learnt from all; its
threshold is that of the highest Dice on those groups.

The photographs are the `train` part of `dataset_90` of V. M. Leli et al., Near-Infrared-to-Visible
Vein Imaging via Convolutional Neural Networks and Reinforcement Learning, ICARCV 2020, under the
MIT licence.  Their names begin with the letter of a group; no subject is in two groups.
"""

import argparse
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from napari_veinseg import VeinModel, train
from napari_veinseg.data.dataset import Dataset
from napari_veinseg.data.grey import to_grey
from napari_veinseg.data.image_files import list_images, read_image
from napari_veinseg.data.mask_files import read_mask
from napari_veinseg.evaluation.bootstrap import grouping
from napari_veinseg.evaluation.metrics import mask_metrics
from napari_veinseg.evaluation.report.contact_sheet import (
    SheetRow,
    agreement_picture,
    mask_picture,
    write_contact_sheet,
)
from napari_veinseg.model.card import Metric, TrainingData

ROOT = Path(__file__).parents[1]
_FOLDS = 5
_THRESHOLDS = (0.35, 0.45, 0.55, 0.65, 0.75)
_TOLERANCE = 3.0  # px between centrelines
_SCORES = ("dice", "centreline_recall", "centreline_precision")
_CITATION = (
    "75 near-infrared photographs of forearms with masks that people drew: V. M. Leli et al., "
    "Near-Infrared-to-Visible Vein Imaging via Convolutional Neural Networks and Reinforcement "
    "Learning, ICARCV 2020; Copyright (c) 2020 cviaai, MIT licence"
)

Masks = dict[Path, np.ndarray]
Models = dict[Path, VeinModel]  # what segments each photograph


def main() -> None:
    """Judge by leaving groups out, then learn from all."""
    arguments = _arguments()
    folder = arguments.data / "forearm_masks"
    paths = sorted(list_images(folder / "images"))
    learnt = _leave_out(paths, arguments.epochs)
    threshold = _best_threshold(learnt)
    starter = dict.fromkeys(paths, VeinModel.load("starter"))
    masks = {"starter": _segment(starter), "retrained": _segment(learnt, threshold)}
    if arguments.picture:
        _draw(arguments.picture, masks)
    metrics = [metric for name, found in masks.items() for metric in _metrics(name, found)]
    model = _retrained(paths, arguments.epochs)
    model.card = model.card.model_copy(
        update={
            "name": "forearm",
            "description": "Dark veins in near-infrared photographs of whole forearms",
            "licence": "BSD-3-Clause AND MIT",
            "threshold": threshold,
            "metrics": tuple(metrics),
            "training_data": TrainingData(
                summary=f"as the starter, then {_CITATION}",
                image_hashes=model.card.training_data.image_hashes,
            ),
        }
    )
    model.save(arguments.output, half=True)
    print(f"wrote {arguments.output}")


def _folds(groups: Sequence[str]) -> list[set[str]]:
    """Share the groups out so that each fold leaves about as many photographs out."""
    folds: list[tuple[int, set[str]]] = [(0, set()) for _ in range(_FOLDS)]
    for group, size in Counter(groups).most_common():
        least = min(range(_FOLDS), key=lambda fold: folds[fold][0])
        folds[least] = (folds[least][0] + size, folds[least][1] | {group})
    return [fold for _, fold in folds]


def _retrained(paths: Sequence[Path], epochs: int) -> VeinModel:
    """Do what `veinseg train --epochs` does, with nothing held out."""
    with tempfile.TemporaryDirectory() as folder:
        dataset = Dataset.create(Path(folder) / "set")
        for path in paths:
            dataset.add(path.stem, read_image(path), _mask(path))
        run = train(dataset, run=Path(folder) / "run", epochs=epochs, validation_share=0)
        model = run.model()
        return VeinModel(model.card, model.network)  # the folder goes


def _mask(path: Path) -> np.ndarray:
    return read_mask(path.parents[1] / "masks" / path.name)


def _leave_out(paths: Sequence[Path], epochs: int) -> Models:
    """Give each photograph a model that learnt from other people's."""
    models: Models = {}
    for fold in _folds([path.stem[0] for path in paths]):
        learnt = _retrained([path for path in paths if path.stem[0] not in fold], epochs)
        models |= {path: learnt for path in paths if path.stem[0] in fold}
        print(f"left out: groups {', '.join(sorted(fold))}", flush=True)
    return models


def _segment(models: Models, threshold: float | None = None) -> Masks:
    return {
        path: model.segment(read_image(path), threshold=threshold) for path, model in models.items()
    }


def _best_threshold(models: Models) -> float:
    """Return the threshold of the highest mean Dice, and print all of them."""
    found = {}
    for threshold in _THRESHOLDS:
        masks = _segment(models, threshold)
        found[threshold] = np.mean([_scores(mask, path)[0] for path, mask in masks.items()])
        print(f"threshold {threshold:g}: Dice {found[threshold]:.3f}", flush=True)
    return max(_THRESHOLDS, key=lambda threshold: found[threshold])


def _scores(mask: np.ndarray, path: Path) -> list[float]:
    row = mask_metrics(mask, _mask(path), _TOLERANCE)
    return [row[score] for score in _SCORES]


def _metrics(name: str, masks: Masks) -> list[Metric]:
    """Means of images; printed with intervals over the groups of subjects."""
    groups = grouping([path.stem[0] for path in masks])
    columns = zip(*(_scores(mask, path) for path, mask in masks.items()), strict=True)
    metrics = []
    for score, values in zip(_SCORES, columns, strict=True):
        mean = groups.mean(list(values))
        print(f"{name}: {score} {mean:.3f}", flush=True)
        data = f"forearms of other people ({_FOLDS} folds of groups), {name}"
        metrics.append(
            Metric(name=score, mean="mean of images", value=round(mean.value, 4), data=data)
        )
    return metrics


def _draw(picture: Path, masks: dict[str, Masks]) -> None:
    """Show a good, the median and the worst answer of what was retrained, beside the starter's."""
    ranked = sorted((_scores(mask, path)[0], path) for path, mask in masks["retrained"].items())
    rows = []
    for name, share in (("good", 0.9), ("median", 0.5), ("worst", 0.0)):
        dice, path = ranked[int(share * len(ranked))]
        before = _scores(masks["starter"][path], path)[0]
        pictures: list[np.ndarray] = [to_grey(read_image(path)), mask_picture(_mask(path))]
        pictures += [agreement_picture(found[path], _mask(path)) for found in masks.values()]
        rows.append(SheetRow(f"{name}: Dice {before:.2f}, retrained {dice:.2f}", pictures))
    columns = ["photograph", "drawn by people", "starter", "retrained on other people"]
    write_contact_sheet(picture, columns, rows, legend=True)
    # A page's pictures must stay small: 128 colours show as much.
    Image.open(picture).convert("RGB").quantize(128).save(picture, optimize=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with `forearm_masks`")
    parser.add_argument("--picture", type=Path, help="draw a good, a median and the worst answer")
    parser.add_argument("--epochs", type=int, default=120)
    parser.add_argument(
        "--output",
        type=Path,
        default=ROOT / "src" / "napari_veinseg" / "model" / "forearm.safetensors",
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
