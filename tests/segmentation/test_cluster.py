"""Folders on a cluster: the same masks as here, whoever dies."""

import csv
import errno
import os
import signal
from pathlib import Path

import numpy as np
import pytest

from napari_veinseg.cli.folder_progress import rate_line
from napari_veinseg.data.image_files import write_image
from napari_veinseg.data.mask_files import read_mask
from napari_veinseg.errors import VeinSegError
from napari_veinseg.segmentation.batch.cluster import segment_files_on
from napari_veinseg.segmentation.batch.segment_files import segment_files
from napari_veinseg.segmentation.settings import SegmentationSettings
from napari_veinseg.segmentation.vein_model import VeinModel
from tests.models import texture, write_small_model

distributed = pytest.importorskip("distributed")
SETTINGS = SegmentationSettings(vein_width=6.0, min_size=0)


@pytest.fixture
def model(tmp_path):
    return write_small_model(tmp_path / "small.safetensors")


def images(folder, count):
    folder.mkdir()
    for number in range(count):
        write_image(folder / f"i{number:03}.png", (255 * texture((40, 50), number)).astype("u1"))
    return folder


def same_masks(first, second):
    names = {path.name for path in first.glob("[!.]*.tif")}
    assert names == {path.name for path in second.glob("[!.]*.tif")}
    for name in names:
        np.testing.assert_array_equal(read_mask(first / name), read_mask(second / name))


def statuses(output):
    with (output / "summary.csv").open(encoding="utf-8", newline="") as file:
        return [row["status"] for row in csv.DictReader(file)]


@pytest.fixture
def threads():
    """A cluster within this process: quick, and no socket is opened."""
    with distributed.LocalCluster(1, processes=False, dashboard_address=None) as cluster:
        yield cluster.scheduler_address


def test_a_model_that_cannot_be_read_is_refused_before_a_cluster_is_asked(
    model, tmp_path, monkeypatch
):
    def refuse(_path):
        raise PermissionError(errno.EACCES, "Permission denied")

    folder = images(tmp_path / "in", 1)
    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(VeinSegError, match=r"small\.safetensors cannot be opened"):
        segment_files_on("nowhere", [folder], tmp_path / "out", model, SETTINGS)


def test_what_is_no_model_is_refused_by_its_own_name(tmp_path):
    folder, file = images(tmp_path / "in", 1), tmp_path / "other.safetensors"
    file.write_bytes(b"x" * 300)
    with pytest.raises(VeinSegError, match=r"other\.safetensors is not a vein model"):
        segment_files_on("nowhere", [folder], tmp_path / "out", file, SETTINGS)


def test_a_cluster_makes_the_masks_that_this_process_makes(threads, model, tmp_path):
    folder = images(tmp_path / "in", 7)
    (folder / "a_bad.png").write_bytes(b"no image")
    here = segment_files([folder], tmp_path / "here", VeinModel.load(model, "cpu"), SETTINGS)
    seen = []
    there = segment_files_on(
        threads, [folder], tmp_path / "there", model, SETTINGS, device="cpu",
        report=lambda *told: seen.append(told),
    )  # fmt: skip
    same_masks(tmp_path / "here", tmp_path / "there")
    assert [(row.image, row.status, row.error) for row in there] == [
        (row.image, row.status, row.error) for row in here
    ]
    assert statuses(tmp_path / "there") == ["failed", *["done"] * 7]
    assert sorted(number for _, number, _ in seen) == list(range(1, 9))

    (tmp_path / "there" / "i003.tif").unlink()
    again = segment_files_on(threads, [folder], tmp_path / "there", model, SETTINGS, device="cpu")
    assert [row.status for row in again] == ["failed", *["kept"] * 3, "done", *["kept"] * 3]


def test_workers_that_cannot_use_the_model_say_why(threads, model, tmp_path):
    with pytest.raises(VeinSegError, match="cuda:99"):
        segment_files_on(
            threads, [images(tmp_path / "in", 2)], tmp_path / "out", model, SETTINGS,
            device="cuda:99",
        )  # fmt: skip
    assert statuses(tmp_path / "out") == []


@pytest.mark.parametrize("scheduler", ["local:0", "local:two", "local:-1", "nonsense"])
def test_a_scheduler_that_is_none_is_refused(scheduler, model, tmp_path):
    with pytest.raises(VeinSegError, match=scheduler):
        segment_files_on(scheduler, [images(tmp_path / "in", 1)], tmp_path / "out", model, SETTINGS)
    assert not (tmp_path / "out").exists()


class Deadly(distributed.WorkerPlugin):
    """Lets a worker die of an image, as one that takes all memory would."""

    name = "deadly"

    def setup(self, worker):
        from napari_veinseg.segmentation.batch import file_steps

        read = file_steps.read_image

        def reading(path):
            if "deadly" in path.name:
                os._exit(9)
            return read(path)

        file_steps.read_image = reading


@pytest.fixture
def processes():
    import dask

    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 0}),
        distributed.LocalCluster(2, threads_per_worker=1, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_killed_worker_loses_nothing(processes, model, tmp_path):
    folder = images(tmp_path / "in", 60)
    segment_files([folder], tmp_path / "here", VeinModel.load(model, "cpu"), SETTINGS)
    workers = list(processes.run(os.getpid).values())
    assert len(workers) == 2
    there = tmp_path / "there"

    def kill_one_in_the_middle(row, done, total):
        if done == 20:
            os.kill(workers[0], signal.SIGKILL)

    rows = segment_files_on(
        processes.scheduler.address, [folder], there, model, SETTINGS, device="cpu",
        report=kill_one_in_the_middle,
    )  # fmt: skip
    assert {row.status for row in rows} <= {"done", "kept"}
    assert workers[0] not in processes.run(os.getpid).values()
    same_masks(tmp_path / "here", there)
    assert statuses(there) == [row.status for row in rows]


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_an_image_that_kills_its_workers_fails_alone(processes, model, tmp_path):
    folder = images(tmp_path / "in", 40)
    (folder / "i010.png").rename(folder / "deadly.png")
    processes.register_plugin(Deadly())
    rows = segment_files_on(
        processes.scheduler.address, [folder], tmp_path / "out", model, SETTINGS, device="cpu"
    )
    failed = [row for row in rows if row.status == "failed"]
    assert [row.image for row in failed] == [str(folder / "deadly.png")]
    assert "every worker that tried it died" in failed[0].error
    assert len(list((tmp_path / "out").glob("[!.]*.tif"))) == 39


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ((0, 10, 0, 0.0), "0 of 10 images"),
        ((500, 1000, 0, 3.0), "500 of 1,000 images"),
        ((600, 1000, 100, 10.0), "600 of 1,000 images, 10 a second, 40 s left"),
        (
            (10, 10**6, 10, 1.0, 2),
            "10 of 1,000,000 images, 10 a second, 27 h 47 min left, 2 failed",
        ),
        ((100, 4600, 100, 10.0), "100 of 4,600 images, 10 a second, 8 min left"),
    ],
)
def test_the_progress_line_has_rate_and_time_left(told, said):
    assert rate_line(*told) == said
