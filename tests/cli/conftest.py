"""The command line as a user meets it: arguments in; exit code, output and errors out."""

import sys
from typing import NamedTuple

import pytest

from napari_veinseg.cli import main


class Outcome(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture
def veinseg(monkeypatch, capsys):
    """Run `veinseg ARGUMENTS` in this process, with everything that `main` does about errors."""

    def run(*arguments: object) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["veinseg", *map(str, arguments)])
        capsys.readouterr()
        try:
            main()
            code = 0
        except SystemExit as end:
            code = int(end.code or 0)
        out, err = capsys.readouterr()
        assert "Traceback" not in out + err
        return Outcome(code, out, err)

    return run


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory):
    """A model file with random weights: small and quick."""
    from napari_veinseg import VeinModel
    from napari_veinseg.model.card import DenseUNetArguments, ModelCard
    from napari_veinseg.model.file import build_network

    network = DenseUNetArguments(growth_rate=2, layers=(1, 1), stem_channels=4)
    card = ModelCard(name="tiny", network=network)
    path = tmp_path_factory.mktemp("model") / "tiny.safetensors"
    VeinModel(card, build_network(card), "cpu").save(path)
    return path


@pytest.fixture
def models_folder(tmp_path, monkeypatch):
    """An empty folder for named models, in the place of the user's."""
    monkeypatch.setenv("VEINSEG_MODELS", str(tmp_path / "models"))
    return tmp_path / "models"
