"""A model that was read from its file: its network on a device, and its card."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Self

from napari_veinseg.errors import VeinSegError
from napari_veinseg.model.card import ModelCard
from napari_veinseg.model.file import read_card, read_model, write_model
from napari_veinseg.model.store import STARTER, model_digest, resolve
from napari_veinseg.segmentation.runtimes import onnx_cache
from napari_veinseg.segmentation.runtimes.devices import choose_device, device_without_torch
from napari_veinseg.segmentation.runtimes.runtime import Runtime

if TYPE_CHECKING:
    from napari_veinseg.model.network import SegmentationNetwork


class LoadedModel:
    """A network with its card, ready on a device.

    It can be pickled and copied, for instance into the processes of a pool: as the bytes of its
    model file, with the device that was asked for.
    """

    def __init__(
        self, card: ModelCard, network: "SegmentationNetwork", device: str = "auto"
    ) -> None:
        from napari_veinseg.segmentation.runtimes.torch_runtime import TorchRuntime

        self.card = card
        self.device_choice = choose_device(device)
        self.runtime: Runtime = TorchRuntime(network, self.device_choice.name)
        self._device, self._digest = device, ""
        self._read_network: Callable[[], SegmentationNetwork] = lambda: network

    @classmethod
    def load(cls, model: str | Path = STARTER, device: str = "auto") -> Self:
        """Load a model by its name, see `model.store.installed_models`, or from its file.

        On a CPU, ONNX Runtime computes where it is installed (the extra `fast`): the first time
        converts the model for it, and from then on torch is not even imported.  The device is
        `auto`, `cpu`, `cuda`, `cuda:N` or `mps`.

        Raise VeinSegError if there is no such model, its file is unsound or the device is not
        available.
        """
        path = resolve(model)
        digest = model_digest(path)
        self = cls._load(path, digest, device)
        self._digest = digest
        return self

    @classmethod
    def _load(cls, path: Path, digest: str, device: str) -> Self:
        choice = device_without_torch(device) or choose_device(device)
        if choice.name != "cpu":
            return cls(*read_model(path), device)
        cached = onnx_cache.cached_path(digest)
        runtime = onnx_cache.open_cached(cached)
        if runtime:
            card = read_card(path)
        else:
            card, network = read_model(path)
            runtime = onnx_cache.convert(path, network, cached)
            if not runtime:
                return cls(card, network, device)
        self = cls.__new__(cls)
        self.card, self.runtime, self._device = card, runtime, device
        self.device_choice = replace(choice, label=f"{choice.label} with ONNX Runtime")
        self._read_network = lambda: _network_in(path, digest)
        return self

    @classmethod
    def from_bytes(cls, content: bytes, device: str = "auto") -> Self:
        """Load a model from the content of its file, or from what `to_bytes` gave.

        Raise VeinSegError if it is no sound model or the device is not available.
        """
        with _model_file() as path:
            path.write_bytes(content)
            self = cls.load(path, device)
        self._read_network = lambda: _network_of(content)
        return self

    def to_bytes(self) -> bytes:
        """Return the model as the content of a model file.

        Raise VeinSegError if a weight is not finite, or the model's file was replaced since it was
        loaded.
        """
        with _model_file() as path:
            self.save(path)
            return path.read_bytes()

    def __reduce__(self) -> tuple[Any, ...]:
        return _copy_of, (type(self), self.to_bytes(), self._device, self.digest)

    @property
    def digest(self) -> str:
        """SHA-256 of the model's file, or of what would be written for one without a file."""
        if not self._digest:
            self._digest = hashlib.sha256(self.to_bytes()).hexdigest()
        return self._digest

    @cached_property
    def network(self) -> "SegmentationNetwork":
        """The weights in torch, read when they are asked for."""
        return self._read_network()

    def save(self, path: str | Path, *, half: bool = False) -> None:
        """Write the model to a `.safetensors` file, with `half` as `float16`."""
        write_model(path, self.card, self.network, half=half)


def _copy_of(kind: type[LoadedModel], content: bytes, device: str, digest: str) -> LoadedModel:
    self = kind.from_bytes(content, device)
    self._digest = digest  # the content may be written otherwise than in the file
    return self


@contextmanager
def _model_file() -> Iterator[Path]:
    with TemporaryDirectory() as folder:
        yield Path(folder) / "model.safetensors"


def _network_of(content: bytes) -> "SegmentationNetwork":
    with _model_file() as path:
        path.write_bytes(content)
        return read_model(path)[1]


def _network_in(path: Path, digest: str) -> "SegmentationNetwork":
    """Read the weights that belong to what was converted, not those that came since."""
    network = read_model(path)[1]
    if model_digest(path) != digest:
        raise VeinSegError(f"{path} was replaced since it was loaded: load it again.")
    return network
