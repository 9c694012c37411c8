"""The Typer application that every command module registers with."""

import typer

app = typer.Typer(
    name="veinseg",
    help="Segment, correct, retrain and evaluate veins in near-infrared images.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
