"""From an open image to an editable mask, in a real viewer."""

import threading

import dask.array as da
import numpy as np
import pytest
from napari.layers import Image, Labels

from napari_veinseg.errors import VeinSegError
from napari_veinseg.widgets.common import device_in_use, engine
from napari_veinseg.widgets.common.jobs import Step
from napari_veinseg.widgets.masks.layer_metadata import edited_pixels, record_of
from napari_veinseg.widgets.segment import refine


def masks(viewer):
    return [layer for layer in viewer.layers if isinstance(layer, Labels)]


def test_lines_are_prepared_while_nobody_waits_for_them(qtbot, stub, monkeypatch):
    device, prepared = engine.known_device(), threading.Event()
    monkeypatch.setattr(engine, "_device", None)

    def load(_reporter):
        engine._device = device

    def prepare(reporter):
        reporter.tell(Step(0, 0, "Preparing the display…"))
        prepared.wait(20)

    monkeypatch.setattr(engine, "load_torch", load)
    monkeypatch.setattr(device_in_use, "prepare_lines", prepare)
    shown = device_in_use.DeviceInUse()
    qtbot.waitUntil(lambda: device.label in shown.text())  # that is not waited for
    assert shown._job.running
    prepared.set()
    qtbot.waitUntil(lambda: not shown._job.running)


def test_one_press_gives_an_aligned_editable_mask(viewer, segment, press, vein_image):
    image = viewer.add_image(
        vein_image, scale=(2, 3), translate=(5, -7), rotate=20, shear=[0.2], units=("um", "um"),
        affine=[[1, 0.1, 3], [0, 1, 4], [0, 0, 1]], axis_labels=("row", "column"),
    )  # fmt: skip
    press(segment)
    (mask,) = masks(viewer)
    assert mask.data.dtype == np.uint8
    assert isinstance(mask.data, np.ndarray)
    assert mask.editable
    assert not mask.multiscale
    np.testing.assert_allclose(
        mask._data_to_world.affine_matrix, image._data_to_world.affine_matrix
    )
    assert mask.units == image.units
    assert mask.axis_labels == image.axis_labels
    np.testing.assert_array_equal(mask.data[:, 0], (vein_image[:, 0] < 110).astype(np.uint8))
    assert viewer.layers.selection.active is mask
    assert "vein" in mask.get_status((33, 40), world=False)["value"]


STACK = np.stack([np.roll(np.full((40, 50), 200, np.uint8), n) for n in range(3)])
STACK[:, 10:14] = 20
RGB = np.repeat(STACK[0][..., None], 3, axis=-1)


KINDS = {
    "stack": (STACK, {}, (3, 40, 50)),
    "dask": (da.from_array(STACK, chunks=(1, 40, 50)), {}, (3, 40, 50)),
    "rgb": (RGB, {"rgb": True}, (40, 50)),
    "rgba": (np.concatenate([RGB, RGB[..., :1]], axis=-1), {"rgb": True}, (40, 50)),
    "multiscale": ([STACK[0], STACK[0][::2, ::2]], {"multiscale": True}, (40, 50)),
    "rgb stack": (np.stack([RGB, RGB]), {"rgb": True}, (2, 40, 50)),
    "4-D": (np.stack([STACK, STACK]), {}, (40, 50)),
    "1, 1, Y, X": (STACK[:1, np.newaxis], {}, (40, 50)),
    "Y, X, 1": (STACK[0][..., np.newaxis], {}, (40, 50)),
}


def test_kinds_of_layers(viewer, segment, press):
    for kind, (data, options, shape) in KINDS.items():
        viewer.layers.clear()
        viewer.add_image(data, **options)
        press(segment)
        (mask,) = masks(viewer)
        assert mask.data.shape == shape, kind
        assert mask.data[..., 12, 25].all(), kind
        assert not mask.data[..., 30, 25].any(), kind


@pytest.mark.parametrize(
    ("data", "options", "sentence"),
    [
        (None, {}, "There is no image to segment"),
        (np.zeros((20, 20, 3)), {"rgb": False}, "open it as RGB"),
    ],
)
def test_what_cannot_be_segmented_is_said_once(
    viewer, segment, stub, told, data, options, sentence
):
    if data is not None:
        viewer.add_image(data, **options)
    segment.segment.click()
    assert not segment.job.running
    assert stub.calls == 0
    (text,) = told.texts
    assert sentence in text


def test_a_second_press_makes_a_new_layer_unless_told_to_update(viewer, segment, press, vein_image):
    viewer.add_image(vein_image)
    press(segment)
    press(segment)
    assert len(masks(viewer)) == 2
    segment.update_mask.setChecked(True)
    press(segment)
    assert len(masks(viewer)) == 2


