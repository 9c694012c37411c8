"""Random changes of training crops: MONAI transforms on plain tensors.

A crop's changes are a function of its seed alone, so that a run is the same however many workers
prepare its crops, and a resumed one needs no random state.
"""

from typing import Any, cast

import numpy as np
import torch
from monai.data import set_track_meta
from monai.transforms import (
    RandAdjustContrast,
    RandBiasField,
    RandGaussianNoise,
    RandGaussianSmooth,
    Randomizable,
    RandomizableTransform,
    RandScaleIntensity,
    RandShiftIntensity,
    Resample,
    Transform,
)
from monai.transforms.utils import create_grid
from numpy.typing import NDArray

from napari_veinseg.training.config import Augmentation

MARGIN = 1.25
"""Crops are taken this much larger than wanted: turning and scaling need the surroundings."""

_TURN = 0.26  # radians: 15 degrees
_STRETCH = 0.25  # of each axis; what is wrong in both alike is the vein width's error (see `crops`)
_TURNED, _BENT = 0.9, 0.3  # shares of the crops
_BEND = 3.5  # px: standard deviation of a control point, at most
_SPACING = 32  # px between control points


class Augment:
    """Changes a crop at random, and cuts it to a shape `(Y, X)`; workers get copies of it.

    `photometric` is brightness, contrast, gamma, bias field, noise, blur; `full` also flips,
    rotation, scale and elastic deformation.
    """

    def __init__(self, name: Augmentation, shape: tuple[int, int]) -> None:
        set_track_meta(False)  # a MetaTensor costs a hundred times more for each operation
        self._shape = shape
        # Image and truth are deformed as one: half the work, and no way to come apart.
        self._deform = _Deform(shape) if name == "full" else None
        self._shade = _photometric() if name != "none" else []
        # One source of chance for all: to give each its own costs more time than to use them.
        self._chance = np.random.RandomState()
        for transform in (self._deform, *self._shade):
            if transform is not None:
                transform.set_random_state(state=self._chance)

    def __setstate__(self, state: dict[str, Any]) -> None:
        set_track_meta(False)  # in the process of a worker, too
        self.__dict__.update(state)

    @property
    def enlarges(self) -> bool:
        """Whether crops may come smaller, for the deformation can enlarge them as well."""
        return self._deform is not None

    def __call__(self, crop: torch.Tensor, seed: int, zoom: float = 1.0) -> torch.Tensor:
        """Change a crop `(3, Y, X)`: normalised image, share of vein, 1 where that is known.

        The seed is all of the chance.  The zoom, px of the crop in one of the result, is other than
        1 only where this `enlarges`.
        """
        self._chance.seed(seed)
        crop = self._deform(crop, zoom) if self._deform else _middle(crop, self._shape)
        image = crop[:1]
        for transform in self._shade:
            image = transform(image)
        return torch.cat([image, crop[1:]])


class _Deform(Randomizable, Transform):  # type: ignore[misc]  # MONAI has no types
    """Mirror, turn, stretch and bend a crop about its middle, in one interpolation.

    MONAI's own `Rand2DElastic` bends as much in six times the time, for it enlarges its control
    points by bicubic interpolation and resamples in float64.
    """

    def __init__(self, shape: tuple[int, int]) -> None:
        grid = cast(torch.Tensor, create_grid(shape, homogeneous=False, backend="torch"))
        self._grid = grid.float()
        self._bases = [_spline_basis(side) for side in shape]
        self._resample = Resample(padding_mode="reflection", dtype=torch.float32)

    def __call__(self, crop: torch.Tensor, zoom: float) -> torch.Tensor:
        if self._grid.device != crop.device:
            self._grid = self._grid.to(crop.device)
            self._bases = [basis.to(crop.device) for basis in self._bases]
        bent, turned = self.R.random(2) < (_BENT, _TURNED)
        grid = self._bent() if bent else self._grid
        places = self._near(zoom * self._matrix(turned)) @ grid.flatten(1)
        return self._resample(crop, places.view_as(grid))

    def _matrix(self, turned: bool) -> NDArray[np.float64]:
        """From a place in the result to one in the crop, both from their middles, `(2, 2)`."""
        mirror = self.R.choice([-1.0, 1.0], 2)
        if not turned:
            return np.diag(mirror)
        angle = self.R.uniform(-_TURN, _TURN)
        stretch = self.R.uniform(1 - _STRETCH, 1 + _STRETCH, 2)
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        return turn * stretch * mirror

    def _bent(self) -> torch.Tensor:
        """Shift the places of the grid by a cubic B-spline (Rueckert 1999) of random offsets."""
        rows, columns = self._bases
        size = (2, rows.shape[1], columns.shape[1])
        offsets = self._near(self.R.normal(scale=self.R.uniform(0, _BEND), size=size))
        return self._grid + rows @ offsets @ columns.T

    def _near(self, drawn: NDArray[np.float64]) -> torch.Tensor:
        """Put what was drawn where the crop is, without waiting for a GPU to end its work."""
        return torch.from_numpy(drawn.astype(np.float32)).to(self._grid.device, non_blocking=True)


def _spline_basis(side: int) -> torch.Tensor:
    """Weight of each control point at each pixel of a side."""
    places = torch.arange(side)[:, None] / _SPACING + 1
    distance = (places - torch.arange(side // _SPACING + 4)).abs()
    near = 2 / 3 - distance**2 + distance**3 / 2
    return torch.where(distance < 1, near, (2 - distance).clamp(min=0) ** 3 / 6)


def _photometric() -> list[RandomizableTransform]:
    # Units are those of the normalised image: most grey values lie between -1 and 1.
    return [
        RandBiasField(degree=2, coeff_range=(-0.2, 0.2), prob=0.3),
        RandAdjustContrast(prob=0.3, gamma=(0.7, 1.5), retain_stats=True),
        RandScaleIntensity(factors=0.3, prob=0.5),
        RandShiftIntensity(offsets=0.2, prob=0.5),
        RandGaussianSmooth(sigma_x=(0.3, 1.2), sigma_y=(0.3, 1.2), prob=0.15),
        RandGaussianNoise(prob=0.3, std=0.05),
    ]


def _middle(crop: torch.Tensor, shape: tuple[int, int]) -> torch.Tensor:
    starts = [(have - want) // 2 for have, want in zip(crop.shape[1:], shape, strict=True)]
    rows, columns = (slice(start, start + want) for start, want in zip(starts, shape, strict=True))
    return crop[:, rows, columns]
