"""What a dataset has to offer to a training, said before it starts."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from napari_veinseg.data.dataset import Dataset
from napari_veinseg.data.mask_source import is_as_drawn
from napari_veinseg.data.sample import Fault, Pair, read_pairs
from napari_veinseg.data.split import choose_judged, may_leak
from napari_veinseg.training.hold_out_leakage import drop_seen, drop_twins, learned_by
from napari_veinseg.wording import counted


@dataclass(frozen=True)
class Survey:
    """Counts of a dataset."""

    images: int
    """With usable masks."""
    train: int
    """Images to learn from."""
    judged: int
    """Images that the result is judged on."""
    fingers: int
    """Known fingers."""
    vein_pixels: int
    """Of all usable masks."""
    optimistic: bool
    """Whether near duplicates may stand on both sides."""
    faults: tuple[Fault, ...]
    """What cannot be used."""
    warnings: tuple[str, ...]
    """What should be looked at first."""
    as_drawn: int
    """Masks that were reviewed as they were drawn."""
    seen: str
    """Says so where the base model has learned from held-out images."""

    def __str__(self) -> str:
        fingers = f" of {counted(self.fingers, 'subject')}" if self.fingers else ""
        veins = counted(self.vein_pixels, "vein pixel")
        parts = [f"{counted(self.images, 'image')}{fingers}, {veins}."]
        if not self.train:
            parts.append("There is nothing to learn from.")
        elif self.judged:
            parts.append(f"Trains on {self.train}, is judged on {self.judged}.")
        elif self.seen:
            parts.append(f"Trains on {self.train}, is judged on none.")
        else:
            parts.append("Nothing is held out: there will be no validation figure.")
        parts += [self.seen] if self.seen else []
        if self.judged and self.optimistic:
            parts.append(
                "It is not known which images show the same subject: the score may be too good."
            )
        parts += [f"Reviewed as drawn, uncorrected: {self.as_drawn}."] if self.as_drawn else []
        parts += _first_of("Not usable", [fault.message for fault in self.faults])
        parts += _first_of("Look at this first", self.warnings)
        return " ".join(parts)


def _first_of(what: str, sentences: Sequence[str]) -> list[str]:
    if not sentences:
        return []
    more = f" (and {len(sentences) - 1} more)" if len(sentences) > 1 else ""
    return [f"{what}: {sentences[0]}{more}"]


class _Usable(NamedTuple):
    stem: str
    image_hash: str


def survey(path: Path, finger_pattern: str | None = None, base: Path | None = None) -> Survey:
    """Look through a dataset without changing it.

    The file of the `base` that is to learn on says what that has seen: it is not judged on it.
    """
    dataset = Dataset.open(path, finger_pattern)
    faults, warnings = dataset.left_out, []
    usable: dict[str, _Usable] = {}
    vein_pixels = as_drawn = 0
    for read in read_pairs(dataset):
        if isinstance(read, Pair):
            usable[read.sample.stem] = _Usable(read.sample.stem, read.image_hash)
            vein_pixels += read.vein_pixels
            as_drawn += is_as_drawn(read.sample.source)
            warnings += [read.warning] if read.warning else []
        else:
            faults.append(read)
    split = dataset.planned_split(usable=usable.keys())
    train, holdout, twins = drop_twins(
        [usable[stem] for stem, side in split.items() if side == "train"],
        [usable[stem] for stem, side in split.items() if side == "validation"],
    )
    chosen = choose_judged([each.stem for each in holdout])
    unseen, seen = drop_seen(holdout, learned_by(base), base.stem if base is not None else "")
    return Survey(
        len(usable),
        len(train),
        sum(each.stem in chosen for each in unseen),
        len(dataset.fingers),
        vein_pixels,
        may_leak(replace(dataset[stem], split=side) for stem, side in split.items()),
        (*faults, *twins),
        tuple(warnings),
        as_drawn,
        seen,
    )
