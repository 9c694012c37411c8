"""Make the starter model from nothing: synthesise, train, measure, write.

    python recipes/starter.py                    # what ships
    python recipes/starter.py --share 0.05 --output /tmp/quick.safetensors

An interrupted run goes on where it stopped.  A GPU is used when there is one.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch
from measure import measure_hold_out
from pool import Kind, make_pool, read_pool
from torch import distributed
from torch.multiprocessing.spawn import spawn
from train import Budget, Trainer

from napari_veinseg.cli.start import keep_freed_memory
from napari_veinseg.data.synthesis import SynthesisSettings
from napari_veinseg.model.card import DenseUNetArguments, ModelCard, TrainingData
from napari_veinseg.model.file import build_network, write_model
from napari_veinseg.model.network import SegmentationNetwork
from napari_veinseg.segmentation.vein_model import VeinModel
from napari_veinseg.training.distributed import leave_process_group

ROOT = Path(__file__).parents[1]
SHARDS = 200  # hundreds of images in the pool
BUDGET = Budget()
# Wider than the defaults where a network went wrong: it took broad shadows for veins, drew dark
# veins too wide, marked something on fingers that show no vein, and lost the finest vessels.  The
# noise is wider too, for one real sensor has more than the defaults.
_FINGERS = replace(SynthesisSettings(), shadow=(0.0, 1.2), contrast=(0.07, 1.4), noise=(0.25, 14.0))
_FAINT = replace(_FINGERS, contrast=(0.07, 0.3))  # as on two of three real sensors
_BOLD = replace(_FINGERS, tree_share=0.0, vein_radius=(0.05, 0.11), trunks=(3, 6), height=(80, 160))
_FINE_TREES = replace(
    _FINGERS,
    tree_share=1.0,
    height=(160, 320),
    aspect=(1.0, 1.4),
    vein_radius=(0.012, 0.04),
    scatter=(0.1, 0.6),
    contrast=(0.1, 1.0),
    noise=(0.25, 6.0),  # in more of it they drown
    drawn_core=1.0,  # whoever draws the finest vessels draws all that is dark
)
KINDS = (
    Kind(40, _FINGERS),
    Kind(30, _FAINT),
    Kind(5, replace(_FINGERS, tree_share=0.0, trunks=(0, 0))),
    Kind(10, _BOLD),
    Kind(15, _FINE_TREES),
)
CARD = ModelCard(
    name="starter",
    description="Dark veins in near-infrared images, learnt from synthetic fingers alone",
    # Few layers where pixels are many: half the time of an even spread, and as good.
    network=DenseUNetArguments(growth_rate=32, layers=(1, 2, 4, 5), compressed_skips=True),
    working_vein_width=5.0,
    threshold=0.55,  # a lower one finds more on real veins, and marks too much where none is
    training_data=TrainingData(summary=f"{100 * SHARDS} synthetic images, no photograph"),
)


def main() -> None:
    """Make the pool, and let each process learn from its part of it."""
    arguments = _arguments()
    arguments.work.mkdir(parents=True, exist_ok=True)
    log = _logger(arguments.work)
    paths = make_pool(arguments.work / "pool", SHARDS, KINDS, os.cpu_count() or 1, log)
    with tempfile.TemporaryDirectory() as folder:
        meeting = f"file://{Path(folder).as_posix()}/meeting"
        spawn(_learn, (arguments, paths, meeting), arguments.processes)


def _learn(rank: int, arguments: argparse.Namespace, paths: list[Path], meeting: str) -> None:
    """Train in one of the processes; the first one measures and writes the model."""
    log = _logger(arguments.work) if rank == 0 else lambda _: None
    keep_freed_memory()
    if arguments.processes > 1:
        distributed.init_process_group(
            "gloo", init_method=meeting, rank=rank, world_size=arguments.processes
        )
    torch.set_num_threads(max(1, (os.cpu_count() or 1) // arguments.processes))
    torch.manual_seed(0)
    network = build_network(CARD)
    log(f"training on {arguments.device} in {arguments.processes} processes")
    steps = max(1, round(BUDGET.steps * arguments.share))
    trainer = Trainer(arguments.work, network, replace(BUDGET, steps=steps), arguments.compile)
    pool = read_pool(paths[rank :: arguments.processes])
    trainer.run(pool, CARD.working_vein_width, torch.device(arguments.device), log)
    leave_process_group()
    if rank == 0:
        _write(arguments.output, network, log)


def _write(path: Path, network: SegmentationNetwork, log: Callable[[str], None]) -> None:
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
    parser.add_argument("--processes", type=int, default=2 if device == "cpu" else 1)
    parser.add_argument("--compile", action="store_true", help="faster; needs a C++ compiler")
    arguments = parser.parse_args()
    if BUDGET.batch % arguments.processes:
        parser.error(f"{arguments.processes} processes cannot share a batch of {BUDGET.batch}")
    return arguments


if __name__ == "__main__":
    main()
