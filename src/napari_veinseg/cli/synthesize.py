"""`veinseg synthesize`."""

from pathlib import Path
from typing import Annotated

import typer

from napari_veinseg.cli.app import app
from napari_veinseg.errors import VeinSegError

_ON_SHEET = 12


@app.command()
def synthesize(
    count: Annotated[int, typer.Argument(min=1, help="How many images.")],
    folder: Annotated[Path, typer.Argument(help="New folder for images/ and masks/.")],
    seed: Annotated[int, typer.Option(min=0, help="Number of the first finger.")] = 0,
    contact_sheet: Annotated[
        bool, typer.Option("--contact-sheet", help="Also draw the first ones as a picture.")
    ] = False,
) -> None:
    """Make synthetic fingers with their masks, as a dataset to train on."""
    from napari_veinseg.cli.console import progress_bar
    from napari_veinseg.data.images import write_image, write_mask
    from napari_veinseg.data.synthesis import synthetic_finger
    from napari_veinseg.evaluation.contact_sheet import (
        SheetRow,
        mask_picture,
        write_contact_sheet,
    )

    images, masks = _new_dataset(folder)
    rows: list[SheetRow] = []
    with progress_bar() as progress:
        for number in progress.track(range(seed, seed + count), description="Drawing"):
            finger = synthetic_finger(number)
            name = f"finger_{number:06d}.png"
            write_image(images / name, finger.image)
            write_mask(masks / name, finger.mask)
            if contact_sheet and len(rows) < _ON_SHEET:
                rows.append(SheetRow(name, [finger.image, mask_picture(finger.mask)]))
    if rows:
        write_contact_sheet(folder / "contact_sheet.png", ["Image", "Veins"], rows)
    typer.echo(f"Made {count} images with masks in {folder}")


def _new_dataset(folder: Path) -> tuple[Path, Path]:
    from napari_veinseg.segmentation.jobs import make_output_folder

    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise VeinSegError(f"{folder} exists and is not empty: choose a new folder.")
    return make_output_folder(folder / "images"), make_output_folder(folder / "masks")
