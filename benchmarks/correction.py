"""How well and how quickly a mask is corrected, by a simulated annotator.

Tracing: two clicks at the ends of each branch of the truth; the line that is drawn, to the nearest
pixel, counts when neither it nor the true centreline is ever farther than 2 px from the other.
The same is asked of a straight line and of a plain ridge filter, without a model.  A branch is
visible when, smoothed over 9 px, its middle is at least 5 % darker than both of its shoulders
(2 px beside its border) along 90 % of its length; 'half visible' asks that of half of its length.

Correcting (`simulated_annotator`): from the starter's mask to a vein Dice of 0.95 against the
truth, or to the highest that all ways reach; unsure pixels of the truth are left out.  With the
tools, every click, key and field that is set counts one: a traced vein costs a click at each end,
one for each further click that leads the line, and one that ends it; a removed branch, a vein that
is added by a click on its middle, 'Redraw as measured' and the threshold, which is set at most
once and before anything else, cost one each.
With napari's brush and eraser a stroke is one press of the button along a nearly straight piece of
vein (within 1 px); `freehand_strokes` may follow any curve from one end of a branch to the other.
Choosing and sizing the brush is free.  The hand slips by 1 px (sd), with the brush and with clicks.

    python benchmarks/correction.py [--data DIR --set NAME] [--images N] [--corrected N] [--json]
    python benchmarks/correction.py --images 60 --corrected 0 --write README.md docs/correction.md

`drawn_anew_dice` says how far such a goal can be reached by drawing veins at all: the truth's own
centreline, drawn in its own width at each point.  What was designed on seeds 960000 to 960149
(`--first-seed 960000`) is reported on others.

`--data` (see `data_option`) with `--set` takes the images and masks of a set in place of rendered
ones; where it has `masks_as_published`, which lie beside the veins, these are moved onto them, too.
"""

import argparse
import json
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import figures
import numpy as np
from correction_course import Effort, dice_of
from correction_tables import views
from data_option import SETS, add_data_option, needed_set
from scipy import ndimage
from scipy.spatial import cKDTree
from simulated_annotator import with_brush, with_tools

from napari_veinseg import VeinModel
from napari_veinseg.correction.lines import densified, smoothed, vein_region
from napari_veinseg.correction.mask_alignment import best_shift, shifted
from napari_veinseg.correction.tracing import Tracer, measured_width, path_cost
from napari_veinseg.correction.vein_profile import centred
from napari_veinseg.data.grey import to_grey
from napari_veinseg.data.image_files import list_images, read_image
from napari_veinseg.data.mask_files import read_mask
from napari_veinseg.data.synthesis import synthetic_finger
from napari_veinseg.measurement.ridge_filter import valley_strength
from napari_veinseg.measurement.skeleton import centreline, trace, without_spurs
from napari_veinseg.measurement.vein_width_from_image import estimate_vein_width

FIRST_SEED = 950_000  # far from the seeds that models are trained on
TOLERANCE = 2.0
VISIBLE = 0.05


@dataclass(frozen=True)
class Case:
    """An image with its truth."""

    name: str
    image: np.ndarray
    truth: np.ndarray


def synthetic(first: int, count: int) -> Iterator[Case]:
    for seed in range(first, first + count):
        finger = synthetic_finger(seed)
        yield Case(f"seed {seed}", finger.image, finger.mask)


