"""The viewer survives errors of ours, and a user who does anything in any order."""

import random
import sys
import types
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from napari.layers import Image, Labels
from napari.utils.notifications import notification_manager
from qtpy.QtWidgets import QApplication

from napari_veinseg.correction import autosave
from napari_veinseg.correction.autosave import left_sessions
from napari_veinseg.widgets.common.choices import LayerChoice
from napari_veinseg.widgets.common.model_choice import ModelChoice
from napari_veinseg.widgets.common.panel import Panel
from napari_veinseg.widgets.correct.autosaver import Autosaver
from napari_veinseg.widgets.correct.correct import CorrectWidget
from napari_veinseg.widgets.correct.toolbox import Toolbox
from napari_veinseg.widgets.evaluate.evaluate import EvaluateWidget
from napari_veinseg.widgets.masks.layer_metadata import record_of
from napari_veinseg.widgets.segment.mask_controls import MaskControls
from napari_veinseg.widgets.segment.segment import SegmentWidget
from tests.faults.conftest import times


@pytest.fixture
def correct_in():
    made = []

    def make(viewer):
        made.append(CorrectWidget(viewer))
        viewer.window.add_dock_widget(made[-1], name="Correct")
        return made[-1]

    yield make
    for widget in made:
        with suppress(RuntimeError):  # gone with its viewer
            widget.closing.emit()


def masks(viewer):
    return [layer for layer in viewer.layers if isinstance(layer, Labels)]


# --- an error in a callback of ours --------------------------------------------------------


def add_an_image(viewer, widget):
    viewer.add_image(np.ones((20, 30)))


def select_nothing(viewer, widget):
    viewer.layers.selection.clear()


def change_the_theme(viewer, widget):
    viewer.theme = "light" if viewer.theme == "dark" else "dark"


def step_through(viewer, widget):
    viewer.dims.ndisplay = 3


CALLBACKS = [
    (LayerChoice, "refresh", add_an_image),
    (LayerChoice, "_follow", select_nothing),
    (SegmentWidget, "_show_image", select_nothing),
    (Panel, "_restyle", change_the_theme),
    (Toolbox, "_on_slice", step_through),
    (SegmentWidget, "images", lambda viewer, widget: widget.segment.click()),
    (SegmentWidget, "_cancel", lambda viewer, widget: widget.cancel.clicked.emit()),
    (MaskControls, "_change", lambda viewer, widget: widget.mask.threshold.setValue(0.33)),
    (ModelChoice, "_take", lambda viewer, widget: widget.model.currentIndexChanged.emit(0)),
    (Autosaver, "save", lambda viewer, widget: widget.correct.autosaver._timer.timeout.emit()),
    (EvaluateWidget, "_measure", lambda viewer, widget: widget.evaluate.measure.click()),
]


@pytest.mark.parametrize("number", range(len(CALLBACKS)), ids=lambda n: CALLBACKS[n][1])
def test_an_error_in_a_callback_is_told_once_and_logged(
    viewer, segment_in, correct_in, press, told, vein_image, tmp_path, monkeypatch, number
):  # fmt: skip
    kind, name, act = CALLBACKS[number]
    original, armed = getattr(kind, name), []

    def fails(self, *values):
        if armed:
            armed.clear()
            raise RuntimeError("the pixels are secret")
        return original(self, *values)

    # As if it were written in its module: that is how an error of ours is told from others.
    ours = vars(sys.modules[kind.__module__])
    inside = types.FunctionType(fails.__code__, ours, name, closure=fails.__closure__)
    monkeypatch.setattr(kind, name, inside)
    widget = segment_in(viewer)
    widget.correct = correct_in(viewer)
    widget.evaluate = EvaluateWidget(viewer)
    viewer.window.add_dock_widget(widget.evaluate)
    viewer.add_image(vein_image)
    press(widget)
    before = len(told.texts)
    with notification_manager:  # as `napari.run` does: Qt's errors go to napari
        armed.append(True)
        act(viewer, widget)
        QApplication.processEvents()
    assert not armed, "the callback was not reached"
    (text,) = told.texts[before:]
    log = tmp_path / "log" / "veinseg.log"
    assert str(log) in text
    assert "RuntimeError: the pixels are secret" in log.read_text()
    assert str(vein_image.tolist()[0][:5])[1:-1] not in log.read_text()
    viewer.layers.selection.active = viewer.layers[0]
    viewer.dims.ndisplay = 2
    count = len(masks(viewer))
    press(widget)
    assert len(masks(viewer)) == count + 1
    widget.evaluate.job.abandon()


