"""Long work beside the viewer: what its owner hears, and when."""

import subprocess
import sys

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


LEAVES_WORK = """
import threading, time
import napari
from qtpy.QtWidgets import QApplication, QWidget
from napari_veinseg.widgets.common.jobs import Job

viewer = napari.Viewer(show=False)
owner = QWidget()
viewer.window.add_dock_widget(owner)
job, begun = Job("Working", owner), threading.Event()

def work(reporter):
    begun.set()
    end = time.monotonic() + 60
    while time.monotonic() < end and not reporter.cancelled():
        time.sleep(0.01)
    time.sleep(0.5)  # what cannot be interrupted

job.start(work, print)
while not begun.is_set():
    QApplication.processEvents()
viewer.close()
"""


def test_a_program_that_ends_during_work_ends_well():
    """Napari waits for workers where its own loop ends; a script has none."""
    run = subprocess.run(
        [sys.executable, "-c", LEAVES_WORK], capture_output=True, text=True, timeout=50
    )
    assert run.returncode == 0, run.stderr[-2000:]
