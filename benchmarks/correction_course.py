"""A course of corrections: at each turn the one that gains most for its actions."""

import statistics
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

GOAL = 0.95
MOST_ACTIONS = 150
Region = np.ndarray


@dataclass(frozen=True)
class Option:
    """Something that can be done: its actions, and the mask after it."""

    actions: int
    apply: Callable[[Region], Region]


class Stroke(Option):
    """One press of the button; what it gains is counted where it passes, for it is tried often."""

    def __init__(self, region: Region, label: bool) -> None:
        rows, columns = np.nonzero(region)
        self._at, self._label = np.ravel_multi_index((rows, columns), region.shape), label
        super().__init__(1, self._draw)

    def _draw(self, mask: Region) -> Region:
        drawn = mask.copy()
        drawn.ravel()[self._at] = self._label
        return drawn

    def gains(self, mask: Region, truth: np.ndarray) -> tuple[int, int]:
        """Count what comes to the overlap with the truth, and to all that is found."""
        at = self._at[mask.ravel()[self._at] != self._label]
        kinds = np.bincount(truth.ravel()[at], minlength=2)
        sign = 1 if self._label else -1
        return sign * int(kinds[1]), sign * int(kinds[0] + kinds[1])


@dataclass(frozen=True)
class Effort:
    """Dice after 0, 1, 2, ... actions; what was reached last holds on."""

    clicks: list[float]
    strokes: list[float]
    straight_strokes: list[float]

    @staticmethod
    def summary(efforts: "list[Effort]") -> dict[str, Any]:
        """Compare the actions to the highest Dice, at most the goal, that all ways reach."""
        clicks: list[int] = []
        strokes: list[int] = []
        straights: list[int] = []
        goals: list[float] = []
        for each in efforts:
            goal = min(GOAL, max(each.clicks), max(each.strokes), max(each.straight_strokes))
            goals.append(goal)
            for counts, course in (
                (clicks, each.clicks),
                (strokes, each.strokes),
                (straights, each.straight_strokes),
            ):
                counts.append(next(i for i, dice in enumerate(course) if dice >= goal - 1e-9))
        return {
            "start_dice": round(statistics.mean(each.clicks[0] for each in efforts), 3),
            "goal_dice": round(statistics.mean(goals), 3),
            "reached_0.95_with_tools": round(
                statistics.mean(max(each.clicks) >= GOAL for each in efforts), 3
            ),
            "clicks": sum(clicks),
            "strokes": sum(straights),
            "freehand_strokes": sum(strokes),
            "clicks_per_stroke": round(sum(clicks) / max(sum(straights), 1), 3),
            "clicks_per_freehand_stroke": round(sum(clicks) / max(sum(strokes), 1), 3),
        }


def dice_of(mask: Region, truth: np.ndarray) -> float:
    found, true = mask & (truth != 2), truth == 1
    return 2 * float((found & true).sum()) / max(float(found.sum() + true.sum()), 1)


def improve(
    start: Region, truth: np.ndarray, options: Callable[[Region], list[Option]]
) -> list[float]:
    """Take the best option again and again; return the Dice after each action."""
    mask, course = start, [dice_of(start, truth)]
    while course[-1] < GOAL and len(course) < MOST_ACTIONS:
        tried = options(mask)
        after = _dice_after(tried, mask, truth)
        gains = [(dice - course[-1]) / o.actions for dice, o in zip(after, tried, strict=True)]
        if not gains or max(gains) <= 1e-4:
            break
        option = tried[int(np.argmax(gains))]
        mask = option.apply(mask)
        course += [course[-1]] * (option.actions - 1) + [dice_of(mask, truth)]
    return course


def _dice_after(options: list[Option], mask: Region, truth: np.ndarray) -> Iterator[float]:
    found, true = mask & (truth != 2), truth == 1
    overlap, areas = int((found & true).sum()), int(found.sum() + true.sum())
    for option in options:
        if isinstance(option, Stroke):
            more_overlap, more_found = option.gains(mask, truth)
            yield 2 * (overlap + more_overlap) / max(areas + more_found, 1)
        else:
            yield dice_of(option.apply(mask), truth)
