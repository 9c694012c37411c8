"""What a run keeps of its data: the split, what was learned from, what was validated on."""

from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, ValidationError

from napari_veinseg.errors import VeinSegError
from napari_veinseg.files import write_text


class Kept(BaseModel):
    """What a run keeps as a JSON file in its folder."""

    @classmethod
    def read(cls, path: Path) -> Self | None:
        """Read what an earlier sitting kept."""
        try:
            return cls.model_validate_json(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except (ValidationError, UnicodeDecodeError) as error:
            raise VeinSegError(
                f"{path} is damaged: start a new run from the last model beside it."
            ) from error

    def write(self, path: Path) -> None:
        """Write it, whole or not at all."""
        write_text(path, self.model_dump_json(indent=1) + "\n")


class DataRecord(Kept):
    """Kept as `data.json` in a run's folder: a dataset may change between two sittings."""

    model_config = ConfigDict(frozen=True)

    split: dict[str, str] = {}
    """'train' or 'validation' by stem."""
    learned: tuple[str, ...] = ()
    """Hashes of the images that were learned from, in all sittings."""
    validated: dict[str, str] = {}
    """Hash of image and mask, by the stem of the image that is validated on."""
