"""How much the fault suite does: a bounded form in `make test`, all of it in `make faults`."""

import os

import pytest

from tests.widgets.conftest import (  # noqa: F401
    isolated,
    napari_once,
    press,
    segment,
    segment_in,
    stub,
    told,
    vein_image,
    viewer,
)

SHARE = float(os.environ.get("VEINSEG_FAULTS", "0"))
"""Of the full counts: 1 with `make faults`."""


def times(bounded: int, full: int) -> int:
    """How often something is tried: bounded, or as much of the full count as is asked for."""
    return max(bounded, round(SHARE * full))


@pytest.fixture
def models_folder(tmp_path, monkeypatch):
    """An empty folder for named models, in the place of the user's."""
    monkeypatch.setenv("VEINSEG_MODELS", str(tmp_path / "models"))
    return tmp_path / "models"


@pytest.fixture(autouse=True)
def own_autosave(monkeypatch, tmp_path):
    monkeypatch.setenv("VEINSEG_AUTOSAVE_DIR", str(tmp_path / "autosave"))
