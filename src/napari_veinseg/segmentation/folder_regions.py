"""The regions of interest of a folder of images: one for all, and those of single images."""

import json
from pathlib import Path

from napari_veinseg.errors import VeinSegError
from napari_veinseg.files import DamagedFiles, write_text, writing
from napari_veinseg.segmentation.region import Region

FILE_NAME = "regions.json"


class FolderRegions:
    """Remembers where to look for veins; a file that is missing or damaged holds no region.

    An image's own region counts more than the one for all.  `damaged` knows of a file that could
    not be understood.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE_NAME
        self.damaged = DamagedFiles()
        self._shared: Region | None = None
        self._own: dict[str, Region | None] = {}  # None: the whole image, whatever holds for all
        self._read()

    def of(self, stem: str) -> Region | None:
        """Return the region of an image, None for the whole image."""
        return self._own.get(stem, self._shared)

    def fitting(self, stem: str, shape: tuple[int, ...]) -> Region | None:
        """Return the region of an image; None also where the one for all lies beside it."""
        region = self.of(stem)
        if region is not None:
            try:
                region.window(shape)
            except VeinSegError:
                return None
        return region

    def is_shared(self, stem: str) -> bool:
        """Tell whether an image has the region for all."""
        return self._shared is not None and stem not in self._own

    def give(self, stem: str, region: Region | None) -> None:
        """Give an image a region of its own, None for the whole image."""
        own = {name: each for name, each in self._own.items() if name != stem}
        if region is not None or self._shared is not None:
            own[stem] = region
        self._write(self._shared, own)

    def share(self, stem: str, region: Region | None) -> None:
        """Give an image and all that have none of their own a region."""
        self._write(region, {name: each for name, each in self._own.items() if name != stem})

    def remember(self, stem: str, region: Region | None, shared: bool) -> None:
        """Keep a region for an image alone, or for all that have none of their own."""
        if shared or self.is_shared(stem):  # which from now on is that of this image alone
            self.share(stem, region if shared else None)
        if not shared:
            self.give(stem, region)

    def _read(self) -> None:
        try:
            content = json.loads(self._path.read_text(encoding="utf-8"))
            self._shared = _region(content["all"])
            self._own = {name: _region(text) for name, text in content["images"].items()}
        except FileNotFoundError:
            return
        except (OSError, ValueError, TypeError, KeyError, AttributeError, VeinSegError):
            self._shared, self._own = None, {}
            self.damaged.add(self._path, "no region is known, every image counts as whole")

    def _write(self, shared: Region | None, own: dict[str, Region | None]) -> None:
        content = {
            "all": str(shared or ""),
            "images": {name: str(each or "") for name, each in own.items()},
        }
        self._shared, self._own = shared, own  # for this session, even if it cannot be written
        with writing(self._path):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self.damaged.set_aside(self._path)
            write_text(self._path, json.dumps(content, indent=1))


def _region(text: str) -> Region | None:
    return Region.parse(text) if text else None
