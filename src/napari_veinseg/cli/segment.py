"""`veinseg segment`."""

from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from napari_veinseg.cli.app import app
from napari_veinseg.cli.options import ChannelName, Device, Invert, ModelName
from napari_veinseg.errors import VeinSegError
from napari_veinseg.wording import capitalised, counted, listed, some_of

if TYPE_CHECKING:
    from napari_veinseg.segmentation.batch.summary_csv import SummaryRow


@app.command()
def segment(
    inputs: Annotated[list[Path], typer.Argument(help="Images, OME-Zarr too, or folders.")],
    output: Annotated[Path, typer.Option(help="Folder for masks and summary.csv.")],
    model: ModelName = "starter",
    vein_width: Annotated[
        str,
        typer.Option(
            help="Width of veins, in px, that the network is told; auto: 3/4 of what it draws."
        ),
    ] = "auto",
    channel: ChannelName = "auto",
    invert: Invert = False,
    threshold: Annotated[
        float | None, typer.Option(help="Probability of a vein, 0 to 1; default: the model's.")
    ] = None,
    min_size: Annotated[
        int | None,
        typer.Option(help="Smallest piece to keep, in px of area; default: by vein width."),
    ] = None,
    device: Device = "auto",
    probability: Annotated[
        bool, typer.Option("--probability", help="Also write STEM_probability.tif.")
    ] = False,
    region: Annotated[
        str | None,
        typer.Option(
            "--roi",
            help="Where to look for veins, in px: x0,y0,x1,y1 of a rectangle, or x,y,x,y,x,y,... "
            "of the corners of a polygon.",
        ),
    ] = None,
    recursive: Annotated[
        bool, typer.Option("--recursive", help="Take subfolders, too; results mirror them.")
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Make all masks anew that are there already.")
    ] = False,
    update: Annotated[
        bool,
        typer.Option(
            "--update",
            help="Make those masks anew that another model, other settings or another image gave; "
            "edited ones stay.",
        ),
    ] = False,
    scheduler: Annotated[
        str | None,
        typer.Option(help="Dask scheduler to work on (tcp://...), or local or local:N processes."),
    ] = None,
) -> None:
    """Write a vein mask (0 and 1, in OUTPUT/STEM.tif) for every image."""
    from napari_veinseg.cli.console import progress_bar
    from napari_veinseg.cli.folder_progress import FolderProgress
    from napari_veinseg.data.grey import parse_channel
    from napari_veinseg.segmentation.batch.folder_advice import FolderAdvice
    from napari_veinseg.segmentation.batch.plan_files import (
        FolderOptions,
        files_left_out,
        plan_files,
        subfolders,
    )
    from napari_veinseg.segmentation.region import Region
    from napari_veinseg.segmentation.settings import SegmentationSettings

    settings = SegmentationSettings(
        _width(vein_width),
        parse_channel(channel),
        invert,
        threshold,
        min_size,
        Region.parse(region) if region else None,
    )
    options = FolderOptions(recursive, probability, overwrite, update)
    plans = plan_files(inputs, output, options)  # refuses a bad call before torch is loaded

    left_out = [folder for path in inputs if path.is_dir() for folder in subfolders(path)]
    if left_out and not recursive:
        names = listed([str(folder) for folder in left_out])
        are = counted(len(left_out), "subfolder is", "subfolders are")
        typer.echo(f"{are} left out ({names}): see --recursive", err=True)
    for sentence in files_left_out(inputs, recursive):
        typer.echo(sentence, err=True)
    with progress_bar() as progress:
        shown = FolderProgress(progress, len(plans), FolderAdvice(model))
        segment_all = _engine(scheduler, model, device)
        rows = segment_all(inputs, output, settings=settings, options=options, report=shown.hear)
    _conclude(rows, output)


def _engine(scheduler: str | None, model: str, device: str) -> Callable[..., "list[SummaryRow]"]:
    """Choose what segments the files: this process, or a cluster."""
    if scheduler:
        from napari_veinseg.segmentation.batch.cluster import segment_files_on

        return partial(segment_files_on, scheduler, model=model, device=device)
    from napari_veinseg.cli.start import plain_monai
    from napari_veinseg.segmentation.batch.segment_files import segment_files
    from napari_veinseg.segmentation.vein_model import VeinModel

    with plain_monai():
        loaded = VeinModel.load(model, device=device)
    return partial(segment_files, model=loaded)


def _width(text: str) -> float | None:
    if text == "auto":
        return None
    try:
        return float(text)
    except ValueError:
        raise VeinSegError(f"The vein width {text!r} is no number: give px or auto.") from None


def _conclude(rows: Sequence["SummaryRow"], output: Path) -> None:
    counts = Counter(row.status for row in rows)
    typer.echo(f"{counts['done']:,} of {counted(len(rows), 'image')} segmented into {output}")
    if counts["kept"]:
        kept = counted(counts["kept"], "mask was", "masks were")
        typer.echo(f"{kept} there already and kept: {_why_kept(rows)}")
    empty = sum(row.vein_share == 0 for row in rows)
    if empty:
        masks, are = capitalised(some_of(empty, len(rows), "mask")), "is" if empty == 1 else "are"
        typer.echo(
            f"{masks} {are} empty (see the notes in {output / 'summary.csv'}): "
            "try --vein-width, --threshold, --invert or --channel",
            err=True,
        )
    if counts["failed"]:
        failed = counted(counts["failed"], "image")
        typer.echo(f"{failed} failed: see {output / 'summary.csv'}", err=True)
        raise typer.Exit(1)


def _why_kept(rows: Sequence["SummaryRow"]) -> str:
    """Count kept masks by what would be otherwise now, the commonest first."""
    from napari_veinseg.segmentation.batch.file_steps import EDITED, EMPTY
    from napari_veinseg.segmentation.batch.provenance import UNKNOWN

    kept = [set(row.note.split("; ")) - {"", EMPTY} for row in rows if row.status == "kept"]
    notes = Counter(note for each in kept for note in each)
    same = sum(not each for each in kept)
    parts = [f"{same} made as now"] if same else []
    parts += [f"{count} {note}" for note, count in notes.most_common(5)]
    outdated = sum(bool(each) and each.isdisjoint((EDITED, UNKNOWN)) for each in kept)
    update = f"--update makes {outdated} of them anew, " if outdated else ""
    return f"{'; '.join(parts)} ({update}--overwrite all)"
