"""What the list of licences says of packages."""

import importlib.util
from email.message import Message
from pathlib import Path
from types import SimpleNamespace

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "licences.py"
spec = importlib.util.spec_from_file_location("licences", SCRIPT)
licences = importlib.util.module_from_spec(spec)
spec.loader.exec_module(licences)


def package(**headers):
    told = Message()
    for name, values in headers.items():
        for value in [values] if isinstance(values, str) else values:
            told[name.replace("_", "-")] = value
    return SimpleNamespace(metadata=told)


OSI = "License :: OSI Approved"


@pytest.mark.parametrize(
    ("headers", "said"),
    [
        ({"License_Expression": "MIT", "License": "BSD"}, "MIT"),
        ({"Classifier": [OSI, f"{OSI} :: MIT License"], "License": "see file"}, "MIT License"),
        ({"Classifier": [OSI], "License": "BSD-3-Clause\n\nCopyright ..."}, "BSD-3-Clause"),
        ({"Name": "silent"}, licences.UNKNOWN),
    ],
)
def test_the_clearest_statement_counts(headers, said):
    assert licences.licence(package(**headers)) == said


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("BSD-3-Clause", ""),
        ("Apache-2.0 WITH LLVM-exception", ""),
        ("MPL-2.0 AND MIT", "weak copyleft"),
        ("Mozilla Public License 2.0 (MPL 2.0)", "weak copyleft"),
        ("LGPL-3.0-only", "weak copyleft"),
        ("GNU Lesser General Public License v3 (LGPLv3)", "weak copyleft"),
        ("GPL-3.0-or-later", "copyleft"),
        ("GNU General Public License v3 (GPLv3)", "copyleft"),
        ("GNU Affero General Public License v3", "copyleft"),
        ("AGPL-3.0", "copyleft"),
        ("LGPL-2.1 AND GPL-2.0", "copyleft"),
    ],
)
def test_copyleft_is_flagged(text, kind):
    assert licences.kind(text) == kind


def test_needs_are_followed_through():
    found = licences.needed("scikit-image")
    assert {"numpy", "scipy", "pillow"} <= set(found)
    assert "pytest" not in found
    assert "scikit-image" not in found
