"""`veinseg export`."""

import pytest


def test_a_model_becomes_an_onnx_file(veinseg, tiny_model, tmp_path):
    onnx = pytest.importorskip("onnx")
    done = veinseg("export", tiny_model, "--format", "onnx", "--output", tmp_path / "tiny.onnx")
    assert done.code == 0, done.err
    assert "6 px" in done.out
    onnx.checker.check_model(tmp_path / "tiny.onnx", full_check=True)


def test_an_unknown_format_is_refused(veinseg, tiny_model, tmp_path):
    done = veinseg("export", tiny_model, "--format", "pickle", "--output", tmp_path / "x")
    assert done.code == 2
    assert "torch-export" in done.err
