"""Writers that are killed: what a child does over and over, and what must hold after its death.

A `Scenario` is pickled into a child process, which calls `work(index)` for rising indices and tells
the parent each one that is done; the parent kills it anywhere and calls `check`.
"""

import itertools
import os
import random
import struct
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np

from napari_veinseg.correction.autosave import Autosave, left_sessions
from napari_veinseg.data.dataset import Dataset
from napari_veinseg.data.mask_files import read_mask
from napari_veinseg.model.file import build_network, read_model, write_model
from napari_veinseg.model.store import FOLDER_VARIABLE, import_model, installed_models
from napari_veinseg.segmentation.batch.plan_files import FolderOptions
from napari_veinseg.segmentation.batch.segment_files import segment_files
from napari_veinseg.segmentation.settings import SegmentationSettings
from napari_veinseg.segmentation.vein_model import VeinModel
from napari_veinseg.training import continual, loop, sampling, version_choice
from napari_veinseg.training.train import go_on
from tests.models import small_card

SHAPE = (24, 40)
HASTE = {
    (continual, "_ROUND"): 2,
    (continual, "_LOOK_EVERY"): 0.05,
    (continual, "_STEPS_A_COMPARISON"): 4,
    (version_choice, "_STEPS_A_VERSION"): 4,
    (continual, "_SAVE_EVERY"): 0.0,
    (sampling, "_REMEMBERED"): 1,
}
"""Of what learns beside a person."""


def picture(index: int) -> np.ndarray:
    return np.random.default_rng(index).integers(0, 255, SHAPE, np.uint8)


def drawn(index: int) -> np.ndarray:
    mask = (picture(index) % 3).astype(np.uint8)
    mask[0, 0] = 1
    return mask


@dataclass
class Scenario:
    """Something that writes into a folder."""

    folder: Path

    def prepare(self) -> None:
        """Make what the child needs, once in each child."""

    def work(self, index: int) -> None:
        """Write something that can be told from what other indices write."""

    def lost(self, first: int, done: int) -> int:
        """How many items are not as they were when `done` was told; `first` began the child."""
        return 0

    def clean_up(self) -> None:
        """Do once more what sweeps the litter of the dead."""


class AddsSamples(Scenario):
    """New samples, and new masks for one that is kept."""

    def prepare(self) -> None:
        self.dataset = Dataset.create(self.folder / "set")

    def work(self, index: int) -> None:
        if index % 2:
            self.dataset.add("kept", picture(0), drawn(index), finger="k", replace=True)
        else:
            self.dataset.add(
                f"new{index}", picture(index), drawn(index), finger=f"f{index}", replace=True
            )

    def lost(self, first: int, done: int) -> int:
        dataset = Dataset.open(self.folder / "set")
        faulty = {fault.stem for fault in dataset.faults()} - {f"new{done + 1}"}
        lost = len(faulty)
        for index in range(0, done + 1, 2):
            sample = dataset[f"new{index}"]
            same = np.array_equal(sample.image(), picture(index))
            same &= np.array_equal(sample.mask(), drawn(index))
            lost += not (same and sample.finger == f"f{index}")
        if done >= 1:
            latest = done if done % 2 else done - 1
            stored = dataset["kept"].mask()
            lost += not any(np.array_equal(stored, drawn(at)) for at in (latest, latest + 2))
        return lost

    def clean_up(self) -> None:
        Dataset.open(self.folder / "set").add("last", picture(1), drawn(1))


class Autosaves(Scenario):
    """A correction that goes on while it is saved."""

    def prepare(self) -> None:
        about: dict[str, Any] = {"name": "m", "image_name": "", "image_path": "", "place": {}}
        self.mask = np.zeros((3, *SHAPE), np.uint8)
        self.saver = Autosave(self.mask, about, self.folder)

    def work(self, index: int) -> None:
        self.mask[index % 3] = drawn(index)
        self.saver.save(self.mask)

    def lost(self, first: int, done: int) -> int:
        restored = left_sessions(self.folder)[0].restored()
        lost = 0
        for plane in range(3):
            latest = max((at for at in range(first, done + 1) if at % 3 == plane), default=None)
            if latest is not None:
                whole = [np.array_equal(restored[plane], drawn(at)) for at in (latest, latest + 3)]
                lost += not any(whole)
        return lost

    def clean_up(self) -> None:
        self.prepare()
        self.work(0)


