"""Long work beside the viewer: what its owner hears, and when."""

import ast
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from qtpy.QtCore import QThreadPool, QTimer
from qtpy.QtWidgets import QWidget

import napari_veinseg
from napari_veinseg.errors import VeinSegError
from napari_veinseg.widgets.common.jobs import Job, Step


def test_the_end_is_told_after_the_result_is_taken(qtbot):
    owner = QWidget()
    qtbot.addWidget(owner)
    job = Job("Working", owner)
    heard = []
    job.changed.connect(lambda: heard.append(f"running: {job.running}"))
    job.start(lambda _reporter: "result", done=heard.append)
    qtbot.waitUntil(lambda: len(heard) == 3)
    assert heard == ["running: True", "result", "running: False"]


def test_the_end_is_told_whatever_fails_after_a_failure(qtbot, told):
    def fail(*_reporter):
        raise VeinSegError("The disk is full.")

    owner, heard = QWidget(), []
    qtbot.addWidget(owner)
    job = Job("Working", owner)
    job.start(fail, heard.append, failed=fail)
    job.changed.connect(lambda: heard.append(job.running))
    qtbot.waitUntil(lambda: heard == [False])
    assert told.texts == ["The disk is full."] * 2


def test_what_was_given_up_before_it_began_is_not_done(qtbot):
    owner, gate, heard = QWidget(), threading.Event(), []
    qtbot.addWidget(owner)
    pool = QThreadPool.globalInstance()
    before = [Job("Waiting", owner) for _ in range(pool.maxThreadCount())]
    for job in before:  # they take all threads
        job.start(lambda _reporter: gate.wait(20), done=heard.append)
    late, last = Job("Reading an image", owner), Job("Reading the next", owner)
    late.start(lambda _reporter: heard.append("late"), done=heard.append)
    late.abandon()
    last.start(lambda _reporter: "last", done=heard.append)
    gate.set()
    qtbot.waitUntil(lambda: "last" in heard)
    assert "late" not in heard


def test_work_that_saves_goes_on_to_tell_how_far_it_is_where_it_is_abandoned(qtbot):
    owner, gate, saved = QWidget(), threading.Event(), threading.Event()
    qtbot.addWidget(owner)

    def save(reporter):
        gate.wait(20)
        reporter.tell(Step(0, 0, "Loading the model"))
        saved.set()

    job = Job("Keeping the model", owner)
    job.start(save, done=print, saves=True)
    job.abandon()
    gate.set()
    qtbot.waitUntil(saved.is_set)


def test_what_is_saved_is_saved_also_where_its_dock_is_gone_before_a_thread_is_free(qtbot):
    owner, gate, saved = QWidget(), threading.Event(), threading.Event()
    others = QWidget()
    qtbot.addWidget(others)
    pool = QThreadPool.globalInstance()
    for _ in range(pool.maxThreadCount()):  # they take all threads
        Job("Waiting", others).start(lambda _reporter: gate.wait(20), done=print)
    Job("Saving the mask", owner).start(lambda _reporter: saved.set(), done=print)
    owner.deleteLater()  # the viewer is closed
    qtbot.waitSignal(owner.destroyed).wait()
    gate.set()
    assert saved.wait(5)


def test_what_is_shown_piece_by_piece_leaves_turns_between(qtbot):
    owner = QWidget()
    qtbot.addWidget(owner)
    job = Job("Working", owner)
    heard, other = [], QTimer()
    other.timeout.connect(lambda: heard.append("other"))

    def done(result):
        other.start(0)
        for piece in range(3):
            heard.append(f"{result} {piece}, running: {job.running}")
            yield

    job.changed.connect(lambda: heard.append(f"changed: {job.running}"))
    job.start(lambda _reporter: "piece", done)
    qtbot.waitUntil(lambda: heard[-1:] == ["other"] and not job.running)
    other.stop()
    said = [each for each in heard if each != "other"]
    assert said[0] == "changed: True"
    assert said[1:4] == [f"piece {piece}, running: True" for piece in range(3)]
    assert said[4:] == ["changed: False"]
    assert "other" in heard[heard.index(said[1]) : heard.index(said[3])]


