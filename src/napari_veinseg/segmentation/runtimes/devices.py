"""Where the network runs, and why there."""

import ctypes
import os
import sys
from dataclasses import dataclass, replace

from napari_veinseg.errors import VeinSegError


@dataclass(frozen=True)
class DeviceChoice:
    """A device and the reason for it, in words for the user."""

    name: str
    """As torch names it: `cpu`, `cuda`, `cuda:1`, `mps`."""
    label: str
    """As a person names it, for instance `NVIDIA RTX A2000`."""
    reason: str
    """Why this one was chosen, a clause without a full stop."""

    def __str__(self) -> str:
        return f"{self.label}: {self.reason}"


def choose_device(wish: str = "auto") -> DeviceChoice:
    """Choose CUDA before MPS before the CPU, or what is asked for: `cpu`, `cuda:1`, `mps`."""
    if wish == "auto":
        return available_devices()[0]
    if wish == "cpu":
        return DeviceChoice("cpu", "CPU", "chosen by you")
    known = {choice.name: choice for choice in available_devices()}
    known |= {"cuda": known["cuda:0"]} if "cuda:0" in known else {}
    if wish not in known:
        raise VeinSegError(
            f"The device {wish!r} is not available here ({_why_no_gpu()}): "
            f"choose auto, {', '.join(sorted(known))}."
        )
    return replace(known[wish], reason="chosen by you")


def device_without_torch(wish: str = "auto") -> DeviceChoice | None:
    """Choose the CPU where that can be told without torch, which takes seconds; else nothing."""
    if wish == "cpu":
        return choose_device(wish)
    if wish == "auto" and "torch" not in sys.modules and not _has_gpu_driver():
        return DeviceChoice("cpu", "CPU", "no driver of a GPU is installed")
    return None


def _has_gpu_driver() -> bool:
    if sys.platform == "darwin":
        return True  # Metal belongs to the system
    try:
        ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:
        return False
    return True


def available_devices() -> list[DeviceChoice]:
    """List the devices of this machine, the best first."""
    import torch

    devices = []
    if torch.cuda.is_available():
        for index in range(torch.cuda.device_count()):
            label = torch.cuda.get_device_name(index)
            devices.append(DeviceChoice(f"cuda:{index}", label, "a CUDA GPU is available"))
    if torch.backends.mps.is_available():
        devices.append(DeviceChoice("mps", "Apple GPU", "Apple's Metal is available"))
    devices.append(DeviceChoice("cpu", "CPU", "always available" if devices else _why_no_gpu()))
    return devices


def _why_no_gpu() -> str:
    """Say what keeps a GPU from being used, since a silent CPU is a common complaint."""
    import torch

    if torch.version.cuda is None and not torch.backends.mps.is_built():
        return "this build of torch knows no GPU; see pytorch.org for one that does"
    if torch.version.cuda is not None:
        return "torch is built for CUDA but finds no NVIDIA GPU or driver"
    return "torch finds no usable Apple GPU"


def usable_cpus() -> int:
    """Count the CPUs that this process may use; a core that runs two threads counts twice."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
