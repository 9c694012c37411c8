"""What is to be done for a folder of images, and what became of each."""

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from napari_veinseg.data.images import list_images
from napari_veinseg.data.ome_zarr import is_zarr
from napari_veinseg.data.tables import plain_text
from napari_veinseg.errors import VeinSegError
from napari_veinseg.files import write_text


@dataclass(frozen=True)
class Job:
    """One image and the files that it becomes.

    Parameters
    ----------
    source : Path
        The image.
    mask : Path
        Where the mask goes.
    probability : Path or None
        Where the probability goes, if it is wanted.
    """

    source: Path
    mask: Path
    probability: Path | None = None

    @property
    def finished(self) -> bool:
        """Whether all files of this job exist; they are written whole or not at all."""
        return self.mask.exists() and (self.probability is None or self.probability.exists())


@dataclass(frozen=True)
class FileRow:
    """What became of one image: a row of `summary.csv`.

    Parameters
    ----------
    image : str
        The path as it was given.
    mask : str
        The name of the mask in the output folder; empty if there is none.
    status : str
        `done`, `kept` (it was there already) or `failed`.
    slices, height, width : int
        The size of the image; 0 if it was not read.
    vein_width : float
        The vein width, in px, that was given or estimated.
    vein_share : float
        The share of its pixels that is vein, in [0, 1].
    seconds : float
        From the image and its vein width to the mask, without reading, writing and waiting.
    error : str
        The sentence that says why it failed.
    """

    image: str
    mask: str
    status: str
    slices: int = 0
    height: int = 0
    width: int = 0
    vein_width: float = 0.0
    vein_share: float = 0.0
    seconds: float = 0.0
    error: str = ""


def plan_jobs(
    inputs: Iterable[str | Path], output: str | Path, probability: bool = False
) -> list[Job]:
    """Find the images and the names of their results, without touching the disk.

    Parameters
    ----------
    inputs : iterable of str or Path
        Images, or folders whose images are meant.
    output : str or Path
        The folder for the results; it need not exist.
    probability : bool, optional
        Whether probabilities are wanted.

    Returns
    -------
    list of Job
        One an image.

    Raises
    ------
    VeinSegError
        If an input does not exist, no image is found, two images would be written to one file, or
        the output would go into an input folder.
    """
    given, output = [Path(path) for path in inputs], Path(output)
    _refuse_output_among_inputs(given, output)
    sources = dict.fromkeys(image for path in given for image in _images_of(path))
    if not sources:
        raise VeinSegError(
            f"There is no image in {', '.join(map(str, given)) or 'no input'}: give tif, png, jpg "
            "or bmp files, or folders of them."
        )
    jobs = [_job(source, output, probability) for source in sources]
    _refuse_clashes(jobs)
    return jobs


def _job(source: Path, output: Path, probability: bool) -> Job:
    if not is_zarr(source):
        likely = output / f"{source.stem}_probability.tif" if probability else None
        return Job(source, output / f"{source.stem}.tif", likely)
    if probability:
        raise VeinSegError(f"{source} is OME-Zarr, of which only labels are written: leave it out.")
    return Job(source, output / f"{source.stem}.zarr")


def _images_of(path: Path) -> list[Path]:
    if is_zarr(path):
        return [path]
    if path.is_dir():
        return sorted([*list_images(path), *filter(is_zarr, path.glob("*.zarr"))])
    if not path.exists():
        raise VeinSegError(f"{path} does not exist: check the name.")
    return [path]


def _refuse_output_among_inputs(inputs: Sequence[Path], output: Path) -> None:
    target = output.resolve()
    for path in inputs:
        folder = path.resolve()
        one_image = not path.is_dir() or is_zarr(path)
        inside = folder in (target, *target.parents) or (one_image and folder.parent == target)
        if inside:
            raise VeinSegError(
                f"The output {output} lies in the input folder of {path}: choose another folder."
            )


def _refuse_clashes(jobs: Sequence[Job]) -> None:
    owners: dict[str, Path] = {}
    for job in jobs:
        for target in filter(None, (job.mask, job.probability)):
            # Many file systems do not tell upper from lower case.
            owner = owners.setdefault(target.name.casefold(), job.source)
            if owner != job.source:
                raise VeinSegError(
                    f"{owner} and {job.source} would both be written to {target.name}: rename one "
                    "or segment them into different folders."
                )


def make_output_folder(path: str | Path) -> Path:
    """Make the folder for results, and those above it.

    Parameters
    ----------
    path : str or Path
        The folder; it may exist.

    Returns
    -------
    Path
        The existing folder.

    Raises
    ------
    VeinSegError
        If it cannot be made.
    """
    path = Path(path)
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise VeinSegError(
            f"The output folder {path} cannot be made ({error.strerror}): choose another."
        ) from error
    return path


def collect(
    jobs: Sequence[Job],
    rows: Iterable[FileRow],
    output: Path,
    report: Callable[[FileRow, int, int], None] | None = None,
) -> list[FileRow]:
    """Take the rows as they come, and write them to `summary.csv` however that ends.

    Parameters
    ----------
    jobs : sequence of Job
        All jobs.
    rows : iterable of FileRow
        What becomes of them, in any order.
    output : Path
        The folder for the summary.
    report : callable, optional
        Called with each row, the number of rows so far and of all; it may raise `Cancelled`.

    Returns
    -------
    list of FileRow
        In the order of the jobs.
    """
    place = {str(job.source): number for number, job in enumerate(jobs)}
    collected: list[FileRow] = []
    try:
        for row in rows:
            collected.append(row)
            if report:
                report(row, len(collected), len(jobs))
    finally:  # also what was done before a cancel is told
        collected.sort(key=lambda row: place[row.image])
        write_summary(output / "summary.csv", collected)
    return collected


def write_summary(path: Path, rows: Iterable[FileRow]) -> None:
    """Write what became of each image as a table.

    Parameters
    ----------
    path : Path
        The csv file to create or replace.
    rows : iterable of FileRow
        One an image.
    """
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(field.name for field in fields(FileRow))
    for row in rows:
        cells = (plain_text(cell) if isinstance(cell, str) else cell for cell in astuple(row))
        table.writerow(round(cell, 5) if isinstance(cell, float) else cell for cell in cells)
    try:
        write_text(path, text.getvalue())
    except OSError as error:
        raise VeinSegError(
            f"{path} was not written ({error.strerror or error}): check folder, rights and space."
        ) from error
