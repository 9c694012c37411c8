"""`--data DIR`, the same in all benchmarks: the folder that holds `fingerveinsyn/` and the others.

Without it, and without `VEINSEG_DATA`, a benchmark makes its own images, or says what it lacks.
"""

import argparse
import os
from pathlib import Path

SETS = ("fingerveinsyn", "forearm_masks", "nupt_fpv", "nir_forearm", "infrared_16bit")


def add_data_option(parser: argparse.ArgumentParser) -> None:
    """Add `--data`, by default what `VEINSEG_DATA` says."""
    parser.add_argument(
        "--data",
        type=_data_folder,
        default=os.environ.get("VEINSEG_DATA") or None,
        metavar="DIR",
        help=f"the folder that holds some of {', '.join(SETS)}; default: VEINSEG_DATA",
    )


def _data_folder(text: str) -> Path:
    folder = Path(text).expanduser()
    if not any((folder / name).is_dir() for name in SETS):
        raise argparse.ArgumentTypeError(f"{folder} holds none of {', '.join(SETS)}")
    return folder


def set_in(data: Path | None, name: str) -> Path | None:
    """Return the folder of a set, or None where it is not there."""
    folder = data / name if data else None
    return folder if folder and folder.is_dir() else None


def needed_set(data: Path | None, name: str) -> Path:
    """Return the folder of a set, or end with a sentence."""
    folder = set_in(data, name)
    if folder is None:
        raise SystemExit(f"This benchmark needs the set {name}: give --data DIR with DIR/{name}/.")
    return folder
