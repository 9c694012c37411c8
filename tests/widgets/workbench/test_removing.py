"""A layer that goes frees what it has drawn in the canvas's own OpenGL context."""

from qtpy.QtGui import QOpenGLContext


def test_a_removed_layer_is_freed_where_it_was_drawn(opened, qtbot, monkeypatch):
    """In another context, the next image that was drawn could end the program."""
    viewer = opened.viewer
    canvas = viewer.window._qt_viewer.canvas
    qtbot.wait(50)
    freed_in = []
    monkeypatch.setattr(
        canvas._scene_canvas.context,
        "finish",
        lambda: freed_in.append(QOpenGLContext.currentContext()),
    )
    canvas.native.doneCurrent()
    viewer.layers.remove(opened.session.shown.mask)
    assert freed_in == [canvas.native.context()]