def stored(folder: Path, masks: str, count: int) -> Iterator[Case]:
    paths = list_images(folder / "images")
    for path in paths[:: max(len(paths) // count, 1)][:count]:
        mask = read_mask(folder / masks / path.name)
        yield Case(path.name, read_image(path), mask)


def branches_of(mask: np.ndarray) -> list[np.ndarray]:
    """Return the branches that are longer than the vein is wide and than 15 px."""
    vein = mask == 1
    line = without_spurs(centreline(vein), vein)
    width = 2 * ndimage.distance_transform_edt(vein)
    return [
        branch.path
        for branch in trace(line).branches
        if len(branch.path) > max(15, 1.5 * np.median(width[tuple(branch.path.T)]))
    ]


def contrast_along(image: np.ndarray, path: np.ndarray, width: float) -> np.ndarray:
    """Return how much darker a vein is than both of its shoulders, at each point."""
    grey = ndimage.gaussian_filter(to_grey(image), 1)
    line = ndimage.gaussian_filter1d(path.astype(float), 4, axis=0, mode="nearest")
    ahead = np.gradient(line, axis=0)
    ahead /= np.linalg.norm(ahead, axis=1, keepdims=True) + 1e-9
    sideways = np.stack([-ahead[:, 1], ahead[:, 0]], axis=1) * (width / 2 + 2)

    def levels(places: np.ndarray) -> np.ndarray:
        values = ndimage.map_coordinates(grey, places.T, order=1, mode="nearest")
        return ndimage.uniform_filter1d(values, 9)

    shoulders = np.minimum(levels(line + sideways), levels(line - sideways))
    return 1 - levels(line) / np.maximum(shoulders, 1)


def farthest(path: np.ndarray, truth: np.ndarray) -> float:
    return max(cKDTree(path).query(truth)[0].max(), cKDTree(truth).query(path)[0].max())


def straight(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    return np.linspace(start, end, int(np.abs(end - start).max()) * 2 + 2)


def trace_branches(cases: list[Case], model: VeinModel | None) -> dict[str, Any]:
    rows, milliseconds = [], []
    for case in cases:
        grey = to_grey(case.image)
        probability = model.probability(case.image) if model else None
        veins = None if probability is None else probability >= 0.5
        width = measured_width(veins) or estimate_vein_width(grey)
        strength = valley_strength(grey, [width])
        costs = {
            "traced": path_cost(grey, width, probability),
            "image only": path_cost(grey, width),
            "ridge filter": (1 / (strength / (strength.max() + 1e-6) + 0.05)).astype(np.float32),
        }
        distance = ndimage.distance_transform_edt(case.truth == 1)
        for branch in branches_of(case.truth):
            vein_width = 2 * float(np.median(distance[tuple(branch.T)]))
            contrast = contrast_along(case.image, branch, vein_width)
            row = {"visible": float((contrast >= VISIBLE).mean())}
            row["straight"] = farthest(straight(branch[0], branch[-1]), branch)
            for name, cost in costs.items():
                tracer = Tracer(cost, branch[0])
                begin = time.perf_counter()
                tracer.preview(branch[-1])
                milliseconds.append(1e3 * (time.perf_counter() - begin))
                path = tracer.path(branch[-1])
                path = smoothed(path) if name == "ridge filter" else centred(grey, path, width)
                drawn, _ = densified(path)
                row[name] = farthest(np.rint(drawn), branch)
            rows.append(row)
    return {"rows": rows, "move_ms": statistics.median(milliseconds)}


def share(rows: list[dict[str, Any]], name: str, visible: float) -> float:
    chosen = [row[name] <= TOLERANCE for row in rows if row["visible"] >= visible]
    return round(float(np.mean(chosen)), 3) if chosen else float("nan")


def effort(cases: list[Case], starts: list[np.ndarray], model: VeinModel | None) -> list[Effort]:
    efforts = []
    for case, start in zip(cases, starts, strict=True):
        probability = model.probability(case.image) if model else None
        begin = start == 1
        clicks = with_tools(case.image, begin, case.truth, probability)
        strokes = [with_brush(begin, case.truth, straight) for straight in (False, True)]
        efforts.append(Effort(clicks, *strokes))
    return efforts


def drawn_anew_dice(case: Case) -> float:
    """Draw the truth from its own centreline and width: what drawing cannot exceed."""
    is_vein = case.truth == 1
    distance = ndimage.distance_transform_edt(is_vein)
    drawn = np.zeros(is_vein.shape, bool)
    for branch in trace(centreline(is_vein)).branches:
        widths = 2 * distance[tuple(branch.path.T)] - 0.5
        drawn |= vein_region(is_vein.shape, smoothed(branch.path.astype(float)), widths)
    return dice_of(drawn, case.truth)


def moved(cases: list[Case]) -> dict[str, Any]:
    """Move masks that lie beside the veins, as the button 'Move onto veins' does."""
    shifts, before, after = [], [], []
    for case in cases:
        grey = to_grey(case.image)
        start = case.truth
        shift = best_shift(grey, start, estimate_vein_width(grey))
        shifts.append(shift)
        before.append(start)
        after.append(shifted(start, *shift).applied_to(start))
    return {"shifts": shifts, "before": before, "after": after}


def timings() -> dict[str, Any]:
    """Milliseconds of a click and of a cursor move, in images of 512 and 2048 px."""
    answer = {}
    for side in (512, 2048):
        cost = path_cost(np.random.default_rng(0).random((side, side)), 6)
        begin = time.perf_counter()
        tracer = Tracer(cost, (side / 2, side / 2))
        answer[f"click_ms_{side}"] = round(1e3 * (time.perf_counter() - begin), 1)
        moves = []
        for step in range(40):
            begin = time.perf_counter()
            tracer.preview((step * side / 40, 3))
            moves.append(1e3 * (time.perf_counter() - begin))
        answer[f"move_ms_{side}"] = round(max(moves), 1)
    return answer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_data_option(parser)
    parser.add_argument("--set", choices=SETS, help="of the data; without it images are rendered")
    parser.add_argument("--images", type=int, default=60)
    parser.add_argument("--first-seed", type=int, default=FIRST_SEED)
    parser.add_argument("--corrected", type=int, default=8, help="images that are corrected")
    parser.add_argument("--model", default="starter", help="'none' traces by the image alone")
    parser.add_argument("--json", action="store_true")
    figures.add_write_option(parser)
    arguments = parser.parse_args()
    model = None if arguments.model == "none" else VeinModel.load(arguments.model, "cpu")
    folder = needed_set(arguments.data, arguments.set) if arguments.set else None
    cases = list(
        stored(folder, "masks", arguments.images)
        if folder
        else synthetic(arguments.first_seed, arguments.images)
    )
    traced = trace_branches(cases, model)
    rows = traced["rows"]
    answer = {
        "images": len(cases),
        "branches": len(rows),
        "visible_branches": sum(row["visible"] >= 0.9 for row in rows),
        "half_visible_branches": sum(row["visible"] >= 0.5 for row in rows),
    }
    table = {}
    for name in ("traced", "image only", "ridge filter", "straight"):
        table[name] = [share(rows, name, visible) for visible in (0.9, 0.5, 0.0)]
        key = f"{name.replace(' ', '_')}_within_2px"
        answer[key], answer[f"{key}_half_visible"], answer[f"{key}_all"] = table[name]
    answer |= timings()
    if model and arguments.corrected:
        some = cases[: arguments.corrected]
        efforts = effort(some, [model.segment(case.image) for case in some], model)
        answer |= {"corrected": len(some)} | Effort.summary(efforts)
        answer["drawn_anew_dice"] = round(statistics.mean(map(drawn_anew_dice, some)), 3)
    if folder and (folder / "masks_as_published").is_dir():
        beside = moved(list(stored(folder, "masks_as_published", arguments.images)))
        answer["published_dice_before"], answer["published_dice_after_one_click"] = (
            round(
                statistics.mean(
                    dice_of(m == 1, c.truth) for m, c in zip(beside[when], cases, strict=True)
                ),
                3,
            )
            for when in ("before", "after")
        )
        answer["published_shift"] = [
            float(np.median(axis)) for axis in zip(*beside["shifts"], strict=True)
        ]
    if arguments.write:
        figures.write(arguments.write, views(answer, table))
    if arguments.json:
        print(json.dumps(answer))
        return
    print(f"{'within 2 px':16}{'visible':>10}{'half visible':>14}{'all':>8}")
    for name, values in table.items():
        print(f"{name:16}{values[0]:10.3f}{values[1]:14.3f}{values[2]:8.3f}")
    for key, value in answer.items():
        if "within" not in key:
            print(f"{key:36}{value}")


if __name__ == "__main__":
    main()
