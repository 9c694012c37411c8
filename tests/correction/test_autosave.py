"""Corrections survive their viewer, in small files, and only they."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor, wait
from threading import Event

import numpy as np
import pytest

from napari_veinseg.correction import autosave
from napari_veinseg.correction.autosave import Autosave, left_sessions, set_damaged_aside
from napari_veinseg.data.image_files import write_image
from napari_veinseg.errors import VeinSegError

DESCRIPTION = {"name": "veins", "image_name": "finger", "image_path": "", "place": {}}


@pytest.fixture
def mask() -> np.ndarray:
    return np.zeros((4, 60, 80), np.uint8)


@pytest.fixture
def at_once(monkeypatch):
    """Count a session as left behind at once."""
    monkeypatch.setattr(autosave, "_SECONDS_UNTIL_LEFT", 0.0)


def test_nothing_is_written_before_the_first_change(mask, tmp_path):
    saver = Autosave(mask, DESCRIPTION, tmp_path)
    assert saver.save(mask) == 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("at_once")
def test_only_changed_planes_are_written_and_restored(mask, tmp_path):
    saver = Autosave(mask, DESCRIPTION, tmp_path)
    mask[2, 10:20, 10:70] = 1
    assert saver.save(mask) == 1
    mask[2, 30, 30], mask[1, 5, 5] = 2, 1
    assert saver.save(mask) == 2
    assert saver.save(mask) == 0
    (session,) = left_sessions(tmp_path)
    assert (session.name, session.image_name, session.shape) == ("veins", "finger", (4, 60, 80))
    np.testing.assert_array_equal(session.restored(), mask)
    other = np.ones_like(mask)
    restored = session.restored(other)
    assert (restored[0] == 1).all()
    np.testing.assert_array_equal(restored[1:3], mask[1:3])
    with pytest.raises(VeinSegError, match="choose the image"):
        session.restored(np.zeros((3, 3)))


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize("kind", [np.uint16, np.int32, np.int64])
def test_labels_of_other_things_come_back(mask, tmp_path, kind):
    mask = mask.astype(kind)
    mask[1, :9] = 1
    saver = Autosave(mask, DESCRIPTION, tmp_path)
    mask[1, :9] = 257  # 1 in eight bits
    assert saver.save(mask) == 1
    (session,) = left_sessions(tmp_path)
    np.testing.assert_array_equal(session.restored(), mask)
    np.testing.assert_array_equal(session.restored(np.zeros_like(mask)), mask)
    np.testing.assert_array_equal(session.restored(np.full_like(mask, 300))[0], 300)


@pytest.mark.usefixtures("at_once")
def test_a_change_that_is_undone_is_saved_as_undone(mask, tmp_path):
    saver = Autosave(mask, DESCRIPTION, tmp_path)
    mask[0] = 1
    saver.save(mask)
    mask[0] = 0
    assert saver.save(mask) == 1
    np.testing.assert_array_equal(left_sessions(tmp_path)[0].restored(), mask)


@pytest.mark.usefixtures("at_once")
def test_what_is_kept_elsewhere_is_forgotten(mask, tmp_path):
    saver = Autosave(mask, DESCRIPTION, tmp_path)
    mask[0], mask[3] = 1, 1
    saver.save(mask)
    saver.settle(0, mask[0])
    assert left_sessions(tmp_path)[0].restored()[0].sum() == 0
    saver.settle(3, mask[3])
    assert left_sessions(tmp_path) == []
    assert saver.save(mask) == 0


def test_a_plane_that_is_settled_while_it_is_saved_stays_forgotten(mask, tmp_path, monkeypatch):
    saver = Autosave(mask, DESCRIPTION, tmp_path)
    mask[0] = 1
    begun, go_on = Event(), Event()

    def write_slowly(path, plane):
        begun.set()
        go_on.wait(10)
        write_image(path, plane)

    monkeypatch.setattr(autosave, "write_image", write_slowly)
    with ThreadPoolExecutor() as threads:
        saving = threads.submit(saver.save, mask)
        begun.wait(10)
        settling = threads.submit(saver.settle, 0, mask[0])
        wait([settling], 0.2)
        go_on.set()
    assert saving.result() == 1
    assert settling.exception() is None
    assert list(tmp_path.iterdir()) == []


def test_a_running_session_is_not_offered(mask, tmp_path):
    saver = Autosave(mask, DESCRIPTION, tmp_path)
    mask[0] = 1
    saver.save(mask)
    assert left_sessions(tmp_path) == []


@pytest.mark.usefixtures("at_once")
def test_a_damaged_session_is_passed_over_and_found_once(mask, tmp_path):
    saver = Autosave(mask, DESCRIPTION, tmp_path)
    mask[0] = 1
    saver.save(mask)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "session.json").write_text("{")
    assert len(left_sessions(tmp_path)) == 1
    assert set_damaged_aside(tmp_path) == [tmp_path / "other"]
    assert [path.read_text() for path in (tmp_path / "other").iterdir()] == ["{"]
    assert set_damaged_aside(tmp_path) == []
    assert len(left_sessions(tmp_path)) == 1


@pytest.mark.usefixtures("at_once")
def test_a_file_of_somebody_else_costs_no_session(mask, tmp_path):
    saver = Autosave(mask, DESCRIPTION, tmp_path)
    mask[0] = 1
    saver.save(mask)
    (saver.folder / "plane-000000 (conflict).tif").touch()  # as programs make that keep copies
    (session,) = left_sessions(tmp_path)
    np.testing.assert_array_equal(session.restored(), mask)


def test_a_save_is_small(tmp_path):
    mask = np.zeros((3, 1000, 1000), np.uint8)
    saver = Autosave(mask, DESCRIPTION, tmp_path)
    mask[1, ::50] = 1
    saver.save(mask)
    assert sum(path.stat().st_size for path in saver.folder.iterdir()) < 100_000


KILLED = """
import sys, time, numpy as np
from pathlib import Path
from napari_veinseg.correction.autosave import Autosave
mask = np.zeros((2, 50, 50), np.uint8)
about = {"name": "m", "image_name": "", "image_path": "", "place": {}}
saver = Autosave(mask, about, Path(sys.argv[1]))
for step in range(10_000):
    mask[1, step % 50] = 1 + step % 2
    saver.save(mask)
    if step == 5:
        sys.stdout.write("saved"); sys.stdout.flush()
"""


@pytest.mark.usefixtures("at_once")
def test_a_kill_in_the_middle_of_saving_leaves_whole_files(tmp_path):
    child = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(tmp_path)], stdout=subprocess.PIPE, env=os.environ
    )
    assert child.stdout.read(5) == b"saved"
    time.sleep(0.2)
    child.send_signal(signal.SIGKILL)
    child.wait(10)
    child.stdout.close()
    (session,) = left_sessions(tmp_path)
    restored = session.restored()
    assert restored[0].sum() == 0
    assert restored[1, :5].all()
