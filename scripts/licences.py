"""List the licence of every package that the wheel needs, from what is installed here.

    python scripts/licences.py [docs/licences.md]

Walks the requirements of the package, and theirs, as pip would on this machine without extras; what
copyleft licences ask for is told.  Ends with 1 when a package says nothing about its licence.
"""

import re
import sys
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PACKAGE = "napari-veinseg"
WEAK = re.compile(r"\b(LGPL|MPL|EPL|CDDL)|Lesser General|Mozilla Public", re.IGNORECASE)
STRONG = re.compile(r"\bA?GPL|(?<!Lesser )General Public", re.IGNORECASE)
UNKNOWN = "not told"
INTRODUCTION = f"""\
What `pip install {PACKAGE}` brings, with what it needs in turn, on the machine where
`python scripts/licences.py docs/licences.md` wrote this list. The package itself is under
BSD-3-Clause and contains no code of the packages below. Extras (`[all]`, `[cluster]` and so on)
bring more; Qt bindings come with `[all]` alone. The list repeats what packages say of themselves
and does not look into libraries that their wheels enclose. torch's usual build for Linux also
brings NVIDIA's libraries, which are under NVIDIA's own terms."""
FOREARM = """\
## The model `forearm`

It learnt from photographs and drawn masks of V. M. Leli et al., Near-Infrared-to-Visible Vein
Imaging via Convolutional Neural Networks and Reinforcement Learning, ICARCV 2020 (please cite it),
published under this licence:

> MIT License
>
> Copyright (c) 2020 cviaai
>
> Permission is hereby granted, free of charge, to any person obtaining a copy of this software
> and associated documentation files (the "Software"), to deal in the Software without
> restriction, including without limitation the rights to use, copy, modify, merge, publish,
> distribute, sublicense, and/or sell copies of the Software, and to permit persons to whom the
> Software is furnished to do so, subject to the following conditions:
>
> The above copyright notice and this permission notice shall be included in all copies or
> substantial portions of the Software.
>
> THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING
> BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND
> NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM,
> DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
> OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE."""


def needed(name: str) -> dict[str, Distribution]:
    """Everything that `name` requires, by canonical name, itself left out."""
    found: dict[str, Distribution] = {}
    waiting = [(name, frozenset[str]())]
    seen = set()
    while waiting:
        package, extras = waiting.pop()
        if (package, extras) in seen:
            continue
        seen.add((package, extras))
        try:
            installed = distribution(package)
        except PackageNotFoundError:
            sys.exit(f"{package} is needed but not installed: run make first.")
        found[canonicalize_name(package)] = installed
        for line in installed.requires or ():
            requirement = Requirement(line)
            environments = [{"extra": extra} for extra in extras or {""}]
            if requirement.marker and not any(map(requirement.marker.evaluate, environments)):
                continue
            waiting.append((requirement.name, frozenset(requirement.extras)))
    found.pop(canonicalize_name(name))
    return found


def licence(package: Distribution) -> str:
    """Read what a package says of its licence: SPDX expression, else classifiers, else text."""
    told = package.metadata
    if told["License-Expression"]:
        return str(told["License-Expression"])
    classifiers = [
        line.rpartition(" :: ")[2]
        for line in told.get_all("Classifier", ())
        if line.startswith("License ::") and not line.endswith("OSI Approved")
    ]
    if classifiers:
        return "; ".join(classifiers)
    first = (told["License"] or "").strip().partition("\n")[0]
    return first or UNKNOWN


def kind(text: str) -> str:
    """Tell what a licence asks of those who pass the package on."""
    without_weak = WEAK.sub("", text)
    if STRONG.search(without_weak):
        return "copyleft"
    return "weak copyleft" if WEAK.search(text) else ""


def page(packages: dict[str, Distribution]) -> str:
    """Write the list as Markdown."""
    rows = [
        (package.metadata["Name"], package.version, licence(package), kind(licence(package)))
        for _, package in sorted(packages.items())
    ]
    strong = [row[0] for row in rows if row[3] == "copyleft"]
    weak = [row[0] for row in rows if row[3] == "weak copyleft"]
    silent = [row[0] for row in rows if row[2] == UNKNOWN]
    lines = [
        "# Licences",
        "",
        INTRODUCTION,
        "",
        f"- Packages: {len(rows)}",
        f"- Copyleft: {', '.join(strong) or 'none'}",
        f"- Weak copyleft (their own files only): {', '.join(weak) or 'none'}",
        f"- Say nothing: {', '.join(silent) or 'none'}",
        "",
        "| package | version | licence | asks |",
        "|---|---|---|---|",
        *(f"| {' | '.join(cell.replace('|', '/') for cell in row)} |" for row in rows),
        "",
        FOREARM,
    ]
    return "\n".join(lines) + "\n"


def main() -> int:
    packages = needed(PACKAGE)
    text = page(packages)
    if len(sys.argv) > 1:
        Path(sys.argv[1]).write_text(text, encoding="utf-8")
    print(text.partition("| package")[0].strip())
    return any(licence(package) == UNKNOWN for package in packages.values())


if __name__ == "__main__":
    sys.exit(main())