def test_the_mask_is_made_once_and_in_the_worker(viewer, segment, press, vein_image, monkeypatch):
    monkeypatch.setattr(refine, "mask_from_probability", None)
    image = viewer.add_image(vein_image)
    press(segment)
    assert masks(viewer)[0].data[30:36].all()
    segment.update_mask.setChecked(True)
    image.data = np.roll(vein_image, 10, axis=0)
    press(segment)
    (mask,) = masks(viewer)
    assert mask.data[40:46].all()
    assert not mask.data[30:36].any()


def test_an_update_keeps_every_edited_pixel_and_is_one_undo_step(
    viewer, segment, press, vein_image
):
    image = viewer.add_image(vein_image)
    press(segment)
    (mask,) = masks(viewer)
    mask.brush_size = 4
    mask.paint((50, 40), 1)
    mask.paint((32, 40), 0)
    mine = edited_pixels(mask).copy()
    painted, before = mask.data[mine].copy(), mask.data.copy()
    assert mine.any()
    image.data = np.roll(vein_image, 8, axis=0)
    segment.update_mask.setChecked(True)
    steps = len(mask._undo_history)
    press(segment)
    np.testing.assert_array_equal(mask.data[mine], painted)
    assert mask.data[41, 5] == 1
    assert mask.data[32, 5] == 0
    assert len(mask._undo_history) == steps + 1
    mask.undo()
    np.testing.assert_array_equal(mask.data, before)
    np.testing.assert_array_equal(edited_pixels(mask), mine)


def test_a_width_is_shown_as_measured_only_with_its_image(viewer, segment, press, vein_image):
    viewer.add_image(vein_image)
    press(segment)
    assert segment.vein_width.text() == "measured: 6.0 px"
    viewer.add_image(vein_image, name="other")
    assert segment.vein_width.text() == "measured in the image"


def test_all_selected_images(viewer, segment, press, vein_image):
    images = [viewer.add_image(vein_image, name=f"image {n}") for n in range(3)]
    viewer.layers.selection = set(images[:2])
    segment.all_selected.setChecked(True)
    assert segment.all_selected.isEnabled()
    press(segment)
    assert {mask.name for mask in masks(viewer)} == {"image 0 veins", "image 1 veins"}


def test_one_bad_image_among_the_selected_fails_alone_and_by_name(
    viewer, segment, press, stub, told, vein_image, monkeypatch
):
    predict = stub.predict

    def refusing(image, *arguments, **options):
        if image.shape == (9, 9):
            raise VeinSegError("The image holds no finite value: check how it was made.")
        return predict(image, *arguments, **options)

    monkeypatch.setattr(stub, "predict", refusing)
    images = [viewer.add_image(vein_image, name="good")]
    images.append(viewer.add_image(np.ones((9, 9)), name="lost"))
    images.append(viewer.add_image(vein_image, name="also good"))
    viewer.layers.selection = set(images)
    segment.all_selected.setChecked(True)
    press(segment)
    assert {mask.name for mask in masks(viewer)} == {"good veins", "also good veins"}
    assert told.texts == ["'lost': The image holds no finite value: check how it was made."]


def test_settings_reach_the_model(viewer, segment, press, stub, vein_image):
    viewer.add_image(255 - np.repeat(vein_image[..., None], 3, axis=-1), rgb=True)
    assert segment.options.channel.isVisibleTo(segment)
    segment.options.invert.setChecked(True)
    segment.options.channel.setCurrentText("green")
    segment.vein_width.setValue(7.5)
    assert (segment.settings().channel, segment.settings().vein_width) == ("green", 7.5)
    press(segment)
    assert masks(viewer)[0].data[33].all()
    viewer.add_image(vein_image)
    assert not segment.options.channel.isVisibleTo(segment)
    segment.vein_width.setValue(0)
    assert segment.settings().vein_width is None


def test_the_probability_layer_is_not_offered_as_an_image(viewer, segment, press, vein_image):
    image = viewer.add_image(vein_image, scale=(2, 2))
    segment.with_probability.setChecked(True)
    press(segment)
    probability = next(
        layer for layer in viewer.layers if isinstance(layer, Image) and layer is not image
    )
    assert probability.data.dtype == np.float32
    np.testing.assert_allclose(probability.scale, image.scale)
    assert isinstance(viewer.layers[-1], Labels)
    viewer.layers.selection.active = probability
    assert segment.image.layer is image
    assert segment.image.count() == 1


def test_cancel_and_no_second_run(viewer, segment, stub, told, qtbot, vein_image):
    viewer.add_image(vein_image)
    stub.gate.clear()
    segment.segment.click()
    qtbot.waitUntil(lambda: stub.calls == 1)
    assert segment.job.running
    assert not segment.segment.isEnabled()
    assert segment.cancel.isEnabled()
    segment._segment()  # even when called past the button
    assert stub.calls == 1
    segment.cancel.click()
    qtbot.waitUntil(lambda: not segment.job.running)
    assert not masks(viewer)
    assert segment.segment.isEnabled()
    assert not segment.cancel.isEnabled()
    assert told.texts == ["Segmenting was cancelled."]


