"""What five drawn masks and some minutes give on forearms: retraining beside its alternatives.

Used by `real.py --learn`.  Each draw takes five photographs of some groups of subjects; the rest of
those groups is left out, and all are judged on the same photographs of other groups, each at the
threshold that its five images prefer.
"""

import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from monai.losses import DiceCELoss
from monai.networks.nets import BasicUNet
from real_sets import Forearms, Score, Scorer
from skimage.feature import multiscale_basic_features
from sklearn.ensemble import RandomForestClassifier
from torch import nn

from napari_veinseg import train
from napari_veinseg.data.dataset import Dataset
from napari_veinseg.data.grey import to_grey, without_gaps
from napari_veinseg.evaluation.baselines import baseline_score
from napari_veinseg.measurement.vein_width_from_image import estimate_vein_width
from napari_veinseg.segmentation.tiling.normalisation import Normaliser

_LEARNT, _JUDGED = 5, 15  # photographs
_CROP, _BATCH = 160, 4
_PIXELS = 20_000  # that a forest learns of each class of an image
_BASELINES = ("maximum curvature", "Frangi ridges", "Sato ridges")


@dataclass(frozen=True)
class Draw:
    """Photographs to learn from, and photographs of other people to be judged by."""

    learnt: Forearms
    judged: Forearms
    minutes: float
    seed: int

    @property
    def deadline(self) -> float:
        """When learning has to end."""
        return time.monotonic() + 60 * self.minutes


def learning_rows(arms: Forearms, base: str, minutes: float, draws: int) -> list[dict[str, Any]]:
    """Let all learn from each draw, and pool what they answered."""
    learners: dict[str, Callable[[Draw], Scorer]] = {
        f"{base}, retrained": lambda draw: _retrained(draw, base),
        "the same network from nothing": lambda draw: _retrained(draw, None),
        "random forest on multiscale features": _forest,
        "MONAI BasicUNet from nothing": lambda draw: _from_nothing(_basic_unet(), draw),
        **{name: _never_learns(name) for name in _BASELINES},
    }
    try:
        import segmentation_models_pytorch as smp
    except ImportError:
        print("segmentation_models_pytorch is not installed: its Unet is left out")
    else:
        learners["smp Unet, resnet18, from nothing"] = lambda draw: _from_nothing(
            smp.Unet("resnet18", encoder_weights=None, in_channels=1), draw
        )
    rows = []
    for number, draw in enumerate(_draws(arms, minutes, draws), 1):
        for name, learn in learners.items():
            torch.manual_seed(draw.seed)
            scorer = learn(draw)
            own = {stem: scorer(image) for stem, image in draw.learnt.images.items()}
            at = draw.learnt.best_threshold(own)
            answers = {stem: scorer(image) for stem, image in draw.judged.images.items()}
            found = draw.judged.judged(answers, at)
            rows.append({"draw": str(number), "learner": name, "threshold": f"{at:.2f}", **found})
    return rows


