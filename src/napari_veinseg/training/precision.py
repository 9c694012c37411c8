"""Which arithmetic the network learns in."""

from collections.abc import Callable
from typing import Literal

import torch

FabricPrecision = Literal["32-true", "bf16-mixed"]


def choose_precision(wish: str, device: str) -> FabricPrecision:
    """Choose bfloat16 where the device has units for it, or what was asked for.

    Parameters
    ----------
    wish : {"auto", "float32", "bfloat16"}
        What the config says.
    device : {"cpu", "cuda", "mps"}
        Kind of the device.

    Returns
    -------
    {"32-true", "bf16-mixed"}
        As Fabric names it; weights stay float32 in either case.
    """
    fast = {"cuda": _fast_on_cuda, "cpu": _fast_on_cpu}.get(device)
    if wish == "bfloat16" or (wish == "auto" and fast is not None and fast()):
        return "bf16-mixed"
    return "32-true"


def _fast_on_cuda() -> bool:
    return bool(torch.cuda.is_bf16_supported(including_emulation=False))


def _fast_on_cpu() -> bool:
    """Whether the CPU multiplies matrices in bfloat16 (AMX); without that it only emulates."""
    capabilities: Callable[[], dict[str, object]]
    capabilities = getattr(torch.cpu, "get_capabilities", dict)  # older torch cannot say
    return bool(capabilities().get("amx_bf16"))
