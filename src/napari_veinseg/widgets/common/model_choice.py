"""A combo box of the installed models, with a way to bring in another."""

import weakref
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from qtpy.compat import isalive
from qtpy.QtCore import QTimer, Signal
from qtpy.QtWidgets import QFileDialog
from superqt.utils import signals_blocked

from napari_veinseg.errors import VeinSegError
from napari_veinseg.model.store import import_model, installed_models
from napari_veinseg.widgets.common import engine
from napari_veinseg.widgets.common.elided import NameCombo
from napari_veinseg.widgets.common.jobs import Job, Reporter
from napari_veinseg.widgets.common.preferences import preferences

IMPORT = "Import a model file…"
_choices: "weakref.WeakSet[ModelChoice]" = weakref.WeakSet()


class ModelChoice(NameCombo):
    """The installed models by name; its last entry imports a file.

    The list is read anew whenever it is opened, so a model kept by a training or imported in a
    terminal is there.
    """

    model_changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        _choices.add(self)
        self.name: str | None = preferences().model
        """Of the chosen model; None when there is none."""
        self._own = self.name  # of the last one that was installed and chosen
        self._told: str | None = None  # by `model_changed`
        self._lent: dict[str, Path] = {}
        self._listed = False  # whether the list is open, or was when something was chosen
        self._job = Job("Importing the model", self)
        self.currentIndexChanged.connect(self._take)
        self.refresh()

    @property
    def path(self) -> Path:
        """The file of the chosen model."""
        if self.name in self._lent:
            return self._lent[self.name]
        for model in installed_models():
            if model.name == self.name:
                return model.path
        raise VeinSegError(
            "There is no model to segment with: choose 'Import a model file…' in the model list."
        )

    def choose(self, name: str) -> None:
        """Choose a model by its name, also one that was just installed."""
        self.name = name
        self.refresh()
        if self.is_installed:
            self._own = self.name

    def choose_installed(self, name: str) -> None:
        """Choose a model by its name if there is such a one."""
        if any(each.name == name for each in installed_models()):
            self.choose(name)

    @property
    def is_installed(self) -> bool:
        """Whether the chosen model is one that stays."""
        return self.name is not None and self.name not in self._lent

    def lend(self, models: Mapping[str, Path]) -> None:
        """Offer models for now that are not installed, in place of those lent before."""
        self._lent = dict(models)
        self.refresh()

    def refresh(self) -> None:
        """Read the installed models anew, keeping the choice where it still exists."""
        names = list(dict.fromkeys([*self._lent, *(each.name for each in installed_models())]))
        if self.name not in names:
            own = [name for name in names if name not in self._lent]
            self.name = self._own if self._own in own else next(iter(own), None)
        with signals_blocked(self):
            self.clear()
            self.addItems(names or ["No model yet"])
            self.insertSeparator(self.count())
            self.addItem(IMPORT)
            self.setCurrentIndex(names.index(self.name) if self.name else 0)
        if self.name != self._told:
            self._told = self.name
            self.model_changed.emit()

    def showPopup(self) -> None:  # noqa: N802  (Qt's name)
        """Open the list, read anew."""
        self.refresh()
        self._listed = True
        super().showPopup()

    def hidePopup(self) -> None:  # noqa: N802  (Qt's name)
        """Close the list; what was chosen in it is told in this very event."""
        super().hidePopup()
        QTimer.singleShot(0, self._forget_list)

    def _forget_list(self) -> None:
        self._listed = False

    def _take(self, index: int) -> None:
        """Follow the box, whether the list, a key, the wheel or a program has changed it."""
        if 0 <= index < self.count() - 1:
            self.choose(self.itemText(index))
            return
        from_list = self._listed  # a key or the wheel beyond the last model asks for no file
        self.refresh()  # back to the model that was chosen, whatever comes of the import
        if from_list:
            QTimer.singleShot(0, self._import_file)

    def _import_file(self) -> None:
        file, _ = QFileDialog.getOpenFileName(
            self, "Import a model file", "", "Models (*.safetensors)"
        )
        if file:
            self._job.start(partial(install_model, Path(file), None), done=self.choose)


def announce_model(name: str) -> None:
    """Have a model that was just installed chosen in every open list."""
    for choice in list(_choices):
        if isalive(choice):
            choice.choose(name)


def install_model(file: Path, name: str | None, reporter: Reporter) -> str:
    """Copy a model to the installed ones and return its name; torch reads it, in a worker."""
    engine.load_torch(reporter)
    return import_model(file, name).name
