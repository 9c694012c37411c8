"""A network made ready to predict on one device, and what to do when its memory is too small."""

import copy
import warnings

import numpy as np
import torch
from monai.networks.blocks import Convolution
from numpy.typing import NDArray
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from napari_veinseg.model.network import SegmentationNetwork

Image = NDArray[np.float32]


class OutOfMemory(Exception):  # noqa: N818  (a state, which the caller acts upon)
    """The device has no room for a batch of this size."""


class Predictor:
    """A network made ready to predict: folded, channels last, on its device.

    Parameters
    ----------
    network : SegmentationNetwork
        Copied; it is not changed, nor are later changes to it followed.
    device : torch.device or str
        Where to compute; mixed precision on CUDA.
    """

    def __init__(self, network: SegmentationNetwork, device: torch.device | str = "cpu") -> None:
        self.in_channels = network.in_channels
        self.total_stride = network.total_stride
        self.receptive_radius = network.receptive_radius
        self.padded_side = network.padded_side
        self.limit = float("inf")
        """Pixels that may go through the network together; lowered when memory runs out."""
        core = fold_batch_norm(copy.deepcopy(network.core).cpu().eval()).requires_grad_(False)
        self._place(core, torch.device(device))

    def _place(self, core: nn.Module, device: torch.device) -> None:
        self.device = device
        self.core = core.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]

    def __call__(self, images: Image) -> Image:
        """Return the vein probability of normalised images.

        Parameters
        ----------
        images : ndarray of float32, shape (N, Y, X)
            Sides are multiples of the total stride.

        Returns
        -------
        ndarray of float32, shape (N, Y, X)
            In [0, 1].

        Raises
        ------
        OutOfMemory
            When the device has no room; `limit` is then half of what was tried.
        """
        try:
            return self._forward(images)
        except RuntimeError as error:
            if not _ran_out_of_memory(error):
                raise
        # Outside the handler, whose traceback would keep the tensors alive.
        if self.device.type == "cuda":
            torch.cuda.empty_cache()
        if self.limit == float("inf"):
            warnings.warn(
                f"The memory of {self.device} is too small for {images.size / 1e6:.1f} megapixels "
                "at once: going on in smaller parts.",
                stacklevel=2,
            )
        self.limit = images.size / 2
        raise OutOfMemory

    def move_to_cpu(self) -> bool:
        """Go on without the device that has no memory left.

        Returns
        -------
        bool
            Whether that was possible: False on the CPU.
        """
        if self.device.type == "cpu":
            return False
        warnings.warn(
            f"The memory of {self.device} is too small even for small parts: the CPU goes on.",
            stacklevel=2,
        )
        self._place(self.core, torch.device("cpu"))
        self.limit = float("inf")
        return True

    def _forward(self, images: Image) -> Image:
        batch = torch.from_numpy(images)[:, None].to(self.device)
        batch = batch.expand(-1, self.in_channels, -1, -1)
        mixed = self.device.type == "cuda"
        with torch.inference_mode(), torch.autocast(self.device.type, torch.float16, enabled=mixed):
            logits = self.core(batch.contiguous(memory_format=torch.channels_last))
            probability: Image = torch.sigmoid(logits[:, 0].float()).cpu().numpy()
        return probability


def _ran_out_of_memory(error: RuntimeError) -> bool:
    """CUDA has an exception of its own; MPS and the CPU only say so."""
    said = str(error).lower()
    return (
        isinstance(error, torch.OutOfMemoryError)
        or "out of memory" in said
        or "can't allocate memory" in said
    )


def fold_batch_norm(module: nn.Module) -> nn.Module:
    """Fold each batch norm into the convolution before it, in place.

    Parameters
    ----------
    module : nn.Module
        In evaluation mode; norms that do not directly follow a convolution stay.

    Returns
    -------
    nn.Module
        The same module, which computes the same.
    """
    for block in module.modules():
        norm = getattr(getattr(block, "adn", None), "N", None)
        if isinstance(block, Convolution) and isinstance(norm, nn.BatchNorm2d | nn.BatchNorm3d):
            block.conv = fuse_conv_bn_eval(block.conv, norm)
            block.adn.N = nn.Identity()
    return module
