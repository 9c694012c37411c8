"""Folders on a cluster: the images of `segment_files` on the workers of Dask distributed.

The client plans and collects; the workers read, segment and write, so that only names travel.  The
model travels once to each worker, as the bytes of its file; images and output must lie where all
workers find them under the same path.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager
from functools import cached_property, partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import dask

from napari_veinseg.errors import VeinSegError
from napari_veinseg.files import sweep
from napari_veinseg.model.file import read_card
from napari_veinseg.model.store import model_bytes, resolve
from napari_veinseg.segmentation.batch.file_steps import FileSteps, failed_row
from napari_veinseg.segmentation.batch.plan_files import (
    USUAL_OPTIONS,
    FilePlan,
    FolderOptions,
    plan_files,
)
from napari_veinseg.segmentation.batch.segment_files import segment_planned_files
from napari_veinseg.segmentation.batch.summary_csv import SummaryRow, collect, open_output
from napari_veinseg.segmentation.settings import SegmentationSettings

try:
    from distributed import (
        Client,
        Future,
        KilledWorker,
        LocalCluster,
        WorkerPlugin,
        as_completed,
        get_worker,
    )
except ImportError as error:
    raise VeinSegError(
        "Dask distributed is not installed: pip install 'napari-veinseg[cluster]'."
    ) from error

if TYPE_CHECKING:
    from napari_veinseg.segmentation.vein_model import VeinModel

Task = Callable[[Sequence[FilePlan]], list[SummaryRow]]

_MOST_TOGETHER = 16  # images of a task: its share of the scheduler's time is then below a percent
_TASKS_A_CORE = 16  # at least, so that the last ones end together
_IN_FLIGHT = 2000  # tasks that the scheduler knows at a time, whatever the number of images
_SECONDS_TO_CONNECT = 15
_SECONDS_TO_WORKERS = 120


def segment_files_on(
    scheduler: str,
    inputs: Iterable[str | Path],
    output: str | Path,
    model: str | Path,
    settings: SegmentationSettings,
    options: FolderOptions = USUAL_OPTIONS,
    *,
    device: str = "auto",
    report: Callable[[SummaryRow, int, int], None] | None = None,
) -> list[SummaryRow]:
    """Segment images on a cluster; as `batch.segment_files` otherwise.

    The scheduler is an address (`tcp://...`), or `local` or `local:N` for N processes of one core
    each on this machine, by default as many as it has cores.  The model is a name or a file on
    this machine, the device that of each worker.  An image whose worker dies is done again by
    another (as `kept` if its results were written), and told as failed when several have died of
    it.

    Raise VeinSegError if inputs and output do not go together, the scheduler does not answer or is
    lost, or the workers cannot use the model.
    """
    inputs, output = [Path(path).absolute() for path in inputs], Path(output).absolute()
    plans = plan_files(inputs, output, options)
    path = resolve(model)
    read_card(path)  # what is no model is refused here, by its own name
    content = model_bytes(path)
    with _connected(scheduler) as client, _model_on_workers(client, content, device) as name:
        plans, known = open_output(plans, output, options.overwrite)
        task = partial(_segment_here, name, settings, options)
        rows = collect(plans, _run(client, plans, task), output, known, report)
        for folder in {plan.mask.parent for plan in plans}:
            sweep(folder)  # what killed workers left
        return rows


def _segment_here(
    plugin: str, settings: SegmentationSettings, options: FolderOptions, plans: Sequence[FilePlan]
) -> list[SummaryRow]:
    """Do some images on a worker, with the model that a plugin of its keeps."""
    model = get_worker().plugins[plugin].model
    return list(segment_planned_files(plans, FileSteps(model, settings, options)))


def _run(client: Client, plans: Sequence[FilePlan], task: Task) -> Iterator[SummaryRow]:
    """Do all images; those whose worker dies are done again, and at last one by one.

    When a worker dies everything that it had in hand is suspect.  Only an image that kills it
    while no other is in work is surely to blame.
    """
    cores = sum(client.nthreads().values())
    together = min(_MOST_TOGETHER, max(1, len(plans) // (_TASKS_A_CORE * cores)))
    parts = (plans[start : start + together] for start in range(0, len(plans), together))
    suspects: list[FilePlan] = []
    yield from _side_by_side(client, parts, task, suspects)
    again: list[FilePlan] = []
    yield from _side_by_side(client, ([plan] for plan in suspects), task, again)
    for plan in again:
        deadly: list[FilePlan] = []
        yield from _side_by_side(client, iter([[plan]]), task, deadly)
        for each in deadly:
            sentence = (
                f"{each.source}: every worker that tried it died, perhaps for want of memory: "
                "segment it on a larger machine, or leave it out."
            )
            yield failed_row(each, VeinSegError(sentence))


def _side_by_side(
    client: Client, parts: Iterator[Sequence[FilePlan]], task: Task, suspects: list[FilePlan]
) -> Iterator[SummaryRow]:
    """Keep a bounded number of tasks in flight, and hand out the rows of those that end."""
    jobs_of: dict[str, Sequence[FilePlan]] = {}

    def submit(part: Sequence[FilePlan]) -> Future:
        future = client.submit(task, part, key=f"veinseg-{uuid4()}")
        jobs_of[future.key] = part
        return future

    running = as_completed(map(submit, islice(parts, _IN_FLIGHT)))
    for future in running:
        part = jobs_of.pop(future.key)
        try:
            yield from future.result()
        except KilledWorker:
            suspects += part
        except CancelledError as error:
            raise VeinSegError(
                "The scheduler was lost: start the same command again, finished images are kept."
            ) from error
        running.update(map(submit, islice(parts, 1)))


@contextmanager
def _connected(scheduler: str) -> Iterator[Client]:
    count = _local_workers(scheduler)
    if count is not None:
        # A process that dies is replaced; who is to blame is found out here, not by the scheduler.
        # Nothing listens beyond this machine.
        with (
            dask.config.set({"distributed.scheduler.allowed-failures": 0}),
            LocalCluster(
                count,
                threads_per_worker=1,
                dashboard_address=None,
                silence_logs=logging.CRITICAL,  # what the user needs to know stands in the rows
            ) as cluster,
            Client(cluster) as client,
        ):
            yield client
        return
    try:
        client = Client(scheduler, timeout=_SECONDS_TO_CONNECT)
    except (OSError, ValueError, TimeoutError) as error:
        raise VeinSegError(
            f"No scheduler answers at {scheduler}: check the address, or use local."
        ) from error
    with client:
        try:
            client.wait_for_workers(1, timeout=_SECONDS_TO_WORKERS)
        except TimeoutError as error:
            raise VeinSegError(
                f"The scheduler {scheduler} has no worker: start some with dask worker."
            ) from error
        yield client


def _local_workers(scheduler: str) -> int | None:
    """Read `local` (0: as many as there are cores) or `local:N`; None for an address."""
    kind, _, count = scheduler.partition(":")
    if kind != "local":
        return None
    if count and not (count.isdecimal() and int(count)):
        raise VeinSegError(f"The scheduler {scheduler!r} names no number of processes: local:2.")
    return int(count or dask.system.CPU_COUNT)


@contextmanager
def _model_on_workers(client: Client, content: bytes, device: str) -> Iterator[str]:
    """Give the model to every worker, also to those that join later."""
    plugin = _ModelPlugin(content, device)
    client.register_plugin(plugin)
    try:
        yield plugin.name
    finally:
        client.unregister_worker_plugin(plugin.name)


class _ModelPlugin(WorkerPlugin):  # type: ignore[misc]
    """The model of a worker, loaded when it is first used."""

    def __init__(self, content: bytes, device: str) -> None:
        self.name = f"veinseg-{uuid4()}"
        self._content, self._device = content, device

    @cached_property
    def model(self) -> "VeinModel":
        from napari_veinseg.segmentation.vein_model import VeinModel

        return VeinModel.from_bytes(self._content, self._device)
