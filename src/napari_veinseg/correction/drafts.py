"""Masks that are not reviewed yet, kept beside a dataset so that work goes on where it stopped.

    drafts/masks/         the masks, 0, 1 and 2
    drafts/edited/        which pixels are the user's, of masks that somebody has worked on
    drafts/probability/   what the masks were made from, in 256 steps
    drafts/notes/         the model and the numbers behind each mask, as JSON
    drafts/looks/         a thumbnail of each image, which stays when its mask is reviewed
    drafts/model.txt      the name of the model that was chosen last

Each of these folders holds one file an image, under its stem.  Files are written whole or not at
all, and the mask last: a draft without a mask does not count.
"""

import json
import re
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter

from napari_veinseg.data.array_types import Mask
from napari_veinseg.data.finger_groups import Spectrum, Thumbnail, thumbnail_spectrum
from napari_veinseg.data.image_files import read_image, write_image
from napari_veinseg.data.mask_files import read_mask, write_mask
from napari_veinseg.errors import VeinSegError
from napari_veinseg.files import DamagedFiles, write_text, writing

FOLDER = "drafts"
_MODEL = "model.txt"
_ROOMS = ("masks", "edited", "probability", "notes")
_MEANINGS = {
    "notes": "the model behind the mask, and its doubt, are not known",
    "edited": "which pixels were drawn is not known, so that all of its mask stays as it is",
    "probability": "threshold and smallest part cannot be changed before it is segmented again",
}


@dataclass(frozen=True)
class DraftNotes:
    """Where a draft's mask came from."""

    model: str = ""
    """What tells the model from others: its name and the version of its file."""
    threshold: float = 0.5
    """The probability from which a pixel is vein."""
    min_size: int = 0
    """The smallest component, in px."""
    vein_width: float = 0.0
    """That the model was told, in px; 0 when it is unknown."""
    doubt: float = -1.0
    """How undecided the model was, in [0, 1]; negative when it is unknown."""


_NOTES = TypeAdapter(DraftNotes)  # made once: a folder has thousands of notes


def model_name(model: str) -> str:
    """Take the name of the model alone from what `DraftNotes.model` says; it may be empty."""
    return re.split(r" \d{9,} ", model, maxsplit=1)[0]


def model_region(model: str) -> str:
    """Return the region that a model was asked about as it writes itself; empty for all."""
    last = model.rsplit(" ", maxsplit=1)[-1]
    return last if "," in last else ""


@dataclass(frozen=True)
class Draft:
    """A mask in work."""

    mask: Mask
    edited: NDArray[np.bool_] | None = None
    """`(Y, X)`, the pixels that the user painted or accepted; None for a model's own mask."""
    probability: NDArray[np.float32] | None = None
    """`(Y, X)`, what the mask was made from."""
    notes: DraftNotes = field(default_factory=DraftNotes)
    look: NDArray[np.float32] | None = None
    """Of its image, see `data.finger_groups.make_thumbnail`; None leaves the one that is kept."""
    remark: str = ""
    """A sentence on what its labels may mean instead; empty for most."""

    @property
    def is_edited(self) -> bool:
        """Whether somebody has worked on it."""
        return self.edited is not None and bool(self.edited.any())


