"""The tables of README and model card from the rows of `real.py`: the starter beside a baseline."""

from typing import Any

import numpy as np
from figures import table

from napari_veinseg.evaluation.bootstrap import Estimate

Row = dict[str, Any]
_BASELINE, _DISTANCE = "maximum curvature", "d'"
_SETS = {
    "session 1": "fingers, session 1",
    "session 2": "the same fingers, session 2",
    "across": "one session against the other",
    "crops": "crops of other fingers",
    "crops, framed alike": "those crops that show the same part of a finger",
}
_DRAWN = {
    "dice": "Dice",
    "centreline_recall": "centreline found within 3 px",
    "centreline_precision": "found that is one",
}


def overview(of_fingers: list[Row], of_arms: list[Row]) -> str:
    """One row a set: the starter at its own threshold, with intervals."""
    rows: list[Row] = []
    for name in dict.fromkeys(row["set"] for row in of_fingers):
        starter, baseline = (
            _find(of_fingers, model, name, "raw", "(card)") for model in ("starter", _BASELINE)
        )
        rows.append(
            {
                "real images": f"{_SETS[name]} ({starter['size']})",
                "figure": "equal error rate of Miura matching",
                "starter": _percent(starter["equal error rate"]),
                _BASELINE: f"{100 * baseline['equal error rate'].value:.1f} %",
            }
        )
    arms = [_find(of_arms, model, "forearms", "at", "(card)") for model in ("starter", _BASELINE)]
    for key, name in (
        ("dice", "Dice"),
        ("centreline_recall", "of the drawn centrelines, found within 3 px"),
    ):
        rows.append(
            {
                "real images": f"forearms, masks that people drew ({arms[0]['size']})",
                "figure": name,
                "starter": _share(arms[0][key]),
                _BASELINE: f"{arms[1][key].value:.2f}",
            }
        )
    return table(rows)


def full(of_fingers: list[Row], of_arms: list[Row]) -> str:
    """All thresholds and lines."""
    sets = list(dict.fromkeys(row["set"] for row in of_fingers))

    def rates(what: str, model: str, begin: str, end: str) -> Row:
        found = [_find(of_fingers, model, name, begin, end) for name in sets]
        at = sorted({row["masks"].split()[2] for row in found})
        return {"masks; equal error rate / d'": what.format(" or ".join(at))} | {
            name: f"{100 * row['equal error rate'].value:.1f} % / {row[_DISTANCE].value:.2f}"
            for name, row in zip(sets, found, strict=True)
        }

    fingers = [
        rates("starter, at the card's threshold of {}", "starter", "raw", "(card)"),
        rates("starter, at the best threshold of a set ({})", "starter", "raw", "(best)"),
        rates("starter, lines of steady width along the centrelines", "starter", "lines", "(best)"),
        rates("maximum curvature, the stronger half", _BASELINE, "raw", "(card)"),
    ]

    def arms(what: str, model: str, end: str) -> Row:
        found = _find(of_arms, model, "forearms", "at", end)
        at = found["masks"].split()[1]
        shares = {told: _share(found[key]) for key, told in _DRAWN.items()}
        return {"forearms": what.format(at)} | shares

    drawn = [
        arms("starter, at the card's threshold of {}", "starter", "(card)"),
        arms("starter, at {}, the best", "starter", "(best)"),
        arms("maximum curvature", _BASELINE, "(card)"),
    ]
    return f"{table(fingers)}\n\n{table(drawn)}"


def learned(rows: list[Row]) -> str:
    """One row a learner: means over the draws, and the lowest and the highest of them."""
    draws: dict[str, list[Row]] = {}
    for row in rows:
        draws.setdefault(row["learner"], []).append(row)

    def over_draws(found: list[Row], key: str) -> str:
        values = [row[key].value for row in found]
        return f"{np.mean(values):.2f} ({min(values):.2f} to {max(values):.2f})"

    def mean_dice(name: str) -> float:
        return float(np.mean([row["dice"].value for row in draws[name]]))

    return table(
        [
            {"learner": name} | {told: over_draws(draws[name], key) for key, told in _DRAWN.items()}
            for name in sorted(draws, key=mean_dice, reverse=True)
        ]
    )


def _find(rows: list[Row], model: str, set_: str, begin: str, end: str = "") -> Row:
    """Find the row of a model and a set by how its masks are called."""
    (found,) = (
        row
        for row in rows
        if (row["model"], row["set"]) == (model, set_)
        and row["masks"].startswith(begin)
        and row["masks"].endswith(end)
    )
    return found


def _percent(figure: Estimate) -> str:
    return f"{100 * figure.value:.1f} %{_interval(figure, lambda x: f'{100 * x:.1f}')}"


def _share(figure: Estimate) -> str:
    return f"{figure.value:.2f}{_interval(figure, lambda x: f'{x:.2f}')}"


def _interval(figure: Estimate, told: Any) -> str:
    if figure.low is None or figure.high is None:
        return ""
    return f" ({told(figure.low)} to {told(figure.high)})"
