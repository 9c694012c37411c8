"""A viewer whose user corrects a mask and is then killed; run as a script by a test."""

import sys

import napari
import numpy as np
from qtpy.QtCore import QTimer

from napari_veinseg.widgets.correct.correct import CorrectWidget
from napari_veinseg.widgets.masks.layers import add_mask_layer


def main() -> None:
    viewer = napari.Viewer(show=False)
    image = viewer.add_image(np.full((200, 300), 90, np.uint8), name="finger")
    labels = add_mask_layer(viewer, np.zeros((200, 300), np.uint8), image)
    widget = CorrectWidget(viewer)
    viewer.window.add_dock_widget(widget)

    def paint() -> None:
        labels.paint((100, 150), 1)
        sys.stdout.write("painted\n")
        sys.stdout.flush()

    QTimer.singleShot(500, paint)
    napari.run(force=True)


if __name__ == "__main__":
    main()
