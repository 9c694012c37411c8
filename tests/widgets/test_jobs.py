"""Long work beside the viewer: what its owner hears, and when."""

from qtpy.QtWidgets import QWidget

from napari_veinseg.widgets.common.jobs import Job


def test_the_end_is_told_after_the_result_is_taken(qtbot):
    owner = QWidget()
    qtbot.addWidget(owner)
    job = Job("Working", owner)
    heard = []
    job.changed.connect(lambda: heard.append(f"running: {job.running}"))
    job.start(lambda _reporter: "result", done=heard.append)
    qtbot.waitUntil(lambda: len(heard) == 3)
    assert heard == ["running: True", "result", "running: False"]
