"""Writing files so that a reader sees the old content or the new, never a part."""

import errno
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from stat import S_ISREG

from napari_veinseg.errors import VeinSegError

CACHE_VARIABLE = "VEINSEG_CACHE"
"""Environment variable that names another folder for what can be made again."""
DAMAGED_ENDING = ".damaged"
"""Behind the name of a file that could not be understood and was kept."""

_LOCK_SECONDS = 10.0
_LITTER = ".*-????????.tmp*"  # what `atomic_path` makes; nobody else's temporary files
_LITTER_SECONDS = 60.0  # a file that nobody has written to for this long belongs to a dead writer


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Be the only one of all programs that writes in a folder; what killed ones left is removed.

    The system takes the lock back when its holder dies, so that a crash blocks nobody.

    Raises
    ------
    VeinSegError
        If another program holds the lock for long, or the lock is a link.
    OSError
        If the folder is gone or cannot be written.
    """
    from filelock import FileLock, Timeout

    lock = folder / ".lock"
    if not folder.is_dir():  # the lock would make it anew
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(folder))
    if lock.is_symlink():  # locking empties the file, wherever a stranger let it point
        raise VeinSegError(f"{lock} is a link: delete it.")
    try:
        with FileLock(lock, timeout=_LOCK_SECONDS):
            sweep(folder)
            yield
    except Timeout as error:
        raise VeinSegError(
            f"{folder} is being written by another program: try again in a moment."
        ) from error


def sweep(folder: Path) -> None:
    """Remove the temporary files of writers that were killed."""
    for path in folder.glob(_LITTER):
        # Neither links nor folders are ours, and another program may sweep at the same time.
        with suppress(OSError):
            state = path.lstat()
            if S_ISREG(state.st_mode) and time.time() - state.st_mtime > _LITTER_SECONDS:
                path.unlink()


@contextmanager
def atomic_path(target: Path, *, private: bool = False) -> Iterator[Path]:
    """Yield a temporary path that replaces `target` when the block ends without an error.

    The temporary file lies in the same folder (a rename is atomic only within a file system), has
    the suffix of `target`, is flushed to disk before the rename and removed when the block raises.
    A `private` one nobody else may read or write.
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
        if not private:  # as `mkstemp` makes files; give what `open` would have given
            temporary.chmod(0o666 & ~_umask())
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


@contextmanager
def writing(target: Path) -> Iterator[None]:
    """Turn what the system says of a file or folder that it cannot write into a sentence."""
    try:
        yield
    except OSError as error:
        if isinstance(error, FileExistsError | NotADirectoryError):
            named = [error.filename] if error.filename else []
            # Not `Path.is_file`, which raises where a folder may not be entered or a share is away.
            blocking = filter(os.path.isfile, (*named, target, *target.parents))
            if file := next(blocking, None):
                raise VeinSegError(
                    f"{file} is a file where a folder is wanted: give another folder, or move "
                    "that file away."
                ) from error
        raise VeinSegError(
            f"{target} was not written ({error.strerror or error}): check folder, rights and space."
        ) from error


@contextmanager
def opening(path: Path) -> Iterator[None]:
    """Turn what the system says of a file that it cannot read into a sentence."""
    try:
        yield
    except OSError as error:
        raise VeinSegError(f"{path} cannot be opened ({error.strerror or error}): check it.") from (
            error
        )


class DamagedFiles:
    """Side files that cannot be understood: they count as absent, are told once, and are kept."""

    def __init__(self) -> None:
        self._meanings: dict[Path, str] = {}
        self._untold: list[Path] = []

    def add(self, path: Path, meaning: str) -> None:
        """Note a file, and what follows for the user, as half a sentence."""
        if path not in self._meanings:
            self._untold.append(path)
        self._meanings[path] = meaning

    def take_untold(self) -> list[str]:
        """Return what nobody was told yet: a sentence for each meaning, however many files."""
        untold, self._untold = self._untold, []
        files: dict[str, list[Path]] = {}
        for path in untold:
            files.setdefault(self._meanings.get(path, ""), []).append(path)
        return [_damage(paths, meaning) for meaning, paths in files.items() if meaning]

    def set_aside(self, path: Path) -> None:
        """Give a file another name if it was noted, before it is written anew or removed."""
        if self._meanings.pop(path, None) is not None and path.exists():
            set_aside(path)


