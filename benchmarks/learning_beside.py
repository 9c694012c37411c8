"""How much correcting a model saves that learns beside the person who corrects.

    python benchmarks/learning_beside.py --data DIR --log FOLDER [--set forearms] [--orders 3]

A simulated annotator (`simulated_annotator.with_brush`, straight strokes of napari's brush and
eraser) corrects images one after the other, as far as a vein Dice of `--goal`, or the highest that
all ways reach on an image.  An action is a stroke.  Four ways give the mask that is corrected:

nothing     an empty mask: all is drawn by hand
starter     always the starter, or what `--start` names in its place
retrained   that, and after the tenth image a model that was trained once on those ten
beside      the version in use of `veinseg train --watch`, which learns for so many steps after
            each review (240 take half a minute on two cores; a person needs longer for an image)

`--set forearms` takes photographs of forearms (`DIR/forearm_masks`), an order after the other;
`--set sensors` the synthetic sensors that the starter was held out from, one sensor an 'order'.
What is reviewed is the truth itself.  Seconds are those of the processor, on one thread, which is
what `--watch` takes on two cores.

Everything is written to `--log` as it goes: the same command goes on where it was stopped, and with
`--images` says as far as which image.
"""

import argparse
import json
import shutil
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import figures
import numpy as np
import torch
from data_option import add_data_option, needed_set
from scipy import stats
from simulated_annotator import with_brush

from napari_veinseg import VeinModel, train
from napari_veinseg.data.dataset import Dataset
from napari_veinseg.data.image_files import list_images, read_image
from napari_veinseg.data.mask_files import read_mask
from napari_veinseg.evaluation.metrics import class_ious
from napari_veinseg.segmentation.runtimes.devices import choose_device
from napari_veinseg.training.continual import ContinualTrainer
from napari_veinseg.training.fabric import launch
from napari_veinseg.training.learner import Learner
from napari_veinseg.training.patient_log import PatientLog
from napari_veinseg.training.run_folder import Run
from napari_veinseg.training.train import configure, start
from napari_veinseg.training.training_data import read_base
from napari_veinseg.training.versions import Model
from napari_veinseg.training.watch_events import WatchStatus

sys.path.insert(0, str(Path(__file__).parents[1] / "recipes"))
from image_pool import make_items
from sensors import FIRST_SEED, HELD_OUT

WAYS = ("nothing", "starter", "retrained", "beside")
RETRAIN_AFTER = 10
# Images of each held-out sensor that forgetting is measured on.  Four say too little: one model
# lost 0.04 on four of them and 0.02 on ten others.
_REMEMBERED = 16
_SHOWN_FROM = 100  # seeds of `--set sensors` begin so far behind those

Case = tuple[str, np.ndarray, np.ndarray]
Row = dict[str, Any]


class Beside:
    """`veinseg train --watch` in this process, learning for so many steps after each review."""

    def __init__(self, folder: Path, start_from: str, steps: int) -> None:
        self.steps, self.status = steps, WatchStatus()
        if (folder / "run").exists():
            self.dataset, run = Dataset.open(folder / "dataset"), Run.open(folder / "run")
        else:
            self.dataset = Dataset.create(folder / "dataset")
            config = configure(self.dataset, base=start_from, watch=True, device="cpu")
            run = start(folder / "run", config)
        base = Model(*read_base(run.config))
        learner = Learner(
            launch(choose_device("cpu"), "float32"), read_base(run.config)[1], run.config
        )
        log = PatientLog(run, self.status.hear)
        self.trainer = ContinualTrainer(run, base, learner, log, lambda: False, None)
        self.trainer.resume()

    @property
    def version(self) -> int:
        """The number of the version in use."""
        return self.trainer.versions.number

    def model(self) -> VeinModel:
        """Return the version in use."""
        in_use = self.trainer.versions.in_use
        return VeinModel(in_use.card, in_use.network, "cpu")

    def review(self, name: str, image: np.ndarray, truth: np.ndarray) -> Row:
        """Let it learn from an image; give the seconds to the next version, None without one."""
        if name not in self.dataset:
            self.dataset.add(name, image, truth, finger=name, reviewed=True)
        begin, version, seconds = time.process_time(), self.version, None
        self.trainer.take_changes()
        last = self.trainer.at.step + self.steps
        while self.trainer.at.step < last and self.trainer.has_work():
            self.trainer.learn_round()
            if seconds is None and self.version > version:
                seconds = round(time.process_time() - begin, 1)
        self.trainer.save(now=True)
        return {
            "seconds to a version": seconds,
            "seconds": round(time.process_time() - begin, 1),
            "held out": name in self.trainer.pool.holdout,
        }


