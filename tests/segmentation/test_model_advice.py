"""Another model is suggested for photographs of scenes, and never for fingers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from napari_veinseg.data.image_files import write_image
from napari_veinseg.segmentation import model_advice
from napari_veinseg.segmentation.batch.folder_advice import FolderAdvice
from napari_veinseg.segmentation.batch.summary_csv import SummaryRow
from napari_veinseg.segmentation.model_advice import colour_cast, suggestion, suited_model

GREY = np.random.default_rng(0).integers(20, 240, (300, 400), np.uint8)
PURPLE = np.stack([GREY, GREY // 4, GREY], axis=-1)


@pytest.mark.parametrize(
    ("image", "vein_width", "used", "suited"),
    [
        (PURPLE, 5.0, "starter", "forearm"),
        (PURPLE / 255.0, 5.0, "starter", "forearm"),
        (np.stack([PURPLE, PURPLE]), 5.0, "starter", "forearm"),
        (np.dstack([PURPLE, np.full_like(GREY, 255)]), 5.0, "starter", "forearm"),
        (PURPLE, 6.0, "starter", ""),  # a close-up
        (PURPLE, 0.0, "starter", ""),  # nobody knows the width
        (PURPLE, 5.0, "forearm", ""),
        (PURPLE, 5.0, "my model", ""),  # learned from what its owner has
        (PURPLE, 5.0, None, ""),
        (GREY, 5.0, "starter", ""),
        (np.dstack([GREY] * 3), 5.0, "starter", ""),
        (np.zeros_like(PURPLE), 5.0, "starter", ""),
        (np.full(PURPLE.shape, np.nan), 5.0, "starter", ""),
    ],
)
def test_only_a_colour_photograph_of_a_scene_asks_for_another_model(
    image, vein_width, used, suited
):
    assert suited_model(image, vein_width, used) == suited


@given(
    arrays(np.uint8, array_shapes(min_dims=2, max_dims=2, min_side=4, max_side=40)),
    st.integers(1, 4),
    st.floats(0, 100),
)
def test_what_is_grey_asks_for_none(grey, channels, vein_width):
    image = np.dstack([grey] * channels)
    assert colour_cast(image) == 0
    assert suited_model(image, vein_width, "starter") == ""


def test_the_cast_hangs_on_neither_brightness_nor_size():
    cast = colour_cast(PURPLE)
    assert colour_cast(PURPLE / 1000) == pytest.approx(cast, abs=0.01)
    assert colour_cast(np.tile(PURPLE, (3, 3, 1))) == pytest.approx(cast, abs=0.02)


def test_a_model_that_is_not_installed_is_not_suggested(monkeypatch):
    monkeypatch.setattr(model_advice, "installed_models", list)
    assert suited_model(PURPLE, 5.0, "starter") == ""


@pytest.fixture
def advised(tmp_path):
    """Write an image into a folder, and return what is said when it is done."""

    def advise(advice, name, pixels, status="done"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        write_image(path, pixels)
        return advice.on(SummaryRow(str(path), "", status, vein_width=5.0))

    return advise


def test_a_folder_is_told_once(advised):
    advice = FolderAdvice("starter")
    told = [advised(advice, name, PURPLE) for name in ("a/1.png", "a/2.png", "b/1.png", "a/3.png")]
    assert told == [suggestion("forearm"), "", suggestion("forearm"), ""]


def test_only_the_first_images_of_a_folder_are_read(advised):
    advice = FolderAdvice("starter")
    assert [advised(advice, f"a/{number}.png", GREY) for number in range(3)] == [""] * 3
    assert advised(advice, "a/3.png", PURPLE) == ""


def test_what_was_not_segmented_now_is_not_looked_at(advised):
    advice = FolderAdvice("starter")
    assert advised(advice, "a/0.png", PURPLE, "kept") == ""
    assert advised(advice, "a/1.png", PURPLE, "failed") == ""
    assert advice.on(SummaryRow("gone/0.png", "", "done", vein_width=5.0)) == ""
    assert advised(advice, "a/2.png", PURPLE) == suggestion("forearm")