def test_the_log_does_not_grow_for_ever(tmp_path, told):
    from napari_veinseg.widgets.common.notify import report

    for _ in range(300):
        report(RuntimeError("x" * 20_000), "Testing", None)
    assert sum(path.stat().st_size for path in (tmp_path / "log").iterdir()) < 2_100_000


# --- anything in any order -----------------------------------------------------------------


class User:
    """Does what comes to mind, with Segment and Correct open."""

    def __init__(self, viewer, segment, correct, model, seed):
        self.viewer, self.segment, self.correct, self.model = viewer, segment, correct, model
        self.chance = random.Random(seed)
        self.done: list[str] = []

    def act(self) -> None:
        acts = [name for name in dir(self) if name.startswith("do_")]
        name = self.chance.choice(acts)
        self.done.append(name)
        getattr(self, name)()
        QApplication.processEvents()

    def one(self, kind):
        layers = [layer for layer in self.viewer.layers if isinstance(layer, kind)]
        return self.chance.choice(layers) if layers else None

    def do_open(self):
        shape = self.chance.choice([(40, 50), (3, 40, 50), (64, 80), (40, 50, 3), (5, 9)])
        pixels = np.random.default_rng(len(self.done)).integers(0, 255, shape, np.uint8)
        if len(self.viewer.layers) < 12:
            self.viewer.add_image(pixels, rgb=shape[-1] == 3)

    def do_remove(self):
        if len(self.viewer.layers):
            self.viewer.layers.remove(self.one((Image, Labels)))

    def do_rename(self):
        if len(self.viewer.layers):
            self.one((Image, Labels)).name = self.chance.choice(["a", "b/c", "", "ä" * 99])

    def do_swap_the_image(self):
        layer = self.one(Image)
        if layer is not None and not layer.rgb:
            shape = self.chance.choice([layer.data.shape, (30, 40), (2, 30, 40)])
            layer.data = np.ones(shape, np.uint8)

    def do_swap_the_mask(self):
        layer = self.one(Labels)
        if layer is not None:
            layer.data = np.zeros(self.chance.choice([layer.data.shape, (30, 40)]), np.uint8)

    def do_paint(self):
        layer = self.one(Labels)
        if layer is not None:
            where = tuple(self.chance.randrange(size) for size in layer.data.shape)
            layer.paint(where, self.chance.choice([0, 1, 2]))

    def do_undo(self):
        layer = self.one(Labels)
        if layer is not None:
            # napari's own history knows nothing of another array of another shape.
            with suppress(IndexError, ValueError):
                self.chance.choice([layer.undo, layer.redo])()

    def do_segment(self):
        self.segment.update_mask.setChecked(self.chance.random() < 0.5)
        self.segment.segment.click()

    def do_segment_slowly(self):
        self.model.gate.clear()
        self.segment.segment.click()

    def do_wait(self):
        self.model.gate.set()

    def do_cancel(self):
        self.segment.cancel.click()

    def do_slide(self):
        self.segment.mask.threshold.setValue(self.chance.random())
        self.segment.mask.min_size.setValue(self.chance.randrange(60))

    def do_use_a_tool(self):
        self.chance.choice(list(self.correct.toolbox.buttons.values())).click()

    def do_look_at_doubt(self):
        self.correct.doubtful_places.next.click()

    def do_select(self):
        self.viewer.layers.selection.active = self.one((Image, Labels))

    def do_select_nothing(self):
        self.viewer.layers.selection.clear()

    def do_turn(self):
        self.viewer.dims.ndisplay = self.chance.choice([2, 2, 3])

    def do_step(self):
        if self.viewer.dims.ndim > 2:
            self.viewer.dims.set_current_step(0, self.chance.randrange(3))

    def do_reorder(self):
        self.viewer.layers.reverse()

    def do_autosave(self):
        self.correct.autosaver.save()


