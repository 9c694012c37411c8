"""A finger pattern made from one name in which the finger is marked, and what it finds."""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from napari_veinseg.data.finger_groups import compile_finger_pattern, finger_in
from napari_veinseg.errors import VeinSegError
from napari_veinseg.wording import counted, listed

_LETTERS = r"[^\W\d_]"
_TOKEN = re.compile(rf"\d+|{_LETTERS}+|.", re.DOTALL)
_SHOWN_FINGERS = 3


def part_at(stem: str, place: int) -> tuple[int, int]:
    """Find start and end of what a click on a name means: it stands between two separators."""
    for found in re.finditer(r"[^\W_]+", stem):
        if found.start() <= place < found.end():
            return found.span()
    return place, place


def pattern_from_example(stems: Sequence[str], example: str, start: int, end: int) -> str:
    r"""Make the pattern that finds in all names what is marked in one: `example[start:end]`.

    Numbers and words may be others in other names, separators may not.  Of several readings the
    strictest is taken that fits the most names, such as ``^(\d+_\w+)_\d+$``.  Only where none fits
    another name the finger is taken by its place: in a stray name anything may stand there.
    """
    if not 0 <= start < end <= len(example):
        raise VeinSegError("Mark the part of the name that is the subject.")
    *readings, by_place = _readings(example, start, end)

    def fits(pattern: str) -> int:
        return sum(re.search(pattern, stem) is not None for stem in stems)

    best = max(readings, key=fits, default=by_place)  # the first of equals
    return by_place if fits(best) <= 1 < fits(by_place) else best


def _readings(example: str, start: int, end: int) -> Iterator[str]:
    """Give patterns from strict to loose; each finds just what is marked in the example."""
    finger = example[start:end]
    for words_differ in (False, True):
        before, group, after = _general(example, (start, end), words_differ)
        for inside in (group, ".+?", ".+"):
            for behind in (after, f"{_separator(after, example[end:])}.*"):
                pattern = f"^{before}({inside}){behind}$"
                found = re.search(pattern, example)
                if found is not None and found[1] == finger:
                    yield pattern
    yield rf"^[\s\S]{{{start}}}([\s\S]{{{end - start}}})"  # by its place, whatever stands there


def _separator(after: str, text: str) -> str:
    """Return what ends the finger where the rest of the name may be anything."""
    return re.escape(text[0]) if text and not text[0].isalnum() else after


def _general(example: str, cuts: tuple[int, int], words_differ: bool) -> tuple[str, str, str]:
    """Describe the three parts of a name; a number or word that is cut has a fixed length."""
    parts = ["", "", ""]
    for token in _TOKEN.finditer(example):
        places = [token.start(), *(c for c in cuts if token.start() < c < token.end())]
        for first, last in zip(places, [*places[1:], token.end()], strict=True):
            number = sum(first >= cut for cut in cuts)
            count = "+" if len(places) == 1 else f"{{{last - first}}}"
            parts[number] += _kind(example[first:last], count, words_differ or number == 1)
    return parts[0], parts[1], parts[2]


def _kind(text: str, count: str, words_differ: bool) -> str:
    if text.isdecimal():
        return rf"\d{count}"
    if words_differ and re.fullmatch(f"{_LETTERS}+", text):
        return f"{_LETTERS}{count}"
    return re.escape(text)


@dataclass(frozen=True)
class FingerGroups:
    """The names of each finger that a pattern finds, in their order, and those without one."""

    fingers: dict[str, list[str]]
    unknown: list[str]

    def __str__(self) -> str:
        count = len(self.fingers)
        said = [counted(count, "subject")]
        shown = list(self.fingers.items())[:_SHOWN_FINGERS]
        said += [f"{finger}: {listed(names)}" for finger, names in shown]
        if count > _SHOWN_FINGERS:
            said.append("…")
        if self.unknown:
            said.append(f"no subject in {listed(self.unknown)}")
        return "\n".join(said)


def group_by_finger(stems: Sequence[str], pattern: str) -> FingerGroups:
    """Apply a finger pattern to names, each of which is in the result once."""
    compiled = compile_finger_pattern(pattern)
    fingers: dict[str, list[str]] = defaultdict(list)
    unknown: list[str] = []
    for stem in stems:
        finger = finger_in(stem, compiled)
        (fingers[finger] if finger else unknown).append(stem)
    return FingerGroups(dict(fingers), unknown)
