"""A shown viewer with the Correct widget over an image and its mask."""

import pytest

from napari_veinseg.correction import autosave
from napari_veinseg.widgets.correct.correct import CorrectWidget
from napari_veinseg.widgets.correct.trace_tool import TraceTool
from napari_veinseg.widgets.masks.layers import add_mask_layer
from tests.widgets.correct.scene import photograph
from tests.widgets.mouse import Mouse


@pytest.fixture(autouse=True)
def own_autosave(monkeypatch, tmp_path):
    monkeypatch.setenv(autosave.FOLDER_VARIABLE, str(tmp_path / "autosave"))


@pytest.fixture
def viewer(make_napari_viewer):
    viewer = make_napari_viewer(show=True)
    viewer.window._qt_window.resize(1100, 700)
    return viewer


@pytest.fixture
def correct_in(qtbot):
    """Open an image with a mask, and the widget, in a viewer."""
    made = []

    def make(viewer, mask, image=None, **place):
        layer = viewer.add_image(photograph() if image is None else image, name="finger", **place)
        labels = add_mask_layer(viewer, mask, layer)
        widget = CorrectWidget(viewer)
        viewer.window.add_dock_widget(widget, name="Correct")
        made.append(widget)
        qtbot.wait(50)
        return widget, labels, Mouse(viewer, labels)

    yield make
    for widget in made:
        widget.closing.emit()


@pytest.fixture
def use(qtbot):
    """Press a tool's button and wait until the valleys are there."""

    def press(widget, kind):
        tool = next(tool for tool in widget.toolbox.tools if type(tool) is kind)
        widget.toolbox.buttons[tool].click()
        assert widget.toolbox.active is tool
        if isinstance(tool, TraceTool):
            qtbot.waitUntil(
                lambda: widget.tracing.find(widget.edited_mask.displayed_plane()) is not None
            )
        return tool

    return press
