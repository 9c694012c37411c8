"""How a process of our own begins: quickly, and with the memory that it will need again."""

import ctypes
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # as malloc.h of glibc numbers them
_UNUSED = (
    "huggingface_hub",
    "ignite",
    "matplotlib",
    "pandas",
    "scipy.signal",
    "skimage",
    "sklearn",
    "torchvision",
    "zarr",
)


@contextmanager
def plain_monai() -> Iterator[None]:
    """Let MONAI, imported in this block, do without what it imports but our networks never use.

    MONAI imports packages for its loggers, plots and readers where they are installed, which
    takes longer than torch itself.  It treats them as missing from then on; so this is only for a
    process of our own, such as a command, and not for a viewer that others work in.
    """
    hidden = [name for name in _UNUSED if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]  # None means: not there
    try:
        yield
    finally:
        for name in hidden:
            if sys.modules.get(name) is None:
                sys.modules.pop(name, None)


def keep_freed_memory() -> None:
    """Let the C library keep what arrays free, for the next image or step takes as much again.

    glibc gives large blocks back at once, and the system then hands them out again page by page:
    a fifth of the time of a training step, a quarter of a small image's.  Blocks of more than
    32 MB, where glibc's own adaptation ends too, still go back, and more than 256 MB are never
    kept.  Other systems, and whoever tunes `malloc` themselves, are left alone.
    """
    tuned = any(name.startswith(("MALLOC_", "GLIBC_TUNABLES")) for name in os.environ)
    if sys.platform != "linux" or tuned:
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # musl has none
    if mallopt is not None:
        mallopt(_MMAP_THRESHOLD, 1 << 25)
        mallopt(_TRIM_THRESHOLD, 1 << 28)
