"""What learning beside a person leaves to others: the last of a battery, and busy cores."""

import time

import psutil

from napari_veinseg.data.array_types import Seconds
from napari_veinseg.segmentation.runtimes.devices import usable_cpus

_LOW_BATTERY = 30  # percent
_LOOK_EVERY = 2.0  # seconds between two looks at the machine
_LONGEST_BREAK = 2.0  # seconds: a machine that slept is no slow step


class Throttle:
    """What learning leaves to others.

    Without a charger below 30 % it rests.  With others computing on more cores than it leaves them,
    or on a battery, it takes a break after each step that is as long as the step was.
    """

    def __init__(self, threads: int) -> None:
        self._left = usable_cpus() - threads
        self._own = psutil.Process()
        self._looked_at = -_LOOK_EVERY
        self._seen = self._cpu_seconds()
        self._is_slow = False
        self._reason = ""

    def reason_to_rest(self) -> str:
        """Say in a sentence why nothing should be learned now; empty where there is no reason."""
        self._look()
        return self._reason

    def take_a_break(self, seconds: Seconds) -> None:
        """Wait as long as a step took, where others need the cores or a battery is to last."""
        self._look()
        if self._is_slow:
            time.sleep(min(seconds, _LONGEST_BREAK))

    def _look(self) -> None:
        now = time.monotonic()
        passed = now - self._looked_at
        if passed < _LOOK_EVERY:
            return
        self._looked_at = now
        everybody, own = self._cpu_seconds()
        others = (everybody - self._seen[0]) - (own - self._seen[1])
        self._seen = everybody, own
        battery = _battery_percent()
        self._reason = ""
        if battery is not None and battery < _LOW_BATTERY:
            self._reason = f"It rests: less than {_LOW_BATTERY} % of the battery is left."
        # With no core to leave, others are let through from half a core on.
        self._is_slow = battery is not None or others > passed * max(self._left, 0.5)

    def _cpu_seconds(self) -> tuple[float, float]:
        """Give the processor time of everybody, and of this process."""
        times = psutil.cpu_times()
        busy = times.user + times.system + getattr(times, "nice", 0.0)
        own = self._own.cpu_times()
        return busy, own.user + own.system


def _battery_percent() -> float | None:
    """Return what is left of a battery that is in use, None without one or with a charger."""
    sensors = getattr(psutil, "sensors_battery", None)  # not on every system
    battery = sensors() if sensors else None
    if battery is None or battery.power_plugged is not False:
        return None
    return float(battery.percent)
