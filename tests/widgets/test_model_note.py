"""Under a choice of models stands what the chosen one is for."""

from datetime import date

import pytest

from napari_veinseg.model.file import read_card, read_model, write_model
from napari_veinseg.model.store import installed_models
from napari_veinseg.widgets.common.model_choice import ModelChoice
from napari_veinseg.widgets.common.model_note import ModelNote


@pytest.fixture
def choice(qtbot, tmp_path, monkeypatch):
    monkeypatch.setenv("VEINSEG_MODELS", str(tmp_path))
    card, network = read_model(next(each.path for each in installed_models()))
    described = card.model_copy(update={"description": "Learned from 3 images."})
    write_model(tmp_path / "mine.safetensors", described, network)
    (tmp_path / "broken.safetensors").write_text("no model")
    made = ModelChoice()
    qtbot.addWidget(made)
    return made


def test_the_note_follows_the_choice(choice, qtbot):
    note = ModelNote(choice)
    qtbot.addWidget(note)
    for model in installed_models():
        if model.shipped:
            choice.choose(model.name)
            said, card = note.text(), read_card(model.path).description
            assert said.lower().endswith(card.lower())
            assert said.startswith("Start here") == (model.name == "starter")
    choice.choose("mine")
    assert note.text() == f"Learned from 3 images ({date.today()})"
    choice.choose("broken")
    assert note.text() == ""
