"""Python's search for garbage, spared what stays: it holds every thread for half a second."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

from napari_veinseg.training.train import without_collecting


@contextmanager
def loading() -> Iterator[None]:
    """Load or compile what stays as long as the program, and leave it out of later searches.

    Napari searches at each layer that is removed, and Python whenever much was made.  The price: a
    viewer that is open now is not given back when it is closed before the program ends.
    """
    with without_collecting():
        yield
        gc.freeze()  # before Python may search again: it did so at once, through all of it
