import errno
import unicodedata
from pathlib import Path

import pytest

from napari_veinseg.errors import VeinSegError
from napari_veinseg.model.store import (
    FOLDER_VARIABLE,
    import_model,
    installed_models,
    models_folder,
    remove_model,
    resolve,
)
from napari_veinseg.segmentation.vein_model import VeinModel
from tests.models import write_small_model


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "models"))
    return tmp_path / "models"


def names():
    return [model.name for model in installed_models() if not model.shipped]


def test_import_use_and_remove(tmp_path, folder):
    file = write_small_model(tmp_path / "Hände 2.safetensors")
    assert models_folder() == folder
    assert names() == []
    assert import_model(file).name == "Hände 2"
    import_model(file, "again")
    assert names() == ["Hände 2", "again"]
    assert resolve("again").read_bytes() == file.read_bytes()
    assert resolve(file) == file
    remove_model("Hände 2")
    assert names() == ["again"]
    assert file.exists()


def test_a_name_is_taken_once(tmp_path):
    file = write_small_model(tmp_path / "a.safetensors")
    import_model(file)
    with pytest.raises(VeinSegError, match="exists"):
        import_model(file)
    import_model(file, replace=True)
    assert names() == ["a"]


@pytest.mark.parametrize(
    "name",
    [
        *("", "../up", "a/b", ".hidden", "dot.", "x" * 200, "zero\u200bwidth", "right\u202eleft"),
        *("CON", "nul", "NUL.txt", "Com1", "lpt9 .x", "AUX", "com²"),
        *("Starter", "STARTER", "st\u0430rter", "\uff53tarter", "\u0405TARTER"),
        *("MINE", "m\u0456ne", "m\u0131ne"),
    ],
)
def test_a_name_that_is_not_plain_or_looks_like_another_is_refused(tmp_path, name):
    file = write_small_model(tmp_path / "a.safetensors")
    import_model(file, "mine")
    with pytest.raises(VeinSegError, match="A model cannot be called"):
        import_model(file, name, replace=True)
    assert names() == ["mine"]


@pytest.mark.parametrize("name", ["starter", "forearm"])
def test_what_ships_is_neither_replaced_nor_removed(tmp_path, name):
    with pytest.raises(VeinSegError, match="belongs to the package"):
        import_model(write_small_model(tmp_path / "a.safetensors"), name, replace=True)
    with pytest.raises(VeinSegError, match="belongs to the package"):
        remove_model(name)
    assert resolve(name).exists()


def test_a_model_that_was_there_first_keeps_its_name(tmp_path, folder):
    shipped = resolve("forearm")
    folder.mkdir()
    own = write_small_model(folder / "forearm.safetensors")
    assert [model.path for model in installed_models()] == [resolve("starter"), own]
    assert resolve("forearm") == own
    remove_model("forearm")
    assert resolve("forearm") == shipped


@pytest.mark.parametrize("name", ["Ha\u0308nde", "静脈", "вены 2", "console", "com10", "a.b+c(d)"])
def test_other_names_are_kept(tmp_path, name):
    import_model(write_small_model(tmp_path / "a.safetensors"), name)
    assert names() == [unicodedata.normalize("NFC", name)]


def test_what_does_not_exist_is_said_with_what_does(tmp_path):
    import_model(write_small_model(tmp_path / "mine.safetensors"))
    with pytest.raises(VeinSegError, match=r"no model 'other'.*mine"):
        resolve("other")
    with pytest.raises(VeinSegError, match="no model 'other'"):
        remove_model("other")


def test_a_bad_file_is_not_imported(tmp_path, folder):
    (tmp_path / "bad.safetensors").write_bytes(b"nothing")
    with pytest.raises(VeinSegError, match="not a vein model"):
        import_model(tmp_path / "bad.safetensors")
    assert not folder.exists()


def test_what_cannot_be_read_or_removed_is_one_sentence(tmp_path, folder, monkeypatch):
    (folder / "odd.safetensors").mkdir(parents=True)
    with pytest.raises(VeinSegError, match=r"odd\.safetensors was not removed .*: check"):
        remove_model("odd")

    def refuse(*_arguments):
        raise PermissionError(errno.EACCES, "Permission denied")

    file = write_small_model(tmp_path / "a.safetensors")
    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(VeinSegError, match=r"a\.safetensors cannot be opened \(Permission denied"):
        VeinModel.load(file, "cpu")
