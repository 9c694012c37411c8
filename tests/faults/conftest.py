"""How much the fault suite does: a bounded form in `make test`, all of it in `make faults`."""

import os

import pytest

FULL = os.environ.get("VEINSEG_FAULTS") == "full"


def times(bounded: int, full: int) -> int:
    """How often something is tried: bounded, or in full with `make faults`."""
    return full if FULL else bounded


@pytest.fixture
def models_folder(tmp_path, monkeypatch):
    """An empty folder for named models, in the place of the user's."""
    monkeypatch.setenv("VEINSEG_MODELS", str(tmp_path / "models"))
    return tmp_path / "models"
