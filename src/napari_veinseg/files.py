"""Writing files so that a reader sees the old content or the new, never a part."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def atomic_path(target: Path) -> Iterator[Path]:
    """Yield a temporary path that replaces `target` when the block ends without an error.

    The temporary file lies in the same folder (a rename is atomic only within a file system), is
    flushed to disk before the rename and removed when the block raises.

    Parameters
    ----------
    target : Path
        The file to create or replace; its folder must exist.

    Yields
    ------
    Path
        An existing, empty file to write to; its suffix is that of `target`.
    """
    handle, name = tempfile.mkstemp(
        prefix=f".{target.stem[:40]}-", suffix=f".tmp{target.suffix}", dir=target.parent
    )
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        # `mkstemp` makes files private; give what `open` would have given.
        mask = os.umask(0)
        os.umask(mask)
        temporary.chmod(0o666 & ~mask)
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def write_text(target: Path, text: str) -> None:
    """Write UTF-8 text atomically.

    Parameters
    ----------
    target : Path
        The file to create or replace.
    text : str
        Its whole new content.
    """
    with atomic_path(target) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="")
