"""The controls of the region of interest: where veins are looked for in the chosen image."""

from collections.abc import Callable

import napari
from napari.layers import Image
from qtpy.QtCore import QObject, Signal
from qtpy.QtWidgets import QCheckBox, QWidget
from superqt.utils import signals_blocked

from napari_veinseg.errors import VeinSegError
from napari_veinseg.segmentation.folder_regions import FolderRegions
from napari_veinseg.segmentation.region import Region
from napari_veinseg.widgets.common.form import Hint, Section, button, row
from napari_veinseg.widgets.common.jobs import Job
from napari_veinseg.widgets.common.notify import reported
from napari_veinseg.widgets.common.warm_up import lines_are_ready, prepare_lines
from napari_veinseg.widgets.masks.layers import image_shape
from napari_veinseg.widgets.segment.region_layer import RegionLayer

RegionHome = tuple[FolderRegions, str]
"""The regions of a folder, and the name of one of its images."""
_KEY = "veinseg_region"


class RegionControls(QObject):
    """Draws, shows, removes and remembers a region."""

    changed = Signal()
    """The region of the image is another one."""

    def __init__(
        self, section: Section, viewer: napari.Viewer, image: Callable[[], Image | None]
    ) -> None:
        super().__init__(section)
        self._image = image
        self.find_home: Callable[[Image | None], RegionHome | None] = lambda _image: None
        """Finds the regions of an open folder with the name of an image that is the folder's."""
        self.say_effect: Callable[[Region | None], str] = lambda _region: ""
        """Says what a region means for the mask that is there."""
        self._preparing = Job("Preparing the display", self)
        self._when_ready: Callable[[], None] = lambda: None
        self.layer = RegionLayer(viewer, self)
        self.rectangle = button("Rectangle", "Drag a rectangle in which veins are looked for.")
        self.polygon = button(
            "Polygon",
            "Click the corners of the part in which veins are looked for; a double click ends it.",
        )
        self.whole = button("Remove", "Look for veins in the whole image again.")
        self.shared = QCheckBox("The same region in every image")
        self.told = Hint()
        field = QWidget()
        field.setLayout(row(self.rectangle, self.polygon, self.whole, stretch=(1, 1, 1)))
        section.add_row(
            "Look only in", field, "A part of the image: outside it, the mask stays background."
        )
        section.add_wide(
            self.shared, "Images that have a region of their own keep it; the others get this one."
        )
        section.add_wide(self.told)
        self.rectangle.clicked.connect(lambda: self._draw("rectangle"))
        self.polygon.clicked.connect(lambda: self._draw("polygon"))
        self.whole.clicked.connect(lambda: self._take(None))
        self.shared.toggled.connect(lambda _on: self._take(self.region()))
        self.layer.drawn.connect(self._take)
        self.show()

    def region(self) -> Region | None:
        """Return where to look in the image that is chosen."""
        image = self._image()
        if image is None:
            return None
        if home := self.find_home(image):
            regions, stem = home
            return regions.fitting(stem, image_shape(image)[-2:])
        return region_of_layer(image)

    def show(self) -> None:
        """Show the region of the image that is chosen now."""
        image, region = self._image(), self.region()
        if region is None:
            self.layer.show(image, None)
        else:
            self._with_lines(lambda: self.layer.show(self._image(), self.region()))
        self.tell()

    def tell(self) -> None:
        """Say which region the image has, and whether its mask was made with it."""
        home, region = self.find_home(self._image()), self.region()
        is_shared = home is not None and home[0].is_shared(home[1])
        self.whole.setEnabled(region is not None)
        self.shared.setVisible(home is not None and region is not None)
        with signals_blocked(self.shared):
            self.shared.setChecked(is_shared)
        parts = [_words(region)] if region is not None else []
        if region is None and is_shared:
            parts = ["The folder's region lies beside this image: all of it is searched"]
        parts += [effect] if (effect := self.say_effect(region)) else []
        self.told.say("".join(f"{part}. " for part in parts).strip())

    def _draw(self, shape: str) -> None:
        with reported("Drawing the region", self):
            image = self._image()
            if image is None:
                raise VeinSegError("There is no image to draw on: open one first.")
            self.told.say("Preparing the display…")
            self._with_lines(lambda: self._begin(image, shape))

    def _with_lines(self, act: Callable[[], None]) -> None:
        """Act once a layer of lines costs the viewer's thread nothing; the last wish counts."""
        if lines_are_ready():
            act()
            return
        self._when_ready = act
        self._preparing.start(prepare_lines, lambda _none: self._when_ready())

    def _begin(self, image: Image, shape: str) -> None:
        if self._image() is image:  # nobody has gone on meanwhile
            self.layer.draw(image, shape)
            how = "Drag a rectangle" if shape == "rectangle" else "Click the corners, and twice"
            end = "over the image." if shape == "rectangle" else "at the last."
            self.told.say(f"{how} {end}")

    def _take(self, region: Region | None) -> None:
        with reported("Taking the region", self):
            image = self._image()
            try:
                if home := self.find_home(image):
                    regions, stem = home
                    regions.remember(stem, region, self.shared.isChecked())
                elif image is not None:
                    image.metadata = {**image.metadata, _KEY: region}
            finally:
                self.show()
                self.changed.emit()


def region_of_layer(image: Image) -> Region | None:
    """Return the region that was drawn on an image layer."""
    region = image.metadata.get(_KEY)
    return region if isinstance(region, Region) else None


def _words(region: Region) -> str:
    columns, rows = zip(*region.corners, strict=True)
    width, height = max(columns) - min(columns), max(rows) - min(rows)
    if len(region.corners) == 2:
        return f"{width:.0f} x {height:.0f} px from x {min(columns):.0f}, y {min(rows):.0f}"
    return f"{len(region.corners)} corners within {width:.0f} x {height:.0f} px"
