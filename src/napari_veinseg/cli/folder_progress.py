"""How a folder gets on: in a terminal beside the bar, in the log of a job line by line."""

import time
from typing import TYPE_CHECKING

import typer

from napari_veinseg.data.array_types import Seconds
from napari_veinseg.wording import counted

if TYPE_CHECKING:
    from rich.progress import Progress

    from napari_veinseg.segmentation.batch.folder_advice import FolderAdvice
    from napari_veinseg.segmentation.batch.summary_csv import SummaryRow

_SECONDS_A_LINE = 60.0  # of a log


class FolderProgress:
    """Tells errors and advice at once, and the rate and the time left now and then.

    A progress bar that is disabled, because nobody watches, has lines printed in its place.
    """

    def __init__(self, progress: "Progress", total: int, advice: "FolderAdvice") -> None:
        self._progress, self._advice = progress, advice
        self._task = progress.add_task("Segmenting", total=total)
        self._worked = self._failed = 0
        self._began = self._told = time.monotonic()

    def hear(self, row: "SummaryRow", done: int, total: int) -> None:
        """Take notice of one image."""
        console = self._progress.console
        if row.error:
            console.print(row.error, markup=False, soft_wrap=True, style="red")
        elif row.vein_share == 0 or (row.note and row.status == "done"):
            text = f"{row.image}: {row.note}"
            console.print(text, markup=False, soft_wrap=True, style="yellow")
        advice = self._advice.on(row)
        if advice:
            text = f"{row.image}: {advice} See --model."
            console.print(text, markup=False, soft_wrap=True, style="yellow")
        self._failed += row.status == "failed"
        self._worked += row.status != "kept"
        now = time.monotonic()
        line = rate_line(done, total, self._worked, now - self._began, self._failed)
        self._progress.update(self._task, completed=done, description=line)
        if not console.is_terminal and now - self._told >= _SECONDS_A_LINE:
            self._told = now
            typer.echo(line, err=True)


def rate_line(done: int, total: int, worked: int, seconds: Seconds, failed: int = 0) -> str:
    """Say how far it is, as `1,200 of 9,000 images, 31.5 a second, 4 min left`.

    Images done were worked on or there already; only the first took the time.
    """
    parts = [f"{done:,} of {counted(total, 'image')}"]
    if worked and seconds > 0:
        rate = worked / seconds
        parts += [f"{rate:.3g} a second", f"{_duration((total - done) / rate)} left"]
    if failed:
        parts.append(f"{failed:,} failed")
    return ", ".join(parts)


def _duration(seconds: float) -> str:
    minutes = seconds / 60
    if minutes < 1:
        return f"{seconds:.0f} s"
    hours, minutes = divmod(round(minutes), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"
