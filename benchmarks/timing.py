"""Seconds, memory and multiply-adds of calls that are compared with each other."""

import ctypes
import os
import platform
import statistics
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import torch

Calls = Mapping[str, Callable[[], object]]


def processor_time() -> float:
    """Seconds that this process and the children that it waited for have computed."""
    return time.process_time() + sum(os.times()[2:4])


clock: Callable[[], float] = time.perf_counter
"""What time is taken from; `processor_time` on a busy machine, with one thread."""


def paired(calls: Calls, rounds: int, warm_up: int = 1) -> dict[str, list[float]]:
    """Seconds of each call; all take their turn in each round, so that what else runs meets all."""
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    for turn in range(rounds + warm_up):
        for name, call in calls.items():
            begin = clock()
            call()
            if turn >= warm_up:
                seconds[name].append(clock() - begin)
    return seconds


def summary(times: list[float], yardstick: list[float]) -> dict[str, float]:
    """Median and quartiles, and the median of the ratios to a rival in the same round."""
    low = middle = high = times[0]
    if len(times) > 1:  # inclusive: of few times no quartile lies beyond those that were seen
        low, middle, high = statistics.quantiles(times, n=4, method="inclusive")
    ratio = statistics.median(a / b for a, b in zip(times, yardstick, strict=True))
    return {"median_s": middle, "low_s": low, "high_s": high, "ratio": ratio}


def finished(device: torch.device) -> None:
    """Wait until the device has computed what it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def peak_memory(call: Callable[[], object], device: torch.device | None = None) -> float | None:
    """Megabytes that a call takes on top of what was there before, on its device.

    On the CPU Linux only.
    """
    if device is not None and device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        held = torch.cuda.memory_allocated(device)
        call()
        return (torch.cuda.max_memory_allocated(device) - held) / 2**20
    status, clear = Path("/proc/self/status"), Path("/proc/self/clear_refs")
    if not clear.exists():
        return None

    def kilobytes(field: str) -> int:
        (line,) = (line for line in status.read_text().splitlines() if line.startswith(field))
        return int(line.split()[1])

    ctypes.CDLL("libc.so.6").malloc_trim(0)
    clear.write_text("5")  # forget the highest mark
    before = kilobytes("VmRSS")
    call()
    return (kilobytes("VmHWM") - before) / 1024


def multiply_adds(network: torch.nn.Module, image: torch.Tensor) -> int:
    """Multiply-adds of the convolutions in one pass."""
    total = 0

    def count(
        module: torch.nn.Module, inputs: tuple[torch.Tensor, ...], output: torch.Tensor
    ) -> None:
        nonlocal total
        transposed = isinstance(module, torch.nn.ConvTranspose2d)
        places = (inputs[0] if transposed else output)[0, 0].numel()
        assert isinstance(module.weight, torch.Tensor)
        total += places * module.weight.numel()

    hooks = [
        module.register_forward_hook(count)
        for module in network.modules()
        if isinstance(module, torch.nn.Conv2d | torch.nn.ConvTranspose2d)
    ]
    with torch.inference_mode():
        network(image)
    for hook in hooks:
        hook.remove()
    return total


def peak_rate(side: int = 2048, maps: int = 256, cells: int = 64) -> float:
    """Multiply-adds a second of the faster of two large float32 tasks: what the machine can do.

    A matrix product, and a convolution: on some CPUs the library of the one uses narrower units.
    """
    a, b = torch.rand(side, side), torch.rand(side, side)
    layer = torch.nn.Conv2d(maps, maps, 3, padding=1)
    layer.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    image = torch.rand(1, maps, cells, cells).contiguous(memory_format=torch.channels_last)
    with torch.inference_mode():
        times = paired({"product": lambda: a @ b, "convolution": lambda: layer(image)}, rounds=7)
    return max(
        side**3 / min(times["product"]), multiply_adds(layer, image) / min(times["convolution"])
    )


def machine(device: str = "cpu") -> str:
    """Describe the machine, with what may make another one slower."""
    name, flags = platform.processor() or platform.machine(), ""
    info = Path("/proc/cpuinfo")
    if info.exists():
        lines = dict(line.split(":", 1) for line in info.read_text().splitlines() if ":" in line)
        fields = {key.strip(): value.strip() for key, value in lines.items()}
        name, flags = fields.get("model name", name), fields.get("flags", "")
    units = ("avx2", "avx512f", "avx512_bf16", "amx_bf16")
    known = [flag for flag in units if flag in flags.split()]
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    load = f", load average {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    if device.startswith("cuda"):
        return (
            f"{torch.cuda.get_device_name(device)} (mixed precision), {name}, {cores} cores{load}"
        )
    return (
        f"{name}, {cores} cores, {platform.system()} {platform.machine()}"
        f" ({', '.join(known) or 'no vector extension known'}; all computed in float32, so "
        f"bfloat16 units are not used){load}"
    )
