"""How fast and how frugal: one run that fills the tables of `docs/performance.md`.

Every contender gets the same image on the same threads and takes its turn in each round; ratios are
medians over the rounds.  Rivals see the image at its own size, and large images in pieces of
512x512 without any halo, which flatters them.

    python benchmarks/speed.py                                    # prints the tables
    python benchmarks/speed.py --write docs/performance.md        # and puts them there
    python benchmarks/speed.py --parts networks --sizes 240x320 --json
    python benchmarks/speed.py --parts networks training --device cuda
"""

import argparse
import json
import os
import tempfile
from pathlib import Path
from typing import Any

import figures
import speed_networks
import speed_start
import speed_training
import timing
import torch
from timing import machine, peak_rate

from napari_veinseg.cli.start import keep_freed_memory
from napari_veinseg.model.file import build_network, read_card, write_model
from napari_veinseg.model.store import STARTER, resolve

PARTS = {
    "networks": speed_networks.tables,
    "training": speed_training.tables,
    "folder": speed_start.folder_tables,
    "start": speed_start.start_tables,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--parts", nargs="+", default=list(PARTS), choices=PARTS)
    parser.add_argument("--sizes", nargs="+", default=["60x152", "240x320", "512x512", "4096x4096"])
    parser.add_argument("--model", default="starter", help="or `untrained`: its network")
    parser.add_argument("--device", default="cpu", help="of `networks` and `training`")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument(
        "--processor-time",
        action="store_true",
        help="count what is computed, not what is waited, where others keep the machine busy",
    )
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--images", type=int, default=1000, help="of the folder")
    parser.add_argument("--steps", type=int, default=20, help="of training, a round")
    figures.add_write_option(parser)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    keep_freed_memory()  # as our commands do; the rivals gain by it as well
    if arguments.processor_time:
        timing.clock = timing.processor_time
    torch.set_num_threads(arguments.threads)
    os.environ["OMP_NUM_THREADS"] = str(arguments.threads)  # for ONNX Runtime and child processes

    with tempfile.TemporaryDirectory() as folder:
        if arguments.model == "untrained":
            arguments.model = str(_untrained(Path(folder) / "untrained.safetensors"))
        _measure(arguments)


def _untrained(path: Path) -> Path:
    """Write the starter's architecture with random weights."""
    card = read_card(resolve(STARTER))
    write_model(path, card, build_network(card))
    return path


def _measure(arguments: argparse.Namespace) -> None:
    rate = peak_rate()
    facts = {
        "machine": machine(arguments.device),
        "threads": arguments.threads,
        "clock": timing.clock.__name__,
        "torch": torch.__version__,
        "model": Path(arguments.model).stem,
        "peak_gmac_per_s": round(rate / 1e9, 1),
    }
    tables = [table for part in arguments.parts for table in PARTS[part](arguments, rate)]
    if arguments.json:
        print(json.dumps({**facts, "tables": tables}))
        return
    text = "\n\n".join(
        ["; ".join(f"{name}: {value}" for name, value in facts.items()) + "."]
        + [markdown(table) for table in tables]
    )
    print(text)
    if arguments.write:
        figures.write(arguments.write, {"tables": text})


def markdown(table: dict[str, Any]) -> str:
    return f"**{table['title']}**\n\n{figures.table(table['rows'])}"


if __name__ == "__main__":
    main()
