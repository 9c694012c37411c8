"""The runtime of the extra `fast`: ONNX Runtime, faster on a CPU than torch and sooner there.

Neither torch nor MONAI is imported to use it.
"""

import json
import os
from importlib.util import find_spec

from napari_veinseg.model.receptive_field import Geometry
from napari_veinseg.segmentation.runtimes.devices import usable_cpus
from napari_veinseg.segmentation.runtimes.runtime import Image, Runtime

SWITCH_VARIABLE = "VEINSEG_FAST"
"""Environment variable; 0 keeps to torch even where ONNX Runtime is installed."""
GEOMETRY_KEY = "veinseg_geometry"
"""Under which a file's metadata hold the geometry of its network, as JSON."""


class OnnxRuntime(Runtime):
    """A model converted by `onnx_graph.core_model`, on the CPU."""

    def __init__(self, content: bytes) -> None:
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
            content, options, providers=["CPUExecutionProvider"]
        )
        described = self._session.get_modelmeta().custom_metadata_map[GEOMETRY_KEY]
        super().__init__(Geometry(**json.loads(described)), "cpu")

    @property
    def _threads(self) -> int:
        return _threads()

    def _forward(self, images: Image) -> Image:
        (probability,) = self._session.run(None, {"image": images[:, None]})
        return probability[:, 0]


def usable() -> bool:
    """Tell whether ONNX Runtime is installed and wanted."""
    return os.environ.get(SWITCH_VARIABLE) != "0" and find_spec("onnxruntime") is not None


def _threads() -> int:
    """Cores that this process may use, or what `OMP_NUM_THREADS` says, as torch does."""
    wish = os.environ.get("OMP_NUM_THREADS", "")
    if wish.isdecimal() and int(wish):
        return int(wish)
    return usable_cpus()
