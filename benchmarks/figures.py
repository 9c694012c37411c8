"""Figures in README and docs: between marks that say what measured them, and on which starter.

    make figures                                          # the next, with VEINSEG_DATA
    python benchmarks/figures.py [--data DIR] [--crops FOLDER] [--minutes 10]
    python benchmarks/figures.py --stamp FILE COMMAND     # typed by hand, after COMMAND

A block begins with a mark

    <!-- VIEW of COMMAND; starter VERSION DIGEST; MINUTES min -->

and ends with `<!-- end of VIEW -->`.  A benchmark replaces what stands between them when COMMAND is
called with `--write FILE ...`; `by hand` instead of the minutes says that a person did.  The digest
is that of all in the starter that decides about a mask.  When the starter was replaced, this
command runs again what takes minutes (of a processor), prints what takes longer, and lets the block
itself say that it is of an earlier starter.  A test fails where a block neither is of the shipped
starter nor says so.
"""

import argparse
import hashlib
import os
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from data_option import add_data_option
from safetensors.numpy import load_file

from napari_veinseg.model.file import read_card
from napari_veinseg.model.store import STARTER, resolve

ROOT = Path(__file__).parents[1]
_BLOCK = re.compile(
    r"<!-- (?P<view>[\w ]+) of (?P<command>(?:benchmarks|recipes)/[^;]+); "
    r"starter (?P<starter>\S+ [0-9a-f]{12}); (?:(?P<minutes>[\d.]+) min|by hand) -->\n"
    r"(?P<text>.*?)\n<!-- end of (?P=view) -->",
    re.DOTALL,
)
_EARLIER = "*Of an earlier edition of the starter:* `python {command}` measures it again."
_PLACES = {"--data": "DIR", "--crops": "FOLDER", "--log": "FOLDER"}
"""Options whose value depends on the machine, and what stands for it in a mark."""


@dataclass(frozen=True)
class Block:
    """What stands between two marks."""

    view: str
    command: str
    starter: str
    minutes: float | None
    """Of a processor; None where it was typed by hand."""
    text: str

    @property
    def is_true(self) -> bool:
        """Whether it is of the shipped starter, or says that it is not."""
        return self.starter == shipped_starter() or self.says_earlier

    @property
    def says_earlier(self) -> bool:
        """Whether its first line says that it is of an earlier starter."""
        return self.text.lstrip().startswith(_EARLIER.partition("{")[0])

    def __str__(self) -> str:
        how = "by hand" if self.minutes is None else f"{self.minutes:.1f} min"
        mark = f"<!-- {self.view} of {self.command}; starter {self.starter}; {how} -->"
        return f"{mark}\n{self.text}\n<!-- end of {self.view} -->"

    def renewed(self, text: str, minutes: float | None) -> "Block":
        """Give the same block with what was measured on the shipped starter."""
        text = f"\n{text.strip()}\n"
        return replace(self, starter=shipped_starter(), text=text, minutes=minutes)

    def aged(self) -> "Block":
        """Give the same block saying that it is of an earlier starter."""
        if self.is_true:
            return self
        note = _EARLIER.format(command=self.command)
        return replace(self, text=f"\n{note}\n\n{self.text.strip()}\n")


@cache
def shipped_starter() -> str:
    """Return version and digest of what decides about a mask; the figures in its card do not."""
    path = resolve(STARTER)
    card = read_card(path)
    deciding = {"network", "normalisation", "working_vein_width", "threshold"}
    if card.scales != (1.0,):  # else figures that are older than scales would be another's
        deciding.add("scales")
    digest = hashlib.sha256(card.model_dump_json(include=deciding).encode())
    for name, weights in sorted(load_file(path).items()):
        digest.update(name.encode() + weights.tobytes())
    return f"{card.package_version} {digest.hexdigest()[:12]}"


