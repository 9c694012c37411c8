"""One missing vein, found from a click: a single path along a dark valley, or why there is none."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_veinseg.correction.lines import densified, normals
from napari_veinseg.correction.tracing import log_levels
from napari_veinseg.correction.vein_profile import Floats, centred, widths_along
from napari_veinseg.data.array_types import Binary, Grey, Mask, Point, Points, Px
from napari_veinseg.data.labels import VEIN

# Where shoulders are looked for, in typical vein widths: veins differ, and so do estimates.
_SHOULDERS = (0.4, 0.65, 1.0, 1.6)
_DIRECTIONS = 16  # over half a turn
_TURN = np.deg2rad(36)  # the most that a vein turns in a step
_STEP = 0.6  # vein widths
_FAINTEST = 0.01  # two-sided contrast: darker than both shoulders by this part
_EDGE = 0.1  # difference of the two shoulders
_WINDING = 0.2  # mean turn in half a vein width: paths in noise wind, veins do not
_FADED = 0.35  # a vein is followed while it has this part of its contrast so far
_SHORTEST = 2.5  # vein widths
_LONGEST = 512  # px each way


@dataclass(frozen=True)
class FoundVein:
    """What was found under a click."""

    path: Points
    """`(n, 2)`, the vein's middle, (row, column); empty where there is none."""
    widths: Floats
    """`(n,)`, its width at each point in px."""
    refusal: str = ""
    """One sentence that says why there is none; empty where there is one."""


