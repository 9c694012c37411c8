"""How good, how fast and how frugal a retraining is.

    python benchmarks/training.py --data DIR [--only PART ...] [--minutes 3] [--json]

Parts: `accuracy` (3 training images, vein IoU on 20 others: the starter, fine-tuned, from scratch),
`augmentation` (photometric against full, same steps), `compute` (share of the training's time in
forward, backward and step), `startup` (child's start to its first step; the slowest of three stop
requests to weights on disk, and to the child's end), `memory` (peak, 100 images
of 240x320) and `loop` (five pairs of 240x320 from start to a compared model).  `--data DIR` (see
`data_option`) takes the images of `fingerveinsyn`; without it, and for the parts that need other
sizes, synthetic fingers are used.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from data_option import add_data_option, set_in

from napari_veinseg.data.dataset import Dataset
from napari_veinseg.data.sample import Sample
from napari_veinseg.data.synthesis import synthetic_finger
from napari_veinseg.training.events import EventReader, RunStatus
from napari_veinseg.training.run_folder import Run
from napari_veinseg.training.train import configure, start

SHAPE = (240, 320)
TRAIN, TEST = 3, 20


def synthetic_dataset(folder: Path, count: int, seed: int = 0) -> Dataset:
    dataset = Dataset.create(folder)
    for number in range(count):
        finger = synthetic_finger(seed + number, shape=SHAPE)
        dataset.add(f"finger{number:03}_1", finger.image, finger.mask, finger=f"finger{number:03}")
    return dataset


def drawn_apart(source: Dataset, seed: int = 0) -> tuple[list[Sample], list[Sample]]:
    """Choose samples to learn from, and others to be judged by."""
    order = np.random.default_rng(seed).permutation(len(source))[: TRAIN + TEST]
    chosen = [source.samples[i] for i in order]
    return chosen[:TRAIN], chosen[TRAIN:]


def copy_of(samples: list[Sample], folder: Path) -> Dataset:
    dataset = Dataset.create(folder)
    for sample in samples:
        dataset.add(sample.stem, sample.image(), sample.mask())
    return dataset


def train(folder: Path, dataset: Dataset, **config: Any) -> tuple[Run, RunStatus, float]:
    """Train in a process of its own; also its peak memory in GB."""
    run = start(folder, configure(dataset, **config))
    command = [sys.executable, "-m", "napari_veinseg", "train", "--resume", "--run", str(run.path)]
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, code, usage = os.wait4(child.pid, 0)
    if code:
        raise SystemExit(f"the training in {run.path} failed")
    status = RunStatus()
    for event in EventReader(run.events_path).new_events():
        status.hear(event)
    return run, status, usage.ru_maxrss / 2**20


def mean_iou(model: str | Path, samples: list[Sample]) -> float:
    from napari_veinseg import VeinModel
    from napari_veinseg.evaluation.metrics import counts

    loaded = VeinModel.load(model)
    scores = [counts(loaded.segment(each.image()), each.mask()).vein_iou for each in samples]
    return float(np.mean(scores))


def accuracy(source: Dataset, folder: Path, minutes: float) -> dict[str, float]:
    learned, judged = drawn_apart(source)
    dataset = copy_of(learned, folder / "set")
    figures = {"starter_iou": mean_iou("starter", judged)}
    for name, base in (("finetuned_iou", "starter"), ("scratch_iou", None)):
        run, _, _ = train(folder / name, dataset, base=base, minutes=minutes)
        assert run.result is not None
        figures[name] = mean_iou(run.result, judged)
    return figures


def augmentation(source: Dataset, folder: Path, epochs: int) -> dict[str, float]:
    learned, judged = drawn_apart(source)
    dataset = copy_of(learned, folder / "set")
    figures = {}
    for name in ("none", "photometric", "full"):
        run, _, _ = train(folder / name, dataset, epochs=epochs, augmentation=name)
        figures[f"{name}_iou"] = mean_iou(run.last, judged)
    return figures


def compute(folder: Path) -> dict[str, float]:
    dataset = synthetic_dataset(folder / "set", 8)
    run, _, _ = train(folder / "run", dataset, minutes=1, validation_share=0)
    epochs = [each for each in EventReader(run.events_path).new_events() if "loss" in each]
    return {"compute_share": epochs[-1]["compute_share"]}


def startup(folder: Path) -> dict[str, float]:
    from napari_veinseg.training.child_process import TrainingProcess

    dataset = synthetic_dataset(folder / "set", 5)
    started, saved, ended = [], [], []
    # Asked to stop before the first step, in the midst of an epoch, and while it judges.
    for name, awaited, pause in (("a", "validation", 0), ("b", "epoch", 1), ("c", "epoch", 0)):
        run = start(folder / name, configure(dataset, minutes=1))
        begin = time.perf_counter()
        child = TrainingProcess(run)
        reader = EventReader(run.events_path)
        wait_for(reader, "validation")  # the base model is judged, then the first step follows
        started.append(time.perf_counter() - begin)
        if awaited != "validation":
            wait_for(reader, awaited)
        time.sleep(pause)
        begin = time.perf_counter()
        child.stop()
        wait_for(reader, "end")  # told once the weights are on disk
        saved.append(time.perf_counter() - begin)
        child.wait(60)
        ended.append(time.perf_counter() - begin)
    return {
        "startup_s": float(np.median(started)),
        "stop_s": max(saved),
        "stop_and_exit_s": max(ended),
    }


def wait_for(reader: EventReader, kind: str) -> None:
    while not any(event["event"] == kind for event in reader.new_events()):
        time.sleep(0.01)


def memory(folder: Path) -> dict[str, float]:
    dataset = synthetic_dataset(folder / "set", 100)
    _, _, peak = train(folder / "run", dataset, epochs=2)
    return {"memory_gb": peak}


def loop(folder: Path) -> dict[str, float]:
    dataset = synthetic_dataset(folder / "set", 5)
    begin = time.perf_counter()
    run, status, _ = train(folder / "run", dataset, minutes=1)
    assert status.comparison()
    from napari_veinseg.model.file import read_model

    assert run.result is not None
    read_model(run.result)  # what keeping it costs
    return {"loop_s": time.perf_counter() - begin}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_data_option(parser)
    parser.add_argument("--minutes", type=float, default=3)
    parser.add_argument("--epochs", type=int, default=10, help="of the augmentation part")
    parser.add_argument(
        "--only", nargs="*", default=["accuracy", "compute", "startup", "memory", "loop"]
    )
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        stored = set_in(arguments.data, "fingerveinsyn")
        source = (
            Dataset.open(stored)
            if stored
            else synthetic_dataset(folder / "source", TRAIN + TEST, seed=1000)
        )
        parts: dict[str, Callable[[Path], dict[str, float]]] = {
            "accuracy": lambda place: accuracy(source, place, arguments.minutes),
            "augmentation": lambda place: augmentation(source, place, arguments.epochs),
            "compute": compute,
            "startup": startup,
            "memory": memory,
            "loop": loop,
        }
        figures: dict[str, float] = {}
        for part in arguments.only:
            (folder / part).mkdir()
            figures |= parts[part](folder / part)
    if arguments.json:
        print(json.dumps(figures))
    else:
        for key, value in figures.items():
            print(f"{key:<16} {value:8.3f}")


if __name__ == "__main__":
    main()
