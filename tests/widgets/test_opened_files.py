"""Files that napari's builtin reader shows otherwise than we read them."""

import numpy as np
import pytest
from napari.layers._source import layer_source

from napari_veinseg.data.image_files import read_image
from napari_veinseg.widgets.common.opened_files import follow_opened_files
from tests.data.corpus import CASES

ODD = ["exif_6.jpg", "grey_alpha_8.png", "rgb_16.png", "cmyk.jpg", "white_is_zero_u2_lzw.tif"]


@pytest.fixture
def viewer():
    from napari.components import ViewerModel
    from napari.plugins import _initialize_plugins

    _initialize_plugins()
    return ViewerModel()


@pytest.fixture
def paths(tmp_path):
    cases = {case.name: case for case in CASES}
    for name in ODD:
        cases[name].write(tmp_path / name)
    return [tmp_path / name for name in ODD]


def test_a_viewer_with_a_dock_shows_what_is_read(viewer, paths):
    first, *others = paths
    (open_already,) = viewer.open(first, plugin="napari")
    follow_opened_files(viewer)
    follow_opened_files(viewer)  # a second dock
    layers = [open_already, *(viewer.open(path, plugin="napari")[0] for path in others)]
    for layer, path in zip(layers, paths, strict=True):
        np.testing.assert_array_equal(layer.data, read_image(path))
        assert layer.contrast_limits[1] >= layer.data.max() * 0.9
    assert viewer.dims.ndim == 2


def test_what_somebody_has_drawn_upon_stays_and_is_told(viewer, paths, monkeypatch):
    told = []
    monkeypatch.setattr("napari_veinseg.widgets.common.opened_files.show_warning", told.append)
    (layer,) = viewer.open(paths[0], plugin="napari")
    before = np.array(layer.data)
    viewer.add_labels(np.zeros(before.shape, int))
    follow_opened_files(viewer)
    np.testing.assert_array_equal(layer.data, before)
    assert "its orientation tag is heeded" in told[0]


def test_arrays_and_what_other_readers_gave_are_left_alone(viewer, paths):
    follow_opened_files(viewer)
    pixels = np.zeros((40, 30))
    array = viewer.add_image(pixels)
    with layer_source(path=str(paths[0]), reader_plugin="another"):
        read_by_another = viewer.add_image(pixels)
    for layer in (array, read_by_another):
        assert layer.data is pixels
