"""Disks that are full, read-only, gone or slow: the old file stays, and the user can go on."""

import errno
import os
import resource
import shutil
import subprocess
import tempfile
import threading
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from napari_veinseg import files
from napari_veinseg.correction import autosave
from napari_veinseg.correction.autosave import Autosave, left_sessions
from napari_veinseg.data.csv_tables import write_table
from napari_veinseg.data.dataset import Dataset
from napari_veinseg.data.image_files import write_image
from napari_veinseg.data.mask_files import read_mask
from napari_veinseg.errors import VeinSegError, VeinSegWarning
from napari_veinseg.model.file import build_network, read_model, write_model
from napari_veinseg.model.store import import_model
from napari_veinseg.segmentation.batch.plan_files import FolderOptions
from napari_veinseg.segmentation.batch.segment_files import segment_files
from napari_veinseg.segmentation.settings import SegmentationSettings
from napari_veinseg.segmentation.vein_model import VeinModel
from napari_veinseg.training import continual
from napari_veinseg.training.operating_point import Outcome
from napari_veinseg.training.train import configure, go_on, start
from napari_veinseg.training.versions import Versions
from tests.faults import killed
from tests.faults.fuzzing import is_short_sentence, refused_or_not
from tests.faults.killed import litter
from tests.models import small_card, write_small_model


