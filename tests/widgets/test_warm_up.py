"""What numba compiles for a layer is compiled before the viewer's thread needs it."""

import os
import subprocess
import sys

import pytest

SCRIPT = """
import numpy as np
from numba.core.event import install_recorder
from napari.components import ViewerModel
from napari.layers import Image
from qtpy.QtCore import QCoreApplication

from napari_veinseg.segmentation.region import Region
from napari_veinseg.widgets.common.warm_up import prepare_lines, prepare_masks
from napari_veinseg.widgets.common.jobs import Reporter
from napari_veinseg.widgets.evaluate.measuring import measure_mask, show_measurement
from napari_veinseg.widgets.masks.layer_placement import PixelSize
from napari_veinseg.widgets.masks.layers import add_mask_layer
from napari_veinseg.widgets.segment.region_layer import RegionLayer

mask = np.zeros((40, 60), np.uint8)
mask[18:22] = 1
reporter = Reporter(lambda news: None)
viewer = ViewerModel()
image = viewer.add_layer(Image(mask))
with install_recorder("numba:compile") as beside:
    prepare_masks(reporter)
with install_recorder("numba:compile") as masks:
    layer = add_mask_layer(viewer, mask, image)
measured = measure_mask(mask, PixelSize.of(layer), reporter)
with install_recorder("numba:compile") as lines:
    list(show_measurement(viewer, layer, measured))
region = RegionLayer(viewer, QCoreApplication([]))
with install_recorder("numba:compile") as regions:
    region.draw(image, "rectangle")
    region.show(image, Region.parse("5,5,30,30"))
print(len(beside.buffer) > 0, len(masks.buffer), len(lines.buffer), len(regions.buffer))
"""


@pytest.mark.slow
def test_nothing_is_compiled_in_the_viewers_thread(tmp_path):
    fresh = {"NUMBA_CACHE_DIR": str(tmp_path), "QT_QPA_PLATFORM": "offscreen"}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        env={**os.environ, **fresh},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["True", "0", "0", "0"]


TOGETHER = """
import threading
import time

import numpy as np
import scipy.ndimage
from napari.layers import Image

from napari_veinseg.widgets.common.warm_up import read_units

read_units()
worker = threading.Thread(target=Image, args=(np.zeros((4, 4)),))
worker.start()
for _ in range(20):
    Image(np.zeros((4, 4)))
    time.sleep(0.005)
worker.join()
"""


def test_a_worker_and_the_viewer_make_their_first_layers_at_once():
    """napari reads its units at the first one: another thread found half of them."""
    done = subprocess.run([sys.executable, "-c", TOGETHER], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
