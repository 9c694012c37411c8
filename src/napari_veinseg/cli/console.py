"""Tables and progress bars of the command line."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]], title: str = "") -> None:
    """Print a table to the standard output."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(title=escape(title) or None, title_justify="left", box=SIMPLE_HEAD)
    for index, name in enumerate(columns):
        numbers = all(row[index][:1].isdigit() for row in rows)
        # Headings break between words before a name breaks within one.
        least = None if index else min(24, max((len(row[0]) for row in rows), default=0))
        table.add_column(
            name, justify="right" if numbers else "left", overflow="fold", min_width=least
        )
    for row in rows:
        table.add_row(*map(escape, row))
    Console().print(table)


@contextmanager
def progress_bar() -> Iterator["Progress"]:
    """Show progress while the block runs, if the standard error is a terminal."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    console = Console(stderr=True)
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    ) as progress:
        yield progress
