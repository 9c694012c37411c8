"""Two writers at once, and writers that were killed: no torn file, no lost one, no litter."""

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from napari_veinseg.errors import VeinSegError
from napari_veinseg.files import atomic_folder, atomic_path, locked, sweep
from napari_veinseg.model.file import read_model
from napari_veinseg.model.store import FOLDER_VARIABLE, import_model, installed_models
from tests.models import write_small_model

IMPORT = """
import sys
from napari_veinseg.errors import VeinSegError
from napari_veinseg.model.store import import_model
try:
    import_model(sys.argv[1], "shared")
except VeinSegError as error:
    sys.exit(str(error))
"""
HOLD = """
import sys, time
from pathlib import Path
from napari_veinseg.files import atomic_path, locked
with locked(Path(sys.argv[1])), atomic_path(Path(sys.argv[1]) / "kept.txt") as path:
    path.write_text("half")
    print("holding", flush=True)
    time.sleep(600)
"""


def python(code, *arguments):
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_of_two_programs_that_give_one_name_one_wins_and_the_other_is_told(tmp_path, monkeypatch):
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "models"))
    files = [write_small_model(tmp_path / f"{name}.safetensors") for name in "ab"]
    children = [python(IMPORT, file) for file in files]
    said = [child.communicate(timeout=120)[1] for child in children]
    assert sorted(child.returncode for child in children) == [0, 1]
    assert [text for text in said if text] == [
        "A model called 'shared' exists: choose another name or remove it first.\n"
    ]
    (kept,) = (model for model in installed_models() if not model.shipped)
    read_model(kept.path)


@pytest.fixture
def holder(tmp_path):
    (tmp_path / "kept.txt").write_text("whole")
    child = python(HOLD, tmp_path)
    assert child.stdout.readline() == "holding\n"
    yield child
    child.kill()
    child.communicate()


def test_a_held_folder_is_refused_in_one_sentence(tmp_path, holder, monkeypatch):
    monkeypatch.setattr("napari_veinseg.files._LOCK_SECONDS", 0.2)
    with pytest.raises(VeinSegError, match="another program"), locked(tmp_path):
        pass
    assert holder.poll() is None


def test_a_killed_writer_blocks_nobody_and_leaves_the_old_file_and_no_litter(
    tmp_path, holder, monkeypatch
):
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    assert (tmp_path / "kept.txt").read_text() == "whole"
    (litter,) = tmp_path.glob(".*.tmp*")
    with locked(tmp_path):
        assert litter.exists()  # it could belong to a writer that takes no lock
    long_ago = time.time() - 3600
    os.utime(litter, (long_ago, long_ago))
    with locked(tmp_path), atomic_path(tmp_path / "kept.txt") as path:
        path.write_text("new")
    assert sorted(each.name for each in tmp_path.iterdir()) == [".lock", "kept.txt"]
    assert (tmp_path / "kept.txt").read_text() == "new"


def test_sweeping_takes_nothing_but_old_temporary_files(tmp_path):
    long_ago = time.time() - 3600
    names = [".a-x1y2z3w4.tmp.tif", "a.tif", ".hidden", "b.tmp.tif"]
    for name in names:
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (long_ago, long_ago))
    sweep(tmp_path)
    sweep(tmp_path / "not there")
    assert sorted(each.name for each in tmp_path.iterdir()) == sorted(names[1:])


def test_a_name_that_is_taken_stays_taken_when_the_new_model_is_bad(tmp_path, monkeypatch):
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "models"))
    good = write_small_model(tmp_path / "good.safetensors")
    import_model(good)
    bad = tmp_path / "bad.safetensors"
    bad.write_bytes(good.read_bytes()[:-7])
    with pytest.raises(VeinSegError):
        import_model(bad, "good", replace=True)
    assert (tmp_path / "models" / "good.safetensors").read_bytes() == good.read_bytes()


def test_a_folder_that_cannot_be_replaced_stays(tmp_path, monkeypatch):
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "old").touch()
    rename = Path.rename

    def refuse_the_new_one(path, target):
        if path.name.startswith(".kept-"):  # as Windows does while a scanner reads it
            raise PermissionError(errno.EACCES, "in use")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", refuse_the_new_one)
    with pytest.raises(PermissionError), atomic_folder(tmp_path / "kept") as folder:
        (folder / "new").touch()
    assert [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")] == [
        "kept",
        "kept/old",
    ]


def test_a_folder_that_another_writer_is_at_work_in_is_left_alone(tmp_path):
    other = tmp_path / ".kept-x1y2z3w4.part"
    other.mkdir()
    (other / "moved away meanwhile").symlink_to("nowhere")
    with atomic_folder(tmp_path / "kept") as folder:
        (folder / "new").touch()
    assert (tmp_path / "kept" / "new").exists()
    assert other.exists()
