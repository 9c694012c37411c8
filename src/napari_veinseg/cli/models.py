"""`veinseg models ...`: the models that have a name."""

from pathlib import Path
from typing import Annotated

import typer

from napari_veinseg.cli.app import app

models_app = typer.Typer(help="List, show, import and remove models.", no_args_is_help=True)
app.add_typer(models_app, name="models")


@models_app.command("list")
def list_models() -> None:
    """List the models that can be used by name."""
    from napari_veinseg.cli.console import print_table
    from napari_veinseg.errors import VeinSegError
    from napari_veinseg.model.file import read_card
    from napari_veinseg.model.store import installed_models, models_folder

    rows = []
    for model in installed_models():
        try:
            card = read_card(model.path)
            facts = (card.seen_widths_text, f"{card.threshold:g}", card.licence)
        except VeinSegError:
            facts = ("unreadable", "", "")
        rows.append((model.name, *facts, "package" if model.shipped else "imported"))
    print_table(("Model", "Working width", "Threshold", "Licence", "From"), rows)
    typer.echo(f"Imported models are kept in {models_folder()}")


@models_app.command("info")
def show_model(model: Annotated[str, typer.Argument(help="Name or file of a model.")]) -> None:
    """Print the card of a model as JSON."""
    from napari_veinseg.model.file import read_card
    from napari_veinseg.model.store import resolve

    typer.echo(read_card(resolve(model)).model_dump_json(indent=2))


@models_app.command("import")
def import_file(
    path: Annotated[Path, typer.Argument(help="A model file (.safetensors).")],
    name: Annotated[str | None, typer.Option(help="Name to give it; default: the file's.")] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Replace one of that name.")] = False,
) -> None:
    """Check a model file and keep a copy of it under a name."""
    from napari_veinseg.model.store import import_model

    model = import_model(path, name, replace=replace)
    typer.echo(f"Imported {model.name} as {model.path}")


@models_app.command("remove")
def remove(name: Annotated[str, typer.Argument(help="Name of an imported model.")]) -> None:
    """Delete an imported model."""
    from napari_veinseg.model.store import remove_model

    remove_model(name)
    typer.echo(f"Removed {name}")
