"""Make the starter model from nothing: two teachers and their student.

    python recipes/starter.py                    # what ships
    python recipes/starter.py --share 0.05 --output /tmp/quick.safetensors

An interrupted run goes on where it stopped.  A GPU is used when there is one.
"""

import argparse
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from image_kinds import PLAIN, SCENES, TREES, VISIBLE
from image_pool import make_pool
from measure import measure_hold_out
from teachers import Teachers, teach
from trainer import Budget
from training_run import TrainingRun, learn

from napari_veinseg.model.card import DenseUNetArguments, ModelCard, TrainingData
from napari_veinseg.model.file import read_model, write_model
from napari_veinseg.segmentation.vein_model import VeinModel

ROOT = Path(__file__).parents[1]
SHARDS = 200  # hundreds of images that show what can be seen ...
_PLAIN_SHARDS = 40  # ... and plain ones
_STUDENT_SHARDS = {"visible": 10, "plain": 10, "trees": 4, "scenes": 20}
_ALL_SHARDS = SHARDS + _PLAIN_SHARDS + _STUDENT_SHARDS["trees"] + _STUDENT_SHARDS["scenes"]
BUDGET = Budget()
_PLAIN_BUDGET = replace(BUDGET, steps=1_200)  # more learns the quirks of the generator
_STUDENT_BUDGET = replace(BUDGET, steps=1_000, peak_rate=2e-3, averaging=0.99)
_KINDS = {"visible": VISIBLE, "plain": PLAIN, "trees": TREES, "scenes": SCENES}
CARD = ModelCard(
    name="starter",
    description="Dark veins in near-infrared images, learnt from synthetic fingers and limbs alone",
    # Few layers where pixels are many: half the time of an even spread, and as good.
    network=DenseUNetArguments(growth_rate=32, layers=(1, 2, 4, 5), compressed_skips=True),
    working_vein_width=5.0,
    scales=(1.0, 2.0),
    threshold=0.5,  # a lower one finds more of real veins, and marks more where none is
    training_data=TrainingData(summary=f"{100 * _ALL_SHARDS:,} synthetic images, no photograph"),
)


@dataclass(frozen=True, kw_only=True)
class _Run:
    """One run of the recipe: where it is kept, how much of it, and what computes it."""

    work: Path
    share: float
    device: str
    processes: int
    compiled: bool
    log: Callable[[str], None]

    def images(self, name: str, shards: int) -> list[Path]:
        """Make images of the kinds of that name."""
        folder = self.work / f"images_{name}"
        return make_pool(folder, shards, _KINDS[name], os.cpu_count() or 1, self.log)

    def taught(self, teachers: Teachers, shards: Mapping[str, int]) -> list[Path]:
        """Let the teachers mark what a student learns from; scenes keep their truth."""
        return [
            path
            for name, count in shards.items()
            for path in teach(
                self.work / f"taught_{name}",
                self.images(name, count),
                _KINDS[name],
                teachers,
                os.cpu_count() or 1,
                self.log,
            )
        ]

    def learn(
        self,
        name: str,
        images: Callable[[], list[Path]],
        budget: Budget,
        teachers: tuple[Path, ...] = (),
    ) -> Path:
        """Train a network at one scale, if that is not done yet."""
        lesson = TrainingRun(
            folder=self.work / name,
            card=CARD.model_copy(update={"scales": (1.0,)}),
            budget=replace(budget, steps=max(1, round(budget.steps * self.share))),
            device=self.device,
            processes=self.processes,
            compiled=self.compiled,
            teachers=teachers,
        )
        return learn(lesson, images, self.log)


def main() -> None:
    """Train both teachers, let them mark images, train the student and measure it."""
    arguments = _arguments()
    arguments.work.mkdir(parents=True, exist_ok=True)
    run = _Run(
        work=arguments.work,
        share=arguments.share,
        device=arguments.device,
        processes=arguments.processes,
        compiled=arguments.compile,
        log=_logger(arguments.work),
    )
    visible = run.learn("visible", lambda: run.images("visible", SHARDS), BUDGET)
    plain = run.learn("plain", lambda: run.images("plain", _PLAIN_SHARDS), _PLAIN_BUDGET)
    teachers = visible, plain
    student = run.learn(
        "student", lambda: run.taught(teachers, _STUDENT_SHARDS), _STUDENT_BUDGET, teachers
    )
    _write(arguments.output, student, run.log)


def _write(path: Path, student: Path, log: Callable[[str], None]) -> None:
    network = read_model(student)[1]
    metrics = measure_hold_out(VeinModel(CARD, network, "cpu"))
    for metric in metrics:
        log(f"{metric.data}: {metric.name} ({metric.mean}) {metric.value}")
    write_model(path, CARD.model_copy(update={"metrics": metrics}), network, half=True)
    log(f"wrote {path}")


def _logger(folder: Path) -> Callable[[str], None]:
    started = time.perf_counter()

    def log(message: str) -> None:
        line = f"{time.perf_counter() - started:7.0f} s  {message}"
        print(line, flush=True)
        with (folder / "log.txt").open("a", encoding="utf-8") as file:
            file.write(line + "\n")

    return log


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work", type=Path, default=ROOT / "runs" / "starter")
    parser.add_argument(
        "--output",
        type=Path,
        default=ROOT / "src" / "napari_veinseg" / "model" / "starter.safetensors",
    )
    device = "cuda" if torch.cuda.is_available() else "cpu"
    parser.add_argument("--share", type=float, default=1.0, help="of all steps, for a trial")
    parser.add_argument("--device", default=device)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--compile", action="store_true", help="faster; needs a C++ compiler")
    arguments = parser.parse_args()
    if BUDGET.batch % arguments.processes:
        parser.error(f"{arguments.processes} processes cannot share a batch of {BUDGET.batch}")
    return arguments


if __name__ == "__main__":
    main()
