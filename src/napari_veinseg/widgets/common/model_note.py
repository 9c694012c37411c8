"""What the chosen model is for, as its card says."""

from datetime import date
from pathlib import Path

from napari_veinseg.errors import VeinSegError
from napari_veinseg.model.file import read_card
from napari_veinseg.model.store import STARTER, installed_models
from napari_veinseg.widgets.common.form import Hint
from napari_veinseg.widgets.common.model_choice import ModelChoice


class ModelNote(Hint):
    """Stands under a choice of models and follows it."""

    def __init__(self, choice: ModelChoice) -> None:
        super().__init__()
        self._choice = choice
        choice.model_changed.connect(self._show)
        self._show()

    def _show(self) -> None:
        try:
            self.say(describe_model(self._choice.path))
        except VeinSegError:  # there is none, or its file is told about where it is used
            self.say("")


def describe_model(path: Path) -> str:
    """Give the description on a model's card; of a user's own also the day it was kept."""
    description = read_card(path).description.rstrip(".")
    shipped = {each.path: each.name for each in installed_models() if each.shipped}
    if shipped.get(path) == STARTER:
        return f"Start here for fingers: {description[:1].lower()}{description[1:]}"
    if description and path not in shipped:
        description += f" ({date.fromtimestamp(path.stat().st_mtime)})"
    return description
