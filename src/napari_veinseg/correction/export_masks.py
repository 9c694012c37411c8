"""All masks of a folder as files, however far they are, with a table that says how far."""

from collections.abc import Callable
from pathlib import Path

from napari_veinseg.correction.drafts import model_name
from napari_veinseg.correction.image_folder import ImageFolder
from napari_veinseg.correction.image_states import ImageState
from napari_veinseg.data.csv_tables import TableRow, write_table
from napari_veinseg.data.dataset import Dataset
from napari_veinseg.data.mask_files import write_mask
from napari_veinseg.data.mask_source import drawing_model
from napari_veinseg.errors import VeinSegError
from napari_veinseg.files import make_output_folder

TABLE = "masks.csv"
_COLUMNS = ("image", "mask", "state", "model", "note")


def exported_files(folder: ImageFolder, output: Path) -> list[Path]:
    """List the files that `export_masks` writes to a folder: the table, then the masks."""
    states = [(stem, folder.state(index)) for index, stem in enumerate(folder.stems)]
    without = (ImageState.NEW, ImageState.FAULTY)
    return [output / TABLE, *(output / f"{stem}.tif" for stem, at in states if at not in without)]


def export_masks(
    folder: ImageFolder, output: Path, progress: Callable[[int, str], None] | None = None
) -> int:
    """Write the newest mask of each image as `STEM.tif`, and `masks.csv`; say how many masks.

    The table has a row an image: its mask, empty where it has none, its state (`reviewed`,
    `edited`, `segmented`, `new`, `faulty`), the model that drew it before anybody corrected it, and
    why a mask was left out.  Progress is told the
    number of images done and the next one's name; it may raise.

    Raises
    ------
    VeinSegError
        If the output is the folder or its dataset, or cannot be written.
    """
    taken = (folder.path, folder.images[0].parent, folder.home, folder.home / "masks")
    if output.resolve() in [each.resolve() for each in taken]:
        raise VeinSegError(
            f"{output} holds the images or their dataset: choose another folder for the masks."
        )
    make_output_folder(output)
    samples = Dataset.open(folder.home) if (folder.home / "images").is_dir() else ()
    drawn_by = {sample.stem: drawing_model(sample.source) for sample in samples}
    rows: list[TableRow] = []
    for index, (stem, image) in enumerate(zip(folder.stems, folder.images, strict=True)):
        if progress:
            progress(index, image.name)
        row: TableRow = {"image": image.name, "note": folder.faults.get(index, "")}
        rows.append(row)
        try:
            draft = None if index in folder.faults else folder.masks.draft(stem)
        except VeinSegError as error:
            draft, row["note"] = None, str(error)
        if draft is not None:
            row["mask"] = f"{stem}.tif"
            row["model"] = model_name(draft.notes.model) or drawn_by.get(stem, "")
            write_mask(output / f"{stem}.tif", draft.mask)
        row["state"] = str(folder.state(index))
    write_table(output / TABLE, rows, _COLUMNS)
    return sum("mask" in row for row in rows)
