"""One model for all masks: the one that was chosen in a tab, or a version that learned beside."""

from collections.abc import Sequence
from functools import partial

from napari_veinseg.widgets.common.model_choice import ModelChoice
from napari_veinseg.widgets.evaluate.contender_list import ContenderList
from napari_veinseg.widgets.workbench.folder_navigation import FolderSession
from napari_veinseg.widgets.workbench.learning import LearningBeside
from napari_veinseg.widgets.workbench.status_line import StatusLine


class SharedModel:
    """Keeps the choices of a model alike; the first one makes the masks.

    `base` is what a training starts from: it goes along with the others until another model is
    chosen there, which makes no mask.
    """

    def __init__(
        self,
        choices: Sequence[ModelChoice],
        base: ModelChoice,
        contenders: ContenderList,
        session: FolderSession,
        learning: LearningBeside,
        status: StatusLine,
    ) -> None:
        self.choices, self._base, self._contenders = choices, base, contenders
        self._session, self._learning, self._status = session, learning, status
        self._handing_over = False
        for choice in choices:
            choice.model_changed.connect(partial(self._share, choice))
        learning.handed_over.connect(self._hand_over)
        status.show_model(choices[0].name)

    @property
    def _base_follows(self) -> bool:
        return self._base.name == self._status.shown_model

    def _share(self, source: ModelChoice) -> None:
        if self._handing_over:
            return
        for choice in self.choices:
            if choice is not source and source.name and choice.name != source.name:
                choice.choose(source.name)
        if source.name:
            self._contenders.tick(source.name)
        folder = self._session.folder
        if folder is not None and source.name and source.is_installed:
            folder.drafts.remember_model(source.name)
        if self._status.shown_model != source.name:
            self._learning.hold(source.name)
            if source.name and self._base_follows:
                self._base.choose(source.name)
            self._status.show_model(source.name)
            self._session.follow_model()

    def _hand_over(self) -> None:
        """Have the next masks made by the version in use; the shown one is somebody's work."""
        version = self._learning.in_use
        self._handing_over = True
        following = [*self.choices, self._base] if self._base_follows else self.choices
        for choice in (*self.choices, self._base):
            choice.lend({version.name: version.path} if version is not None else {})
            if version is not None and choice in following:
                choice.choose(version.name)
        self._handing_over = False
        self._status.show_model(self.choices[0].name)
        self._session.ahead.renews_waiting = version is not None
        self._session.follow_model(renew_shown=False)
