"""A folder in the viewer: masks are written elsewhere and shown as stacks."""

import numpy as np
import pytest
from napari.layers import Image, Labels
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

from napari_veinseg.data.image_files import write_image
from napari_veinseg.data.mask_files import read_mask, write_mask
from napari_veinseg.widgets.segment import folder
from napari_veinseg.widgets.segment.folder_dialog import FolderDialog


@pytest.fixture
def choose(tmp_path):
    """The two folders that are typed into the dialog."""
    images, masks = tmp_path / "images", tmp_path / "masks"
    images.mkdir()
    return {"images": images, "masks": masks}


def ask(widget, choose):
    """Press 'Folder to files…' and fill in the dialog that opens."""
    widget.folder.click()
    (dialog,) = (each for each in widget.findChildren(FolderDialog) if each.isVisible())
    for name, path in choose.items():
        field = getattr(dialog, name)
        field.clear()
        QTest.keyClicks(field, str(path or ""))
    return dialog


def run(widget, qtbot, choose, existing=None):
    dialog = ask(widget, choose)
    if existing:
        dialog.existing.setCurrentIndex(existing)
    QTest.mouseClick(dialog.go, Qt.MouseButton.LeftButton)
    assert widget.job.running
    qtbot.waitUntil(lambda: not widget.job.running, timeout=20_000)


def test_masks_are_written_and_shown(viewer, segment, choose, qtbot, told, vein_image):
    images, masks = choose.values()
    for name in ("a", "b", "ü"):
        write_image(images / f"{name}.png", vein_image)
    write_image(images / "stack.tif", np.stack([vein_image[:40]] * 2))
    (images / "broken.png").write_bytes(b"no image")
    write_mask(images / "a_mask.png", np.eye(64, 80, dtype=np.uint8))
    run(segment, qtbot, choose)
    assert sorted(path.name for path in masks.glob("*.tif")) == [
        "a.tif", "b.tif", "stack.tif", "ü.tif",
    ]  # fmt: skip
    shown = [layer for layer in viewer.layers if isinstance(layer, Labels)]
    assert [layer.data.shape for layer in shown] == [(3, 64, 80), (2, 40, 80)]
    np.testing.assert_array_equal(shown[0].data[1], read_mask(masks / "b.tif"))
    assert "4 masks written" in told.texts[-1]
    assert "1 failed" in told.texts[-1]
    assert "broken.png" in told.texts[-1]
    assert "1 mask lies among the images" in told.texts[-1]
    assert sorted(path.name for path in images.iterdir()) == [
        "a.png", "a_mask.png", "b.png", "broken.png", "stack.tif", "ü.png",
    ]  # fmt: skip


def test_slices_of_a_stack_do_not_take_the_names_of_other_files(
    viewer, segment, choose, qtbot, vein_image
):
    images, _ = choose.values()
    for name in ("a.tif", "b.tif"):
        write_image(images / name, np.stack([vein_image] * 2))  # as many slices as files
    run(segment, qtbot, choose)
    stacks = [layer for layer in viewer.layers if isinstance(layer, Image)]
    assert [stack.metadata["files"] for stack in stacks] == [["a.tif"], ["b.tif"]]


@pytest.mark.parametrize(
    ("fitting", "said"),
    [(0, "none is open"), (1, "the first is open"), (2, "the first 2 are open")],
)
def test_what_does_not_fit_is_written_and_not_shown(
    viewer, segment, choose, qtbot, told, vein_image, monkeypatch, fitting, said
):
    images, masks = choose.values()
    for name in "abc":
        write_image(images / f"{name}.png", vein_image)
    monkeypatch.setattr(folder, "SHOWN_BYTES", fitting * vein_image.nbytes)
    run(segment, qtbot, choose)
    assert len(list(masks.glob("*.tif"))) == 3
    shown = [layer.data.reshape(-1, 64, 80) for layer in viewer.layers if isinstance(layer, Image)]
    assert sum(map(len, shown)) == fitting
    assert said in told.texts[-1]


@pytest.mark.parametrize("missing", ["images", "masks"])
def test_without_both_folders_there_is_nothing_to_press(segment, choose, missing, stub):
    choose[missing] = None
    dialog = ask(segment, choose)
    assert not dialog.go.isEnabled()
    dialog.reject()
    assert not segment.job.running
    assert stub.calls == 0


def test_a_folder_beside_the_images_is_offered_for_the_masks(segment, choose):
    dialog = ask(segment, {"images": choose["images"]})
    assert dialog.masks.text() == str(choose["images"]) + "_masks"
    dialog.reject()


@pytest.mark.parametrize(("existing", "made"), [(0, 0), (1, 0), (2, 1)])
def test_masks_that_are_there_are_kept_or_made_anew(
    segment, choose, stub, qtbot, vein_image, existing, made
):
    write_image(choose["images"] / "a.png", vein_image)
    run(segment, qtbot, choose)
    before = stub.calls
    run(segment, qtbot, choose, existing)
    assert stub.calls - before == made


def test_update_makes_masks_of_other_settings_anew(segment, choose, stub, qtbot, vein_image):
    write_image(choose["images"] / "a.png", vein_image)
    run(segment, qtbot, choose)
    before = stub.calls
    segment.options.invert.setChecked(True)
    run(segment, qtbot, choose)
    assert stub.calls == before
    run(segment, qtbot, choose, 1)
    assert stub.calls == before + 1


def test_the_input_folder_is_refused_as_output(segment, choose, qtbot, told, vein_image):
    write_image(choose["images"] / "a.png", vein_image)
    choose["masks"] = choose["images"]
    run(segment, qtbot, choose)
    assert "choose another folder" in told.texts[-1]
