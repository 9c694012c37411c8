"""What learns: a network with its optimiser, and the running average of its weights."""

import copy
from pathlib import Path
from typing import Annotated

import torch
from lightning_fabric import Fabric
from torch import nn

from napari_veinseg.model.network import SegmentationNetwork
from napari_veinseg.training.averaging import RunningAverage
from napari_veinseg.training.checkpoint import (
    Position,
    Stateful,
    lay_out_as_weights,
    load_state,
    save_state,
)
from napari_veinseg.training.config import TrainingConfig
from napari_veinseg.training.crops import Crop
from napari_veinseg.training.cuda_graphs import record_cuda_graph
from napari_veinseg.training.device_memory import GradientAccumulation, Loss
from napari_veinseg.training.distributed import sum_over_processes
from napari_veinseg.training.losses import vein_loss

Rate = Annotated[float, "learning rate"]

_FUSED = ("cpu", "cuda")  # devices that fuse the optimiser and convolve channels last


class Learner:
    """Learns from batches, on the device and with the processes of a Fabric."""

    def __init__(
        self, fabric: Fabric, network: SegmentationNetwork, config: TrainingConfig
    ) -> None:
        self._fabric, self._config = fabric, config
        fused = fabric.device.type in _FUSED
        self._layout = torch.channels_last if fused else torch.contiguous_format
        network.to(memory_format=self._layout)  # type: ignore[call-overload]
        optimiser = torch.optim.AdamW(
            network.parameters(),
            lr=config.learning_rate,
            weight_decay=config.weight_decay,
            fused=fused,
        )
        self._network, self._optimiser = fabric.setup(network, optimiser)
        self._network.train()
        if config.freeze_statistics:
            for module in self._network.modules():
                if isinstance(module, nn.modules.batchnorm._BatchNorm):
                    module.eval()
        self.average = copy.deepcopy(network).eval()  # of the same device and memory layout
        self._averaging = RunningAverage(self.average, self._network, config.averaging)
        self._accumulation = GradientAccumulation(alone=fabric.world_size == 1)

    @property
    def device(self) -> torch.device:
        """Where it learns."""
        return self._fabric.device

    @property
    def _stateful(self) -> dict[str, Stateful]:
        return {"network": self._network, "average": self.average, "optimiser": self._optimiser}

    def save(self, path: Path, position: Position) -> None:
        """Write all that a resumed run needs."""
        save_state(path, position, self._stateful)

    def load(self, path: Path) -> Position:
        """Go on from what `save` wrote, also on another device."""
        position = load_state(path, self._stateful, self._fabric.device)
        lay_out_as_weights(self._optimiser)
        return position

    def record_cuda_graph(self, shape: tuple[int, int]) -> None:
        """Let a GPU learn faster, see `cuda_graphs`; before threads make crops for it."""
        if self._fabric.device.type == "cuda" and self._fabric.world_size == 1:
            size = (self._config.batch_size, self.average.geometry.in_channels, *shape)
            image = torch.zeros(size, device=self._fabric.device)
            image = image.contiguous(memory_format=self._layout)
            record_cuda_graph(self._network.module, image, self._fabric.autocast())

    def train_step(self, crops: Crop, step: int, rate: Rate) -> Loss:
        """Learn from the batch of a step."""
        image, vein, known = (
            self._fabric.to_device(crops[name]) for name in ("image", "vein", "known")
        )
        image = image.expand(-1, self.average.geometry.in_channels, -1, -1)
        image = image.contiguous(memory_format=self._layout)
        torch.manual_seed(self._config.seed * 1_000_003 + step)  # dropout
        for group in self._optimiser.param_groups:
            group["lr"] = rate

        def backward(part: slice, share: float) -> torch.Tensor:
            logits = self._network(image[part])
            weight = self._config.cldice_weight
            loss = share * vein_loss(
                logits, vein[part], known[part], weight, sum_up=sum_over_processes
            )
            self._fabric.backward(loss)
            return loss.detach()

        loss = self._accumulation.run(len(image), backward, self._optimiser.zero_grad)
        self._fabric.clip_gradients(
            self._network, self._optimiser, max_norm=self._config.clip, error_if_nonfinite=False
        )
        self._optimiser.step()
        self._averaging.update(step)
        return loss