def test_pieces_that_fail_or_are_abandoned_end_the_job(qtbot, told):
    owner = QWidget()
    qtbot.addWidget(owner)
    for ends in ("fails", "is abandoned"):
        job, shown = Job("Working", owner), []

        def done(_result, job=job, shown=shown, ends=ends):
            shown.append("first")
            yield
            if ends == "fails":
                raise VeinSegError("No room for it.")
            job.abandon()
            yield
            shown.append("after the end")

        job.start(lambda _reporter: None, done)
        qtbot.waitUntil(lambda job=job, shown=shown: bool(shown) and not job.running)
        qtbot.wait(60)
        assert shown == ["first"]
        assert job.start(lambda _reporter: None, done=lambda _result: None)
        qtbot.waitUntil(lambda job=job: not job.running)
    assert "No room for it." in told.texts[-1]


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
    _succeeds(LEAVES_WORK)


COLLECTED_ELSEWHERE = """
import gc, threading
from napari.utils.events import EmitterGroup
from qtpy.QtCore import QEvent
from qtpy.QtWidgets import QApplication, QWidget
from napari_veinseg.widgets.common.form import connect_while_alive
from napari_veinseg.widgets.common.jobs import Job

class Listening(QWidget):
    def hear(self, event): ...

application, emitter = QApplication([]), EmitterGroup(change=None).change
gc.disable()
for running in (False, True):
    dock = QWidget()
    dock.itself, dock.inner = dock, Listening(dock)
    dock.job = Job("Working", dock.inner, quiet=True)
    connect_while_alive(dock.inner, emitter, dock.inner.hear)
    begun, ended = threading.Event(), threading.Event()

    def work(reporter):
        begun.set()
        while not reporter.cancelled():
            ended.wait(0.01)
        ended.set()

    if running:
        dock.job.start(work, print)
        begun.wait()
    del dock
    collector = threading.Thread(target=gc.collect)
    collector.start()
    collector.join()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    assert not emitter.callbacks
    assert not running or ended.wait(20)
"""


def test_widgets_that_a_worker_collects_are_deleted_well():
    """Python collects garbage in any thread; Qt deletes later, in its own."""
    _succeeds(COLLECTED_ELSEWHERE)


def _closures_told_of_an_end(source: str) -> list[int]:
    """Lines on which `destroyed` is connected to anything but a method or a name of a module."""
    tree = ast.parse(source)
    inner = {
        each.name
        for outer in ast.walk(tree)
        if isinstance(outer, ast.FunctionDef)
        for each in ast.walk(outer)
        if isinstance(each, ast.FunctionDef) and each is not outer
    }
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and ast.unparse(node.func).endswith("destroyed.connect")
        and any(
            not isinstance(slot, ast.Attribute | ast.Name)
            or (isinstance(slot, ast.Name) and slot.id in inner)
            for slot in node.args
        )
    ]


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ("box.destroyed.connect(reporter.cancel)", []),
        ("box.destroyed.connect(lambda: print(box))", [1]),
        ("box.destroyed.connect(partial(forget, box))", [1]),
        ("def use(box):\n    def end(): pass\n    box.destroyed.connect(end)", [3]),
    ],
)
def test_a_closure_told_of_an_end_is_seen(source, lines):
    assert _closures_told_of_an_end(source) == lines


def test_no_closure_is_told_of_a_widgets_end():
    root = Path(napari_veinseg.__file__).parent
    found = [
        f"{path.relative_to(root)}:{line}"
        for path in sorted(root.rglob("*.py"))
        for line in _closures_told_of_an_end(path.read_text(encoding="utf-8"))
    ]
    assert not found, (
        f"{found}: connect `destroyed` to a method of a plain object, as `Reporter.cancel` is. "
        "Python's collector may empty a closure in a worker's thread while Qt still holds it; "
        "Qt then calls what is left, and the process ends."
    )


def _succeeds(code: str) -> None:
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=110)
    assert run.returncode == 0, (run.returncode, run.stderr[-2000:])
