"""The device that models run on, and why it is this one."""

from qtpy.QtCore import QObject, QTimer, Signal

from napari_veinseg.widgets.common import engine
from napari_veinseg.widgets.common.jobs import Job, Reporter
from napari_veinseg.widgets.common.warm_up import prepare_lines


class DeviceInUse(QObject):
    """Names the device and its reason, and has torch loaded in a worker to know them."""

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._job = Job("Loading torch", self)
        self._tried = False
        self._job.changed.connect(self.changed)
        if engine.known_device() is None:
            QTimer.singleShot(0, self._load)

    def short_text(self) -> str:
        """Return the device with its reason in few words."""
        device = engine.known_device()
        if device is None:
            return self.text()
        return f"{device.label}: {device.reason.partition(';')[0]}"

    def text(self) -> str:
        """Return what is known now."""
        device = engine.known_device()
        if device is not None:
            return f"{device}."
        failed = self._tried and not self._job.running
        return "torch could not be loaded; 'Notices' says why." if failed else engine.LOADING

    def _load(self) -> None:
        self._tried = True
        done, news = (lambda _none: None), (lambda _step: self.changed.emit())
        self._job.start(_prepare, done, news)


def _prepare(reporter: Reporter) -> None:
    """Load torch, then what the first region or measurement would wait for."""
    engine.load_torch(reporter)
    prepare_lines(reporter)
