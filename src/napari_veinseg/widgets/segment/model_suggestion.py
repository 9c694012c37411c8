"""One sentence and one click, where another shipped model suits the image better."""

import numpy as np
from napari.layers import Image, Labels
from qtpy.QtCore import Signal

from napari_veinseg.segmentation.model_advice import suggestion, suited_model
from napari_veinseg.widgets.common.form import Hint, button
from napari_veinseg.widgets.common.model_choice import ModelChoice
from napari_veinseg.widgets.masks.layer_metadata import record_of
from napari_veinseg.widgets.masks.layers import image_data


class ModelSuggestion(Hint):
    """Stands under a choice of models, its button in the tab's foot; it chooses nothing itself."""

    appeared = Signal()

    def __init__(self, choice: ModelChoice) -> None:
        super().__init__()
        self._choice = choice
        self._suited = ""
        self.use = button(
            "Use it", "Choose that model; masks that nobody has edited are made by it."
        )
        self.use.clicked.connect(lambda: self._choice.choose(self._suited))
        self.use.hide()
        self.hide()

    def show_for(self, image: Image | None, mask: Labels | None) -> None:
        """Look at an image with the mask that the chosen model made."""
        self._suited = self._find(image, mask)
        appears = bool(self._suited) and self.isHidden()
        self.say(suggestion(self._suited) if self._suited else "")
        self.use.setText(f"Use '{self._suited}'")
        self.use.setVisible(bool(self._suited))
        if appears:
            self.appeared.emit()

    def _find(self, image: Image | None, mask: Labels | None) -> str:
        if image is None or mask is None or not image.rgb:
            return ""
        pixels = image_data(image)
        if not isinstance(pixels, np.ndarray):  # reading it all would hold the viewer up
            return ""
        return suited_model(pixels, record_of(mask).notes.vein_width, self._choice.name)
