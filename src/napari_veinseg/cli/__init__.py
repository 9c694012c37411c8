"""The `veinseg` command: one thin function a command, the work is done in the rooms below.

A module of this package holds the commands of one subject; each is imported only when its command
runs, so that `veinseg --help` needs no torch.
"""

import sys

import typer

from napari_veinseg.errors import VeinSegError

app = typer.Typer(
    name="veinseg",
    help="Segment, correct, retrain and evaluate veins in near-infrared images.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def main() -> None:
    """Run the command line; a `VeinSegError` ends it with its sentence and exit code 1."""
    try:
        app()
    except VeinSegError as error:
        typer.echo(f"veinseg: {error}", err=True)
        sys.exit(1)
