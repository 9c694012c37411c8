"""`veinseg export`."""

import pytest

from napari_veinseg.model.file import read_model, write_model


def test_a_model_becomes_an_onnx_file(veinseg, tiny_model, tmp_path):
    onnx = pytest.importorskip("onnx")
    done = veinseg("export", tiny_model, "--format", "onnx", "--output", tmp_path / "tiny.onnx")
    assert done.code == 0, done.err
    assert "6 px" in done.out
    onnx.checker.check_model(tmp_path / "tiny.onnx", full_check=True)


@pytest.fixture
def model_of_two_scales(tiny_model, tmp_path):
    card, network = read_model(tiny_model)
    path = tmp_path / "two.safetensors"
    write_model(path, card.model_copy(update={"scales": (1.0, 2.0)}), network)
    return path


@pytest.mark.parametrize(
    ("format_", "name", "said"),
    [
        ("torch-export", "m.pt2", "about 6 and 3 px wide; give it each image at all these sizes"),
        ("monai-bundle", "m", "veins are of any width"),
    ],
)
def test_who_has_to_make_the_mean_over_scales_is_said(
    veinseg, model_of_two_scales, tmp_path, format_, name, said
):
    done = veinseg("export", model_of_two_scales, "--format", format_, "--output", tmp_path / name)
    assert done.code == 0, done.err
    assert said in done.out.replace("\n", " ")
    if format_ == "monai-bundle":
        readme = (tmp_path / name / "docs" / "README.md").read_text()
        assert "sees veins 6 and 3 px wide" in readme


def test_an_unknown_format_is_refused(veinseg, tiny_model, tmp_path):
    done = veinseg("export", tiny_model, "--format", "pickle", "--output", tmp_path / "x")
    assert done.code == 2
    assert "torch-export" in done.err
