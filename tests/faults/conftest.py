"""How much the fault suite does: a bounded form in `make test`, all of it in `make faults`."""

import os

import pytest

from tests.widgets.conftest import (  # noqa: F401
    isolated,
    press,
    segment,
    segment_in,
    stub,
    told,
    vein_image,
    viewer,
)

FULL = os.environ.get("VEINSEG_FAULTS") == "full"


def times(bounded: int, full: int) -> int:
    """How often something is tried: bounded, or in full with `make faults`."""
    return full if FULL else bounded


@pytest.fixture
def models_folder(tmp_path, monkeypatch):
    """An empty folder for named models, in the place of the user's."""
    monkeypatch.setenv("VEINSEG_MODELS", str(tmp_path / "models"))
    return tmp_path / "models"


@pytest.fixture(autouse=True)
def own_autosave(monkeypatch, tmp_path):
    monkeypatch.setenv("VEINSEG_AUTOSAVE_DIR", str(tmp_path / "autosave"))
