"""Starting quickly."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

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

    Yields
    ------
    None
        While those packages cannot be imported.
    """
    hidden = [name for name in _UNUSED if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]  # None means: not there
    try:
        yield
    finally:
        for name in hidden:
            if sys.modules.get(name) is None:
                sys.modules.pop(name, None)