def remove(viewer, image):
    viewer.layers.remove(image)


def swap(viewer, image):
    image.data = image.data[:30].copy()


def rename(viewer, image):
    image.name = "another name"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [(remove, "was removed"), (swap, "was changed"), (rename, None)],
)
def test_the_image_changes_while_it_is_segmented(
    viewer, segment, stub, told, qtbot, vein_image, change, sentence
):
    image = viewer.add_image(vein_image)
    stub.gate.clear()
    segment.segment.click()
    qtbot.waitUntil(lambda: stub.calls == 1)
    change(viewer, image)
    stub.gate.set()
    qtbot.waitUntil(lambda: not segment.job.running)
    if sentence is None:
        assert [mask.name for mask in masks(viewer)] == ["another name veins"]
    else:
        assert not masks(viewer)
        assert sentence in told.texts[-1]


def test_closing_the_viewer_ends_the_run(make_napari_viewer, segment_in, stub, qtbot, vein_image):
    viewer = make_napari_viewer(show=True)
    widget = segment_in(viewer)
    viewer.add_image(vein_image)
    stub.gate.clear()
    widget.segment.click()
    qtbot.waitUntil(lambda: stub.calls == 1)
    viewer.close()
    assert not widget.job.running
    # The gate is still closed: the worker ends because it was cancelled, else the viewer's
    # teardown would wait for it in vain.


def test_a_floating_dock_may_be_hidden_and_docked_while_it_works(
    make_napari_viewer, segment_in, stub, qtbot, vein_image
):
    viewer = make_napari_viewer(show=True)
    widget = segment_in(viewer)
    viewer.add_image(vein_image)
    stub.gate.clear()
    widget.segment.click()
    qtbot.waitUntil(lambda: stub.calls == 1)
    dock = widget.parent()
    for act in (
        lambda: dock.setFloating(True),
        dock.hide,
        dock.show,
        lambda: dock.setFloating(False),
    ):
        act()
        qtbot.wait(20)
    assert widget.job.running
    stub.gate.set()
    qtbot.waitUntil(lambda: not widget.job.running)
    assert masks(viewer)


def test_removing_the_dock_ends_the_run(viewer, segment, stub, qtbot, vein_image):
    viewer.add_image(vein_image)
    stub.gate.clear()
    segment.segment.click()
    qtbot.waitUntil(lambda: stub.calls == 1)
    viewer.window.remove_dock_widget(segment)
    assert not segment.job.running
    viewer.add_image(vein_image)  # events of the viewer no longer reach the removed widget


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (VeinSegError("The image is empty: open another."), "The image is empty: open another."),
        (ZeroDivisionError("oops"), "error in the plugin"),
    ],
)
def test_errors_are_told_once(
    viewer, segment, press, stub, told, vein_image, error, sentence, tmp_path
):
    viewer.add_image(vein_image)
    stub.error = error
    press(segment)
    (text,) = told.texts
    assert sentence in text
    log = tmp_path / "log" / "veinseg.log"
    if isinstance(error, VeinSegError):
        assert not log.exists()
    else:
        assert str(log) in text
        assert "ZeroDivisionError: oops" in log.read_text()
    stub.error = None
    press(segment)
    assert masks(viewer)


def test_edits_survive_duplication_of_the_layer(viewer, segment, press, vein_image):
    viewer.add_image(vein_image)
    press(segment)
    (mask,) = masks(viewer)
    mask.paint((50, 40), 1)
    viewer.layers.selection = {mask}
    viewer.layers.selection.active = mask
    from napari.layers._layer_actions import _duplicate_layer

    _duplicate_layer(viewer.layers)
    copy = next(layer for layer in masks(viewer) if layer is not mask)
    copy.paint((10, 60), 1)
    assert edited_pixels(copy)[50, 40]
    assert edited_pixels(copy)[10, 60]
    assert not edited_pixels(mask)[10, 60]
    assert record_of(copy).edits is not record_of(mask).edits


def test_two_viewers_at_once(make_napari_viewer, segment_in, stub, press, vein_image):
    first, second = make_napari_viewer(), make_napari_viewer()
    one, two = segment_in(first), segment_in(second)
    first.add_image(vein_image)
    second.add_image(vein_image[:40])
    press(one)
    press(two)
    assert masks(first)[0].data.shape == (64, 80)
    assert masks(second)[0].data.shape == (40, 80)
    assert (len(first.layers), len(second.layers)) == (2, 2)
