"""What the folders of a run are for: what was made for something else is not taken for this."""

from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path


def claim(folder: Path, note: str, described: str, whose: str) -> None:
    """Make a folder, and note in it what it is for; end the program where that differs.

    A folder that holds something without such a note is somebody else's, too.
    """
    folder.mkdir(parents=True, exist_ok=True)
    told = folder / note
    known = told.read_text(encoding="utf-8") if told.exists() else None
    if known != described and any(folder.iterdir()):
        raise SystemExit(f"{folder} {whose}: move it away.")
    told.write_text(described, encoding="utf-8")


def digests(paths: Iterable[Path]) -> list[str]:
    """Tell files apart by their content."""
    return [sha256(path.read_bytes()).hexdigest() for path in paths]