class DraftFolder:
    """The drafts beside a dataset; `damaged` knows of the files that could not be understood."""

    def __init__(self, home: Path) -> None:
        self.path = home / FOLDER
        self.damaged = DamagedFiles()
        self._looks: dict[str, Spectrum | None] = {}

    def stems(self) -> tuple[set[str], set[str]]:
        """List the stems of all drafts, and of those that somebody has worked on."""
        masks = {path.stem for path in (self.path / "masks").glob("*.tif")}
        return masks, masks & {path.stem for path in (self.path / "edited").glob("*.tif")}

    def notes(self, stem: str) -> DraftNotes:
        """Read where a draft came from; the defaults where nothing is known."""
        path = self._file("notes", stem)
        try:
            return _NOTES.validate_json(path.read_bytes())
        except FileNotFoundError:
            return DraftNotes()
        except (OSError, ValueError):
            self.damaged.add(path, _MEANINGS["notes"])
            return DraftNotes()

    def read(self, stem: str) -> Draft | None:
        """Read a draft; where it is lost which pixels are the user's, all of them are."""
        if not self._file("masks", stem).exists():
            return None
        mask = read_mask(self._file("masks", stem))
        edited = self._read_beside("edited", stem, mask.shape)
        if edited is None and self._file("edited", stem).exists():
            edited = np.ones(mask.shape, np.uint8)
        levels = self._read_beside("probability", stem, mask.shape)
        return Draft(
            mask,
            None if edited is None else edited > 0,
            None if levels is None else levels.astype(np.float32) / np.float32(255),
            self.notes(stem),
        )

    def _read_beside(self, room: str, stem: str, shape: tuple[int, ...]) -> NDArray[Any] | None:
        path = self._file(room, stem)
        if not path.exists():
            return None
        with suppress(VeinSegError):
            array = read_image(path)
            if array.shape == shape:
                return array
        self.damaged.add(path, _MEANINGS[room])
        return None

    def write(self, stem: str, draft: Draft) -> None:
        """Write a draft, in place of an earlier one."""
        levels = None if draft.probability is None else np.rint(255 * draft.probability)
        with writing(self.path):
            for room in _ROOMS:
                (self.path / room).mkdir(parents=True, exist_ok=True)
                self.damaged.set_aside(self._file(room, stem))
            write_text(self._file("notes", stem), json.dumps(asdict(draft.notes)))
            self._write_beside("probability", stem, levels)
            self._write_beside("edited", stem, draft.edited)
            if draft.look is not None:
                self.write_look(stem, draft.look)
            write_mask(self._file("masks", stem), draft.mask)

    def _write_beside(self, room: str, stem: str, array: NDArray[Any] | None) -> None:
        if array is None:
            self._file(room, stem).unlink(missing_ok=True)
        else:
            write_image(self._file(room, stem), array.astype(np.uint8))

    def look(self, stem: str) -> Spectrum | None:
        """Return what tells which images look alike; None before one was segmented or reviewed."""
        if stem not in self._looks:
            path = self._file("looks", stem)
            self._looks[stem] = None
            with suppress(VeinSegError):
                self._looks[stem] = thumbnail_spectrum(read_image(path)) if path.exists() else None
        return self._looks[stem]

    def write_look(self, stem: str, look: Thumbnail) -> None:
        """Keep the thumbnail of an image; where that cannot be done, go on without."""
        low, high = float(look.min()), float(look.max())
        levels = np.rint((look - low) * (255 / max(high - low, 1e-12))).astype(np.uint8)
        with suppress(OSError, VeinSegError):
            self._file("looks", stem).parent.mkdir(parents=True, exist_ok=True)
            write_image(self._file("looks", stem), levels)
            self._looks.pop(stem, None)

    def remove(self, stem: str) -> None:
        """Forget a draft, if there is one: its mask is kept elsewhere now."""
        with writing(self.path):
            for room in _ROOMS:
                self.damaged.set_aside(self._file(room, stem))
                self._file(room, stem).unlink(missing_ok=True)

    def last_model(self) -> str:
        """Return the name of the model that was chosen last; empty when none is known."""
        with suppress(OSError, ValueError):
            return (self.path / _MODEL).read_text(encoding="utf-8").strip()
        return ""

    def remember_model(self, name: str) -> None:
        """Keep the name of the model that was chosen; where that cannot be done, go on without."""
        with suppress(OSError, VeinSegError):
            self.path.mkdir(parents=True, exist_ok=True)
            write_text(self.path / _MODEL, name + "\n")

    def _file(self, room: str, stem: str) -> Path:
        return self.path / room / f"{stem}{'.json' if room == 'notes' else '.tif'}"
