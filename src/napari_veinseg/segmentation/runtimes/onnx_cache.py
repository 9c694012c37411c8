"""Models converted once for ONNX Runtime, and kept.

What is converted lies in a cache folder, under a name made of the content of the model file and the
versions that matter, so that it can never be taken for another.  Before the model stands a digest
of that name and the model: one that was damaged, swapped, or that somebody else could write to, is
made anew.
"""

import hashlib
import json
import os
from contextlib import suppress
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from napari_veinseg import __version__
from napari_veinseg.errors import VeinSegError
from napari_veinseg.files import CACHE_VARIABLE, atomic_path, user_folder
from napari_veinseg.model.store import model_digest
from napari_veinseg.segmentation.runtimes.onnx_runtime import GEOMETRY_KEY, OnnxRuntime, usable
from napari_veinseg.segmentation.runtimes.runtime import Runtime

if TYPE_CHECKING:
    from napari_veinseg.model.network import SegmentationNetwork

TOLERANCE = 1e-3
"""Largest difference in probability from torch that is taken."""

_FORMAT = 2  # of what is written; part of the name
_DIGEST_BYTES = 32
_MOST_KEPT = 20  # models; each takes about what its file takes


def cached_path(digest: str) -> Path:
    """Tell where a converted model is kept."""
    key = f"{digest} {_FORMAT} {__version__} {_runtime_version()}".encode()
    folder = user_folder("prepared", CACHE_VARIABLE, cache=True)
    return folder / f"{hashlib.sha256(key).hexdigest()[:40]}.onnx"


def open_cached(path: Path) -> OnnxRuntime | None:
    """Open what was converted before."""
    if not usable():
        return None
    try:
        return OnnxRuntime(_read(path))
    except FileNotFoundError:
        return None
    except Exception:  # a damaged file, or another version, raises anything at all
        with suppress(OSError):
            path.unlink()
        return None


def convert(model: Path, network: "SegmentationNetwork", path: Path) -> OnnxRuntime | None:
    """Convert a model, compare it with torch and keep it.

    None where torch has to do it: ONNX Runtime or the exporter is not installed or broken, knows
    not all of the network or gives other answers, the model file was replaced since `path` was
    asked for, or the cache cannot be written.
    """
    if not usable():
        return None
    described = {GEOMETRY_KEY: json.dumps(asdict(network.geometry))}
    with suppress(Exception):  # a broken installation raises anything at all
        from napari_veinseg.segmentation.runtimes.onnx_graph import core_model
        from napari_veinseg.segmentation.runtimes.torch_runtime import TorchRuntime

        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        content = core_model(network, described)
        runtime = OnnxRuntime(content)
        if not _agree(runtime, TorchRuntime(network)):
            raise VeinSegError(f"ONNX Runtime and torch differ for {model}.")
        # Training replaces its best model while others read it.
        if cached_path(model_digest(model)) != path:
            raise VeinSegError(f"{model} was replaced: load it again.")
        with atomic_path(path, private=True) as temporary:
            temporary.write_bytes(_digest(path, content) + content)
        _forget_old(path.parent)
        return runtime
    return None


def _read(path: Path) -> bytes:
    """Read a converted model that nobody else can have written."""
    with path.open("rb") as file:
        state = os.fstat(file.fileno())
        if os.name == "posix" and (state.st_uid != os.getuid() or state.st_mode & 0o022):
            raise VeinSegError(f"{path} can be written by others: it is not used.")
        digest, content = file.read(_DIGEST_BYTES), file.read()
    if digest != _digest(path, content):
        raise VeinSegError(f"{path} is not what was written there: it is not used.")
    return content


def _digest(path: Path, content: bytes) -> bytes:
    return hashlib.sha256(path.name.encode() + content).digest()


def _runtime_version() -> str:
    for package in ("onnxruntime", "onnxruntime-gpu", "onnxruntime-directml"):
        with suppress(PackageNotFoundError):
            return version(package)
    return "unknown"


def _agree(runtime: Runtime, reference: Runtime) -> bool:
    sides = [runtime.geometry.padded_side(side) for side in (96, 128)]
    image = np.random.default_rng(0).standard_normal((2, *sides), np.float32)
    return bool(np.abs(runtime(image) - reference(image)).max() <= TOLERANCE)


def _forget_old(folder: Path) -> None:
    """Keep the files that were made last."""
    with suppress(OSError):  # another program forgets them, too
        made = sorted(folder.glob("[!.]*.onnx"), key=lambda path: path.stat().st_mtime)
        for path in made[:-_MOST_KEPT]:
            path.unlink()
