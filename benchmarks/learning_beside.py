"""How much correcting a model saves that learns beside the person who corrects.

    python benchmarks/learning_beside.py --data DIR [--images 20] [--orders 3] [--rounds 12]

A simulated annotator (`simulated_annotator.with_brush`, straight strokes of napari's brush and
eraser) corrects photographs of forearms (`DIR/forearm_masks`), which the starter has never seen,
one after the other.  Three ways give the mask that is corrected:

starter     always the starter
retrained   the starter, and after the tenth image a model that was trained once on those ten
beside      the version in use of `veinseg train --watch`, which learns for so many rounds of 20
            steps after every review (12 take about half a minute on two cores; a person needs
            longer for an image)

An action is a stroke.  Counted are those to a vein Dice of `--goal`, or to the highest that all
ways reach on that image.  What is reviewed is the truth itself.
"""

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from data_option import add_data_option, needed_set
from simulated_annotator import with_brush

from napari_veinseg import VeinModel, train
from napari_veinseg.data.dataset import Dataset
from napari_veinseg.data.images import list_images, read_image, read_mask
from napari_veinseg.data.synthesis import synthetic_finger
from napari_veinseg.evaluation.metrics import class_ious
from napari_veinseg.segmentation.runtimes.devices import choose_device
from napari_veinseg.training import continual
from napari_veinseg.training.fabric import launch
from napari_veinseg.training.learner import Learner
from napari_veinseg.training.patient_log import PatientLog
from napari_veinseg.training.publishing import Model
from napari_veinseg.training.run import Run
from napari_veinseg.training.train import configure, start
from napari_veinseg.training.training_data import read_base
from napari_veinseg.training.watch_events import WatchStatus

RETRAIN_AFTER = 10
FORGETTING_SEEDS = range(970_000, 970_008)  # far from the seeds that models are trained on

Case = tuple[str, np.ndarray, np.ndarray]


class Beside:
    """`veinseg train --watch` in this process, learning for so many rounds after each review."""

    def __init__(self, folder: Path, rounds: int) -> None:
        self.dataset, self.rounds = Dataset.create(folder / "dataset"), rounds
        run = start(folder / "run", configure(self.dataset, watch=True, device="cpu"))
        self.status, self.seconds = WatchStatus(), []
        fabric = launch(choose_device("cpu"), "float32")
        base = Model(*read_base(run.config))
        learner = Learner(fabric, read_base(run.config)[1], run.config)
        log = PatientLog(Run.open(run.path), self.status.hear)
        self.trainer = continual.ContinualTrainer(run, base, learner, log, lambda: False, None)

    def model(self) -> VeinModel:
        """Return the version in use."""
        in_use = self.trainer.versions.in_use
        return VeinModel(in_use.card, in_use.network, "cpu")

    def review(self, name: str, image: np.ndarray, truth: np.ndarray) -> None:
        """Let it learn from an image."""
        self.dataset.add(name, image, truth, finger=name, reviewed=True)
        begin, version = time.perf_counter(), self.trainer.versions.number
        self.trainer.take_changes()
        last = self.trainer.at.step + 20 * self.rounds
        while self.trainer.at.step < last and self.trainer._has_work():
            self.trainer.learn_round()
            if self.trainer.versions.number > version:
                self.seconds.append(time.perf_counter() - begin)
                version = 10**9  # only the first version after a review


