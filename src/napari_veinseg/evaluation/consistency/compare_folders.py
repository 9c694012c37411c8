"""Folders of masks judged without truth, and the files that say so."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from napari_veinseg.data.array_types import Mask
from napari_veinseg.data.csv_tables import TableRow, write_table
from napari_veinseg.data.labels import UNSURE, VEIN
from napari_veinseg.data.mask_files import DrawnMask, numbered_remark, read_drawn_mask
from napari_veinseg.data.mixed_folders import list_masks
from napari_veinseg.data.pairing import stem_of
from napari_veinseg.data.sample import Fault
from napari_veinseg.errors import VeinSegError
from napari_veinseg.evaluation.bootstrap import Estimate
from napari_veinseg.evaluation.consistency.pairs import MaskPairs, choose_pairs
from napari_veinseg.evaluation.consistency.shot_consistency import (
    MaskConsistency,
    measure_consistency,
    subtract_error_rates,
)
from napari_veinseg.files import check_output_folder, write_text, writing
from napari_veinseg.wording import listed, some_of

Masks = Mapping[str, Mask]


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
    left_out: tuple[Fault, ...]
    """Files that are no mask, or names that several share: left out in both folders."""


def compare_folders(
    folders: Sequence[Path], finger_pattern: str, output: Path | None = None
) -> FolderComparison:
    """Judge one folder of masks, or two on the same pairs of the same images.

    `output` gets `consistency.json` and `scores.csv`.  A file that is no mask is left out.

    Raise VeinSegError if the folders do not hold masks of the same names, or cannot be judged.
    """
    if output:
        check_output_folder(output)
    read = [read_masks(folder) for folder in folders]
    left_out = tuple(fault for each in read for fault in each.faults)
    odd = read[0].names ^ read[-1].names
    if odd:
        raise VeinSegError(
            f"{folders[0]} and {folders[-1]} do not hold masks of the same images, for instance "
            f"{min(odd)!r}: remove what only one has."
        )
    faulty = {fault.stem for fault in left_out}
    masks = [{s: m for s, m in each.masks.items() if s not in faulty} for each in read]
    if not masks[0]:
        raise VeinSegError(f"No mask can be judged; the first: {left_out[0].message}")
    pairs = choose_pairs(sorted(masks[0]), finger_pattern)
    judged = tuple(measure_consistency(each, pairs) for each in masks)
    names = tuple(folder.resolve().name for folder in folders)
    if len({*names}) < len(names):  # `masks` of two people
        names = tuple(map(str, folders))
    compared = FolderComparison(
        names,
        judged,
        subtract_error_rates(*judged) if len(judged) == 2 else None,
        pairs,
        tuple(_caveats(names, masks, pairs, [each.numbered - faulty for each in read])),
        left_out,
    )
    if output:
        _write(output, compared)
    return compared


@dataclass(frozen=True)
class FolderMasks:
    """The masks of a folder."""

    masks: Masks
    """Of any sizes, by stem."""
    numbered: frozenset[str]
    """Stems of those whose label 2 may be a second piece, see `mask_files`."""
    faults: tuple[Fault, ...]
    """Files that cannot be matched, and why."""

    @property
    def names(self) -> set[str]:
        """The stems of all files, those that cannot be matched, too."""
        return {*self.masks, *(fault.stem for fault in self.faults)}


def read_masks(folder: Path) -> FolderMasks:
    """Read the masks of a folder; probabilities beside them are left out.

    Raise VeinSegError if it holds no file that may be a mask.
    """
    paths: dict[str, list[Path]] = {}
    for path in list_masks(folder):
        paths.setdefault(stem_of(path), []).append(path)
    if not paths:
        raise VeinSegError(f"{folder} holds no masks: name a folder of them.")
    read, faults = {}, []
    for stem, files in paths.items():
        try:
            read[stem] = _read_one(stem, files)
        except VeinSegError as error:
            faults.append(Fault(stem, str(error)))
    numbered = frozenset(stem for stem, each in read.items() if each.numbered)
    return FolderMasks({stem: each.mask for stem, each in read.items()}, numbered, tuple(faults))


def _read_one(stem: str, files: Sequence[Path]) -> DrawnMask:
    if len(files) > 1:
        raise VeinSegError(f"{files[0].parent} holds several masks named {stem!r}: keep one.")
    drawn = read_drawn_mask(files[0])
    if drawn.mask.ndim != 2:
        raise VeinSegError(f"{files[0]} is a stack: matching needs single masks, store its slices.")
    return drawn


def _caveats(
    names: Sequence[str],
    folders: Sequence[Masks],
    pairs: MaskPairs,
    numbered: Sequence[Collection[str]],
) -> list[str]:
    said = []
    if not pairs.groups.by_finger:
        said.append("There are fewer than five subjects: intervals are by image and optimistic.")
    if pairs.groups.caveat:
        said.append(pairs.groups.caveat)
    for name, masks, in_pieces in zip(names, folders, numbered, strict=True):
        if in_pieces:
            said.append(f"{name}: {numbered_remark(listed(sorted(in_pieces)))}")
        empty = sum(not (mask == VEIN).any() for mask in masks.values())
        if empty:
            has = "has no vein and matches" if empty == 1 else "have no vein and match"
            said.append(f"{name}: {some_of(empty, len(masks), 'mask')} {has} nothing.")
        unsure = float(np.mean([(mask == UNSURE).mean() for mask in masks.values()]))
        if unsure:
            said.append(f"{unsure:.1%} of {name} is unsure and counts as background.")
        stems = [(pairs.stems[one], pairs.stems[two]) for one, two in pairs.genuine.tolist()]
        equal = sum(np.array_equal(masks[one], masks[two]) for one, two in stems)
        if equal:
            is_ = "is" if equal == 1 else "are"
            said.append(
                f"{name}: {some_of(equal, len(stems), 'genuine pair')} {is_} equal pixel by pixel: "
                "copies of one mask are no repeated shots."
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
        "left_out": [fault.message for fault in compared.left_out],
        "masks": [
            {
                "name": name,
                "equal_error_rate": asdict(each.equal_error_rate),
                "d_prime": asdict(each.d_prime),
                "mean_genuine_score": float(each.genuine.mean()),
                "mean_impostor_score": float(each.impostor.mean()),
            }
            for name, each in zip(compared.names, compared.consistency, strict=True)
        ],
        "equal_error_rate_first_minus_second": (
            asdict(compared.difference) if compared.difference else None
        ),
        "images": len(pairs.stems),
        "genuine_pairs": len(pairs.genuine),
        "impostor_pairs": len(pairs.impostor),
        "resampled": pairs.groups.count,
        "intervals": str(pairs),
    }
    with writing(output):
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
