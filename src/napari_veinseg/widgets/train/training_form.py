"""The section of the Train widget that says how a training goes."""

from pathlib import Path

from qtpy.QtWidgets import QComboBox, QDoubleSpinBox, QLineEdit

from napari_veinseg.training.config import TrainingConfig
from napari_veinseg.training.train import configure
from napari_veinseg.widgets.common.form import Section
from napari_veinseg.widgets.common.inputs import ImageOptions
from napari_veinseg.widgets.common.model_choice import ModelChoice
from napari_veinseg.widgets.common.model_note import ModelNote
from napari_veinseg.widgets.common.preferences import preferences


class TrainingForm(Section):
    """Which model learns on, for how long, and what the new one is called."""

    def __init__(self) -> None:
        super().__init__("Training")
        self.base = ModelChoice()
        self.minutes = QDoubleSpinBox(minimum=0.1, maximum=600, value=5, decimals=1, suffix=" min")
        self.augmentation = QComboBox()
        self.augmentation.addItems(["full", "photometric", "none"])
        self.name = QLineEdit("my model")
        self.add_row(
            "Start from",
            self.base,
            "The model that learns on; it is not changed, and masks are still made by the model "
            "that is chosen in Segment.",
        )
        self.add_wide(ModelNote(self.base))
        self.add_row(
            "Time", self.minutes, "How long to train once all is read; Stop ends it earlier."
        )
        self.add_row(
            "Variation",
            self.augmentation,
            "How training images are changed at random: brightness, contrast and noise "
            "(photometric), and also flips, turns and deformation (full).",
        )
        self.options = ImageOptions(self, "What to take from colour images, see Segment.")
        self.add_row("Name", self.name, "What the new model is called when you keep it.")

    def config(self, dataset: Path, finger_pattern: str | None) -> TrainingConfig:
        """Return what the controls ask for."""
        return configure(
            dataset,
            base=self.base.path,
            minutes=self.minutes.value(),
            augmentation=self.augmentation.currentText(),
            channel=self.options.channel.currentText(),
            invert=self.options.invert.isChecked(),
            finger_pattern=finger_pattern,
            device=preferences().device,
        )
