"""Take the pictures of the README and the docs from the running program: `make screenshots`.

Every picture is a function that is given an empty viewer and leaves it as it is to be seen.  With
`--theme light` the same pictures are taken in napari's light theme.
"""

import argparse
from pathlib import Path

import napari
from pictures import PICTURES, settle

SIZE = (1360, 740)


def take(name: str, folder: Path, theme: str) -> Path:
    viewer = napari.Viewer(show=True)
    try:
        viewer.theme = theme
        viewer.window.resize(*SIZE)
        PICTURES[name](viewer)
        settle()
        viewer.reset_view(margin=0.02)
        settle()
        path = folder / f"{name}.png"
        viewer.screenshot(path, canvas_only=False, flash=False)
        return path
    finally:
        viewer.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", choices=PICTURES, action="append")
    parser.add_argument("--theme", default="dark", choices=["dark", "light"])
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    for name in arguments.only or PICTURES:
        print(take(name, arguments.folder, arguments.theme))


if __name__ == "__main__":
    main()
