"""What the old and the new model draw on one image, one beside the other over the same pixels."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import napari
import numpy as np
from napari.layers import Labels
from numpy.typing import NDArray
from qtpy.QtWidgets import QButtonGroup

from napari_veinseg.data.dataset import Dataset
from napari_veinseg.data.sample import Pair, read_sound_pair
from napari_veinseg.errors import VeinSegError
from napari_veinseg.training.config import TrainingConfig
from napari_veinseg.training.hold_out_leakage import learned_by
from napari_veinseg.widgets.common import engine
from napari_veinseg.widgets.common.form import Hint, Section, button
from napari_veinseg.widgets.common.jobs import Reporter, Step
from napari_veinseg.widgets.masks.error_layer import ErrorLegend
from napari_veinseg.widgets.masks.judged_image import JudgedImage


@dataclass(frozen=True)
class BothMasks:
    """An image with its true mask, and what two models draw."""

    pair: Pair
    old: NDArray[np.uint8]
    new: NDArray[np.uint8]
    learned: tuple[bool, bool] = (False, False)  # the old model from this image, and the new one


def draw_both(config: TrainingConfig, new: Path, stem: str, reporter: Reporter) -> BothMasks:
    """Ask the model that a training has started from, and a new one; runs in a worker."""
    if config.base is None:
        raise VeinSegError("The training began from nothing: there is no old model to look at.")
    models = Path(config.base), new
    pair = read_sound_pair(Dataset.open(config.dataset)[stem])
    masks = []
    for number, path in enumerate(models):
        reporter.tell(Step(number, len(models), f"Segmenting {stem}"))
        model = engine.load_model(path, reporter)
        masks.append(model.predict(pair.image, config.settings, cancelled=reporter.cancelled).mask)
    of_old, of_new = (pair.image_hash in learned_by(path) for path in models)
    return BothMasks(pair, masks[0], masks[1], (of_old, of_new))


class BothMasksView(Section):
    """Shows one of two masks with its errors, and the other at a click."""

    def __init__(self, viewer: napari.Viewer) -> None:
        super().__init__("")
        self._viewer = viewer
        self._opened = JudgedImage(viewer, self)
        self._errors: list[Labels] = []  # of the old model and of the new one
        toggle = partial(button, checkable=True)
        self.old = toggle("Old mask", "Show what the old model draws, with its errors.")
        self.new = toggle("New mask", "Show what the new model draws, with its errors.")
        group = QButtonGroup(self)
        group.addButton(self.old)
        group.addButton(self.new)
        self._name = Hint()
        self.add_wide(self._name)
        self.add_buttons(self.old, self.new)
        self.add_wide(ErrorLegend())
        self.new.toggled.connect(self._turn)
        self.hide()

    def show_masks(self, both: BothMasks, old_name: str) -> None:
        """Put an image with both masks into the viewer, in place of the last."""
        self._errors = []
        self._opened.show(both.pair, partial(self._show_errors, both, old_name))
        stem = self._opened.stem
        self._name.setText(f"On the screen: {stem}. {_say_who_learned(*both.learned)}".strip())
        self.new.setChecked(True)
        self.show()

    def _show_errors(self, both: BothMasks, old_name: str) -> Iterator[None]:
        self._errors = [self._opened.add_errors(both.old, old_name)]
        yield
        self._errors.append(self._opened.add_errors(both.new, "new model"))
        self._turn()

    def close_opened(self) -> bool:
        """Take what was shown out of the viewer; say whether there was any."""
        self._errors = []
        self.hide()
        return self._opened.close()

    def _turn(self, *_checked: bool) -> None:
        layers = [each for each in self._errors if each in self._viewer.layers]
        if len(layers) == 2:
            old, new = layers
            shown: Labels = new if self.new.isChecked() else old
            old.visible, new.visible = shown is old, shown is new
            self._viewer.layers.selection.active = shown


def _say_who_learned(old: bool, new: bool) -> str:
    if not old and not new:
        return ""
    who = "Both models have" if old and new else f"The {'old' if old else 'new'} model has"
    return f"{who} learned from this image: on others the errors are more."