class SavesModels(Scenario):
    """A model that is replaced, and one of the store."""

    def prepare(self) -> None:
        os.environ[FOLDER_VARIABLE] = str(self.folder / "models")  # not the fork server's
        self.network = build_network(small_card())

    def work(self, index: int) -> None:
        path = self.folder / "model.safetensors"
        for parameter in self.network.core.head.parameters():
            parameter.data.fill_(index)
        write_model(path, small_card(name=str(index)), self.network)
        import_model(path, "kept", replace=True)

    def lost(self, first: int, done: int) -> int:
        lost = 0
        (kept,) = (model.path for model in installed_models() if not model.shipped)
        for path in (self.folder / "model.safetensors", kept):
            card, network = read_model(path)
            head = next(network.core.head.parameters())
            lost += not (
                int(card.name) in (done, done + 1) and bool((head == int(card.name)).all())
            )
        return lost

    def clean_up(self) -> None:
        self.prepare()
        self.work(0)


class SegmentsAFolder(Scenario):
    """A folder of images that is segmented again and again."""

    def prepare(self) -> None:
        self.model = VeinModel.load(self.folder / "tiny.safetensors", "cpu")

    def run(self, overwrite: bool) -> list[Any]:
        settings = SegmentationSettings(vein_width=6, min_size=0)
        images, masks = self.folder / "images", self.folder / "masks"
        return segment_files(
            [images], masks, self.model, settings, FolderOptions(overwrite=overwrite)
        )

    def work(self, index: int) -> None:
        assert all(row.status == "done" for row in self.run(overwrite=True))

    def lost(self, first: int, done: int) -> int:
        expected = self.folder / "expected"
        return sum(
            not np.array_equal(read_mask(path), read_mask(self.folder / "masks" / path.name))
            for path in expected.glob("*.tif")
        )

    def clean_up(self) -> None:
        self.prepare()
        assert all(row.status == "kept" for row in self.run(overwrite=False))


def write_forever(scenario: Scenario, first: int, told: Connection) -> None:
    scenario.prepare()
    for index in itertools.count(first):
        scenario.work(index)
        told.send_bytes(struct.pack("<q", index))


def kill_once(context: Any, scenario: Scenario, first: int, chance: random.Random) -> int:
    """Start a child, kill it anywhere, and return the last index that it had told."""
    ours, theirs = context.Pipe(duplex=False)
    child = context.Process(target=write_forever, args=(scenario, first, theirs))
    child.start()
    theirs.close()
    done = first - 1
    assert ours.poll(300), "the child did nothing"
    time.sleep(chance.uniform(0, 0.15))
    child.kill()
    child.join()
    while True:
        try:
            (done,) = struct.unpack("<q", ours.recv_bytes())
        except (EOFError, OSError):
            break
    ours.close()
    return done


def add_many(folder: Path, writer: int, count: int) -> None:
    """Be one of several programs that add to a dataset at once."""
    dataset = Dataset.create(folder)
    for number in range(count):
        name = f"{writer}-{number}"
        dataset.add(name, picture(number), drawn(number), finger=f"finger {writer}")


def litter(folder: Path) -> list[Path]:
    return [path for path in folder.rglob(".*.tmp*") if path.is_file()]


def age(paths: list[Path]) -> None:
    long_ago = time.time() - 3600
    for path in paths:
        os.utime(path, (long_ago, long_ago))


def trains(run):
    """Go on with a run that saves each epoch: else a kill may lose seconds, and so epochs."""
    loop._SAVE_SECONDS = 0
    go_on(run)


def learns_beside(run, output):
    """Follow a dataset in haste, until killed or asked to stop."""
    for (module, name), value in HASTE.items():
        setattr(module, name, value)
    go_on(run, output)
