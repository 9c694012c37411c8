"""How good a model is on real veins that it never learnt from, in one table.

    python benchmarks/real.py --data DIR [--model starter ...] [--crops FOLDER] [--json FILE]
    python benchmarks/real.py --data DIR --crops FOLDER --write README.md docs/model_card.md
    python benchmarks/real.py --data DIR --learn [--minutes 2] [--draws 3] [--write FILE]

Fingers of `nupt_fpv` (and of FOLDER, where names end in `_SHOT`) have no masks: their shots should
agree, by Miura matching at half resolution.  `raw` masks are matched at the card's threshold and at
the best one, and `lines` of steady width (3 % of the shorter side) along the centrelines.  The
forearms of `forearm_masks` have masks that people drew, sparsely: recall of their centrelines
within 3 px counts more than precision.  Intervals of 95 % resample fingers, or groups of subjects.

`--learn` compares what five drawn masks and two minutes give: see `real_learning.py`.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import figures
import numpy as np
from data_option import add_data_option, needed_set
from real_sets import THRESHOLDS, Fingers, Forearms, Scorer, finger_sets, forearms, lines
from real_tables import full, learned, overview

from napari_veinseg import VeinModel
from napari_veinseg.data.grey import to_grey, without_gaps
from napari_veinseg.evaluation.baselines import maximum_curvature
from napari_veinseg.evaluation.bootstrap import Estimate
from napari_veinseg.measurement.vein_width_from_image import estimate_vein_width

Row = dict[str, Any]
_LINE_THRESHOLDS = (0.15, 0.25, 0.5)


def curvature_score(image: np.ndarray) -> np.ndarray:
    """Maximum curvature; 0.5 is the median of its maxima, where its authors cut."""
    grey = without_gaps(to_grey(image))
    strength = maximum_curvature(grey, estimate_vein_width(grey))
    half = float(np.median(strength[strength > 0])) if strength.any() else 1.0
    return (strength / (strength + half)).astype(np.float32)


def finger_rows(name: str, scorer: Scorer, threshold: float, sets: list[Fingers]) -> list[Row]:
    """Match the fingers of all sets: raw at both thresholds, and lines."""
    rows = []
    for fingers in sets:
        scores = fingers.scored(scorer)
        sweep = {t: fingers.quick([s >= t for s in scores]) for t in THRESHOLDS}
        best = min(sweep, key=lambda t: (sweep[t][0], -sweep[t][1]))
        drawn = {t: lines(scores, t) for t in _LINE_THRESHOLDS}
        rates = {t: fingers.quick(masks) for t, masks in drawn.items()}
        line = min(rates, key=lambda t: (rates[t][0], -rates[t][1]))
        for masks, at, what in (
            (f"raw at {threshold:.2f} (card)", threshold, None),
            (f"raw at {best:.2f} (best)", best, None),
            (f"lines at {line:.2f} (best)", line, drawn[line]),
        ):
            rate, distance = fingers.judged(what or [score >= at for score in scores])
            rows.append(
                {
                    "model": name,
                    "set": fingers.name,
                    "size": fingers.size,
                    "masks": masks,
                    "equal error rate": rate,
                    "d'": distance,
                    "sweep": {str(t): figures for t, figures in sweep.items()},
                }
            )
    return rows


def forearm_rows(name: str, scorer: Scorer, threshold: float, arms: Forearms) -> list[Row]:
    """Hold the answers against the masks that people drew."""
    scores = {stem: scorer(image) for stem, image in arms.images.items()}
    best = arms.best_threshold(scores)
    return [
        {
            "model": name,
            "set": "forearms",
            "size": f"{len(arms.images)} photographs",
            "masks": f"at {at:.2f} ({why})",
            **arms.judged(scores, at),
        }
        for at, why in ((threshold, "card"), (best, "best"))
    ]


def print_rows(rows: list[Row]) -> None:
    """Print rows of the same figures as a table."""
    figures = [key for key, value in rows[0].items() if isinstance(value, Estimate)]
    texts = [key for key, value in rows[0].items() if isinstance(value, str)]
    print("\n| " + " | ".join(texts + figures) + " |")
    print("|---" * len(texts + figures) + "|")
    for row in rows:
        cells = [f"{row[key]:.3f}" for key in figures]
        print("| " + " | ".join([row[key] for key in texts] + cells) + " |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_data_option(parser)
    parser.add_argument("--model", nargs="+", default=["starter"], help="names or files")
    parser.add_argument("--crops", type=Path, help="a folder of more fingers, FINGER_SHOT.jpg")
    parser.add_argument("--no-baselines", action="store_true")
    parser.add_argument("--json", type=Path, help="also write all figures there")
    figures.add_write_option(parser)
    parser.add_argument("--learn", action="store_true", help="after five images and some minutes")
    parser.add_argument("--minutes", type=float, default=2.0)
    parser.add_argument("--draws", type=int, default=3)
    arguments = parser.parse_args()
    arms = forearms(needed_set(arguments.data, "forearm_masks"))
    if arguments.learn:
        from real_learning import learning_rows

        rows = learning_rows(arms, arguments.model[0], arguments.minutes, arguments.draws)
        print_rows(rows)
        if arguments.write:
            figures.write(arguments.write, {"five images": learned(rows)})
        return
    contenders: dict[str, tuple[Scorer, float]] = {}
    for name in arguments.model:
        model = VeinModel.load(name, device="cpu")
        contenders[name] = (model.probability, model.card.threshold)
    if not arguments.no_baselines:
        contenders["maximum curvature"] = (curvature_score, 0.5)
    sets = finger_sets(needed_set(arguments.data, "nupt_fpv"), arguments.crops)
    of_fingers = [row for name, at in contenders.items() for row in finger_rows(name, *at, sets)]
    print_rows(of_fingers)
    of_arms = [row for name, at in contenders.items() for row in forearm_rows(name, *at, arms)]
    print_rows(of_arms)
    if arguments.json:
        text = json.dumps(of_fingers + of_arms, default=vars, indent=1)
        arguments.json.write_text(text, encoding="utf-8")
    if arguments.write:
        views = {"overview": overview, "tables": full}
        figures.write(
            arguments.write, {name: view(of_fingers, of_arms) for name, view in views.items()}
        )


if __name__ == "__main__":
    main()
