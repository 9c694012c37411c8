"""Build the API reference from the docstrings: `make docs`, then open docs/api/index.html."""

import argparse
import pkgutil
from pathlib import Path

import pdoc
import pdoc.render

import napari_veinseg


def modules() -> list[str]:
    """List the rooms, but the commands': their reference is `veinseg --help`."""
    rooms = [room.name for room in pkgutil.iter_modules(napari_veinseg.__path__)]
    shown = [room for room in rooms if room not in ("__main__", "cli")]
    return ["napari_veinseg", *(f"napari_veinseg.{room}" for room in shown)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    for name in napari_veinseg.__all__:  # imported on first use, which pdoc does not try
        vars(napari_veinseg)[name] = getattr(napari_veinseg, name)
    pdoc.render.configure(docformat="numpy", show_source=True)
    pdoc.pdoc(*modules(), output_directory=folder)
    print(folder / "index.html")


if __name__ == "__main__":
    main()
