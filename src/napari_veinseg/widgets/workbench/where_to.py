"""Where one goes from an image of a folder: to its neighbours, or to what needs a person most."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from napari_veinseg.correction.image_states import ImageState
from napari_veinseg.correction.next_image import next_to_review

if TYPE_CHECKING:
    from napari_veinseg.widgets.workbench.folder_navigation import FolderSession


class WhereTo:
    """Chooses the image that a session goes to; without a folder it chooses none."""

    def __init__(self, session: "FolderSession") -> None:
        self._session = session
        self.finger_pattern: Callable[[], str | None] = lambda: None

    def step(self, by: int) -> None:
        """Go to a neighbour, beginning anew at the end; from an image of elsewhere, lead back."""
        session = self._session
        if session.folder is not None and not session.uncover():
            session.go((session.index + by) % len(session.folder))

    def go_to_unreviewed(self) -> None:
        """Go to the next image that somebody must look at."""
        session = self._session
        if session.folder is None:
            return
        index = session.folder.next_unreviewed(session.index)
        if index is not None:
            session.go(index)
        elif session.folder.state(session.index) is ImageState.REVIEWED:
            session.message.show("All images are reviewed: train on them, or evaluate.")
        else:
            session.message.show("All other images are reviewed.")

    def go_to_most_doubtful(self) -> None:
        """Go to the unreviewed image from which a model would learn most, and say why."""
        session = self._session
        if session.folder is None:
            return
        maker = session.masks.maker_on_arrival()
        identity = maker.identity if maker is not None else ""
        choice = next_to_review(session.folder, session.index, identity, self.finger_pattern())
        if choice is not None:
            session.go(choice.place, choice.reason)
        else:
            session.message.show(
                "No other image is segmented yet: segment the rest, or go on to the next."
            )