def _damage(paths: list[Path], meaning: str) -> str:
    more = f" (and {len(paths) - 1} more like it)" if len(paths) > 1 else ""
    kept = f"{paths[0].name}{DAMAGED_ENDING}"
    return (
        f"{paths[0]} is damaged{more}: {meaning}. Before it is written anew it is kept as {kept}."
    )


def set_aside(path: Path) -> Path:
    """Give a damaged file another name beside it, so that nothing is written over it."""
    kept, number = path.with_name(f"{path.name}{DAMAGED_ENDING}"), 1
    while kept.exists():
        number += 1
        kept = path.with_name(f"{path.name}{DAMAGED_ENDING}-{number}")
    return path.rename(kept)


def write_text(target: Path, text: str) -> None:
    """Write UTF-8 text atomically; names of files that are not UTF-8 get their own bytes."""
    with atomic_path(target) as temporary:
        temporary.write_text(text, encoding="utf-8", errors="surrogateescape", newline="")


def write_bytes(target: Path, content: bytes | memoryview) -> None:
    """Write bytes atomically."""
    with atomic_path(target) as temporary:
        temporary.write_bytes(content)


@contextmanager
def atomic_folder(target: Path) -> Iterator[Path]:
    """Yield a temporary folder beside `target` that replaces it when a block ends without error."""
    for left in target.parent.glob(f".{target.name}-????????.part"):
        with suppress(OSError):  # files go while they are looked at: it is being written
            if time.time() - _last_change(left) > _LITTER_SECONDS:
                shutil.rmtree(left)
    temporary = Path(tempfile.mkdtemp(prefix=f".{target.name}-", suffix=".part", dir=target.parent))
    try:
        yield temporary
        temporary.chmod(0o777 & ~_umask())
        if target.exists():
            _replace_folder(target, temporary)
        else:
            temporary.rename(target)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise


def _replace_folder(target: Path, new: Path) -> None:
    """Put a folder in the place of another; none can replace one: there is a moment without any."""
    away = Path(tempfile.mkdtemp(prefix=".", suffix=".part", dir=target.parent))
    old = away / target.name
    try:
        target.rename(old)
        new.rename(target)
    finally:
        if not target.exists():  # should the old one not go back either, it stays where it is
            old.rename(target)
        shutil.rmtree(away, ignore_errors=True)


def _last_change(folder: Path) -> float:
    return max(path.stat().st_mtime for path in (folder, *folder.rglob("*")))


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def user_folder(name: str, variable: str = "", *, cache: bool = False) -> Path:
    """Return a folder of ours among the user's data; an environment variable names another.

    It need not exist.
    """
    if chosen := os.environ.get(variable):
        return Path(chosen).expanduser()
    from platformdirs import user_cache_path, user_data_path

    home = user_cache_path if cache else user_data_path
    return home("napari-veinseg", appauthor=False) / name


def make_output_folder(path: str | Path) -> Path:
    """Make the folder for results, and those above it."""
    path = Path(path)
    with writing(path):
        path.mkdir(parents=True, exist_ok=True)
    return path


def check_output_folder(path: Path) -> None:
    """Refuse before any work what cannot become a folder for results; nothing is made."""
    there = next(filter(os.path.exists, (path, *path.absolute().parents)), None)
    code = 0
    if there is None:
        code = errno.ENOENT  # a drive or a share that is not there
    elif not Path(there).is_dir():
        code = errno.ENOTDIR
    elif not os.access(there, os.W_OK):
        code = errno.EACCES
    with writing(path):
        if code:
            raise OSError(code, os.strerror(code))  # Python makes it the fitting kind
