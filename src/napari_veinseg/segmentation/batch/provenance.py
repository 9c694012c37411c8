"""What a mask was made from, so that a later run can tell whether it would make another one."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from napari_veinseg import __version__
from napari_veinseg.files import opening
from napari_veinseg.segmentation.settings import SegmentationSettings

if TYPE_CHECKING:
    from napari_veinseg.segmentation.vein_model import VeinModel

UNKNOWN = "made in an unknown way, by a run that was stopped"
"""Said of a mask that no row tells of."""
_LENGTH = 16  # hexadecimal digits of a digest in `summary.csv`


@dataclass(frozen=True)
class Provenance:
    """Of one mask; as columns of `summary.csv`."""

    model: str = ""
    """Digest of the model's file."""
    settings: str = ""
    """What was chosen, as `name=value` with spaces between; the package's version, too."""
    image_digest: str = ""
    """Of the image's file; of its metadata where the image is a folder."""

    @classmethod
    def of(cls, image: Path, model: "VeinModel", settings: SegmentationSettings) -> "Provenance":
        """Tell what the mask of an image would be made from now."""
        return cls(model.digest[:_LENGTH], _as_text(settings), file_digest(image))

    def changes_since(self, made: "Provenance") -> list[str]:
        """Say what differs now, in clauses such as `made with threshold=0.5, now 0.35`."""
        if not made.model:
            return [UNKNOWN]
        told = []
        if made.model != self.model:
            told.append("made by another model")
        if made.image_digest != self.image_digest:
            told.append("made from another image")
        before, now = _by_name(made.settings), _by_name(self.settings)
        told += [
            f"made with {name}={before.get(name, 'unknown')}, now {now[name]}"
            for name in now
            if before.get(name) != now[name]
        ]
        return told


def file_digest(path: Path) -> str:
    """Hash a file, or the metadata of a folder that holds an OME-Zarr image."""
    names = (".zattrs", "zarr.json", "0/.zarray", "0/zarr.json")
    return _digest(path, [path / name for name in names] if path.is_dir() else [path])


def mask_digest(path: Path) -> str:
    """Hash the file of a mask, or the finest labels in a folder that is OME-Zarr."""
    return _digest(path, sorted((path / "0").rglob("[!.]*")) if path.is_dir() else [path])


def _digest(path: Path, files: Iterable[Path]) -> str:
    digest = hashlib.blake2b()
    with opening(path):
        for each in files:
            if each.is_file():
                with each.open("rb") as file:
                    hashlib.file_digest(file, lambda: digest)
    return digest.hexdigest()[:_LENGTH]


def _by_name(settings: str) -> dict[str, str]:
    return dict(part.split("=", 1) for part in settings.split() if "=" in part)


def _as_text(settings: SegmentationSettings) -> str:
    chosen = {
        "vein_width": settings.vein_width or "auto",
        "threshold": "model" if settings.threshold is None else settings.threshold,
        "min_size": "auto" if settings.min_size is None else settings.min_size,
        "channel": settings.channel,
        "invert": "yes" if settings.invert else "no",
        "region": settings.region or "all",
        "version": __version__,
    }
    return " ".join(f"{name}={value}" for name, value in chosen.items())