@pytest.mark.parametrize("seed", range(times(1, 20)))
def test_a_user_does_anything(
    viewer, segment_in, correct_in, stub, told, qtbot, tally, seed
):  # fmt: skip
    user = User(viewer, segment_in(viewer), correct_in(viewer), stub, seed)
    acts = times(80, 150)
    with notification_manager:
        for _ in range(acts):
            user.act()
        stub.gate.set()
        qtbot.waitUntil(lambda: not user.segment.job.running, timeout=60_000)
    bugs = [text for text in told.texts if "rror in the" in text or "Traceback" in text]
    assert bugs == [], user.done[-8:]
    tally("random acts of a user", acts)


def test_an_image_and_a_mask_get_other_shapes(viewer, segment, press, told, vein_image):
    image = viewer.add_image(vein_image)
    segment.update_mask.setChecked(True)
    press(segment)
    (mask,) = masks(viewer)
    mask.paint((60, 70), 1)
    painted = mask.data.copy()
    image.data = vein_image[:30, :40].copy()
    press(segment)
    assert [layer.data.shape for layer in masks(viewer)] == [(64, 80), (30, 40)]
    np.testing.assert_array_equal(mask.data, painted)
    mask.data = np.zeros((30, 40), np.uint8)
    assert record_of(mask).edits.shape == (30, 40)
    mask.undo()  # the stroke belonged to the array that is gone
    assert told.texts == []


# --- two viewers, and a drive that stalls --------------------------------------------------


def test_one_of_two_viewers_is_closed_while_both_work(
    make_napari_viewer, segment_in, correct_in, stub, qtbot, vein_image, told
):  # fmt: skip
    viewers = [make_napari_viewer(show=True), make_napari_viewer()]
    widgets = [segment_in(each) for each in viewers]
    for each in viewers:
        correct_in(each)
        each.add_image(vein_image)
    stub.gate.clear()
    for widget in widgets:
        widget.segment.click()
    qtbot.waitUntil(lambda: stub.calls == 2)
    viewers[0].close()
    stub.gate.set()
    qtbot.waitUntil(lambda: not widgets[1].job.running, timeout=20_000)
    assert len(masks(viewers[1])) == 1
    masks(viewers[1])[0].paint((5, 5), 1)
    assert told.texts == []


def test_painting_goes_on_while_the_autosave_stalls(
    viewer, segment_in, correct_in, press, vein_image, qtbot, monkeypatch
):  # fmt: skip
    import threading

    go, write = threading.Event(), autosave.write_image

    def stall(path: Path, plane) -> None:
        go.wait(30)
        write(path, plane)

    monkeypatch.setattr(autosave, "write_image", stall)
    monkeypatch.setattr(autosave, "_SECONDS_UNTIL_LEFT", 0.0)
    widget, correct = segment_in(viewer), correct_in(viewer)
    viewer.add_image(vein_image)
    press(widget)
    (mask,) = masks(viewer)
    mask.paint((5, 5), 1)
    for column in range(10, 40, 10):
        correct.autosaver.save()
        mask.paint((50, column), 1)
        qtbot.wait(10)
    assert left_sessions() == []
    go.set()
    qtbot.waitUntil(lambda: correct.autosaver._worker is None, timeout=20_000)
    correct.autosaver.save()
    qtbot.waitUntil(lambda: correct.autosaver._worker is None, timeout=20_000)
    np.testing.assert_array_equal(left_sessions()[0].restored(), mask.data)
