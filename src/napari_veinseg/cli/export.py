"""`veinseg export`: a model for other programs."""

from enum import StrEnum
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from napari_veinseg.cli.app import app

if TYPE_CHECKING:
    from napari_veinseg.model.card import ModelCard


class Format(StrEnum):
    """What a model can be exported as."""

    ONNX = "onnx"
    MONAI_BUNDLE = "monai-bundle"
    TORCH_EXPORT = "torch-export"


_ROOM = "napari_veinseg.segmentation.export"
# Each takes a `VeinModel` and the path to write; imported only when it is asked for.
_EXPORTERS = {
    Format.ONNX: ("onnx_file", "export_onnx"),
    Format.MONAI_BUNDLE: ("monai_bundle", "export_bundle"),
    Format.TORCH_EXPORT: ("torch_program", "export_torch"),
}


@app.command()
def export(
    model: Annotated[str, typer.Argument(help="Name or file of a model.")],
    output: Annotated[Path, typer.Option(help="The file, or folder of a bundle, to write.")],
    format_: Annotated[Format, typer.Option("--format", help="What to write it as.")] = Format.ONNX,
) -> None:
    """Write a model for other programs, and say how to feed it."""
    from napari_veinseg.segmentation.vein_model import VeinModel

    module, function = _EXPORTERS[format_]
    exporter = getattr(import_module(f"{_ROOM}.{module}"), function)
    loaded = VeinModel.load(model, device="cpu")
    exporter(loaded, output)
    typer.echo(f"Exported {model} as {output}: {_how_to_feed(loaded.card, format_)}")


def _how_to_feed(card: "ModelCard", format_: Format) -> str:
    if format_ is Format.MONAI_BUNDLE:
        return "for images whose veins are of any width"
    said = f"for images whose veins are about {card.seen_widths_text} wide"
    if len(card.scales) > 1:
        said += (
            "; give it each image at all these sizes, bring the answers back to one size and take "
            "their mean, which is what the threshold is for (docs/formats.md has the lines)"
        )
    return said
