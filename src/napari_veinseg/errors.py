"""The one exception whose text is meant for the user."""

from collections.abc import Iterator
from contextlib import contextmanager


class VeinSegError(ValueError):
    """Something that the user can mend, said in one sentence.

    The sentence names the file or value and the remedy.  The command line prints it without a
    traceback and the widgets show it as a napari notification; every other exception is a bug.
    """


class Cancelled(VeinSegError):  # noqa: N818  (it is an outcome that the user asked for)
    """The user stopped the work; what had been written whole stays."""


class VeinSegWarning(UserWarning):
    """Something that the user should know while the work goes on; shown once, in one sentence."""


@contextmanager
def naming(name: object) -> Iterator[None]:
    """Put the name of a file before a sentence that does not say which file it is about."""
    try:
        yield
    except Cancelled:
        raise
    except VeinSegError as error:
        if str(name) in str(error):
            raise
        raise VeinSegError(f"{name}: {error}") from error
