"""Take the README's animation of tracing from the running program.

Run `scripts/with-display python scripts/tracing_animation.py docs/images/trace.gif`.
"""

import argparse
from collections.abc import Callable
from pathlib import Path

import napari
import numpy as np
from PIL import Image
from staging import nobodys_corrections, open_workbench, settle, wait_until

from napari_veinseg.correction.branches import remove_branch
from napari_veinseg.data.sample_data import sample_finger
from napari_veinseg.measurement.skeleton import centreline, trace
from napari_veinseg.widgets.masks.layers import add_mask_layer

SIZE = (1000, 520)
WIDTH = 720  # px of the animation
COLOURS = 64
STEPS = 24
MOVE_MS, REST_MS = 90, 900


def film(viewer: napari.Viewer, shoot: Callable[[int], None]) -> None:
    """Trace a vein that the mask lacks, a frame at each step of the cursor."""
    finger = sample_finger()
    vein = max(trace(centreline(finger.mask)).branches, key=lambda branch: len(branch.path)).path
    lacking = remove_branch(finger.mask, tuple(vein[len(vein) // 2])).applied_to(finger.mask)
    layer = add_mask_layer(viewer, lacking, viewer.add_image(finger.image, name="finger"))
    widget = open_workbench(viewer, "Correct").correct
    tool = widget.toolbox.tools[0]
    widget.toolbox.use(tool)
    wait_until(lambda: widget.tracing.find(()) is not None)
    viewer.reset_view(margin=0.02)
    settle()
    shoot(REST_MS)
    places = vein[np.linspace(0.04 * len(vein), 0.96 * len(vein), STEPS).astype(int)]
    for number, place in enumerate(places):
        at = (float(place[0]), float(place[1]))
        if number in (0, STEPS // 2):
            tool.click(at, straight=False)
        tool.move(at)
        shoot(MOVE_MS)
    tool.click(at, straight=False)
    shoot(REST_MS)
    tool.finish()
    layer.refresh()
    shoot(2 * REST_MS)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", type=Path)
    path = parser.parse_args().file
    pictures: list[Image.Image] = []
    times: list[int] = []
    viewer = napari.Viewer(show=True)

    def shoot(milliseconds: int) -> None:
        settle(0.05)
        pictures.append(Image.fromarray(viewer.screenshot(flash=False)).convert("RGB"))
        times.append(milliseconds)

    with nobodys_corrections():
        try:
            viewer.window.resize(*SIZE)
            film(viewer, shoot)
        finally:
            viewer.close()
    frames = with_one_palette(pictures)
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=times, loop=0)
    print(f"{path}: {len(frames)} frames, {path.stat().st_size / 1e6:.2f} MB")


def with_one_palette(pictures: list[Image.Image]) -> list[Image.Image]:
    """Cut the empty canvas off and give all frames the same colours, or they flicker."""
    box = pictures[0].getbbox()
    height = round(WIDTH * (box[3] - box[1]) / (box[2] - box[0]))
    small = [picture.crop(box).resize((WIDTH, height)) for picture in pictures]
    palette = small[-2].quantize(COLOURS)  # the line and the mask are in it
    return [picture.quantize(palette=palette, dither=Image.Dither.NONE) for picture in small]


if __name__ == "__main__":
    main()
