"""`veinseg consistency`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from napari_veinseg.cli.app import app

if TYPE_CHECKING:
    from napari_veinseg.evaluation.bootstrap import Estimate


@app.command()
def consistency(
    masks: Annotated[Path, typer.Argument(help="Folder of masks, of any sizes.")],
    finger_pattern: Annotated[
        str, typer.Option(help=r"Its first group is the finger in a name: '^(.+)_\d+$'.")
    ],
    other: Annotated[
        Path | None, typer.Option(help="Folder of other masks of the same images to compare with.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option(help="Folder for consistency.json and scores.csv.")
    ] = None,
) -> None:
    """Judge masks without truth: shots of a finger should agree, two fingers should not."""
    from napari_veinseg.cli.console import print_table
    from napari_veinseg.evaluation.consistency.compare_folders import compare_folders

    folders = [masks, other] if other else [masks]
    compared = compare_folders(folders, finger_pattern, output)
    for caveat in compared.caveats:
        typer.echo(caveat)
    print_table(
        ("Masks", "Equal error rate", "d-prime", "Genuine", "Impostor"),
        [
            (
                str(folder),
                _with_interval(each.equal_error_rate),
                _with_interval(each.d_prime),
                f"{each.genuine.mean():.3f}",
                f"{each.impostor.mean():.3f}",
            )
            for folder, each in zip(folders, compared.consistency, strict=True)
        ],
    )
    pairs = compared.pairs
    typer.echo(f"{len(pairs.genuine)} genuine and {len(pairs.impostor)} impostor pairs.")
    if compared.difference:
        typer.echo(f"Equal error rate, first minus second: {_with_interval(compared.difference)}")


def _with_interval(estimate: "Estimate") -> str:
    return f"{estimate.value:.3f} ({estimate.low:.3f} to {estimate.high:.3f})"
