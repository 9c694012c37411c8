"""Names of files and fingers kept out of a report: numbers stand for them."""

from collections.abc import Sequence
from dataclasses import replace

from napari_veinseg.data.mask_source import drawing_model
from napari_veinseg.data.sample import Fault, Sample
from napari_veinseg.evaluation.contenders import Contender, MaskFolder
from napari_veinseg.evaluation.selection import Selection

DATASET = "dataset"
"""What a dataset is called when its own name is not to be told."""


def with_pseudonyms(selection: Selection) -> Selection:
    """Call samples `image 1`, subjects `subject 1` and so on, in the order of their names.

    Whoever has the dataset can tell who is meant; nobody else can.
    """
    everyone = (*selection.samples, *selection.training)
    fingers = sorted({sample.finger for sample in everyone if sample.finger})
    numbers = {finger: f"subject {number}" for number, finger in enumerate(fingers, start=1)}

    def renamed(samples: Sequence[Sample], kind: str) -> tuple[Sample, ...]:
        return tuple(
            replace(
                sample,
                stem=f"{kind} {number}",
                finger=numbers.get(sample.finger, ""),
                # A model's name is its own; whatever else a person may have noted is not told.
                source=sample.source if drawing_model(sample.source) else "",
            )
            for number, sample in enumerate(samples, start=1)
        )

    return replace(
        selection,
        samples=renamed(selection.samples, "image"),
        training=renamed(selection.training, "training image"),
        left_out=tuple(
            Fault(f"file {number}", "it has no partner, or a name that cannot be used.")
            for number, _ in enumerate(selection.left_out, start=1)
        ),
        anonymous=True,
    )


def without_folder_names(contenders: Sequence[Contender]) -> list[Contender]:
    """Call folders of masks `masks 1` and so on; a model's name is its own."""
    return [
        replace(each, name=f"masks {number}") if isinstance(each, MaskFolder) else each
        for number, each in enumerate(contenders, start=1)
    ]
