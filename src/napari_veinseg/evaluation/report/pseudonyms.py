"""Names of files and fingers kept out of a report: numbers stand for them."""

from collections.abc import Sequence
from dataclasses import replace

from napari_veinseg.evaluation.comparison import Selection
from napari_veinseg.evaluation.contenders import Contender, MaskFolder

DATASET = "dataset"
"""What a dataset is called when its own name is not to be told."""


def with_pseudonyms(selection: Selection) -> Selection:
    """Give every sample and every finger a number, in the order of their names.

    Whoever has the dataset can tell who is meant; nobody else can.

    Parameters
    ----------
    selection : Selection
        The samples; their files stay where they are.

    Returns
    -------
    Selection
        The same samples, called `image 1`, `finger 1` and so on.
    """
    fingers = sorted({sample.finger for sample in selection.samples if sample.finger})
    numbers = {finger: f"finger {number}" for number, finger in enumerate(fingers, start=1)}
    samples = tuple(
        replace(sample, stem=f"image {number}", finger=numbers.get(sample.finger, ""), source="")
        for number, sample in enumerate(selection.samples, start=1)
    )
    return replace(selection, samples=samples)


def without_folder_names(contenders: Sequence[Contender]) -> list[Contender]:
    """Call folders of masks `masks 1` and so on; a model's name is its own.

    Parameters
    ----------
    contenders : sequence of Contender
        Who is compared.

    Returns
    -------
    list of Contender
        The same.
    """
    return [
        replace(each, name=f"masks {number}") if isinstance(each, MaskFolder) else each
        for number, each in enumerate(contenders, start=1)
    ]
