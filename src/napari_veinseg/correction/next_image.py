"""Which image next: for a person one that is doubtful and new, for a model one it has not seen."""

from collections.abc import Sequence
from dataclasses import dataclass

from napari_veinseg.correction.image_folder import ImageFolder
from napari_veinseg.correction.image_states import ImageState
from napari_veinseg.data.finger_groups import (
    Spectrum,
    compile_finger_pattern,
    finger_in,
    similarity,
)

_OF_A_KNOWN_FINGER = 0.5  # what another shot of a reviewed finger is worth
_LEAST_NEW = 0.25  # what an image is worth that looks just like a reviewed one
_ENOUGH = 3  # images about which a new model was asked, so that its doubt alone counts
_MOST = 100  # images that are compared: the most doubtful, and the last of those that are reviewed
_WAITING = 24  # images, from the open one, of which one may wait for a mask
_SAME = 0.02  # differences of doubt that nobody would speak of


@dataclass(frozen=True)
class ImageLook:
    """What is known of an image without opening it."""

    name: str
    look: Spectrum | None = None
    """See `data.finger_groups.thumbnail_spectrum`; None where it is unknown."""
    finger: str = ""
    """The finger that it shows, empty where that is unknown."""
    doubt: float = 0.0
    """How undecided the model was, in [0, 1]."""


@dataclass(frozen=True)
class Choice:
    """The image to review next."""

    place: int
    """Its place among the candidates, or in the folder."""
    reason: str
    """Why this one, in a sentence."""


def choose_next(candidates: Sequence[ImageLook], reviewed: Sequence[ImageLook]) -> Choice | None:
    """Choose the image from which a model would learn most; None without a candidate.

    Doubt alone picks ten shots of one difficult finger, so it is weighed by how unlike an image is
    to all that are reviewed (uncertainty and diversity: B. Settles, "Active learning literature
    survey", 2009, section 3).
    """
    if not candidates:
        return None
    alike = [_most_alike(each, reviewed) for each in candidates]
    furthest = max(1 - value for value, _ in alike)
    fingers = {each.finger for each in reviewed if each.finger}
    worth = []
    for each, (value, _) in zip(candidates, alike, strict=True):
        new = (1 - value) / furthest if furthest > 0 else 1.0
        known = _OF_A_KNOWN_FINGER if each.finger in fingers else 1.0
        worth.append(each.doubt * (_LEAST_NEW + (1 - _LEAST_NEW) * new) * known)
    place = max(range(len(candidates)), key=lambda index: worth[index])
    most = max(range(len(candidates)), key=lambda index: candidates[index].doubt)
    chosen, doubtful = candidates[place], candidates[most]
    if doubtful.doubt - chosen.doubt <= _SAME:
        reason = f"The most doubtful of {len(candidates)}" if len(candidates) > 1 else "Doubtful"
        return Choice(place, f"{reason} ({chosen.doubt:.0%}).")
    twin = alike[most][1]
    because = f"looks like {twin.name}, which is reviewed" if twin is not None else "is less new"
    if doubtful.finger in fingers:
        because = f"shows {doubtful.finger}, which is reviewed"
    return Choice(
        place,
        f"Doubtful ({chosen.doubt:.0%}) and unlike what is reviewed; "
        f"{doubtful.name} is more so ({doubtful.doubt:.0%}) but {because}.",
    )


def next_to_review(
    folder: ImageFolder, besides: int, maker: str = "", finger_pattern: str | None = None
) -> Choice | None:
    """Choose the next image of a folder by what is known of it; None without another candidate.

    The doubt of the model with which `DraftNotes.model` begins, the `maker`, counts alone once that
    was asked about enough images.
    """
    pattern = compile_finger_pattern(finger_pattern)
    stems, doubts, makers = folder.stems, folder.masks.doubts, folder.masks.makers

    def known(index: int) -> ImageLook:
        stem = stems[index]
        finger = finger_in(stem, pattern)
        return ImageLook(stem, folder.drafts.look(stem), finger, doubts.get(stem, 0.0))

    states = [folder.state(index) for index in range(len(folder))]
    done = (ImageState.REVIEWED, ImageState.FAULTY)
    places = [
        i
        for i, stem in enumerate(stems)
        if stem in doubts and i != besides and states[i] not in done
    ]
    asked = [i for i in places if makers.get(stems[i], "").startswith(maker)]
    if len(asked) >= _ENOUGH:
        places = asked
    places = sorted(places, key=lambda i: -doubts[stems[i]])[:_MOST]
    reviewed = [i for i, state in enumerate(states) if state is ImageState.REVIEWED][-_MOST:]
    choice = choose_next([known(i) for i in places], [known(i) for i in reviewed])
    return None if choice is None else Choice(places[choice.place], choice.reason)


def waiting_for(folder: ImageFolder, maker: str, after: int) -> list[int]:
    """Find the images, of the next 24, that nobody has worked on and that have no mask by a model.

    `DraftNotes.model` begins with `maker` where it was this model; masks of unknown origin are no
    model's.
    """

    def waits(index: int) -> bool:
        state = folder.state(index)
        made_by = folder.masks.makers.get(folder.stems[index], "")
        by_another = bool(made_by) and not made_by.startswith(maker)
        return state is ImageState.NEW or (state is ImageState.SEGMENTED and by_another)

    order = [(after + step) % len(folder) for step in range(1, min(_WAITING + 1, len(folder)))]
    return [index for index in order if waits(index)]


def _most_alike(image: ImageLook, reviewed: Sequence[ImageLook]) -> tuple[float, ImageLook | None]:
    """Find the reviewed image that looks most like this one, and how much, in [0, 1]."""
    found: list[tuple[float, ImageLook | None]] = [(0.0, None)]
    if image.look is not None:
        found += [
            (min(similarity(image.look, other.look), 1.0), other)
            for other in reviewed
            if other.look is not None
        ]
    return max(found, key=lambda each: each[0])
