"""What folders cost on a cluster, how that scales, and what a large folder would need.

One local cluster of single-core processes per number of workers, the same images on each, the first
of them not counted. Rates by the clock suffer from whatever else the machine does; processor time
hardly does, so that plans rest on it.

    python benchmarks/cluster.py [--size 240x320] [--images 200] [--workers 1 2] [--plan N] [--json]
"""

import argparse
import json
import platform
import tempfile
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from distributed import Client, LocalCluster

from napari_veinseg.data.image_files import write_image
from napari_veinseg.data.synthesis import synthetic_finger
from napari_veinseg.model.store import STARTER
from napari_veinseg.segmentation.batch.cluster import segment_files_on
from napari_veinseg.segmentation.batch.plan_files import FolderOptions, plan_files
from napari_veinseg.segmentation.settings import SegmentationSettings

DRAWN = 20  # different images; the others are copies under other names
WARM_UP = 10  # images a worker, for loading torch and the model
KEPT = 4000  # finished images, for what client and scheduler do about each
PLANNED = 20_000  # empty files for the cost of planning
CORES = (2, 16, 64, 256)


def make_images(folder: Path, shape: tuple[int, int], count: int) -> Path:
    folder.mkdir()
    for number in range(min(DRAWN, count)):
        write_image(folder / f"i{number:06d}.png", synthetic_finger(number, shape).image)
    for number in range(DRAWN, count):
        (folder / f"i{number:06d}.png").hardlink_to(folder / f"i{number % DRAWN:06d}.png")
    return folder


def bytes_of(folder: Path, pattern: str) -> float:
    sizes = [path.stat().st_size for path in folder.glob(pattern)]
    return sum(sizes) / len(sizes)


@contextmanager
def cluster_of(workers: int) -> Iterator[Client]:
    with (
        LocalCluster(workers, threads_per_worker=1, dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):
        yield client


def run(client: Client, folder: Path, output: Path, options: FolderOptions | None = None) -> int:
    """Segment a folder with the starter; returns the number of images."""
    rows = segment_files_on(
        client.scheduler.address,
        [folder],
        output,
        STARTER,
        SegmentationSettings(),
        options or FolderOptions(),
    )
    assert all(row.status in ("done", "kept") for row in rows)
    return len(rows)


def measure(workers: int, images: Path, warm: Path, output: Path) -> dict[str, Any]:
    """Segment a folder with some workers."""

    def processor_seconds(client: Client) -> float:
        return float(sum(client.run(time.process_time).values()))

    with cluster_of(workers) as client:
        run(client, warm, output / "warm_up", FolderOptions(probability=True, overwrite=True))
        before, begin = processor_seconds(client), time.perf_counter()
        count = run(client, images, output / f"masks{workers}")
        seconds = time.perf_counter() - begin
        spent = processor_seconds(client) - before
    return {
        "workers": workers,
        "images_per_second": count / seconds,
        "worker_ms": 1e3 * spent / count,
        "busy": spent / seconds / workers,
    }


def cost_of_the_client(folder: Path, images: Path, masks: Path) -> dict[str, float]:
    """Measure the time of client and scheduler for an image, when nothing is left to do for it."""
    many, finished = folder / "many", folder / "finished"
    for target, source, suffix in ((many, images, ".png"), (finished, masks, ".tif")):
        target.mkdir()
        for number in range(KEPT):
            (target / f"k{number:06d}{suffix}").hardlink_to(source / f"i000000{suffix}")
    with cluster_of(1) as client:
        own, begin = time.process_time(), time.perf_counter()
        run(client, many, finished)
        own, seconds = time.process_time() - own, time.perf_counter() - begin
    return {"client_ms": 1e3 * own / KEPT, "kept_per_second": KEPT / seconds}


def cost_of_planning(folder: Path) -> dict[str, float]:
    """Time and memory that the client takes for each image of a folder."""
    folder.mkdir()
    for number in range(PLANNED):
        (folder / f"i{number:06d}.png").touch()
    begin = time.process_time()
    plan_files([folder], folder.with_name("planned_out"))
    seconds = time.process_time() - begin
    tracemalloc.start()
    plans = plan_files([folder], folder.with_name("planned_out"))
    size = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return {"plan_ms": 1e3 * seconds / len(plans), "plan_bytes": size / len(plans)}


def print_plan(images: int, figures: dict[str, Any]) -> None:
    """Print what so many images need, worked out from what was measured."""
    scaled = figures["workers"][-1]
    core_hours = images * scaled["worker_ms"] / 3.6e6
    print(f"\nFor {images:,} such images, from {scaled['worker_ms']:.1f} ms of a core for each:\n")
    print(f"    processor time   {core_hours:8.1f} core hours")
    for cores in CORES:
        print(f"    on {cores:4} cores    {core_hours / cores:8.2f} hours")
    most = scaled["worker_ms"] / figures["client_ms"]
    print(
        f"    one scheduler    {most:8.0f} cores; for more its {figures['client_ms']:.2f} ms count"
    )
    for name, kind in (("images", "image"), ("masks", "mask"), ("probabilities", "probability")):
        print(f"    {name:16} {images * figures[f'{kind}_bytes'] / 1e9:8.1f} GB")
    print(
        f"    client memory    {images * figures['plan_bytes'] / 1e9:8.1f} GB for its images' names"
    )
    print(f"    planning         {images * figures['plan_ms'] / 6e4:8.1f} minutes before the start")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", default="240x320")
    parser.add_argument("--images", type=int, default=200)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--plan", type=int, default=1_000_000, help="images to plan for")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    height, width = map(int, arguments.size.split("x"))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        images = make_images(folder / "images", (height, width), arguments.images)
        warm = make_images(folder / "warm", (height, width), WARM_UP * max(arguments.workers))
        measured = [measure(workers, images, warm, folder) for workers in arguments.workers]
        figures: dict[str, Any] = {
            "size": arguments.size,
            "images": arguments.images,
            "workers": measured,
            "image_bytes": bytes_of(images, "*.png"),
            "mask_bytes": bytes_of(folder / f"masks{arguments.workers[0]}", "*.tif"),
            "probability_bytes": bytes_of(folder / "warm_up", "*_probability.tif"),
            **cost_of_the_client(folder, images, folder / f"masks{arguments.workers[0]}"),
            **cost_of_planning(folder / "planned"),
        }
    if arguments.json:
        print(json.dumps({"machine": platform.platform(), **figures}))
        return
    print(f"{arguments.images} images of {arguments.size}, torch {torch.__version__}, ", end="")
    print(f"{platform.machine()}, single-core workers\n")
    print(f"{'workers':>8}{'images/s':>10}{'speed-up':>10}{'busy':>7}{'core ms/image':>15}")
    for row in measured:
        speed_up = row["images_per_second"] / measured[0]["images_per_second"]
        print(
            f"{row['workers']:8}{row['images_per_second']:10.1f}{speed_up:10.2f}"
            f"{row['busy']:7.0%}{row['worker_ms']:15.1f}"
        )
    print(
        f"\n{figures['kept_per_second']:.0f} finished images a second are passed over at a restart."
    )
    print_plan(arguments.plan, figures)


if __name__ == "__main__":
    main()
