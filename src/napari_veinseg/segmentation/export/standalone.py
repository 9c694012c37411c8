"""A model as one torch module that needs nothing else of this package: grey values to probability.

`StandaloneModel` is plain tensor operations, so that `torch.export` takes it with dynamic sizes.
"""

from collections.abc import Sequence
from typing import Annotated

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from napari_veinseg.model.network import SegmentationNetwork
from napari_veinseg.segmentation.tiling.normalisation import CLIP, Normaliser
from napari_veinseg.segmentation.tiling.resampling import Resampling, resample
from napari_veinseg.segmentation.vein_width_from_network import measure_width

Grey = Annotated[torch.Tensor, "`(N, 1, Y, X)` float32, any range, finite; veins are dark"]
Normal = Annotated[torch.Tensor, "`(N, 1, Y, X)`, as the network knows it, in [-3, 3]"]
Likely = Annotated[torch.Tensor, "`(N, 1, Y, X)`, the probability of vein"]
Visible = Annotated[torch.Tensor, "`(N, 1, 1, 1)`, 0 for a constant image and 1 for others"]
Percentile = Annotated[float, "of each image, whose grey value becomes -1 or 1"]
Width = Annotated[float, "of a vein, in px"]


class StandaloneModel(nn.Module):
    """The core of a network between normalisation, by two percentiles, and sigmoid."""

    def __init__(
        self, network: SegmentationNetwork, low_percentile: Percentile, high_percentile: Percentile
    ) -> None:
        super().__init__()
        self.core = network.core
        self._geometry = network.geometry
        self._shares = low_percentile / 100, high_percentile / 100

    def forward(self, image: Grey) -> Likely:
        """Predict images whose veins have the working width; 0 where an image is constant."""
        normal, visible = self.normalise(image)
        return self.predict(normal) * visible

    def normalise(self, image: Grey) -> tuple[Normal, Visible]:
        """Bring images to the range that the network knows."""
        ordered = image.flatten(1).sort(dim=1).values
        low, high = (_quantile(ordered, share) for share in self._shares)
        # Where the two percentiles coincide the extremes stand in.
        flat = high <= low
        low = torch.where(flat, ordered[:, :1, None, None], low)
        high = torch.where(flat, ordered[:, -1:, None, None], high)
        half = (high - low) / 2
        normal = (image - (high + low) / 2) / torch.where(half > 0, half, 1.0)
        return normal.clamp(-CLIP, CLIP), (half > 0).to(image.dtype)

    def predict(self, normal: Normal) -> Likely:
        """Predict normalised images."""
        sides = normal.shape[2:]
        for axis, side in zip((2, 3), sides, strict=True):
            normal = normal.index_select(axis, self._places(side, normal.device))
        logits: torch.Tensor = self.core(normal.expand(-1, self._geometry.in_channels, -1, -1))
        for axis, side in zip((2, 3), sides, strict=True):
            logits = logits.index_select(axis, torch.arange(side, device=logits.device))
        return logits.sigmoid()

    def _places(self, side: int, device: torch.device) -> torch.Tensor:
        """Repeat the border up to whole strides; without a branch, so that every size exports."""
        stride = self._geometry.total_stride
        cells = (side + stride - 1) // stride
        return torch.arange(max(2, cells) * stride, device=device).clamp(max=side - 1)


class AnyVeinWidth(StandaloneModel):
    """A standalone model that brings each image to the working width, at each scale, and back.

    The working width is that of a vein as the network sees it.  A vein width of None is measured in
    each image.  The answer is the mean of those with the width told as many times as wide as the
    scales say.
    """

    def __init__(
        self,
        network: SegmentationNetwork,
        low_percentile: Percentile,
        high_percentile: Percentile,
        working_vein_width: Width,
        vein_width: Width | None = None,
        scales: Sequence[Annotated[float, "times the vein width"]] = (1.0,),
    ) -> None:
        super().__init__(network, low_percentile, high_percentile)
        self._working_width = working_vein_width
        self._width, self._scales = vein_width, scales

    def forward(self, image: Grey) -> Likely:
        """Predict images of any vein width; 0 where an image is constant."""
        plain = image.as_subclass(torch.Tensor)  # MONAI's tensors would drag their history along
        return torch.cat([self._one(each[None]) for each in plain])

    def _one(self, image: torch.Tensor) -> torch.Tensor:
        width = self._width
        if width is None:
            width = self._measured_width(image[0, 0].cpu().numpy().astype(np.float32))
        normal, visible = self.normalise(image)
        looks = [self._look(normal, self._working_width / scale / width) for scale in self._scales]
        return torch.stack(looks).mean(dim=0) * visible

    def _look(self, normal: torch.Tensor, factor: float) -> torch.Tensor:
        working = [max(1, round(side * factor)) for side in normal.shape[2:]]
        return _resized(self.predict(_resized(normal, working)), normal.shape[2:])

    def _measured_width(self, grey: NDArray[np.float32]) -> float:
        low, high = (100 * share for share in self._shares)
        normaliser = Normaliser.from_image(grey, low, high)
        if normaliser.constant:
            return self._working_width
        device = next(self.core.parameters()).device

        def predict(tiles: NDArray[np.float32]) -> NDArray[np.float32]:
            with torch.no_grad():
                probability = self.predict(torch.from_numpy(tiles)[:, None].to(device))
            return probability[:, 0].cpu().numpy()

        return measure_width(
            grey, normaliser, predict, self._working_width, self._geometry.padded_side
        ).width


def _quantile(ordered: torch.Tensor, share: float) -> torch.Tensor:
    """Interpolate as NumPy does; `torch.quantile` refuses images of 16 million pixels."""
    place = torch.scalar_tensor(ordered.shape[1] - 1, device=ordered.device) * share
    below, above = (
        ordered.index_select(1, index.long().reshape(1)) for index in (place.floor(), place.ceil())
    )
    return torch.lerp(below, above, place - place.floor())[:, :, None, None]


def _resized(image: torch.Tensor, sides: Sequence[int]) -> torch.Tensor:
    """Resample an image as the package does: torch has another rule at the borders."""
    axes = [Resampling(side, wanted) for side, wanted in zip(image.shape[2:], sides, strict=True)]
    rows, columns = (axis.matrix(0, axis.target) for axis in axes)
    resized = resample(image[0, 0].detach().cpu().numpy(), rows, columns)
    return torch.from_numpy(resized).to(image.device)[None, None]
