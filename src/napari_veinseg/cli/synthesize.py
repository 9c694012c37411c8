"""`veinseg synthesize`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from napari_veinseg.cli.app import app
from napari_veinseg.errors import VeinSegError
from napari_veinseg.wording import counted

_ON_SHEET = 12
_PAIRS_A_ROW = 2


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
    from napari_veinseg.data.image_files import write_image
    from napari_veinseg.data.mask_files import write_mask
    from napari_veinseg.data.synthesis import synthetic_finger

    images, masks = _new_dataset(folder)
    pairs: list[tuple[str, Any, Any]] = []
    with progress_bar() as progress:
        for number in progress.track(range(seed, seed + count), description="Drawing"):
            finger = synthetic_finger(number)
            name = f"finger_{number:06d}.png"
            write_image(images / name, finger.image)
            write_mask(masks / name, finger.mask)
            if len(pairs) < _ON_SHEET:
                pairs.append((name, finger.image, finger.mask))
    if contact_sheet:
        _draw(folder / "contact_sheet.png", pairs)
    typer.echo(f"Made {counted(count, 'image with its mask', 'images with masks')} in {folder}")


def _new_dataset(folder: Path) -> tuple[Path, Path]:
    from napari_veinseg.files import make_output_folder

    if folder.is_dir() and any(folder.iterdir()):
        raise VeinSegError(f"{folder} exists and is not empty: choose a new folder.")
    return make_output_folder(folder / "images"), make_output_folder(folder / "masks")


def _draw(path: Path, pairs: Sequence[tuple[str, Any, Any]]) -> None:
    from napari_veinseg.evaluation.report.contact_sheet import (
        SheetRow,
        mask_picture,
        write_contact_sheet,
    )

    width = min(_PAIRS_A_ROW, len(pairs))
    rows = []
    for start in range(0, len(pairs) - width + 1, width):
        together = pairs[start : start + width]
        cells = [cell for _, image, mask in together for cell in (image, mask_picture(mask))]
        rows.append(SheetRow(", ".join(name for name, *_ in together), cells))
    write_contact_sheet(path, ["Image", "Veins"] * width, rows)
