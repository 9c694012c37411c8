"""Models prepared once for ONNX Runtime, which starts and computes faster on a CPU than torch.

Installed with the extra `fast`.  What is prepared lies in a cache folder, under a name made of the
content of the model file and the versions that matter, so that it can never be taken for another;
neither torch nor MONAI is imported to use it.
"""

import hashlib
import json
import os
from contextlib import suppress
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_veinseg import __version__
from napari_veinseg.errors import VeinSegError
from napari_veinseg.files import atomic_path
from napari_veinseg.model.geometry import Geometry
from napari_veinseg.model.store import model_bytes
from napari_veinseg.segmentation.runtimes.devices import usable_cpus
from napari_veinseg.segmentation.runtimes.runtime import Runtime

if TYPE_CHECKING:
    from napari_veinseg.model.network import SegmentationNetwork

CACHE_VARIABLE = "VEINSEG_CACHE"
"""Environment variable that names another cache folder."""
SWITCH_VARIABLE = "VEINSEG_FAST"
"""Environment variable; 0 keeps to torch even where ONNX Runtime is installed."""
TOLERANCE = 1e-3
"""Largest difference in probability from torch that is taken."""

_FORMAT = 1  # of what is written; part of the name
_MOST_KEPT = 20  # models; each takes about what its file takes
_GEOMETRY_KEY = "veinseg_geometry"

Image = NDArray[np.float32]


class OnnxRuntime(Runtime):
    """A prepared model on the CPU.

    Parameters
    ----------
    path : Path
        A file that `prepare` has written.
    """

    def __init__(self, path: Path) -> None:
        import onnxruntime

        onnxruntime.disable_telemetry_events()  # what its Windows builds would send
        options = onnxruntime.SessionOptions()
        # Given a number it leaves the choice of cores to the system, which containers need.
        options.intra_op_num_threads = _threads()
        options.log_severity_level = 3
        # Waiting threads would take the cores that a viewer, or another program, needs.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        # Plans and pools would be kept for each size of image: a third more memory, 2 % less time.
        options.enable_mem_pattern = options.enable_cpu_mem_arena = False
        self._session = onnxruntime.InferenceSession(
            path, options, providers=["CPUExecutionProvider"]
        )
        described = self._session.get_modelmeta().custom_metadata_map[_GEOMETRY_KEY]
        super().__init__(Geometry(**json.loads(described)), "cpu")

    @property
    def _threads(self) -> int:
        return _threads()

    def _forward(self, images: Image) -> Image:
        (probability,) = self._session.run(None, {"image": images[:, None]})
        answer: Image = probability[:, 0]
        return answer


def usable() -> bool:
    """Tell whether ONNX Runtime is installed and wanted.

    Returns
    -------
    bool
        Without importing it.
    """
    return os.environ.get(SWITCH_VARIABLE) != "0" and find_spec("onnxruntime") is not None


def place_for(model: Path) -> Path:
    """Tell where a model file is prepared: a function of what it holds at this moment.

    Parameters
    ----------
    model : Path
        An existing model file.

    Returns
    -------
    Path
        A file in `cache_folder`; it need not exist.

    Raises
    ------
    VeinSegError
        If the model cannot be read.
    """
    digest = hashlib.sha256(model_bytes(model))
    digest.update(f"{_FORMAT} {__version__} {_runtime_version()}".encode())
    return cache_folder() / f"{digest.hexdigest()[:40]}.onnx"


def open_prepared(path: Path) -> OnnxRuntime | None:
    """Open what was prepared before.

    Parameters
    ----------
    path : Path
        What `place_for` gave.

    Returns
    -------
    OnnxRuntime or None
        None where nothing usable was prepared.
    """
    if not usable():
        return None
    try:
        return OnnxRuntime(path) if path.exists() else None
    except Exception:  # a damaged file, or another version, raises anything at all
        with suppress(OSError):
            path.unlink()
        return None


def prepare(model: Path, network: "SegmentationNetwork", path: Path) -> OnnxRuntime | None:
    """Prepare a model, compare it with torch and keep it.

    Parameters
    ----------
    model : Path
        The model file.
    network : SegmentationNetwork
        What `read_model` gave for it.
    path : Path
        What `place_for` gave before that.

    Returns
    -------
    OnnxRuntime or None
        None where torch has to do it: ONNX Runtime or the exporter is not installed or broken,
        knows not all of the network or gives other answers, the model file was replaced since
        `path` was asked for, or the cache cannot be written.
    """
    if not usable():
        return None
    described = {_GEOMETRY_KEY: json.dumps(asdict(network.geometry))}
    with suppress(Exception):  # a broken installation raises anything at all
        from napari_veinseg.segmentation.runtimes.onnx_model import prepared_model
        from napari_veinseg.segmentation.runtimes.predictor import Predictor

        content = prepared_model(network, described)
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_path(path) as temporary:
            temporary.write_bytes(content)
            if not _agree(OnnxRuntime(temporary), Predictor(network)):
                raise VeinSegError(f"ONNX Runtime and torch differ for {model}.")
            if place_for(model) != path:  # training replaces its best model while others read it
                raise VeinSegError(f"{model} was replaced: load it again.")
        _forget_old(path.parent)
        return OnnxRuntime(path)
    return None


def cache_folder() -> Path:
    """Return the folder of what was prepared; it need not exist.

    Returns
    -------
    Path
        The value of `VEINSEG_CACHE`, or a folder in the user's cache.
    """
    chosen = os.environ.get(CACHE_VARIABLE)
    if chosen:
        return Path(chosen).expanduser()
    from platformdirs import user_cache_path

    return user_cache_path("napari-veinseg", appauthor=False) / "prepared"


def _runtime_version() -> str:
    for package in ("onnxruntime", "onnxruntime-gpu", "onnxruntime-directml"):
        with suppress(PackageNotFoundError):
            return version(package)
    return "unknown"


def _agree(runtime: Runtime, reference: Runtime) -> bool:
    sides = [runtime.padded_side(side) for side in (96, 128)]
    image: Any = np.random.default_rng(0).normal(size=(2, *sides))
    image = image.astype(np.float32)
    return bool(np.abs(runtime(image) - reference(image)).max() <= TOLERANCE)


def _forget_old(folder: Path) -> None:
    """Keep the files that were made last."""
    made = sorted(folder.glob("[!.]*.onnx"), key=lambda path: path.stat().st_mtime)
    for path in made[:-_MOST_KEPT]:
        path.unlink(missing_ok=True)


def _threads() -> int:
    """Cores that this process may use, or what `OMP_NUM_THREADS` says, as torch does."""
    wish = os.environ.get("OMP_NUM_THREADS", "")
    if wish.isdecimal() and int(wish):
        return int(wish)
    return usable_cpus()
