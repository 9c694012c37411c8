"""The `veinseg` command: one thin function a command, the work is done in the rooms below.

A module of this package holds the commands of one subject.  The modules import the rooms below
inside their functions, so that `veinseg --help` needs no torch.
"""

import os
import sys
import warnings

import typer

# Importing a module registers its commands.
from napari_veinseg.cli import consistency as consistency
from napari_veinseg.cli import demo as demo
from napari_veinseg.cli import devices as devices
from napari_veinseg.cli import evaluate as evaluate
from napari_veinseg.cli import export as export
from napari_veinseg.cli import measure as measure
from napari_veinseg.cli import models as models
from napari_veinseg.cli import segment as segment
from napari_veinseg.cli import synthesize as synthesize
from napari_veinseg.cli import train as train
from napari_veinseg.cli.app import app
from napari_veinseg.cli.start import keep_freed_memory
from napari_veinseg.errors import VeinSegError, VeinSegWarning


def main() -> None:
    """Run the command line; an error ends it with one sentence and exit code 1.

    What is no `VeinSegError` is a bug of ours; `VEINSEG_DEBUG=1` shows where.
    """
    if not sys.warnoptions:
        warnings.simplefilter("ignore")  # they speak to programmers
        warnings.simplefilter("always", VeinSegWarning)
        warnings.formatwarning = lambda message, *_args, **_kwargs: f"veinseg: {message}\n"
    keep_freed_memory()
    try:
        app()
    except VeinSegError as error:
        typer.echo(f"veinseg: {error}", err=True)
        sys.exit(1)
    except Exception as error:
        if os.environ.get("VEINSEG_DEBUG"):
            raise
        typer.echo(
            f"veinseg: unexpected {type(error).__name__}: {' '.join(str(error).split())} "
            "(please report it with what VEINSEG_DEBUG=1 shows)",
            err=True,
        )
        sys.exit(1)
