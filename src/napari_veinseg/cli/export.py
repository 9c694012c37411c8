"""`veinseg export`: a model for other programs."""

from enum import StrEnum
from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer

from napari_veinseg.cli.app import app


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
    width = loaded.card.working_vein_width
    typer.echo(f"Exported {model} as {output}: for images whose veins are about {width:g} px wide")
