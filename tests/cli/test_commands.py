"""`veinseg models`, `synthesize`, `devices` and `demo`."""

import json

import numpy as np
import typer

from napari_veinseg.cli.app import app
from napari_veinseg.cli.console import print_table
from napari_veinseg.data.image_files import list_images, read_image
from napari_veinseg.data.mask_files import read_mask
from napari_veinseg.data.sample_data import DEMO_IMAGES
from napari_veinseg.model.file import read_model, write_model


def test_a_model_is_imported_listed_shown_and_removed(veinseg, models_folder, tiny_model):
    assert veinseg("models", "import", tiny_model, "--name", "mine").code == 0
    listed = veinseg("models", "list").out
    assert "mine" in listed
    assert str(models_folder) in listed.replace("\n", "")
    assert json.loads(veinseg("models", "info", "mine").out)["working_vein_width"] == 6
    assert json.loads(veinseg("models", "info", tiny_model).out)["name"] == "tiny"
    assert veinseg("models", "remove", "mine").code == 0
    assert "mine" not in veinseg("models", "list").out


def test_models_that_cannot_be_handled_are_refused_in_a_sentence(veinseg, models_folder, tmp_path):
    (tmp_path / "broken.safetensors").write_bytes(b"nothing")
    for arguments in (
        ("import", tmp_path / "broken.safetensors"),
        ("import", tmp_path / "missing.safetensors"),
        ("info", "nothing"),
        ("remove", "starter"),
        ("remove", "nothing"),
    ):
        done = veinseg("models", *arguments)
        assert (done.code, done.err.count("\n")) == (1, 1)
    models_folder.mkdir()
    (models_folder / "broken.safetensors").write_bytes(b"nothing")
    assert "unreadable" in veinseg("models", "list").out


def test_a_model_of_several_scales_is_listed_with_each_width(veinseg, models_folder, tiny_model):
    card, network = read_model(tiny_model)
    models_folder.mkdir()
    scaled = card.model_copy(update={"scales": (1.0, 2.0)})
    write_model(models_folder / "two.safetensors", scaled, network)
    assert "6 and 3 px" in veinseg("models", "list").out
    shown = json.loads(veinseg("models", "info", "two").out)
    assert (shown["scales"], shown["format_version"]) == ([1, 2], 2)


def test_synthesize_makes_a_dataset_that_depends_on_the_seed_alone(veinseg, tmp_path):
    assert veinseg("synthesize", 3, tmp_path / "one", "--contact-sheet").code == 0
    images, masks = (list_images(tmp_path / "one" / room) for room in ("images", "masks"))
    assert [path.name for path in images] == [path.name for path in masks]
    assert len(images) == 3
    for image, mask in zip(images, masks, strict=True):
        assert read_image(image).shape == read_mask(mask).shape
    assert read_image(tmp_path / "one" / "contact_sheet.png").ndim == 3
    veinseg("synthesize", 1, tmp_path / "two", "--seed", 2)
    np.testing.assert_array_equal(
        read_image(images[2]), read_image(tmp_path / "two" / "images" / images[2].name)
    )


def test_synthesize_leaves_a_folder_with_content_alone(veinseg, tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    done = veinseg("synthesize", 1, tmp_path)
    assert done.code == 1
    assert "not empty" in done.err
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_devices_names_the_cpu(veinseg):
    assert "cpu" in veinseg("devices").out


def test_demo_scores_the_samples_and_draws_a_sheet(veinseg, tiny_model, tmp_path):
    done = veinseg("demo", "--output", tmp_path / "demo", "--model", tiny_model)
    assert done.code == 0, done.err
    for name in ("Mean IoU", "Vein IoU", "Dice", "finger", "five_shots", "hand_field"):
        assert name in done.out
    for make in DEMO_IMAGES:
        sample = make()
        assert read_mask(tmp_path / "demo" / f"{sample.name}.tif").shape == sample.image.shape
    height, width, _ = read_image(tmp_path / "demo" / "contact_sheet.png").shape
    assert width > 1000
    assert height > 500


def test_a_table_is_headed_by_a_name_with_brackets(capsys):
    print_table(("Sample",), [(f"[/a]{'-' * 50}",)], title="model [/home/me].safetensors")
    assert "model [/home/me].safetensors" in capsys.readouterr().out


def test_an_option_of_several_commands_is_explained_alike():
    texts = {}
    for command in typer.main.get_command(app).commands.values():
        for each in command.params:
            if each.name in ("finger_pattern", "channel", "device", "invert"):
                texts.setdefault(each.name, set()).add(each.help)
    assert {name: len(said) for name, said in texts.items()} == dict.fromkeys(texts, 1)
    assert len(texts) == 4
