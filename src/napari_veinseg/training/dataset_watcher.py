"""Following a dataset that people work on: which reviewed samples are new, changed or gone."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from napari_veinseg.data.dataset import Dataset
from napari_veinseg.data.sample import Sample

_LOOKS_BETWEEN_FULL_ONES = 10  # files written in place change no folder

Fingerprint = tuple[int, ...]


@dataclass(frozen=True)
class DatasetChanges:
    """What has happened since the last look."""

    arrived: tuple[Sample, ...] = ()
    """Reviewed samples that are new, or whose image or mask has changed."""
    renamed: tuple[Sample, ...] = ()
    """Those known already that another finger is said to be of now."""
    gone: tuple[str, ...] = ()
    """Stems that are no longer there, or no longer reviewed."""


class DatasetWatcher:
    """Looks at a dataset again and again; opens none of its images."""

    def __init__(self, path: Path, finger_pattern: str | None = None) -> None:
        self._path, self._pattern = path, finger_pattern
        self._known: dict[str, tuple[str, Fingerprint]] = {}
        self._folders: Fingerprint = ()
        self._looks = 0

    def read_names_by(self, finger_pattern: str | None) -> None:
        """Take fingers from names by another pattern from the next look on."""
        self._pattern, self._folders = finger_pattern, ()

    def poll(self) -> DatasetChanges:
        """Look once: what is new since the last look, and at the first one everything reviewed.

        Raise VeinSegError if the dataset cannot be opened now; what is known stays known.
        """
        self._looks += 1
        # Taken before the look: what changes meanwhile is seen at the next one.
        folders = _fingerprint(self._path / part for part in ("images", "masks", "samples.csv"))
        if folders == self._folders and self._looks % _LOOKS_BETWEEN_FULL_ONES:
            return DatasetChanges()
        reviewed = {s.stem: s for s in Dataset.open(self._path, self._pattern) if s.reviewed}
        found = {
            stem: (sample.finger, _fingerprint([sample.image_path, sample.mask_path]))
            for stem, sample in reviewed.items()
        }
        arrived, renamed = [], []
        for stem, (finger, content) in found.items():
            known_finger, known_content = self._known.get(stem, ("", ()))
            if content != known_content:
                arrived.append(reviewed[stem])
            elif finger != known_finger:
                renamed.append(reviewed[stem])
        gone = [stem for stem in self._known if stem not in found]
        self._known, self._folders = found, folders
        return DatasetChanges(tuple(arrived), tuple(renamed), tuple(gone))

    def forget(self, samples: Iterable[Sample]) -> None:
        """Let samples arrive again at the next look, for they could not be used at this one."""
        self._folders = ()
        for sample in samples:
            self._known.pop(sample.stem, None)


def _fingerprint(paths: Iterable[Path]) -> Fingerprint:
    found: list[int] = []
    for path in paths:
        try:
            state = path.stat()
        except OSError:
            found += [0, 0]
        else:
            found += [state.st_mtime_ns, state.st_size]
    return tuple(found)
