"""Does a process stay as it is?  Memory, threads, children and handles, round by round."""

import gc
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import psutil


@dataclass
class Watch:
    """What a process holds after some rounds of its work."""

    rounds: list[int] = field(default_factory=list)
    megabytes: list[float] = field(default_factory=list)
    threads: list[int] = field(default_factory=list)
    children: list[int] = field(default_factory=list)
    handles: list[int] = field(default_factory=list)

    def look(self, number: int) -> None:
        """Look after round `number`; collecting garbage first takes a while."""
        gc.collect()
        self.rounds.append(number)
        process = psutil.Process()
        self.megabytes.append(process.memory_info().rss / 1e6)
        self.threads.append(process.num_threads())
        self.children.append(len(process.children(recursive=True)))
        self.handles.append(process.num_fds())

    def grown(self, name: str) -> float:
        """The median of the last quarter over that of the second: caches fill in the first."""
        values = np.array(getattr(self, name), float)
        quarter = max(1, len(values) // 4)
        return float(np.median(values[-quarter:]) - np.median(values[quarter : 2 * quarter]))

    def plot(self, path: Path) -> None:
        """Draw all four over the rounds."""
        from matplotlib.figure import Figure

        figure = Figure(figsize=(8, 4.5), layout="constrained")
        panels = figure.subplots(2, 2, sharex=True)
        figure.suptitle(
            f"{self.rounds[-1]} rounds: memory {self.grown('megabytes'):+.1f} MB from the second "
            "quarter to the last",
            fontsize=10,
        )
        titles = {
            "megabytes": "Memory of the viewer (MB, resident)",
            "threads": "Threads",
            "children": "Child processes",
            "handles": "Open handles",
        }
        for panel, (name, title) in zip(panels.flat, titles.items(), strict=True):
            values = getattr(self, name)
            panel.plot(self.rounds, values, color="#0072b2", linewidth=1.2)
            panel.set_ylim(0, 1.25 * max(values) + 1)
            panel.set_title(title, fontsize=10, loc="left")
            panel.spines[["top", "right"]].set_visible(False)
        for panel in panels[1]:
            panel.set_xlabel("Rounds of segment, correct, retrain, evaluate")
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, dpi=110)
