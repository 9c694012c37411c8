"""What makes a hold-out weaker than it looks: images that a model has learned from, or nearly."""

from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

from napari_veinseg.data.finger_groups import first_alike
from napari_veinseg.data.sample import Fault
from napari_veinseg.errors import VeinSegError
from napari_veinseg.model.file import read_card
from napari_veinseg.wording import capitalised, listed, some_of

if TYPE_CHECKING:  # they load torch
    from napari_veinseg.training.prepared_samples import PreparedSample
    from napari_veinseg.training.read_dataset import HeldOutSample


class Shot(Protocol):
    """A sample of which it is known which image it shows."""

    @property
    def stem(self) -> str:
        """Its name."""

    @property
    def image_hash(self) -> str:
        """Of the image's content."""


Learned = TypeVar("Learned", bound=Shot)
HeldOut = TypeVar("HeldOut", bound=Shot)


def learned_by(model: Path | None) -> frozenset[str]:
    """Read from a model's card the hashes of the images that it has learned from.

    There are none where it cannot be read: that is told when it is used.
    """
    if model is not None:
        with suppress(VeinSegError):
            return frozenset(read_card(model).training_data.image_hashes)
    return frozenset()


def drop_twins(
    train: Sequence[Learned], holdout: Sequence[HeldOut]
) -> tuple[list[Learned], list[HeldOut], list[Fault]]:
    """Let the very same pixels stand on one side: held out, unless nothing else could be learned.

    Gives those that stay on either side, and a fault for each pair, which names both.
    """
    kept, left_out = _without_twins(train, holdout, "held out: it is not learned from")
    if kept or not train:
        return kept, list(holdout), left_out
    held, left_out = _without_twins(holdout, train, "learned from: it is not validated on")
    return list(train), held, left_out


def _without_twins(
    samples: Sequence[Learned], others: Sequence[HeldOut], so: str
) -> tuple[list[Learned], list[Fault]]:
    known = {other.image_hash: other.stem for other in others}
    faults = [
        Fault(
            one.stem, f"{one.stem} has the same pixels as {known[one.image_hash]}, which is {so}."
        )
        for one in samples
        if one.image_hash in known
    ]
    return [one for one in samples if one.image_hash not in known], faults


def drop_seen(
    holdout: Sequence[HeldOut], seen: Collection[str], model: str
) -> tuple[list[HeldOut], str]:
    """Leave out of the hold-out what the model has learned from already.

    Gives what is left, and a sentence in the words of an evaluation; empty where nothing was seen.
    """
    unseen = [sample for sample in holdout if sample.image_hash not in seen]
    count = len(holdout) - len(unseen)
    if not count:
        return unseen, ""
    them = "it is" if count == 1 else "they are"
    return unseen, (
        f"{model} was trained on {some_of(count, len(holdout), 'held-out image')}: {them} left out "
        "of its figures."
    )


def thin_near_duplicates(samples: Iterable["PreparedSample"]) -> list["PreparedSample"]:
    """Leave out samples that look like an earlier one of the same finger, where that is known."""
    stay: list[PreparedSample] = []
    for sample in samples:
        of_finger = [each for each in stay if sample.finger and each.finger == sample.finger]
        if first_alike(sample.thumbnail, of_finger) is None:
            stay.append(sample)
    return stay


def warn_of_near_duplicates(
    train: Sequence["PreparedSample"], holdout: Sequence["HeldOutSample"]
) -> str:
    """Name a held-out image that looks like one that is learned from; empty where there is none."""
    alike = [
        (sample.stem, twin.stem)
        for sample in holdout
        if (twin := first_alike(sample.thumbnail, train))
    ]
    if not alike:
        return ""
    named = listed([f"{one} like {other}" for one, other in alike], 1)
    some = capitalised(some_of(len(alike), len(holdout), "held-out image"))
    looks = "looks" if len(alike) == 1 else "look"
    return (
        f"{some} {looks} like one that is learned from ({named}): give both one "
        "subject; until then the figures are optimistic."
    )