def retrained(folder: Path, cases: list[Case], start_from: str, steps: int) -> VeinModel:
    """Train once, as people do, or read what was trained."""
    trained = folder / "retrained.safetensors"
    if not trained.exists():
        for begun in ("ten", "retraining"):  # by a run that was stopped
            shutil.rmtree(folder / begun, ignore_errors=True)
        dataset = Dataset.create(folder / "ten")
        for name, image, truth in cases:
            dataset.add(name, image, truth, finger=name)
        train(
            dataset,
            base=start_from,
            output=trained,
            run=folder / "retraining",
            epochs=5,
            steps_per_epoch=max(1, steps // 5),
            device="cpu",
        )
    return VeinModel.load(trained, "cpu")


def session(folder: Path, cases: list[Case], arguments: argparse.Namespace) -> None:
    """Correct the images of one order in all ways, and write a row for each."""
    folder.mkdir(parents=True, exist_ok=True)
    done = len(_rows(folder))
    beside = Beside(folder, arguments.start, arguments.steps)
    starter = VeinModel.load(arguments.start, "cpu")
    for number, (stem, image, truth) in enumerate(cases, start=1):
        if number <= done:
            continue
        models = {"starter": starter, "beside": beside.model()}
        if number > RETRAIN_AFTER:
            ten = cases[:RETRAIN_AFTER]
            models["retrained"] = retrained(
                folder, ten, arguments.start, arguments.retraining_steps
            )
        courses = {"nothing": _course_from(np.zeros_like(truth), truth)}
        for way, model in models.items():
            kept = folder.parent / f"{stem}.json" if way == "starter" else None
            courses[way] = _course(model, image, truth, kept)
        courses.setdefault("retrained", courses["starter"])
        row = {"image": number, "stem": stem, "version": beside.version}
        row["threshold"] = beside.trainer.versions.threshold
        row |= _compared(courses, arguments.goal) | beside.review(stem, image, truth)
        _write_row(folder, row)
    if not (folder / "forgetting.json").exists() and arguments.set == "forearms":
        ious = {
            "starter": _synthetic_ious(starter),
            "beside": _synthetic_ious(beside.model()),
            "weights": _synthetic_ious(beside.model(), starter.card.threshold),
        }
        (folder / "forgetting.json").write_text(json.dumps(ious), encoding="utf-8")


def _course(model: VeinModel, image: np.ndarray, truth: np.ndarray, kept: Path | None) -> Row:
    """Give the error on arrival, and the Dice after each stroke."""
    if kept and kept.exists():
        known: Row = json.loads(kept.read_text(encoding="utf-8"))
        return known
    course = _course_from(model.segment(image), truth)
    if kept:
        kept.write_text(json.dumps(course), encoding="utf-8")
    return course


def _course_from(mask: np.ndarray, truth: np.ndarray) -> Row:
    return {
        "error": round(1 - class_ious(mask, truth)[1], 4),
        "dice": with_brush(mask == 1, truth, straight=True),
    }


def _compared(courses: dict[str, Row], goal: float) -> Row:
    reached = min(goal, *(max(course["dice"]) for course in courses.values()))
    row: Row = {"goal": round(reached, 3)}
    for way in WAYS:
        row[way] = next(i for i, d in enumerate(courses[way]["dice"]) if d >= reached - 1e-9)
        row[f"{way} error"] = courses[way]["error"]
    return row


def _synthetic_ious(model: VeinModel, threshold: float | None = None) -> dict[str, float]:
    """Measure what is left of the skill on the held-out sensors of the starter."""
    seeds = range(FIRST_SEED, FIRST_SEED + _REMEMBERED)
    return {
        name: statistics.mean(
            class_ious(model.segment(item.image, threshold=threshold), item.mask)[1]
            for item in make_items(seeds, settings)
        )
        for name, settings in HELD_OUT.items()
    }


def _rows(folder: Path) -> list[Row]:
    path = folder / "rows.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def _write_row(folder: Path, row: Row) -> None:
    with (folder / "rows.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(row) + "\n")
    print(json.dumps(row), flush=True)


def forearms(data: Path, order: int, count: int, groups: str) -> Iterator[Case]:
    """Photographs of forearms, in one of many orders."""
    folder = needed_set(data, "forearm_masks")
    paths = [path for path in list_images(folder / "images") if path.stem.startswith(tuple(groups))]
    for i in np.random.default_rng(order).permutation(len(paths))[:count]:
        mask = read_mask(folder / "masks" / paths[i].name)
        yield paths[i].stem, read_image(paths[i]), mask


def sensor(order: int, count: int) -> Iterator[Case]:
    """Images of one held-out sensor."""
    name, settings = list(HELD_OUT.items())[order]
    first = FIRST_SEED + _SHOWN_FROM
    for number, item in enumerate(make_items(range(first, first + count), settings)):
        yield f"{name}_{number}", item.image, item.mask


def views(folders: list[Path]) -> dict[str, str]:
    """Add the rows of all orders up: actions, errors on arrival, and what it costs."""
    rows = [row for folder in folders for row in _rows(folder)]
    numbers = sorted({(row["image"] - 1) // 5 for row in rows})
    fives = {n: [row for row in rows if (row["image"] - 1) // 5 == n] for n in numbers}
    named = {f"images {5 * n + 1} to {5 * n + 5}": five for n, five in fives.items()}

    def line(what: str, figure: Callable[[list[Row], str], object], way: str) -> Row:
        shown = {name: figure(five, way) for name, five in named.items()}
        return {"": f"{what}, {way}"} | shown | {"all": figure(rows, way)}

    table = [line("actions an image", _actions, way) for way in WAYS]
    table += [line("error on arrival", _error, way) for way in WAYS[1:]]
    return {"learning": f"{figures.table(table)}\n\n{_in_words(rows, folders)}"}


def _actions(rows: list[Row], way: str) -> str:
    return f"{statistics.mean(row[way] for row in rows):.1f}"


def _error(rows: list[Row], way: str) -> str:
    """Give the mean and half of its 95 % interval over images (Student's t)."""
    errors = [row[f"{way} error"] for row in rows]
    spread = stats.sem(errors) * stats.t.ppf(0.975, len(errors) - 1) if len(errors) > 1 else np.nan
    return f"{statistics.mean(errors):.2f} ± {spread:.2f}"


def _in_words(rows: list[Row], folders: list[Path]) -> str:
    total = {way: sum(row[way] for row in rows) for way in WAYS}
    late = [row for row in rows if row["image"] > RETRAIN_AFTER]
    words = [
        f"{len(rows)} images in {len(folders)} order{'s'[: len(folders) > 1]}. Beside needs "
        f"{total['beside'] / total['retrained']:.2f} of the actions of 'retrained' and "
        f"{total['beside'] / total['nothing']:.2f} of those from an empty mask"
    ]
    if late:
        later = {way: sum(row[way] for row in late) for way in WAYS}
        words.append(
            f"; after the tenth image {later['beside'] / later['starter']:.2f} of the starter's "
            f"and {later['beside'] / later['nothing']:.2f} of those from an empty mask"
        )
    words.append(".")
    seconds = [s for row in rows if (s := row["seconds to a version"]) is not None]
    if seconds:
        words.append(
            f" After {len(seconds)} of the reviews a new version came out, after "
            f"{statistics.median(seconds):.0f} s of a processor (median; at most "
            f"{max(seconds):.0f} s)."
        )
    kept = [path for folder in folders if (path := folder / "forgetting.json").exists()]
    if kept:
        ious = [json.loads(path.read_text(encoding="utf-8")) for path in kept]
        starter, beside, weights = (
            statistics.mean(statistics.mean(each[way].values()) for each in ious)
            for way in ("starter", "beside", "weights")
        )
        words.append(
            f" On the starter's held-out sensors the vein IoU is {beside:.3f} afterwards, "
            f"{weights:.3f} at the starter's threshold, {starter:.3f} before."
        )
    return "".join(words)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_data_option(parser)
    parser.add_argument("--set", choices=("forearms", "sensors"), default="forearms")
    parser.add_argument(
        "--start", default="starter", help="the model that all but 'nothing' begin with"
    )
    parser.add_argument(
        "--groups", default="abcdefghijkl", help="of people, whose forearms are shown"
    )
    parser.add_argument("--log", type=Path, required=True, help="a folder to work in")
    parser.add_argument("--images", type=int, default=20)
    parser.add_argument("--orders", type=int, default=3)
    parser.add_argument("--steps", type=int, default=240, help="after each review")
    parser.add_argument("--retraining-steps", type=int, default=400, help="of the one retraining")
    parser.add_argument("--goal", type=float, default=0.9, help="vein Dice")
    parser.add_argument("--threads", type=int, default=1)
    figures.add_write_option(parser)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    folders = [arguments.log / f"{arguments.set}_{order}" for order in range(arguments.orders)]
    for order, folder in enumerate(folders):
        shown = (
            forearms(arguments.data, order, arguments.images, arguments.groups)
            if arguments.set == "forearms"
            else sensor(order, arguments.images)
        )
        session(folder, list(shown), arguments)
    found = views([folder for folder in folders if _rows(folder)])
    print("\n\n".join(found.values()))
    if arguments.write:
        figures.write(arguments.write, found)


if __name__ == "__main__":
    main()
