"""`veinseg train`."""

import gc
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from napari_veinseg.cli.app import app
from napari_veinseg.cli.options import ChannelName, Device, FingerPattern, Invert
from napari_veinseg.errors import VeinSegError
from napari_veinseg.wording import counted

if TYPE_CHECKING:
    from rich.progress import Progress

    from napari_veinseg.training.events import RunStatus
    from napari_veinseg.training.run_folder import Run


@app.command()
def train(
    dataset: Annotated[
        Path | None, typer.Argument(help="Folder with images/ and masks/; not with --resume.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option(help="The model file to write, .safetensors.")
    ] = None,
    base: Annotated[
        str,
        typer.Option("--from", help="Name or file of the model to start from; none: from nothing."),
    ] = "starter",
    minutes: Annotated[
        float | None, typer.Option(help="Minutes to train once all is read (default 5).")
    ] = None,
    epochs: Annotated[int | None, typer.Option(help="Budget in epochs instead.")] = None,
    augmentation: Annotated[str, typer.Option(help="full, photometric or none.")] = "full",
    finger_pattern: FingerPattern = None,
    validation: Annotated[
        float, typer.Option(help="Share of samples to hold out, 0 to 0.5, when none are yet.")
    ] = 0.2,
    thin: Annotated[
        bool, typer.Option("--thin", help="Leave out near duplicates of one subject.")
    ] = False,
    channel: ChannelName = "auto",
    invert: Invert = False,
    run: Annotated[
        Path | None,
        # torchrun takes `--run` for a short form of an option of its own.
        typer.Option(
            "--run",
            "--run-folder",
            help="Folder for events and weights, new or empty; default: one among your data.",
        ),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the run in --run, as its config.json says.")
    ] = False,
    seed: Annotated[int, typer.Option(help="The same seed gives the same weights.")] = 0,
    device: Device = "auto",
    precision: Annotated[
        str, typer.Option(help="auto, float32 or bfloat16, which some devices compute faster in.")
    ] = "auto",
    watch: Annotated[
        bool,
        typer.Option(
            "--watch", help="Go on learning from what is reviewed in the dataset, until stopped."
        ),
    ] = False,
    stop_with_parent: Annotated[bool, typer.Option("--stop-with-parent", hidden=True)] = False,
) -> None:
    """Train a model on images with masks; Ctrl-C keeps what it has learned so far."""
    from napari_veinseg.training.child_process import StopButton

    stop = StopButton()
    if stop_with_parent:
        stop.follow_parent()
    if (stop_with_parent or watch) and hasattr(os, "nice"):
        os.nice(5)  # the viewer goes first; on Windows its child begins so

    from napari_veinseg.cli.console import progress_bar
    from napari_veinseg.data.grey import parse_channel
    from napari_veinseg.training.events import EventReader, RunStatus
    from napari_veinseg.training.train import check_output, configure, go_on, start

    check_output(output)
    going = _running(run) if resume else None
    if going is None:
        if dataset is None or (output is None and not watch):
            raise VeinSegError("Give a dataset and --output, or the --run to --resume.")
        config = configure(
            dataset,
            base=None if base == "none" else base,
            minutes=minutes,
            epochs=epochs,
            watch=watch,
            augmentation=augmentation,
            finger_pattern=finger_pattern,
            validation_share=validation,
            thin=thin,
            channel=parse_channel(channel),
            invert=invert,
            seed=seed,
            device=device,
            precision=precision,
        )
        going = start(run, config)
    if going.config.watch:
        typer.echo(f"Watching {going.config.dataset}, in {going.path}; Ctrl-C ends it.")
        go_on(going, output, _print_watch_event, stop)
    else:
        status = RunStatus.of(EventReader(going.events_path))
        status.end = {}  # of an earlier sitting
        with progress_bar() as progress:
            go_on(going, output, _Progress(progress, status).hear, stop)
        if status.end:  # of several processes the first one speaks
            _conclude(status, output or going.result)
    # What torch and MONAI hold goes with the process: searching it for cycles took two seconds.
    gc.freeze()


def _running(folder: Path | None) -> "Run | None":
    """Open the run to resume; a folder without one is started, so that a job can be repeated."""
    from napari_veinseg.training.run_folder import Run

    if folder is None:
        raise VeinSegError("Say with --run which run to --resume.")
    return Run.open(folder) if (folder / "config.json").exists() else None


class _Progress:
    """Shows a run in the terminal while it works."""

    def __init__(self, progress: "Progress", status: "RunStatus") -> None:
        self._progress, self._status = progress, status
        self._task = progress.add_task("Training", total=100)

    def hear(self, event: dict[str, Any]) -> None:
        status = self._status
        status.hear(event)
        figures = [("loss", status.losses), ("vein IoU", status.scores)]
        latest = [f"{name} {list(values.values())[-1]:.3f}" for name, values in figures if values]
        self._progress.update(
            self._task,
            completed=round(100 * status.progress),
            description=" ".join(["Training", *latest]),
        )
        if event["event"] == "start":
            for line in _describe(event):
                self._progress.console.print(line, markup=False, soft_wrap=True)


def _print_watch_event(line: dict[str, Any]) -> None:
    """Say in the terminal what a run does that watches a dataset."""
    from napari_veinseg.training.watch_events import describe, from_line

    event = from_line(line)
    text = str(line.get("text", "")) if event is None else describe(event)
    if text:
        typer.echo(text)


def _describe(event: dict[str, Any]) -> list[str]:
    """Say what is trained and judged on."""
    train, holdout = event["train"], event["validation"]
    lines = [f"Left out: {fault}" for fault in event["faults"]]
    lines += [f"Note: {caveat}" for caveat in event["caveats"]]
    lines.append(
        f"Training on {_images(train)}, {counted(train['vein_pixels'], 'vein pixel')}, "
        f"on {event['device']} ({event['reason']})."
    )
    if not holdout["images"]:
        why = (
            "All that is held out was learned from before"
            if holdout["seen"]
            else "Nothing is held out"
        )
        return [*lines, f"{why}: there is no validation figure."]
    optimistic = " (optimistic: not all subjects are known or apart)" if event["optimistic"] else ""
    return [*lines, f"Judged on {_images(holdout)}{optimistic}."]


def _images(part: dict[str, int]) -> str:
    fingers = f" of {counted(part['fingers'], 'subject')}" if part["fingers"] else ""
    return f"{counted(part['images'], 'image')}{fingers}"


def _conclude(status: "RunStatus", model: Path | None) -> None:
    typer.echo(status.end.get("text", ""))
    comparison = status.comparison()
    if comparison:
        old = sum(row[1] for row in comparison) / len(comparison)
        new = sum(row[2] for row in comparison) / len(comparison)
        kept = " with the new weights, which were not kept" if status.base_is_best else " now"
        typer.echo(f"Mean vein IoU of the held-out images: {old:.3f} before, {new:.3f}{kept}.")
    typer.echo(f"Model: {model}")
