"""The device that models run on, and why it is this one: always in sight."""

from qtpy.QtCore import QTimer, Signal
from qtpy.QtWidgets import QWidget

from napari_veinseg.widgets.common import engine
from napari_veinseg.widgets.common.form import Hint
from napari_veinseg.widgets.common.jobs import Job, Reporter
from napari_veinseg.widgets.common.warm_up import prepare_lines


class DeviceBadge(Hint):
    """A line that names the device and its reason; it has torch loaded in a worker when shown."""

    refreshed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__()
        self.setParent(parent)
        self.setToolTip("The device that models run on, and why it was chosen.")
        self.setAccessibleName("Device")
        self._job = Job("Loading torch", self)
        self._tried = False
        self._job.changed.connect(self.refresh)
        self.refresh()
        if engine.known_device() is None:
            QTimer.singleShot(0, self._load)

    def short_text(self) -> str:
        """Return the device with its reason in few words, without markup."""
        device = engine.known_device()
        if device is None:
            return self.text()
        return f"{device.label}: {device.reason.partition(';')[0]}"

    def refresh(self) -> None:
        """Show what is known now."""
        device = engine.known_device()
        if device is not None:
            self.setText(f"<b>{device.label}</b>: {device.reason}.")
        elif self._tried and not self._job.running:
            self.setText("torch could not be loaded; 'Notices' says why.")
        else:
            self.setText(engine.LOADING)
        self.refreshed.emit()

    def _load(self) -> None:
        self._tried = True
        done, news = (lambda _none: None), (lambda _step: self.refresh())
        self._job.start(_prepare, done, news)


def _prepare(reporter: Reporter) -> None:
    """Load torch, then what the first region or measurement would wait for."""
    engine.load_torch(reporter)
    prepare_lines(reporter)
