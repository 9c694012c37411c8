"""A clock of work done, which stands still while the computer or the process does."""

import time

from napari_veinseg.data.array_types import Seconds

_LONGEST_TICK = 10.0  # seconds: a step takes less, and who was away for longer was asleep


class WorkClock:
    """Counts the seconds between ticks; a gap in which nothing can have been done hardly counts.

    Sleep, hibernation and a stopped process (SIGSTOP) would otherwise eat a budget in minutes.
    It goes on from the seconds of earlier sittings.
    """

    def __init__(self, seconds: Seconds = 0.0) -> None:
        self.seconds = seconds
        self._last = time.perf_counter()

    def tick(self) -> float:
        """Count the seconds up to now; called at every step and every tile."""
        now = time.perf_counter()
        self.seconds += min(now - self._last, _LONGEST_TICK)
        self._last = now
        return self.seconds
