"""The wheel, installed as users do: in a fresh environment, by napari's own plugin installer."""

import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
pytestmark = [pytest.mark.slow, pytest.mark.timeout(1500)]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dist")
    run([sys.executable, "-m", "pip", "wheel", "--no-deps", "-w", folder, ROOT])
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def fresh_python(tmp_path_factory):
    """An environment with napari and its plugin manager, as a user has it before our plugin."""
    folder = tmp_path_factory.mktemp("fresh")
    run([sys.executable, "-m", "venv", folder])
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    tested_torch = next(
        line for line in (ROOT / "constraints.txt").read_text().splitlines() if "torch==" in line
    )
    run([python, "-m", "pip", "install", "-q", tested_torch])
    run([python, "-m", "pip", "install", "-q", "napari[pyqt6]", "napari-plugin-manager"])
    return python


def run(command, **environment):
    done = subprocess.run(
        [str(part) for part in command],
        env=os.environ | {"PIP_CONSTRAINT": str(ROOT / "constraints.txt")} | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done.stdout


def test_wheel_is_small_pure_and_holds_the_starter(wheel):
    assert wheel.name.endswith("-py3-none-any.whl")
    assert wheel.stat().st_size <= 8e6
    names = zipfile.ZipFile(wheel).namelist()
    assert "napari_veinseg/model/starter.safetensors" in names
    assert "napari_veinseg/napari.yaml" in names
    read_at_run_time = (
        *("export/onnx_before_core.txt", "export/onnx_after_core.txt"),
        *("export/bundle_readme.md", "export/bundle_metadata.json", "export/bundle_inference.json"),
        *("report/report.html.jinja", "report/report.css", "common/style.qss"),
    )
    for name in read_at_run_time:
        assert any(each.endswith(name) for each in names), name
    assert not [name for name in names if name.startswith("tests/")]


def test_sdist_is_small_and_holds_what_a_build_needs(tmp_path):
    run([sys.executable, "-m", "build", "--sdist", "--outdir", tmp_path, ROOT])
    (archive,) = tmp_path.glob("*.tar.gz")
    assert archive.stat().st_size <= 8e6
    with tarfile.open(archive) as tar:
        names = {name.partition("/")[2] for name in tar.getnames()}
    assert {"pyproject.toml", "LICENSE", "README.md", "Makefile", "constraints.txt"} <= names
    assert "src/napari_veinseg/model/starter.safetensors" in names
    assert any(name.startswith("tests/") for name in names)


def test_napari_installs_the_wheel_and_opens_the_widget(wheel, fresh_python, tmp_path):
    home = {"NAPARI_CONFIG": str(tmp_path / "settings.yaml"), "VEINSEG_MODELS": str(tmp_path)}
    run([fresh_python, Path(__file__).with_name("install_from_menu.py"), wheel], **home)
    run([fresh_python, "-m", "npe2", "validate", "napari-veinseg"])
    run([fresh_python, "-m", "pip", "check"])
    assert "starter" in run([fresh_python, "-m", "napari_veinseg", "models", "list"], **home)
