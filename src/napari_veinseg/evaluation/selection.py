"""Which samples of a dataset are evaluated: the hold-out, or all."""

import os
from dataclasses import dataclass
from pathlib import Path

from napari_veinseg.data.dataset import Dataset
from napari_veinseg.data.sample import Fault, Sample
from napari_veinseg.errors import VeinSegError
from napari_veinseg.wording import counted, some_of


@dataclass(frozen=True)
class Selection:
    """The samples that are evaluated."""

    samples: tuple[Sample, ...]
    """At least one."""
    note: str
    """What they are, in a sentence for the report."""
    training: tuple[Sample, ...] = ()
    """The other side of the split, with which they must have nothing in common."""
    left_out: tuple[Fault, ...] = ()
    """Files of the dataset that are no sample."""
    folder: Path = Path()
    """The dataset; reports tell file names from here on."""
    anonymous: bool = False
    """Whether stems are pseudonyms and no file may be named."""

    def told(self, fault: Fault) -> Fault:
        """Free a fault of the folder's path, or of all names."""
        if self.anonymous:
            sample = next((each for each in self.samples if each.stem == fault.stem), None)
            text = fault.message
            for path in (sample.image_path, sample.mask_path) if sample else ():
                text = text.replace(str(path), path.parent.name).replace(path.name, "it")
            return Fault(fault.stem, text)
        return Fault(fault.stem, fault.message.replace(f"{self.folder}{os.sep}", ""))


def select(dataset: Dataset, everything: bool = False) -> Selection:
    """Choose the hold-out, or every sample."""
    if not len(dataset):
        raise VeinSegError(dataset.why_empty)
    hold_out, left_out = dataset.validation, tuple(dataset.left_out)
    if everything or not hold_out:
        why = "as asked for" if everything else "for it has no hold-out"
        every = some_of(len(dataset), len(dataset), "image")
        note = f"Evaluated: {every} of the dataset, {why}."
        return Selection(dataset.samples, note, (), left_out, dataset.path)
    images = counted(len(dataset), "image")
    note = f"Evaluated: the hold-out, {len(hold_out)} of the dataset's {images}."
    return Selection(hold_out, note, dataset.train, left_out, dataset.path)
