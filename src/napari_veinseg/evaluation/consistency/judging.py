"""Folders of masks judged without truth, and the files that say so."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from napari_veinseg.data.tables import Value, write_table
from napari_veinseg.errors import VeinSegError
from napari_veinseg.evaluation.bootstrap import Estimate
from napari_veinseg.evaluation.consistency.consistency import (
    Consistency,
    Protocol,
    consistency,
    difference,
    protocol,
    read_masks,
)
from napari_veinseg.files import write_text


def judge_folders(
    folders: Sequence[Path], finger_pattern: str, output: Path | None = None
) -> tuple[list[Consistency], Estimate | None, Protocol]:
    """Judge one folder of masks, or two on the same pairs of the same images.

    Parameters
    ----------
    folders : sequence of Path
        One or two folders.
    finger_pattern : str
        A regular expression whose first group is the finger in a name.
    output : Path or None
        Folder for `consistency.json` and `scores.csv`; None writes nothing.

    Returns
    -------
    judged : list of Consistency
        One a folder.
    gap : Estimate or None
        First minus second equal error rate; None for one folder.
    plan : Protocol
        The pairs.

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
    plan = protocol(sorted(masks[0]), finger_pattern)
    judged = [consistency(each, plan) for each in masks]
    gap = difference(judged[0], judged[1], plan) if len(judged) == 2 else None
    if output:
        _write(output, [folder.resolve().name for folder in folders], judged, gap, plan)
    return judged, gap, plan


def _write(
    output: Path,
    names: Sequence[str],
    judged: Sequence[Consistency],
    gap: Estimate | None,
    plan: Protocol,
) -> None:
    rows: list[dict[str, Value]] = []
    for name, each in zip(names, judged, strict=True):
        for kind, pairs, scores in (
            ("genuine", plan.genuine, each.genuine),
            ("impostor", plan.impostor, each.impostor),
        ):
            for (one, other), score in zip(pairs.tolist(), scores.tolist(), strict=True):
                stems = {"first": plan.stems[one], "second": plan.stems[other]}
                rows.append({"masks": name, "pair": kind, **stems, "score": score})
    write_table(output / "scores.csv", rows, rows[0])
    write_text(
        output / "consistency.json",
        json.dumps(
            {
                "masks": [
                    {
                        "name": name,
                        "equal_error_rate": asdict(each.equal_error_rate),
                        "d_prime": asdict(each.d_prime),
                    }
                    for name, each in zip(names, judged, strict=True)
                ],
                "equal_error_rate_first_minus_second": asdict(gap) if gap else None,
                "images": len(plan.stems),
                "genuine_pairs": len(plan.genuine),
                "impostor_pairs": len(plan.impostor),
                "intervals": "by finger" if plan.groups.by_finger else "by image (optimistic)",
            },
            indent=2,
            ensure_ascii=False,
        ),
    )
