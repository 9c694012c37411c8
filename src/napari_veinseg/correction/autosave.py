"""Corrections kept on disk while they are made, so that a killed viewer loses seconds at most.

A session is a folder: `session.json` says what is corrected, and each plane of the mask that was
changed is one small TIFF file.  A running session touches its folder every few seconds; one that
nobody has touched for a while was left behind and can be restored.
"""

import json
import shutil
import time
import uuid
import zlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter

from napari_veinseg.data.array_types import Mask, MaskStack
from napari_veinseg.data.image_files import read_image, write_image
from napari_veinseg.errors import VeinSegError
from napari_veinseg.files import set_aside, user_folder, write_text

FOLDER_VARIABLE = "VEINSEG_AUTOSAVE_DIR"
SECONDS_BETWEEN_SAVES = 4.0
_SECONDS_UNTIL_LEFT = 15.0
_KEPT_SESSIONS = 20
_NOWHERE = -1  # no checksum is negative


def autosave_folder() -> Path:
    """Return the folder of all sessions: `VEINSEG_AUTOSAVE_DIR`, or one in the user's data."""
    return user_folder("autosave", FOLDER_VARIABLE)


@dataclass(frozen=True)
class LeftSession:
    """Corrections of a viewer that is gone."""

    folder: Path
    name: str
    image_name: str
    """The name of the image layer; empty when there was none."""
    image_path: str
    """The image's file; empty when it is unknown."""
    shape: tuple[int, ...]
    """The mask's shape, `(Y, X)` or `(N, Y, X)`."""
    place: dict[str, Any]
    """Scale, translation, rotation, shear and affine of the mask layer, as lists."""
    saved: float
    """When it was last saved, in seconds since the epoch."""

    @property
    def planes(self) -> list[int]:
        """The planes that were corrected."""
        names = [path.stem.removeprefix("plane-") for path in self.folder.glob("plane-*.tif")]
        return sorted(int(name) for name in names if name.isdecimal())

    def restored(self, mask: MaskStack | None = None) -> MaskStack:
        """Put the saved planes into a copy of a mask, with all labels that were saved.

        The mask, background by default, says what the planes hold that were not corrected.
        """
        if mask is not None and mask.shape != self.shape:
            raise VeinSegError(
                f"The saved corrections are {self.shape} and the mask is {mask.shape}: choose the "
                "image that they were made on."
            )
        try:
            saved = {each: read_image(_plane_file(self.folder, each)) for each in self.planes}
            kind = np.result_type(np.uint8 if mask is None else mask, *saved.values())
            restored = np.zeros(self.shape, kind) if mask is None else np.array(mask, kind)
            planes = restored.reshape(-1, *self.shape[-2:])
            for number, plane in saved.items():
                planes[number] = plane
        except (ValueError, IndexError, MemoryError) as error:
            raise VeinSegError(
                f"The corrections saved in {self.folder} are damaged: discard them."
            ) from error
        return restored

    def discard(self) -> None:
        """Delete the session."""
        shutil.rmtree(self.folder, ignore_errors=True)


_SESSION = TypeAdapter(LeftSession)


class Autosave:
    """Saves the planes of one mask that changed since the last call.

    Nothing is written before the first change of the mask as it is now.  The description holds
    `name`, `image_name`, `image_path` and `place`, as in `LeftSession`.
    """

    def __init__(
        self, mask: MaskStack, description: Mapping[str, Any], folder: Path | None = None
    ) -> None:
        parent = folder or autosave_folder()
        self.folder = parent / f"{time.strftime('%Y%m%d-%H%M%S')}-{uuid.uuid4().hex[:8]}"
        self._description = dict(description)
        self.shape = tuple(mask.shape)
        self._saved = _checksums(mask)
        self._kept_elsewhere = list(self._saved)
        self._at_work = Lock()  # the last save, while the widget closes, may meet one at work

    def save(self, mask: MaskStack) -> int:
        """Save what changed, say that the session is alive, and count the planes that were written.

        Safe to call from a worker thread; a plane that is being painted meanwhile is saved
        again by the next call.

        Raise OSError when the folder cannot be written.
        """
        sums = _checksums(mask)  # takes long for a large stack
        with self._at_work:
            if not self.folder.exists():  # nothing was saved yet, or somebody deleted it
                self._saved = list(self._kept_elsewhere)
            changed = [number for number, value in enumerate(sums) if value != self._saved[number]]
            if changed and not self.folder.exists():
                self.folder.mkdir(parents=True)
                for session in left_sessions(self.folder.parent)[_KEPT_SESSIONS:]:
                    session.discard()
            if self.folder.exists():
                # Written anew each time: its time is what tells a running session from a left one.
                content = {**self._description, "shape": list(self.shape), "saved": time.time()}
                write_text(self.folder / "session.json", json.dumps(content))
            planes = mask.reshape(-1, *self.shape[-2:])
            for number in changed:
                plane = np.array(planes[number])
                # An image, not a mask: labels that a mask must not hold are the user's work, too.
                write_image(_plane_file(self.folder, number), plane)
                self._saved[number] = zlib.crc32(plane.tobytes())
            return len(changed)

    def unsettle(self, number: int) -> None:
        """Count a plane as kept nowhere, as it is."""
        self._saved[number] = self._kept_elsewhere[number] = _NOWHERE

    def settle(self, number: int, plane: Mask) -> None:
        """Forget one plane as it is now, because it is kept elsewhere: later changes are saved."""
        with self._at_work:
            _plane_file(self.folder, number).unlink(missing_ok=True)
            self._saved[number] = self._kept_elsewhere[number] = _checksums(plane)[0]
            if not any(self.folder.glob("plane-*.tif")):
                shutil.rmtree(self.folder, ignore_errors=True)


def _plane_file(folder: Path, number: int) -> Path:
    return folder / f"plane-{number:06}.tif"


def left_sessions(folder: Path | None = None) -> list[LeftSession]:
    """List the corrections that viewers which are gone have left behind, newest first."""
    sessions = map(_read_session, (folder or autosave_folder()).glob("*/session.json"))
    latest = time.time() - _SECONDS_UNTIL_LEFT
    left = [each for each in sessions if each and each.saved < latest and each.planes]
    return sorted(left, key=lambda session: -session.saved)


def set_damaged_aside(folder: Path | None = None) -> list[Path]:
    """Give the sessions that cannot be restored, and mark them so that they are given once."""
    found = []
    for path in (folder or autosave_folder()).glob("*/session.json"):
        if _read_session(path) is None:
            with suppress(OSError):
                set_aside(path)
                found.append(path.parent)
    return found


def _read_session(path: Path) -> LeftSession | None:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return _SESSION.validate_python(content | {"folder": path.parent})
    except (OSError, ValueError, TypeError):
        return None


def _checksums(mask: NDArray[Any]) -> list[int]:
    planes = mask.reshape(-1, *mask.shape[-2:])
    return [zlib.crc32(plane.tobytes()) for plane in planes]