class SmallDisk:
    """A disk of 2 MB; where nothing may be mounted, a limit on the size of files stands for it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)]
        self.mounted = (
            shutil.which("mount") is not None
            and not subprocess.run(mount, capture_output=True, check=False).returncode
        )
        self._limit = resource.getrlimit(resource.RLIMIT_FSIZE)

    def fill(self) -> None:
        if not self.mounted:
            resource.setrlimit(resource.RLIMIT_FSIZE, (0, self._limit[1]))
            return
        full = suppress(OSError)
        with (self.folder / "filling").open("wb", buffering=0) as file, full:
            while file.write(bytes(4096)):
                pass
        with pytest.raises(OSError, match=os.strerror(errno.ENOSPC)):
            (self.folder / "more").write_bytes(bytes(4096))
        (self.folder / "more").unlink()

    def make_room(self) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, self._limit)
        (self.folder / "filling").unlink(missing_ok=True)

    def remove(self) -> None:
        self.make_room()
        if self.mounted:
            subprocess.run(["umount", "-l", str(self.folder)], check=True)


@pytest.fixture
def disk(tmp_path):
    made = SmallDisk(tmp_path / "disk")
    yield made
    made.remove()


NOISE = np.random.default_rng(0).integers(0, 255, (100, 120), np.uint8)
MASK = (NOISE > 200).astype(np.uint8)


class DatasetWork:
    """Adds a sample beside another, and corrects that."""

    def __init__(self, folder: Path, tmp_path: Path) -> None:
        self.folder = folder / "set"
        Dataset.create(self.folder).add("old", NOISE, MASK, finger="f")

    def write(self) -> None:
        dataset = Dataset.open(self.folder)
        dataset.add("old", NOISE, 1 - MASK, replace=True)
        dataset.add("new", NOISE + 1, MASK)

    def is_old(self) -> bool:
        dataset = Dataset.open(self.folder)
        return len(dataset) == 1 and np.array_equal(dataset["old"].mask(), MASK)

    def is_new(self) -> bool:
        dataset = Dataset.open(self.folder)
        return len(dataset) == 2 and np.array_equal(dataset["old"].mask(), 1 - MASK)


class ModelWork:
    """Replaces a model, and one of the store."""

    def __init__(self, folder: Path, tmp_path: Path) -> None:
        self.path = folder / "m.safetensors"
        self._save("old")
        self.source = write_small_model(tmp_path / "kept.safetensors")
        import_model(self.source, "kept")

    def _save(self, name: str) -> None:
        card = small_card(name=name)
        write_model(self.path, card, build_network(card))

    def write(self) -> None:
        self._save("new")

    def is_old(self) -> bool:
        return read_model(self.path)[0].name == "old"

    def is_new(self) -> bool:
        return read_model(self.path)[0].name == "new"


class StoreWork(ModelWork):
    """Replaces a model of the store."""

    def __init__(self, folder: Path, tmp_path: Path) -> None:
        os.environ["VEINSEG_MODELS"] = str(folder / "models")  # put back by `models_folder`
        super().__init__(tmp_path, tmp_path)
        self.source = write_small_model(tmp_path / "other.safetensors", name="new")

    def write(self) -> None:
        import_model(self.source, "kept", replace=True)

    def is_old(self) -> bool:
        return read_model(self.folder_path())[0].name == ""

    def is_new(self) -> bool:
        return read_model(self.folder_path())[0].name == "new"

    def folder_path(self) -> Path:
        return Path(os.environ["VEINSEG_MODELS"]) / "kept.safetensors"


class FolderWork:
    """Segments a folder anew."""

    def __init__(self, folder: Path, tmp_path: Path) -> None:
        (tmp_path / "images").mkdir(exist_ok=True)
        write_image(tmp_path / "images" / "a.tif", NOISE)
        path = write_small_model(tmp_path / "tiny.safetensors")
        self.model, self.folder, self.images = (
            VeinModel.load(path, "cpu"),
            folder,
            tmp_path / "images",
        )
        self.threshold = 0.5
        self.write()
        self.first = read_mask(folder / "masks" / "a.tif")
        self.threshold = 0.9

    def write(self) -> None:
        settings = SegmentationSettings(vein_width=6, min_size=0, threshold=self.threshold)
        (row,) = segment_files(
            [self.images],
            self.folder / "masks",
            self.model,
            settings,
            FolderOptions(overwrite=True),
        )
        if row.status == "failed":
            raise VeinSegError(row.error)

    def is_old(self) -> bool:
        return np.array_equal(read_mask(self.folder / "masks" / "a.tif"), self.first)

    def is_new(self) -> bool:
        return not self.is_old()


class TableWork:
    """Writes a table anew."""

    def __init__(self, folder: Path, tmp_path: Path) -> None:
        self.path = folder / "tables" / "t.csv"
        write_table(self.path, [{"a": 1}], ["a"])

    def write(self) -> None:
        write_table(self.path, [{"a": 2}], ["a"])

    def is_old(self) -> bool:
        return self.path.read_text() == "a\n1\n"

    def is_new(self) -> bool:
        return self.path.read_text() == "a\n2\n"


class TrainingWork:
    """Goes on with a run that was stopped."""

    def __init__(self, folder: Path, tmp_path: Path) -> None:
        dataset = Dataset.create(tmp_path / "trained")
        for number, name in enumerate("abc"):  # the same pixels would stand on one side
            dataset.add(name, np.roll(NOISE, number, axis=1), MASK, finger=name)
        base = write_small_model(tmp_path / "base.safetensors")
        how = {"crop": 32, "batch_size": 1, "steps_per_epoch": 1, "device": "cpu"}
        self.run = start(folder / "run", configure(dataset, base=base, epochs=3, **how))
        go_on(self.run, should_stop=lambda: self.run.last.exists())
        self.run.save_result(folder / "result.safetensors")

    def write(self) -> None:
        go_on(self.run)
        self.run.save_result(self.run.path.parent / "result.safetensors")

    def is_old(self) -> bool:
        read_model(self.run.last)
        return '"reason": "budget"' not in self.run.events_path.read_text()

    def is_new(self) -> bool:
        read_model(self.run.best)
        return '"reason": "budget"' in self.run.events_path.read_text()


WORKS = [DatasetWork, ModelWork, StoreWork, FolderWork, TableWork, TrainingWork]
work_of_every_kind = pytest.mark.parametrize("kind", WORKS, ids=lambda kind: kind.__name__)


@work_of_every_kind
def test_a_full_disk(disk, tmp_path, models_folder, kind):
    work = kind(disk.folder, tmp_path)
    disk.fill()
    with pytest.raises(VeinSegError) as caught:
        work.write()
    assert is_short_sentence(str(caught.value))
    assert "was not written" in str(caught.value)
    assert work.is_old()
    disk.make_room()
    assert litter(disk.folder) == []
    work.write()
    assert work.is_new()


@pytest.fixture
def read_only():
    """A function that takes the right to write from this process, in folders that all may see."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    root = os.geteuid() == 0

    def lock() -> None:
        for path in folder.rglob("*"):
            path.chmod(0o555 if path.is_dir() else 0o444)
        folder.chmod(0o555)
        if root:
            os.seteuid(65534)  # rights do not bind root

    def unlock() -> None:
        if root:
            os.seteuid(0)
        for path in (folder, *folder.rglob("*")):
            path.chmod(0o755)

    yield folder, lock, unlock
    unlock()
    shutil.rmtree(folder)


