"""A hidden window draws all first in a new home: once, beside the viewer, and for nobody to see."""

import os
import subprocess
import sys

import pytest
from qtpy.QtGui import QGuiApplication

from napari_veinseg.widgets.common import first_drawing


class Child:
    def __init__(self, command, **how):
        self.command, self.how, self.code, self.asked = command, how, None, 0

    def poll(self):
        self.asked += 1
        return self.code


@pytest.fixture
def children(monkeypatch, tmp_path):
    made = []

    def start(command, **how):
        made.append(Child(command, **how))
        return made[-1]

    monkeypatch.setenv("VEINSEG_CACHE", str(tmp_path))
    monkeypatch.setattr(first_drawing, "_child", None)
    monkeypatch.setattr(first_drawing.subprocess, "Popen", start)
    monkeypatch.setattr(QGuiApplication, "platformName", lambda: "xcb")
    return made


def test_a_home_has_one_child_which_touches_no_settings(children):
    for _ in range(3):
        first_drawing.start()
    assert len(children) == 1
    assert children[0].how["env"]["NAPARI_CONFIG"] == ""


def test_without_opengl_there_is_none(children, monkeypatch):
    monkeypatch.setattr(QGuiApplication, "platformName", lambda: "offscreen")
    first_drawing.start()
    assert not children


def test_a_cache_that_cannot_be_written_stops_nobody(children, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("VEINSEG_CACHE", str(tmp_path / "file"))
    first_drawing.start()
    first_drawing.wait(lambda: False)
    assert not children


def test_who_waits_goes_on_when_it_has_drawn_or_when_the_work_is_cancelled(children):
    first_drawing.wait(lambda: False)
    first_drawing.start()
    cancelled = iter([False, False, True])
    first_drawing.wait(lambda: next(cancelled))
    assert children[0].asked == 3
    children[0].code = 0
    first_drawing.wait(lambda: False)


@pytest.mark.slow
@pytest.mark.skipif("DISPLAY" not in os.environ, reason="needs a display with OpenGL")
def test_the_child_draws_all_that_the_docks_show(tmp_path):
    env = {**os.environ, "NAPARI_CONFIG": "", "NUMBA_CACHE_DIR": str(tmp_path)}
    command = [sys.executable, "-m", first_drawing.__name__]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "Error" not in done.stderr
