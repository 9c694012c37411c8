"""Small datasets, contenders and reports for the tests of evaluation."""

import html
import re
from dataclasses import dataclass

import numpy as np
from PIL import Image

from napari_veinseg.data.dataset import Dataset
from napari_veinseg.data.mask_files import write_mask
from napari_veinseg.evaluation.contenders import (
    Model,
)
from napari_veinseg.model.card import ModelCard, TrainingData
from napari_veinseg.segmentation.vein_model import Prediction
from tests.measurement.shapes import capsule

SHAPE = (48, 96)


@dataclass
class Threshold:
    """A model that calls dark pixels vein."""

    card: ModelCard
    threshold: float = 0.5

    def predict(self, image, settings):
        probability = (1 - image / 255).astype(np.float32)
        mask = (probability >= self.threshold).astype(np.uint8)
        return Prediction(probability, mask, settings.resolved(6.0, self.threshold))


def make_dataset(path, fingers=6, shots=2):
    """Dark capsules on light ground with noise; every file is written by hand, no samples.csv."""
    rng = np.random.default_rng(0)
    for folder in ("images", "masks"):
        (path / folder).mkdir(parents=True)
    for finger in range(fingers):
        row = rng.integers(12, 36)
        for shot in range(shots):
            mask = capsule((row + shot, 5), (row, 90), 6, SHAPE).astype(np.uint8)
            image = np.where(mask == 1, 60.0, 190.0) + rng.normal(0, 30, SHAPE)
            stem = f"fïnger{finger}_{shot}"
            Image.fromarray(image.clip(0, 255).astype(np.uint8)).save(path / f"images/{stem}.png")
            write_mask(path / "masks" / f"{stem}.png", mask)
    return path


def model(name="dark", threshold=0.5, hashes=()):
    return Model(
        name, Threshold(ModelCard(training_data=TrainingData(image_hashes=hashes)), threshold)
    )


PATTERN = r"^(.+)_\d+$"


def lead(output):
    """What the page says above its first table."""
    page = (output / "report.html").read_text(encoding="utf-8")
    return html.unescape(page[page.index("<h1>") : page.index("<h2>")])


def first_caveat(output):
    return re.search("<li>(.*?)</li>", lead(output))[1]


def split_by_image(folder):
    """Put one shot of each finger on either side, without naming fingers."""
    stems = sorted(path.stem for path in (folder / "images").iterdir())
    lines = [f"{stem},,{'validation' if stem.endswith('1') else 'train'},yes," for stem in stems]
    (folder / "samples.csv").write_text(
        "\n".join(["stem,finger,split,reviewed,source", *lines]), encoding="utf-8"
    )
    return Dataset.open(folder, PATTERN)
