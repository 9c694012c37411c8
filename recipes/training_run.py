"""One training of the starter's recipe, in processes that share a batch."""

import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from claims import claim, digests
from image_pool import read_pool
from torch import distributed
from torch.multiprocessing.spawn import spawn
from trainer import Budget, Trainer

from napari_veinseg.cli.start import keep_freed_memory
from napari_veinseg.model.card import ModelCard
from napari_veinseg.model.file import build_network, read_model, write_model
from napari_veinseg.training.distributed import leave_process_group


@dataclass(frozen=True)
class TrainingRun:
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


def learn(run: TrainingRun, images: Callable[[], list[Path]], log: Callable[[str], None]) -> Path:
    """Train on shards of images, if that is not done yet, and give the model file.

    What was learnt with another budget, as in a trial, or from others is not taken for this.
    """
    described = repr((run.budget, *digests(run.teachers)))
    whose = "belongs to a run with another budget or other teachers"
    claim(run.folder, "lesson.txt", described, whose)
    if run.learnt.exists():
        return run.learnt
    paths = images()
    log(
        f"{run.folder.name}: training on {run.device} in {run.processes} processes, "
        f"{run.budget.steps} steps"
    )
    with tempfile.TemporaryDirectory() as folder:
        meeting = f"file://{Path(folder).as_posix()}/meeting"
        spawn(_learn, (run, paths, meeting), run.processes)
    return run.learnt


def _learn(rank: int, run: TrainingRun, paths: list[Path], meeting: str) -> None:
    """Train in one of the processes; the first one tells and writes."""
    keep_freed_memory()
    if run.processes > 1:
        distributed.init_process_group(
            "gloo", init_method=meeting, rank=rank, world_size=run.processes
        )
    torch.set_num_threads(max(1, (os.cpu_count() or 1) // run.processes))
    torch.manual_seed(0)
    network = read_model(run.teachers[0])[1] if run.teachers else build_network(run.card)
    trainer = Trainer(run.folder, network, run.budget, run.compiled)
    pool = read_pool(paths[rank :: run.processes])

    def log(message: str) -> None:
        if rank == 0:
            print(f"{run.folder.name}: {message}", flush=True)

    trainer.run(pool, run.card.working_vein_width, torch.device(run.device), log)
    leave_process_group()
    if rank == 0:
        write_model(run.learnt, run.card, network)
