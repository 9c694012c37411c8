"""`veinseg consistency`."""

from pathlib import Path
from typing import Annotated

import typer

from napari_veinseg.cli.app import app
from napari_veinseg.cli.options import FINGER_PATTERN


@app.command()
def consistency(
    masks: Annotated[Path, typer.Argument(help="Folder of masks, of any sizes.")],
    finger_pattern: Annotated[str, typer.Option(help=FINGER_PATTERN)],
    other: Annotated[
        Path | None, typer.Option(help="Folder of other masks of the same images to compare with.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option(help="Folder for consistency.json and scores.csv, if any.")
    ] = None,
) -> None:
    """Judge masks without truth: shots of one subject should agree, of two they should not."""
    from napari_veinseg.cli.console import print_table
    from napari_veinseg.evaluation.consistency.compare_folders import compare_folders

    folders = [masks, other] if other else [masks]
    compared = compare_folders(folders, finger_pattern, output)
    for fault in compared.left_out:
        typer.echo(f"Left out: {fault.message}", err=True)
    for caveat in compared.caveats:
        typer.echo(caveat)
    print_table(
        ("Masks", "Equal error rate", "d-prime", "Mean genuine", "Mean impostor"),
        [
            (
                name,
                str(each.equal_error_rate),
                str(each.d_prime),
                f"{each.genuine.mean():.3f}",
                f"{each.impostor.mean():.3f}",
            )
            for name, each in zip(compared.names, compared.consistency, strict=True)
        ],
    )
    typer.echo(str(compared.pairs))
    if compared.difference:
        typer.echo(f"Equal error rate, first minus second: {compared.difference}")
    if compared.left_out:
        raise typer.Exit(1)
