"""Options that several commands have, each with one help text."""

from typing import Annotated

import typer

FINGER_PATTERN = r"Regular expression whose first group is the subject in a name: '^(.+)_\d+$'."

ModelName = Annotated[str, typer.Option("--model", help="Name or file of a model.")]
Device = Annotated[str, typer.Option("--device", help="auto, cuda, cuda:N, mps or cpu.")]
ChannelName = Annotated[
    str,
    typer.Option(
        "--channel", help="auto, luminance, red, green, blue or a number; of colour images only."
    ),
]
Invert = Annotated[bool, typer.Option("--invert", help="Veins are bright.")]
FingerPattern = Annotated[str | None, typer.Option("--finger-pattern", help=FINGER_PATTERN)]
