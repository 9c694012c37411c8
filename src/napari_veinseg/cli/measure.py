"""`veinseg measure`."""

from pathlib import Path
from typing import Annotated

import typer

from napari_veinseg.cli.app import app
from napari_veinseg.wording import counted


@app.command()
def measure(
    masks: Annotated[list[Path], typer.Argument(help="Mask files, or folders of them.")],
    output: Annotated[Path, typer.Option(help="Folder for branches.csv and images.csv.")],
    pixel_size: Annotated[
        float | None, typer.Option(min=1e-9, help="Side of a pixel in --unit.")
    ] = None,
    unit: Annotated[str, typer.Option(help="Unit of --pixel-size, as in column names.")] = "px",
) -> None:
    """Measure the veins of masks: lengths, widths, tortuosity, bifurcations."""
    from napari_veinseg.measurement.tables import measure_files

    faults: list[str] = []
    done = measure_files(masks, output, pixel_size, unit, faults.append)
    for fault in faults:
        typer.echo(f"Left out: {fault}", err=True)
    typer.echo(f"Measured {counted(done, 'mask')} into {output}.")
    if faults:
        raise typer.Exit(1)