def documents() -> list[Path]:
    """List the files that may hold blocks."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def blocks_in(text: str) -> list[Block]:
    """Find the blocks of a document."""
    return [_block(match) for match in _BLOCK.finditer(text)]


def _block(match: re.Match[str]) -> Block:
    minutes = match["minutes"]
    return Block(
        match["view"],
        match["command"],
        match["starter"],
        None if minutes is None else float(minutes),
        match["text"],
    )


def add_write_option(parser: argparse.ArgumentParser) -> None:
    """Add `--write FILE ...`."""
    parser.add_argument(
        "--write",
        type=Path,
        nargs="+",
        default=[],
        metavar="FILE",
        help="put the figures between the marks of this command there, see figures.py",
    )


def write(files: Sequence[Path], views: Mapping[str, str]) -> None:
    """Put texts between the marks that name the command that runs, in all files."""
    own = f"{Path(sys.argv[0]).parent.name}/{Path(sys.argv[0]).name}", sys.argv[1:]
    minutes = max(0.1, (time.process_time() + sum(os.times()[2:4])) / 60)
    for file in files:
        text = file.read_text(encoding="utf-8")
        count = 0

        def renewed(match: re.Match[str]) -> str:
            nonlocal count
            block = _block(match)
            script, *options = shlex.split(block.command)
            if (script, _told(options)) != (own[0], _told(own[1])) or block.view not in views:
                return match[0]
            count += 1
            return str(block.renewed(views[block.view], minutes))

        text = _BLOCK.sub(renewed, text)
        if not count:
            raise SystemExit(
                f"{file} has no mark of {own[0]} {shlex.join(_told(own[1]))}: nothing was written."
            )
        file.write_text(text, encoding="utf-8")


def _told(options: Sequence[str]) -> list[str]:
    """Leave out what says where to read and to write, and not what is measured."""
    kept, skipping = [], False
    for option in options:
        if option.startswith("--"):
            skipping = option in (*_PLACES, "--write", "--json")
        if not skipping:
            kept.append(option)
    return kept


def table(rows: Sequence[Mapping[str, object]]) -> str:
    """Write rows of the same columns as a table."""
    lines = ["| " + " | ".join(rows[0]) + " |", "|---" * len(rows[0]) + "|"]
    lines += ["| " + " | ".join(_cell(value) for value in row.values()) + " |" for row in rows]
    return "\n".join(lines)


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"
    return str(value)


def _stale() -> Iterator[tuple[Path, Block]]:
    for path in documents():
        for block in blocks_in(path.read_text(encoding="utf-8")):
            if block.starter != shipped_starter():
                yield path, block


def _runnable(command: str, places: Mapping[str, Path | None]) -> list[str] | None:
    """Fill in the places of this machine; None where one is missing."""
    words = [sys.executable, *shlex.split(command)]
    for option, stand_in in _PLACES.items():
        if option in words:
            at = words.index(option) + 1
            place = places.get(option)
            if words[at] != stand_in or place is None:
                return None
            words[at] = str(place)
    return words


def _renew(most_minutes: float, places: Mapping[str, Path | None]) -> None:
    found: dict[str, list[tuple[Path, Block]]] = {}
    for path, block in _stale():
        found.setdefault(block.command, []).append((path, block))
    for command, where in found.items():
        files = [str(path.relative_to(ROOT)) for path in dict.fromkeys(path for path, _ in where)]
        minutes = max((block.minutes or 0.0 for _, block in where), default=0.0)
        by_hand = any(block.minutes is None for _, block in where)
        words = _runnable(command, places)
        if by_hand:
            print(f"By hand: python {command}\n  then: figures.py --stamp {files[0]} '{command}'")
        elif words is None or minutes > most_minutes:
            print(f"{minutes:.0f} minutes: python {command} --write {' '.join(files)}")
        else:
            print(f"Running: {command}", flush=True)
            subprocess.run([*words, "--write", *files], cwd=ROOT, check=True)
    _age()


def _age() -> None:
    """Let what is still of an earlier starter say so."""
    for path in documents():
        text = path.read_text(encoding="utf-8")
        path.write_text(_BLOCK.sub(lambda m: str(_block(m).aged()), text), encoding="utf-8")


def _stamp(path: Path, command: str) -> None:
    """Say that a person has typed what COMMAND gave on the shipped starter."""

    def stamped(match: re.Match[str]) -> str:
        block = _block(match)
        if block.command != command or block.minutes is not None:
            return match[0]
        text = block.text
        if block.says_earlier:
            text = text.lstrip().partition("\n")[2]
        return str(block.renewed(text, None))

    text = path.read_text(encoding="utf-8")
    changed = _BLOCK.sub(stamped, text)
    if command not in [block.command for block in blocks_in(text)]:
        raise SystemExit(f"{path} has no mark of {command}.")
    path.write_text(changed, encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_data_option(parser)
    parser.add_argument("--crops", type=Path, default=os.environ.get("VEINSEG_CROPS") or None)
    parser.add_argument("--minutes", type=float, default=10, help="what takes longer is printed")
    parser.add_argument("--stamp", nargs=2, metavar=("FILE", "COMMAND"))
    arguments = parser.parse_args()
    if arguments.stamp:
        _stamp(Path(arguments.stamp[0]), arguments.stamp[1])
    else:
        places = {"--data": arguments.data, "--crops": arguments.crops, "--log": None}
        _renew(arguments.minutes, places)


if __name__ == "__main__":
    main()
