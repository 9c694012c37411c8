"""A folder in the viewer: masks are written elsewhere and shown as stacks."""

import numpy as np
import pytest
from napari.layers import Image, Labels

from napari_veinseg.data.images import read_mask, write_image
from napari_veinseg.widgets.segment import folder
from napari_veinseg.widgets.segment import segment as segment_module


@pytest.fixture
def choose(monkeypatch, tmp_path):
    """Answer the two questions for folders."""
    images, masks = tmp_path / "images", tmp_path / "masks"
    images.mkdir()
    answers = {"Folder of images": images, "Folder for the masks": masks}
    monkeypatch.setattr(
        segment_module.QFileDialog,
        "getExistingDirectory",
        lambda _parent, title, *_: str(answers[title] or ""),
    )
    return answers


def run(widget, qtbot):
    widget.folder.click()
    qtbot.waitUntil(lambda: not widget.job.running, timeout=20_000)


def test_masks_are_written_and_shown(viewer, segment, choose, qtbot, told, vein_image):
    images, masks = choose.values()
    for name in ("a", "b", "ü"):
        write_image(images / f"{name}.png", vein_image)
    write_image(images / "stack.tif", np.stack([vein_image[:40]] * 2))
    (images / "broken.png").write_bytes(b"no image")
    run(segment, qtbot)
    assert sorted(path.name for path in masks.glob("*.tif")) == [
        "a.tif", "b.tif", "stack.tif", "ü.tif",
    ]  # fmt: skip
    shown = [layer for layer in viewer.layers if isinstance(layer, Labels)]
    assert [layer.data.shape for layer in shown] == [(3, 64, 80), (2, 40, 80)]
    np.testing.assert_array_equal(shown[0].data[1], read_mask(masks / "b.tif"))
    assert "4 masks written" in told.texts[-1]
    assert "1 failed" in told.texts[-1]
    assert "broken.png" in told.texts[-1]
    assert sorted(path.name for path in images.iterdir()) == [
        "a.png", "b.png", "broken.png", "stack.tif", "ü.png",
    ]  # fmt: skip


def test_slices_of_a_stack_do_not_take_the_names_of_other_files(
    viewer, segment, choose, qtbot, vein_image
):
    images, _ = choose.values()
    for name in ("a.tif", "b.tif"):
        write_image(images / name, np.stack([vein_image] * 2))  # as many slices as files
    run(segment, qtbot)
    stacks = [layer for layer in viewer.layers if isinstance(layer, Image)]
    assert [stack.metadata["files"] for stack in stacks] == [["a.tif"], ["b.tif"]]


def test_what_does_not_fit_is_written_and_not_shown(
    viewer, segment, choose, qtbot, told, vein_image, monkeypatch
):
    images, masks = choose.values()
    for name in "abc":
        write_image(images / f"{name}.png", vein_image)
    monkeypatch.setattr(folder, "SHOWN_BYTES", 2 * vein_image.nbytes)
    run(segment, qtbot)
    assert len(list(masks.glob("*.tif"))) == 3
    assert viewer.layers[0].data.shape == (2, 64, 80)
    assert "the first 2 are open" in told.texts[-1]


@pytest.mark.parametrize("missing", ["Folder of images", "Folder for the masks"])
def test_no_folder_chosen_is_no_work(segment, choose, missing, stub):
    choose[missing] = None
    segment.folder.click()
    assert not segment.job.running
    assert stub.calls == 0


def test_the_input_folder_is_refused_as_output(segment, choose, qtbot, told, vein_image):
    write_image(choose["Folder of images"] / "a.png", vein_image)
    choose["Folder for the masks"] = choose["Folder of images"]
    run(segment, qtbot)
    assert "choose another folder" in told.texts[-1]
