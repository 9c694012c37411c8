"""What a student learns: the mean of its teachers' probabilities.

Networks that learnt from other images err in other ways, and the mean of their probabilities is
better than each of them.  A student learns that mean (G. Hinton et al., Distilling the knowledge in
a neural network, arXiv:1503.02531), at scales that are wrong by up to an octave where its teachers
were told the true vein width.  Of whole scenes it learns the truth: teachers mark outlines there.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import torch
from claims import claim, digests
from image_pool import Item, Kind, read_pool
from numpy.typing import NDArray

from napari_veinseg.files import atomic_path
from napari_veinseg.segmentation.vein_model import VeinModel

Teachers = tuple[Path, Path]
"""The model that learnt from what can be seen, and the one that learnt from plain images."""


def teach(
    folder: Path,
    paths: Sequence[Path],
    kinds: Sequence[Kind],
    teachers: Teachers,
    processes: int,
    log: Callable[[str], None],
) -> list[Path]:
    """Copy the shards of a pool that are missing in a folder, with what the teachers say.

    What other teachers said, or these with other weights, is not taken for it.
    """
    described = repr((*digests(teachers), [(kind.percent, kind.plain_share) for kind in kinds]))
    claim(folder, "teachers.txt", described, "holds what other teachers said")
    targets = {path: folder / path.name for path in paths}
    missing = [path for path, target in targets.items() if not target.exists()]
    if missing:
        log(f"{folder.name}: asking the teachers of {len(missing)} shards")
        with ProcessPoolExecutor(processes) as executor:
            asked = partial(_teach_shard, kinds, teachers)
            list(executor.map(asked, missing, [targets[path] for path in missing]))
    return list(targets.values())


def _teach_shard(kinds: Sequence[Kind], teachers: Teachers, path: Path, target: Path) -> None:
    torch.set_num_threads(1)
    models = [VeinModel.load(teacher, device="cpu") for teacher in teachers]
    shares = [kind.plain_share for kind in kinds for _ in range(kind.percent)]
    taught = [
        taught_by(models, item, share)
        for item, share in zip(read_pool([path]), shares, strict=True)
    ]
    with np.load(path, allow_pickle=False) as file:
        shard = {name: file[name] for name in file.files}
    shard["taught"] = np.concatenate([each.ravel() for each in taught])
    with atomic_path(target) as written, written.open("wb") as file:
        np.savez(file, **shard)


def taught_by(
    teachers: Sequence[VeinModel], item: Item, plain_share: float | None
) -> NDArray[np.uint8]:
    """Give the weighted mean of what both teachers say of an image, or its truth, in 255ths."""
    if plain_share is None:
        return np.where(item.mask == 1, np.uint8(255), np.uint8(0))
    total = np.zeros(item.image.shape, np.float32)
    for teacher, weight in zip(teachers, (1 - plain_share, plain_share), strict=True):
        if weight:
            total += weight * teacher.probability(item.image, vein_width=item.width)
    return np.round(255 * total).astype(np.uint8)