class VeinFinder:
    """Finds the vein under a click.

    A vein is darker than both of its shoulders, which the edge of a finger or arm is not.  From the
    darkest such place near the click it is followed both ways, step by step, as straight as it
    allows, until it meets the mask, leaves the image or fades: never into a side branch.
    """

    def __init__(self, grey: Grey, vein_width: Px) -> None:
        self._grey, self._width = grey, vein_width
        raw = log_levels(grey)
        self._levels = ndimage.gaussian_filter(raw, max(0.15 * vein_width, 1.0))
        self._rough = raw - self._levels
        self._shape = np.array(self._levels.shape)

    def find(self, mask: Mask, point: Point) -> FoundVein:
        """Find the vein under a click, up to those of the mask, or the reason why there is none."""
        here = np.clip(np.rint(point).astype(int), 0, self._shape - 1)
        is_vein = np.asarray(mask) == VEIN
        if is_vein[tuple(here)]:
            return _refused("The mask has a vein here already.")
        start, direction, contrast = self._start(here, is_vein)
        if contrast < _FAINTEST:
            return _refused("Nothing here is darker than both of its sides.")
        ahead = self._follow(start, direction, contrast, is_vein)
        back = self._follow(start, direction + np.pi, contrast, is_vein)
        corners = np.concatenate([back[::-1], start[None], ahead])
        length = np.linalg.norm(np.diff(corners, axis=0), axis=1).sum()
        met = [is_vein[tuple(np.rint(end).astype(int))] for end in (corners[0], corners[-1])]
        if length < _SHORTEST * self._width and not all(met):
            return _refused("This is too short, or too faint, to be followed.")
        path = centred(self._grey, densified(corners, step=1.0)[0], self._width)
        reason = self._doubt_about(path)
        if reason:
            return _refused(reason)
        return FoundVein(path, widths_along(self._grey, path, self._width))

    def _doubt_about(self, path: Points) -> str:
        """Say why a path is no vein; empty when it may be one."""
        sideways = normals(path)
        across = sideways * self._width
        middle, left, right = (self._sample(path + side * across) for side in (0, 1, -1))
        angles = np.arctan2(sideways[:, 1], -sideways[:, 0])
        contrast = float(np.median(self._contrast(path, angles)))
        uneven = abs(float(np.median(left - right)))
        if uneven > max(_EDGE, 1.5 * float(np.median(np.minimum(left, right) - middle))):
            return "This is an edge, much brighter on one side than on the other."
        places = np.concatenate([path + side * across for side in (-1, -0.5, 0, 0.5, 1)])
        noise = 1.48 * float(np.median(np.abs(self._sample(places, self._rough))))
        step = np.diff(np.unwrap(angles[:: max(round(self._width / 2), 1)]))
        winds = len(step) > 3 and float(np.abs(step).mean()) > _WINDING
        if contrast < _FAINTEST / 2 or contrast < 1.2 * noise or (winds and contrast < 2 * noise):
            return "Nothing here is clearer than the noise around it."
        return ""

    def _start(self, here: NDArray[np.intp], is_vein: Binary) -> tuple[Floats, float, float]:
        """Find the best place within a vein width, the vein's direction and its contrast there."""
        reach = max(int(self._width), 3)
        side = 2 * reach + 1
        near = np.argwhere(np.ones((side, side), np.bool_)) - reach
        away = np.linalg.norm(near, axis=1)
        places = here + near
        inside = ((places >= 0) & (places < self._shape)).all(axis=1) & (away <= reach)
        places, away = places[inside], away[inside]
        free = ~is_vein[tuple(places.T)]
        places, away = places[free], away[free]
        angles = np.arange(_DIRECTIONS) * np.pi / _DIRECTIONS
        found = self._contrast(places[:, None], angles[None]).clip(0)
        found *= (1 - away / (2 * reach + 1))[:, None]
        place, angle = np.unravel_index(np.argmax(found), found.shape)
        start = places[place].astype(np.float64)
        along = self._along(start, angles[angle : angle + 1], 2 * self._width)
        return start, float(angles[angle]), float(along[0])

    def _follow(self, start: Floats, direction: float, contrast: float, is_vein: Binary) -> Points:
        """Take steps along the vein; the last ones, which had faded, are taken back."""
        step = max(_STEP * self._width, 2.0)
        turns = np.linspace(-_TURN, _TURN, 9)
        points: list[Floats] = []
        place, seen, last_good = start, [contrast], 0
        while len(points) * step < _LONGEST:
            angles = direction + turns
            ahead = self._along(place, angles, 2 * step, forward=True)
            ahead *= 1 - 0.25 * (turns / _TURN) ** 2
            best = int(np.argmax(ahead))
            direction = float(angles[best])
            place = place + step * np.array([np.sin(direction), np.cos(direction)])
            if not ((place >= 0) & (place <= self._shape - 1)).all():
                points.append(np.clip(place, 0, self._shape - 1))
                last_good = len(points)
                break
            points.append(place)
            found = float(self._along(place, np.array([direction]), step)[0])
            if found >= max(_FADED * np.median(seen), _FAINTEST / 2):
                last_good = len(points)
                seen.append(found)
            elif len(points) - last_good >= 3:
                break
            if is_vein[tuple(np.rint(place).astype(int))]:
                last_good = len(points)
                break
        return np.array(points[:last_good], np.float64).reshape(-1, 2)

    def _along(
        self, place: Floats, angles: NDArray[Any], length: float, forward: bool = False
    ) -> Floats:
        """Average the contrast along short lines through a place, or ahead of it."""
        offsets = np.linspace(0 if forward else -length / 2, length if forward else length / 2, 7)
        ahead = np.stack([np.sin(angles), np.cos(angles)], axis=-1)
        places = place + offsets[:, None, None] * ahead
        return self._contrast(places, angles[None]).mean(axis=0)

    def _contrast(self, places: NDArray[Any], angles: NDArray[Any]) -> Floats:
        """Say how much darker places are than both of their sides across a direction."""
        across = np.stack([np.cos(angles), -np.sin(angles)], axis=-1)
        middle = self._sample(
            np.broadcast_to(places, np.broadcast_shapes(places.shape, across.shape))
        )
        best = np.full(middle.shape, -np.inf)
        for offset in _SHOULDERS:
            away = across * max(offset * self._width, 2.0)
            lower = np.minimum(self._sample(places + away), self._sample(places - away))
            best = np.maximum(best, lower - middle)
        return best

    def _sample(self, places: NDArray[Any], levels: Any = None) -> Floats:
        return ndimage.map_coordinates(
            self._levels if levels is None else levels,
            np.moveaxis(places, -1, 0),
            np.float64,
            order=1,
            mode="nearest",
        )


def _refused(reason: str) -> FoundVein:
    return FoundVein(np.zeros((0, 2)), np.zeros(0), reason)
