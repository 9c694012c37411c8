"""One training of the starter's recipe, in processes that share a batch."""

import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from claims import claim, digests
from pool import read_pool
from torch import distributed
from torch.multiprocessing.spawn import spawn
from train import Budget, Trainer

from napari_veinseg.cli.start import keep_freed_memory
from napari_veinseg.model.card import ModelCard
from napari_veinseg.model.file import build_network, read_model, write_model
from napari_veinseg.training.distributed import leave_process_group


@dataclass(frozen=True)
class Lesson:
    """How long is learnt, from nothing or from the weights of the first teacher, and where."""

    folder: Path
    card: ModelCard
    budget: Budget
    device: str
    processes: int
    compiled: bool
    teachers: tuple[Path, ...] = ()

    @property
    def learnt(self) -> Path:
        """The model file that it ends with."""
        return self.folder / "model.safetensors"


def learn(lesson: Lesson, images: Callable[[], list[Path]], log: Callable[[str], None]) -> Path:
    """Train on shards of images, if that is not done yet, and give the model file.

    What was learnt with another budget, as in a trial, or from others is not taken for this.
    """
    described = repr((lesson.budget, *digests(lesson.teachers)))
    whose = "belongs to a run with another budget or other teachers"
    claim(lesson.folder, "lesson.txt", described, whose)
    if lesson.learnt.exists():
        return lesson.learnt
    paths = images()
    log(
        f"{lesson.folder.name}: training on {lesson.device} in {lesson.processes} processes, "
        f"{lesson.budget.steps} steps"
    )
    with tempfile.TemporaryDirectory() as folder:
        meeting = f"file://{Path(folder).as_posix()}/meeting"
        spawn(_learn, (lesson, paths, meeting), lesson.processes)
    return lesson.learnt


def _learn(rank: int, lesson: Lesson, paths: list[Path], meeting: str) -> None:
    """Train in one of the processes; the first one tells and writes."""
    keep_freed_memory()
    if lesson.processes > 1:
        distributed.init_process_group(
            "gloo", init_method=meeting, rank=rank, world_size=lesson.processes
        )
    torch.set_num_threads(max(1, (os.cpu_count() or 1) // lesson.processes))
    torch.manual_seed(0)
    network = read_model(lesson.teachers[0])[1] if lesson.teachers else build_network(lesson.card)
    trainer = Trainer(lesson.folder, network, lesson.budget, lesson.compiled)
    pool = read_pool(paths[rank :: lesson.processes])

    def log(message: str) -> None:
        if rank == 0:
            print(f"{lesson.folder.name}: {message}", flush=True)

    trainer.run(pool, lesson.card.working_vein_width, torch.device(lesson.device), log)
    leave_process_group()
    if rank == 0:
        write_model(lesson.learnt, lesson.card, network)