def _draws(arms: Forearms, minutes: float, count: int) -> Iterator[Draw]:
    """Share out the groups of subjects, and take photographs of each share."""
    for seed in range(count):
        rng = np.random.default_rng(seed)
        groups = rng.permutation(sorted(set(arms.groups)))
        stems = [
            [stem for stem in arms.images if stem[0] in part]
            for part in (groups[: len(groups) // 2], groups[len(groups) // 2 :])
        ]
        chosen = [
            sorted(rng.permutation(some)[:size].tolist())
            for some, size in zip(stems, (_LEARNT, _JUDGED), strict=True)
        ]
        learnt, judged = (
            Forearms({s: arms.images[s] for s in some}, {s: arms.masks[s] for s in some})
            for some in chosen
        )
        yield Draw(learnt, judged, minutes, seed)


def _retrained(draw: Draw, base: str | None) -> Scorer:
    """Do what `veinseg train` does."""
    with tempfile.TemporaryDirectory() as folder:
        dataset = Dataset.create(Path(folder) / "set")
        for stem, image in draw.learnt.images.items():
            dataset.add(stem, image, draw.learnt.masks[stem])
        run = train(
            dataset,
            base=base,
            run=Path(folder) / "run",
            minutes=draw.minutes,
            seed=draw.seed,
            validation_share=0,
            device="cpu",
        )
        return run.model().probability


def _grey(image: np.ndarray) -> Score:
    grey = without_gaps(to_grey(image))
    return Normaliser.from_image(grey, 1, 99)(grey)


def _features(image: np.ndarray) -> np.ndarray:
    """Intensity, edges and texture at scales an octave apart."""
    return multiscale_basic_features(_grey(image), sigma_min=1, sigma_max=16)


def _forest(draw: Draw) -> Scorer:
    """Learn pixels of both classes in equal numbers, as far as there are."""
    rng, inputs, classes = np.random.default_rng(draw.seed), [], []
    for stem, image in draw.learnt.images.items():
        features, mask = _features(image), draw.learnt.masks[stem] == 1
        for vein in (False, True):
            places = rng.permutation(np.flatnonzero(mask.ravel() == vein))[:_PIXELS]
            inputs.append(features.reshape(-1, features.shape[-1])[places])
            classes.append(np.full(len(places), vein))
    forest = RandomForestClassifier(
        100, max_depth=16, min_samples_leaf=5, n_jobs=-1, random_state=draw.seed
    ).fit(np.concatenate(inputs), np.concatenate(classes))

    def score(image: np.ndarray) -> Score:
        features = _features(image)
        likely = forest.predict_proba(features.reshape(-1, features.shape[-1]))[:, 1]
        return likely.reshape(features.shape[:2]).astype(np.float32)

    return score


def _basic_unet() -> nn.Module:
    return BasicUNet(spatial_dims=2, features=(32, 32, 64, 128, 256, 32), out_channels=1)


def _from_nothing(network: nn.Module, draw: Draw) -> Scorer:
    """Learn by the textbook: random crops, flips and brightness, Adam, Dice and cross-entropy."""
    rng = np.random.default_rng(draw.seed)
    pairs = [
        (_grey(image), (draw.learnt.masks[stem] == 1).astype(np.float32))
        for stem, image in draw.learnt.images.items()
    ]
    optimiser = torch.optim.Adam(network.parameters(), 1e-3)
    loss = DiceCELoss(sigmoid=True)
    network.train()
    deadline = draw.deadline
    while time.monotonic() < deadline:
        crops = [_crop(*pairs[int(rng.integers(len(pairs)))], rng) for _ in range(_BATCH)]
        images, masks = torch.from_numpy(np.stack(crops)).split(1, dim=1)
        optimiser.zero_grad()
        loss(network(images), masks).backward()
        optimiser.step()
    network.eval()

    @torch.no_grad()
    def score(image: np.ndarray) -> Score:
        grey = _grey(image)
        padded = np.pad(grey, [(0, -side % 32) for side in grey.shape], mode="edge")
        answer = torch.sigmoid(network(torch.from_numpy(padded)[None, None]))[0, 0].numpy()
        return answer[: grey.shape[0], : grey.shape[1]]

    return score


def _crop(grey: Score, mask: Score, rng: np.random.Generator) -> Score:
    """Cut both at the same place, half of the time around a vein."""
    top, left = (int(rng.integers(0, side - _CROP + 1)) for side in grey.shape)
    veins = np.argwhere(mask)
    if len(veins) and rng.random() < 0.5:
        middle = veins[int(rng.integers(len(veins)))] - _CROP // 2
        top, left = np.clip(middle, 0, np.array(grey.shape) - _CROP).tolist()
    place = (slice(top, top + _CROP), slice(left, left + _CROP))
    both = np.stack([grey[place] * rng.uniform(0.8, 1.25) + rng.normal(0, 0.1), mask[place]])
    flips = tuple(axis for axis in (1, 2) if rng.random() < 0.5)
    return np.flip(both, flips).astype(np.float32)


def _never_learns(name: str) -> Callable[[Draw], Scorer]:
    def score(image: np.ndarray) -> Score:
        grey = without_gaps(to_grey(image))
        return baseline_score(name, grey, estimate_vein_width(grey))

    return lambda _: score
