"""The `veinseg` command: one thin function a command, the work is done in the rooms below.

A module of this package holds the commands of one subject.  The modules import the rooms below
inside their functions, so that `veinseg --help` needs no torch.
"""

import sys

import typer

# Importing a module registers its commands.
from napari_veinseg.cli import measure as measure
from napari_veinseg.cli.app import app
from napari_veinseg.errors import VeinSegError


def main() -> None:
    """Run the command line; a `VeinSegError` ends it with its sentence and exit code 1."""
    try:
        app()
    except VeinSegError as error:
        typer.echo(f"veinseg: {error}", err=True)
        sys.exit(1)
