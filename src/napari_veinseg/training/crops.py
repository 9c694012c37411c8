"""Training crops: which part of which sample stands at which place of which step.

Everything is a function of the seed, the step and the place in its batch.  A run is therefore the
same with any number of workers or processes (but for the last bits of crops of 192 px and more,
whose means several threads add up), and goes on after a stop without any random state.
"""

import math
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Annotated

import numpy as np
import torch
from numpy.random import Generator
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset

from napari_veinseg.segmentation.runtimes.devices import usable_cpus
from napari_veinseg.training.augmentation import MARGIN, Augment
from napari_veinseg.training.config import TrainingConfig
from napari_veinseg.training.prepared_samples import PreparedSample

_ON_VEINS = 0.75  # share of the crops that are centred near a vein
# Octaves that a crop is smaller, as in use: the measured width is below the mean one, and errs.
_ERRORS = (-0.9, 0.3)

Crop = Annotated[
    dict[str, torch.Tensor],
    "`image`, `vein` and `known`, each `(1, Y, X)` or, of a batch, `(N, 1, Y, X)`",
]
Scale = Annotated[float, "times the vein width"]
Place = tuple[int, int]  # step, place in the batch


class Crops(Dataset[Crop]):
    """Random crops of the training samples, indexed by step and place in the batch.

    Every pass takes each sample once, in a new order.  Each crop stands at one of the model's
    scales, which errs as much as the measured vein width may: a network that saw true scales
    alone would fail in use.  The side of the config is less where all samples are smaller.
    """

    def __init__(
        self,
        samples: Sequence[PreparedSample],
        config: TrainingConfig,
        scales: Sequence[Scale] = (1.0,),
    ) -> None:
        self._samples, self._scales = samples, scales
        self.batch_size, self._seed = config.batch_size, config.seed
        sides = np.max([sample.maps.shape[1:] for sample in samples], axis=0)
        height, width = (min(config.crop, 16 * math.ceil(side / 16)) for side in sides)
        self.shape = (height, width)
        self._augment = Augment(config.augmentation, self.shape)
        margin = MARGIN if self._augment.enlarges else 1.0
        self._window = (round(height * margin), round(width * margin))

    @property
    def device(self) -> torch.device:
        """Where the samples lie, and the crops are made."""
        return self._samples[0].maps.device

    def __getitem__(self, place: Place) -> Crop:
        """Return the crop of one step and place."""
        step, slot = place
        rng = np.random.default_rng([self._seed, step, slot])
        maps, zoom = self._at_a_scale(self._sample_of(step * self.batch_size + slot), rng)
        changed = self._augment(maps, int(rng.integers(2**32)), zoom)
        image, vein, known = torch.split(changed, 1)
        # Interpolation rounds beyond a share; a pixel that it made unknown in part is unknown.
        return {"image": image, "vein": vein.clamp(0, 1), "known": (known > 0.999).float()}

    def _sample_of(self, number: int) -> PreparedSample:
        round_, position = divmod(number, len(self._samples))
        return self._samples[_order(self._seed, round_, len(self._samples))[position]]

    def _at_a_scale(self, sample: PreparedSample, rng: Generator) -> tuple[torch.Tensor, float]:
        """Cut a window of the image at a scale as wrong as it may be in use.

        Also gives the zoom that is left to the augmentation: one interpolation blurs less than two.
        """
        zoom = rng.choice(self._scales) * 2 ** rng.uniform(*_ERRORS)
        window = tuple(round(side * zoom) for side in self._window)
        maps = self._cut(sample, window, rng)
        if zoom <= 1 and self._augment.enlarges:
            return maps, zoom
        resized = functional.interpolate(
            maps[None], size=self._window, mode="bilinear", antialias=zoom > 1
        )
        return resized[0], 1.0

    def _cut(self, sample: PreparedSample, window: tuple[int, ...], rng: Generator) -> torch.Tensor:
        """Cut a window; beyond the image its border goes on, and the truth is unknown."""
        sides = sample.maps.shape[1:]
        if len(sample.vein_coordinates) and rng.random() < _ON_VEINS:
            vein = sample.vein_coordinates[rng.integers(len(sample.vein_coordinates))]
            reach = np.array(self.shape) // 4
            centre = vein + rng.integers(-reach, reach + 1)
            starts = centre - np.array(window) // 2
        else:
            free = np.array(sides) - self.shape
            starts = rng.integers(np.minimum(free, 0), np.maximum(free, 0) + 1)
            starts = starts - (np.array(window) - self.shape) // 2
        inside, pads = [], []
        for start, want, side in zip(starts.tolist(), window, sides, strict=True):
            first, last = min(max(start, 0), side - 1), max(min(start + want, side), 1)
            inside.append(slice(first, last))
            before = min(max(0, -start), want - (last - first))
            pads.append((before, want - (last - first) - before))
        part = sample.maps[:, inside[0], inside[1]].float()
        (top, bottom), (left, right) = pads
        border = (left, right, top, bottom)
        if not any(border):
            return part
        padded = functional.pad(part[None], border, mode="replicate")[0]
        padded[2] = functional.pad(part[2], border)
        return padded


@lru_cache(maxsize=2)  # a batch may take from the end of one round and the start of the next
def _order(seed: int, round_: int, count: int) -> list[int]:
    return np.random.default_rng([seed, round_]).permutation(count).tolist()


def iterate_batches(
    crops: Crops,
    first_step: int,
    rank: int,
    ranks: int,
    workers: int,
    device: torch.device,
) -> Iterator[Crop]:
    """Give this process's part (`rank` of `ranks`) of every batch from a step on, without end.

    Workers are processes that prepare crops ahead.  With 0 a thread does so where a CPU is left
    over; where none is, it would only hold up the threads that learn, and crops are made between
    steps. For CUDA crops lie in pinned memory, unless they are on the device already.
    """

    def places() -> Iterator[list[Place]]:
        step = first_step
        while True:
            yield [(step, slot) for slot in range(rank, crops.batch_size, ranks)]
            step += 1

    # Dataset indices of two numbers are fine for torch, but not for its annotations.
    pinned = device.type == "cuda" and crops.device.type == "cpu"
    loader: DataLoader[Crop] = DataLoader(
        crops, batch_sampler=places(), num_workers=workers, pin_memory=pinned
    )
    left_over = device.type != "cpu" or usable_cpus() > ranks * torch.get_num_threads()
    ahead = crops.device.type == "cpu" and left_over and not workers
    yield from _one_ahead(iter(loader)) if ahead else loader


def _one_ahead(source: Iterator[Crop]) -> Iterator[Crop]:
    """Prepare the next batch while the network learns from this one."""
    threads = torch.get_num_threads()
    with ThreadPoolExecutor(1, initializer=_keep_to_one_core) as thread:
        upcoming = thread.submit(next, source)
        while True:
            batch = upcoming.result()
            torch.set_num_threads(threads)  # of this thread, and of those that begin from now on
            upcoming = thread.submit(next, source)
            yield batch


def _keep_to_one_core() -> None:
    """As torch's own worker processes do: the same crops whatever the machine has."""
    torch.set_num_threads(1)
    torch.get_num_threads()  # a thread takes over the process's number when it first needs one