@work_of_every_kind
def test_a_read_only_folder(read_only, models_folder, kind):
    folder, lock, unlock = read_only
    (folder / "inputs").mkdir()
    (folder / "outputs").mkdir()
    os.environ["VEINSEG_MODELS"] = str(folder / "models")  # put back by `models_folder`
    work = kind(folder / "outputs", folder / "inputs")
    lock()
    with pytest.raises(VeinSegError) as caught:
        work.write()
    assert is_short_sentence(str(caught.value))
    assert work.is_old()
    unlock()
    work.write()
    assert work.is_new()


@work_of_every_kind
def test_a_vanished_folder(tmp_path, models_folder, kind):
    folder = tmp_path / "outputs"
    folder.mkdir()
    work = kind(folder, tmp_path)
    shutil.rmtree(folder)
    with refused_or_not():
        work.write()
        assert work.is_new()  # results may have a folder made for them
    assert not (folder / "set").exists()  # a dataset is not made anew behind the user's back


def test_corrections_are_autosaved_again_when_there_is_room(disk, monkeypatch):
    monkeypatch.setattr(autosave, "_SECONDS_UNTIL_LEFT", 0.0)
    about = {"name": "m", "image_name": "", "image_path": "", "place": {}}
    mask = np.zeros((2, *MASK.shape), np.uint8)
    saver = Autosave(mask, about, disk.folder / "sessions")
    mask[0] = MASK
    saver.save(mask)
    disk.fill()
    mask[1] = MASK
    with pytest.raises((OSError, VeinSegError)):  # the Correct widget tells it once
        saver.save(mask)
    np.testing.assert_array_equal(left_sessions(saver.folder.parent)[0].restored()[0], MASK)
    disk.make_room()
    saver.save(mask)
    np.testing.assert_array_equal(left_sessions(saver.folder.parent)[0].restored(), mask)
    shutil.rmtree(saver.folder)
    mask[1, 0] = 2
    saver.save(mask)
    np.testing.assert_array_equal(left_sessions(saver.folder.parent)[0].restored(), mask)


def test_a_version_is_published_when_there_is_room(disk, tmp_path, monkeypatch):
    """The disk is full whenever a version is to be written, and has room after the next image."""
    dataset = Dataset.create(tmp_path / "set")
    base = write_small_model(tmp_path / "base.safetensors")
    how = {"crop": 32, "batch_size": 1, "device": "cpu"}
    run = start(disk.folder / "run", configure(dataset, base=base, watch=True, **how))
    output, chances, heard = disk.folder / "newest.safetensors", iter("abcdefgh"), []

    def review() -> None:
        name = next(chances)
        image = np.roll(NOISE, ord(name), axis=1)
        dataset.add(name, image, MASK, finger=name, reviewed=True)

    def judge(self, model, pair):
        iou = 0.9 if "round" in heard and model is not self.in_use else 0.5
        return dict.fromkeys(self._thresholds, Outcome(iou, 100 * (1 - iou), 100))

    def hear(line) -> None:
        heard.append(line["event"])
        if line["event"] == "round" and heard.count("round") == 1:
            disk.fill()
        elif line["event"] == "idle" and "round" in heard:
            disk.make_room()
            review()

    monkeypatch.setattr(Versions, "_judge", judge)
    haste = killed.HASTE | {(continual, "_STEPS_WITHOUT_GAIN"): 8}
    for (module, name), value in haste.items():
        monkeypatch.setattr(module, name, value)
    review()
    review()
    with pytest.warns(VeinSegWarning, match="kept in memory"):
        go_on(run, output, hear, lambda: "published" in heard)
    assert heard.index("published") > heard.index("idle")
    (version,) = run.versions.iterdir()
    assert version.read_bytes() == output.read_bytes() == run.best.read_bytes()
    assert litter(disk.folder) == []


def test_a_drive_that_stalls_is_waited_for_and_others_are_told(tmp_path, monkeypatch):
    dataset = Dataset.create(tmp_path / "set")
    stalled, go, flush = threading.Event(), threading.Event(), os.fsync

    def stall(number: int) -> None:
        stalled.set()
        go.wait(60)
        flush(number)

    monkeypatch.setattr(os, "fsync", stall)
    monkeypatch.setattr(files, "_LOCK_SECONDS", 0.2)
    writer = threading.Thread(target=dataset.add, args=("a", NOISE, MASK))
    writer.start()
    assert stalled.wait(30)
    with pytest.raises(VeinSegError, match="another program"):
        Dataset.open(tmp_path / "set").add("b", NOISE, MASK)
    assert len(Dataset.open(tmp_path / "set")) == 0
    go.set()
    writer.join(30)
    Dataset.open(tmp_path / "set").add("b", NOISE, MASK)
    assert [sample.stem for sample in Dataset.open(tmp_path / "set")] == ["a", "b"]
