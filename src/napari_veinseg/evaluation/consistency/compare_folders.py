"""Folders of masks judged without truth, and the files that say so."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_veinseg.data.array_types import Mask
from napari_veinseg.data.csv_tables import TableRow, write_table
from napari_veinseg.data.image_files import list_masks, read_mask
from napari_veinseg.data.labels import UNSURE, VEIN
from napari_veinseg.errors import VeinSegError
from napari_veinseg.evaluation.bootstrap import Estimate
from napari_veinseg.evaluation.consistency.pairs import MaskPairs, choose_pairs
from napari_veinseg.evaluation.consistency.shot_consistency import (
    MaskConsistency,
    measure_consistency,
    subtract_error_rates,
)
from napari_veinseg.files import write_text

Masks = Mapping[str, NDArray[np.uint8]]


@dataclass(frozen=True)
class FolderComparison:
    """One or two folders of masks of the same images."""

    names: tuple[str, ...]
    """Of the folders."""
    consistency: tuple[MaskConsistency, ...]
    """One a folder."""
    difference: Estimate | None
    """First minus second equal error rate; None for one folder."""
    pairs: MaskPairs
    """Which masks were matched."""
    caveats: tuple[str, ...]
    """What makes the figures weaker than they look, in sentences."""


def compare_folders(
    folders: Sequence[Path], finger_pattern: str, output: Path | None = None
) -> FolderComparison:
    """Judge one folder of masks, or two on the same pairs of the same images.

    `output` gets `consistency.json` and `scores.csv`.

    Raises
    ------
    VeinSegError
        If the folders do not hold masks of the same names, or cannot be judged.
    """
    masks = [read_masks(folder) for folder in folders]
    odd = set(masks[0]) ^ set(masks[-1])
    if odd:
        raise VeinSegError(
            f"{folders[0]} and {folders[-1]} do not hold masks of the same images, for instance "
            f"{min(odd)!r}: remove what only one has."
        )
    pairs = choose_pairs(sorted(masks[0]), finger_pattern)
    judged = tuple(measure_consistency(each, pairs) for each in masks)
    names = tuple(folder.resolve().name for folder in folders)
    compared = FolderComparison(
        names,
        judged,
        subtract_error_rates(*judged, pairs) if len(judged) == 2 else None,
        pairs,
        tuple(_caveats(names, masks, pairs)),
    )
    if output:
        _write(output, compared)
    return compared


def read_masks(folder: Path) -> dict[str, Mask]:
    """Read the masks of a folder, of any sizes, by stem; probabilities beside them are left out.

    Raises
    ------
    VeinSegError
        If it holds no mask, two of one stem, or a stack.
    """
    masks: dict[str, NDArray[np.uint8]] = {}
    for path in list_masks(folder):
        if path.stem in masks:
            raise VeinSegError(f"{folder} holds several masks named {path.stem!r}: keep one.")
        masks[path.stem] = read_mask(path)
        if masks[path.stem].ndim != 2:
            raise VeinSegError(f"{path} is a stack: matching needs single masks, store its slices.")
    if not masks:
        raise VeinSegError(f"{folder} holds no masks: name a folder of them.")
    return masks


def _caveats(names: Sequence[str], folders: Sequence[Masks], pairs: MaskPairs) -> list[str]:
    said = []
    if not pairs.groups.by_finger:
        said.append("There are fewer than five subjects: intervals are by image and optimistic.")
    if pairs.groups.caveat:
        said.append(pairs.groups.caveat)
    for name, masks in zip(names, folders, strict=True):
        empty = sum(not (mask == VEIN).any() for mask in masks.values())
        if empty:
            said.append(f"{empty} of {len(masks)} masks in {name} show no vein and match nothing.")
        unsure = float(np.mean([(mask == UNSURE).mean() for mask in masks.values()]))
        if unsure:
            said.append(f"{unsure:.1%} of {name} is unsure and counts as background.")
        stems = [(pairs.stems[one], pairs.stems[two]) for one, two in pairs.genuine.tolist()]
        equal = sum(np.array_equal(masks[one], masks[two]) for one, two in stems)
        if equal:
            said.append(
                f"{equal} of {len(stems)} genuine pairs in {name} are equal pixel by pixel: copies "
                "of one mask are no repeated shots."
            )
    shapes = {mask.shape for mask in folders[0].values()}
    if len(shapes) > 1:
        said.append(
            f"The masks have {len(shapes)} sizes; they are laid on each other by their middles."
        )
    return said


def _write(output: Path, compared: FolderComparison) -> None:
    pairs, rows = compared.pairs, list(_score_rows(compared))
    write_table(output / "scores.csv", rows, rows[0])
    figures: dict[str, Any] = {
        "caveats": compared.caveats,
        "masks": [
            {
                "name": name,
                "equal_error_rate": asdict(each.equal_error_rate),
                "d_prime": asdict(each.d_prime),
            }
            for name, each in zip(compared.names, compared.consistency, strict=True)
        ],
        "equal_error_rate_first_minus_second": (
            asdict(compared.difference) if compared.difference else None
        ),
        "images": len(pairs.stems),
        "genuine_pairs": len(pairs.genuine),
        "impostor_pairs": len(pairs.impostor),
        "intervals": "by finger" if pairs.groups.by_finger else "by image (optimistic)",
    }
    write_text(output / "consistency.json", json.dumps(figures, indent=2, ensure_ascii=False))


def _score_rows(compared: FolderComparison) -> list[TableRow]:
    pairs, rows = compared.pairs, []
    for name, each in zip(compared.names, compared.consistency, strict=True):
        for kind, chosen, scores in (
            ("genuine", pairs.genuine, each.genuine),
            ("impostor", pairs.impostor, each.impostor),
        ):
            for (one, other), score in zip(chosen.tolist(), scores.tolist(), strict=True):
                stems = {"first": pairs.stems[one], "second": pairs.stems[other]}
                rows.append({"masks": name, "pair": kind, **stems, "score": score})
    return rows
