"""A cold start of the command, and folders against a loop over images in memory."""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from timing import Calls, paired, summary

from napari_veinseg import VeinModel
from napari_veinseg.data.image_files import write_image
from napari_veinseg.data.synthesis import synthetic_finger
from napari_veinseg.segmentation.batch.plan_files import FolderOptions
from napari_veinseg.segmentation.batch.segment_files import segment_files
from napari_veinseg.segmentation.settings import SegmentationSettings

SHAPE = (240, 320)
_COMMAND = "from napari_veinseg.cli import main; main()"
# A MONAI with more of its optional packages than ours brings would start more slowly.
_TORCH = "import torch"


def start_tables(arguments: argparse.Namespace, _rate: float) -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_image(folder / "finger.png", synthetic_finger(1, SHAPE).image)

        def process(code: str, *words: str, fast: str = "0") -> None:
            subprocess.run(
                [sys.executable, "-c", code, *words],
                check=True,
                capture_output=True,
                env={**os.environ, "VEINSEG_FAST": fast},
            )

        segment = [
            "segment", str(folder / "finger.png"), "--output", str(folder / "out"), "--overwrite",
            "--model", arguments.model,
        ]  # fmt: skip
        calls: Calls = {
            "import torch": lambda: process(_TORCH),
            "veinseg segment, torch": lambda: process(_COMMAND, *segment),
            "veinseg segment, prepared": lambda: process(_COMMAND, *segment, fast="1"),
        }
        seconds = paired(calls, min(arguments.rounds, 5))
    rows = [
        {"process": name, "median s": found["median_s"], "/ import torch": found["ratio"]}
        for name, times in seconds.items()
        if (found := summary(times, seconds["import torch"]))
    ]
    return [{"title": "A cold process, one image of 240x320", "rows": rows}]


def folder_tables(arguments: argparse.Namespace, _rate: float) -> list[dict[str, Any]]:
    model = VeinModel.load(arguments.model, "cpu")
    images = [synthetic_finger(seed, SHAPE).image for seed in range(8)]
    with tempfile.TemporaryDirectory() as name:
        folder, output = Path(name) / "images", Path(name) / "masks"
        folder.mkdir()
        for number in range(arguments.images):
            write_image(folder / f"{number:05}.png", images[number % len(images)])

        def in_memory() -> None:
            for number in range(arguments.images):
                model.segment(images[number % len(images)])

        def from_folder() -> None:
            segment_files(
                [folder], output, model, SegmentationSettings(), FolderOptions(overwrite=True)
            )

        calls = {"loop over images in memory": in_memory, "folder to folder": from_folder}
        seconds = paired(calls, rounds=3, warm_up=0)
    rows = [
        {"way": name, "images/s": arguments.images / found["median_s"], "rate": 1 / found["ratio"]}
        for name, times in seconds.items()
        if (found := summary(times, seconds["loop over images in memory"]))
    ]
    title = f"{arguments.images} images of 240x320, {model.device_choice.label}"
    return [{"title": title, "rows": rows}]
