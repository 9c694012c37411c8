"""`veinseg evaluate`."""

from pathlib import Path
from typing import Annotated

import typer

from napari_veinseg.cli.app import app
from napari_veinseg.cli.options import ChannelName, Device, FingerPattern, Invert


@app.command()
def evaluate(
    dataset: Annotated[Path, typer.Argument(help="Folder with images/ and masks/.")],
    output: Annotated[Path, typer.Option(help="Folder for the report.")],
    model: Annotated[
        list[str] | None, typer.Option(help="Name or file of a model; repeat for several.")
    ] = None,
    masks: Annotated[
        list[Path] | None,
        typer.Option(help="Folder of masks to score like a model; repeat for several."),
    ] = None,
    baseline: Annotated[
        bool, typer.Option("--baseline", help="Add classical vein extractors.")
    ] = False,
    everything: Annotated[
        bool, typer.Option("--all", help="Every sample instead of the hold-out.")
    ] = False,
    finger_pattern: FingerPattern = None,
    tolerance: Annotated[
        float, typer.Option(min=0, help="px beside the true centreline that still count.")
    ] = 2.0,
    channel: ChannelName = "auto",
    invert: Invert = False,
    pseudonyms: Annotated[
        bool, typer.Option("--pseudonyms", help="Numbers instead of names of images and subjects.")
    ] = False,
    pictures: Annotated[
        bool, typer.Option("--pictures/--no-pictures", help="Show examples of the images.")
    ] = True,
    device: Device = "auto",
) -> None:
    """Score models, masks and baselines: report.html, its figures (json, csv) and plots (svg)."""
    from napari_veinseg.cli.console import print_table, progress_bar
    from napari_veinseg.data.dataset import Dataset
    from napari_veinseg.data.grey import parse_channel
    from napari_veinseg.evaluation.caveats import caveats
    from napari_veinseg.evaluation.contenders import gather_contenders
    from napari_veinseg.evaluation.report.tables import METRIC_NAMES, figure_cell
    from napari_veinseg.evaluation.report.write_report import evaluate as run
    from napari_veinseg.evaluation.summary import TO_CORRECT, Summary, interval_note
    from napari_veinseg.segmentation.settings import SegmentationSettings

    settings = SegmentationSettings(channel=parse_channel(channel), invert=invert)
    samples = Dataset.open(dataset, finger_pattern)
    contenders = gather_contenders(model or (), masks or (), baseline, device, settings)
    with progress_bar() as progress:
        task = progress.add_task("Evaluating", total=None)

        def report(done: int, total: int, _stem: str) -> None:
            progress.update(task, completed=done, total=total)

        comparison, summaries = run(
            samples,
            contenders,
            output,
            everything=everything,
            tolerance=tolerance,
            pseudonyms=pseudonyms,
            pictures=pictures,
            progress=report,
        )
    for number, sentence in enumerate(caveats(comparison)):
        if not number:
            typer.echo("Before you believe these figures:")
        typer.echo(f"- {sentence}")
    for fault in comparison.left_out:
        typer.echo(f"Left out: {fault.stem}: {fault.message}")
    columns = ("vein_iou", "cldice", "centreline_recall")

    def figure(summary: Summary, name: str) -> str:
        cell = figure_cell(name, summary.mean_of_images.get(name), summary.images)
        return f"{cell['text']}\n{cell['interval']}".strip()

    print_table(
        ("Mean of images", "Images", "To correct", *(METRIC_NAMES[name] for name in columns)),
        [
            (each.name, str(each.images), *(figure(each, name) for name in (TO_CORRECT, *columns)))
            for each in summaries
        ],
    )
    typer.echo(interval_note(summaries))
    typer.echo(f"The report is {output / 'report.html'}")
