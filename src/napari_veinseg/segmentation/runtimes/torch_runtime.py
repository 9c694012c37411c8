"""The runtime that is always there: torch, on any device."""

import copy

import torch
from monai.networks.blocks import Convolution
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from napari_veinseg.model.network import SegmentationNetwork
from napari_veinseg.segmentation.runtimes.runtime import Image, Runtime


class TorchRuntime(Runtime):
    """A copy of a network made ready to predict: folded, channels last, on its device.

    On CUDA it computes in mixed precision.  Later changes to the network are not followed.
    """

    def __init__(self, network: SegmentationNetwork, device: str = "cpu") -> None:
        super().__init__(network.geometry, device)
        self._place(prediction_core(network), torch.device(device))

    def _place(self, core: nn.Module, device: torch.device) -> None:
        self.device, self.place = device, str(device)
        self.core = core.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]

    def move_to_cpu(self) -> bool:
        """Go on without the device that has no memory left."""
        if self.device.type == "cpu":
            return False
        self._tell("on the CPU")
        self._place(self.core, torch.device("cpu"))
        self.limit = float("inf")
        return True

    @property
    def _threads(self) -> int:
        return torch.get_num_threads() if self.device.type == "cpu" else 1

    def _use_threads(self, count: int) -> None:
        torch.set_num_threads(count)
        torch.get_num_threads()  # a thread takes over the process's number when it first needs one

    def _release(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.empty_cache()

    def _forward(self, images: Image) -> Image:
        batch = torch.from_numpy(images)[:, None]
        mixed = self.device.type == "cuda"
        if mixed:  # from pinned memory the transfer needs no copy of the driver's own
            batch = batch.pin_memory()
        batch = batch.to(self.device, non_blocking=mixed).expand(
            -1, self.geometry.in_channels, -1, -1
        )
        with torch.inference_mode(), torch.autocast(self.device.type, torch.float16, enabled=mixed):
            logits = self.core(batch.contiguous(memory_format=torch.channels_last))
            probability: Image = torch.sigmoid(logits[:, 0].float()).cpu().numpy()
        return probability


def prediction_core(network: SegmentationNetwork) -> nn.Module:
    """Copy the convolutions of a network for prediction on the CPU, with folded norms."""
    core = copy.deepcopy(network.core).cpu().eval()
    return fold_batch_norm(core).requires_grad_(False)


def fold_batch_norm(module: nn.Module) -> nn.Module:
    """Fold each batch norm that directly follows a convolution into it, in place."""
    for block in module.modules():
        norm = getattr(getattr(block, "adn", None), "N", None)
        if isinstance(block, Convolution) and isinstance(norm, nn.BatchNorm2d | nn.BatchNorm3d):
            block.conv = fuse_conv_bn_eval(block.conv, norm)
            block.adn.N = nn.Identity()
    return module
