"""On what a run is computed: Lightning Fabric with its device, processes and arithmetic."""

import logging
import os
from typing import Literal

import torch
from lightning_fabric import Fabric

from napari_veinseg.errors import VeinSegError
from napari_veinseg.segmentation.runtimes.devices import DeviceChoice

FabricPrecision = Literal["32-true", "bf16-mixed"]


def launch(choice: DeviceChoice, precision: str) -> Fabric:
    """Start Fabric on a device, alone or as one of the processes that torchrun started.

    Raise VeinSegError if processes that should train together would train alone.
    """
    # Under torchrun on a CPU, Fabric's own choice would be as many single runs.
    world = int(os.environ.get("WORLD_SIZE", "1"))
    if world > 1 and "LOCAL_RANK" not in os.environ:
        raise VeinSegError(
            f"WORLD_SIZE is {world} but nothing says which process this is: unset WORLD_SIZE, or "
            "start with torchrun."
        )
    # Its remarks would be the last words of a child that is killed, and stand in every terminal.
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)
    kind, _, index = choice.name.partition(":")
    single = [int(index)] if index and world == 1 else 1
    fabric = Fabric(
        accelerator=kind,
        devices=int(os.environ.get("LOCAL_WORLD_SIZE", world)) if world > 1 else single,
        num_nodes=max(1, world // int(os.environ.get("LOCAL_WORLD_SIZE", world))),
        strategy="ddp" if world > 1 else "auto",
        precision=choose_precision(precision, kind),
    )
    fabric.launch()
    if fabric.world_size != world:
        raise VeinSegError(
            f"WORLD_SIZE is {world} but {fabric.world_size} processes would train together: "
            "unset WORLD_SIZE, or start all of them with torchrun."
        )
    return fabric


def choose_precision(wish: str, device: str) -> FabricPrecision:
    """Choose bfloat16 where the device has units for it, or what was asked for, as Fabric names it.

    Weights stay float32 in either case.
    """
    if wish == "auto" and device == "cuda":
        fast = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        fast = wish == "auto" and device == "cpu" and cpu_multiplies_bfloat16()
    return "bf16-mixed" if fast or wish == "bfloat16" else "32-true"


def cpu_multiplies_bfloat16() -> bool:
    """Tell whether the CPU is known to have units for bfloat16; without them it is slower in it."""
    # Not every torch can say.
    capabilities: dict[str, object] = getattr(torch.cpu, "get_capabilities", dict)()
    return any(capabilities.get(unit) for unit in ("amx_bf16", "avx512_bf16"))