def retrained(folder: Path, cases: list[Case], steps: int) -> VeinModel:
    dataset = Dataset.create(folder / "ten")
    for name, image, truth in cases:
        dataset.add(name, image, truth, finger=name)
    how = {"epochs": 5, "steps_per_epoch": max(1, steps // 5), "device": "cpu"}
    return train(dataset, run=folder / "retraining", **how).model()


def session(cases: list[Case], arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """Correct the images of one order in all three ways."""
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        beside, starter = Beside(folder, arguments.rounds), VeinModel.load("starter", "cpu")
        once = starter
        for number, (stem, image, truth) in enumerate(cases, start=1):
            if number == RETRAIN_AFTER + 1:
                once = retrained(folder, cases[:RETRAIN_AFTER], arguments.steps)
            models = {"starter": starter, "retrained": once, "beside": beside.model()}
            row = {"image": number, "stem": stem, "version": beside.trainer.versions.number}
            row |= corrected(image, truth, models, arguments.goal)
            rows.append(row)
            print(json.dumps(row), flush=True)
            beside.review(stem, image, truth)
        forgotten = {
            way: synthetic_iou(model)
            for way, model in {"starter": starter, "beside": beside.model()}.items()
        }
        print(json.dumps({"synthetic vein IoU": forgotten}), flush=True)
        print(json.dumps({"seconds to a version": beside.seconds}), flush=True)
    return rows


def corrected(
    image: np.ndarray, truth: np.ndarray, models: dict[str, VeinModel], goal: float
) -> dict[str, float]:
    """Count the actions for each way, and give its error before the first."""
    courses: dict[int, list[float]] = {}
    errors = {}
    for way, model in models.items():
        mask = model.segment(image)
        errors[f"{way} error"] = round(1 - class_ious(mask, truth)[1], 4)
        if way == "retrained" and model is models["starter"]:
            courses[way] = courses["starter"]
        else:
            courses[way] = with_brush(mask == 1, truth, straight=True)
    reached = min(goal, *(max(course) for course in courses.values()))
    return errors | {
        way: next(i for i, dice in enumerate(course) if dice >= reached - 1e-9)
        for way, course in courses.items()
    }


def synthetic_iou(model: VeinModel) -> float:
    """Measure what is left of the skill on the starter's own kind of images."""
    fingers = [synthetic_finger(seed) for seed in FORGETTING_SEEDS]
    return round(statistics.mean(class_ious(model.segment(f.image), f.mask)[1] for f in fingers), 4)


def summary(sessions: list[list[dict[str, Any]]]) -> dict[str, Any]:
    rows = [row for session in sessions for row in session]
    late = [row for row in rows if row["image"] > RETRAIN_AFTER]
    total = {way: sum(row[way] for row in rows) for way in ("starter", "retrained", "beside")}
    later = {way: sum(row[way] for row in late) for way in total}
    answer: dict[str, Any] = {"images": len(rows), "actions": total, "actions after 10": later}
    answer["beside / starter after 10"] = round(later["beside"] / max(later["starter"], 1), 3)
    answer["beside / retrained"] = round(total["beside"] / max(total["retrained"], 1), 3)
    for way in total:
        fives = [
            [row[f"{way} error"] for row in rows if 5 * k < row["image"] <= 5 * k + 5]
            for k in range(4)
        ]
        answer[f"{way}: error on arrival, by fives"] = [
            round(statistics.mean(five), 3) for five in fives if five
        ]
    return answer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_data_option(parser)
    parser.add_argument("--images", type=int, default=20)
    parser.add_argument("--orders", type=int, default=3)
    parser.add_argument("--first-order", type=int, default=0)
    parser.add_argument("--rounds", type=int, default=12, help="of 20 steps, after each review")
    parser.add_argument("--steps", type=int, default=400, help="of the one retraining")
    parser.add_argument("--goal", type=float, default=0.9, help="vein Dice")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="the summary alone, as JSON")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    folder = needed_set(arguments.data, "forearm_masks")
    paths = list_images(folder / "images")
    sessions = []
    for order in range(arguments.first_order, arguments.first_order + arguments.orders):
        chosen = np.random.default_rng(order).permutation(len(paths))[: arguments.images]
        cases = [
            (paths[i].stem, read_image(paths[i]), read_mask(folder / "masks" / paths[i].name))
            for i in chosen
        ]
        sessions.append(session(cases, arguments))
    answer = summary(sessions)
    if arguments.json:
        print(json.dumps(answer))
    else:
        for key, value in answer.items():
            print(f"{key:40}{value}")


if __name__ == "__main__":
    main()
