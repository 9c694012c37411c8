"""The tutorial does what it says: its blocks run in order, and its pictures are there."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TUTORIAL = ROOT / "docs" / "tutorial.md"
BLOCK = re.compile(r"^```(shell|python)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
PICTURE = re.compile(r"!\[[^\]]+\]\(([^)]+\.png)\)")


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.skipif(os.name == "nt", reason="the blocks are written for a POSIX shell")
def test_the_blocks_run_in_order(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VEINSEG_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv(
        "PATH", os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    )
    names: dict[str, object] = {}
    blocks = BLOCK.findall(TUTORIAL.read_text(encoding="utf-8"))
    assert {language for language, _ in blocks} == {"shell", "python"}
    for language, text in blocks:
        if language == "python":
            exec(compile(text, str(TUTORIAL), "exec"), names)
        else:
            text = text.replace("--minutes 1 ", "--minutes 0.1 ")
            ran = subprocess.run(["bash", "-euc", text], capture_output=True, text=True)
            assert ran.returncode == 0, f"{text}\n{ran.stdout[-1000:]}\n{ran.stderr[-1000:]}"
    assert names["mask"].shape == names["image"].shape
    assert len(list((tmp_path / "masks").glob("*.tif"))) == 6
    assert {"report.html", "per_image.csv"} <= {path.name for path in Path("report").iterdir()}
    assert {path.name for path in Path("tables").iterdir()} == {"branches.csv", "images.csv"}
    assert Path("mine.pt2").stat().st_size > 100_000


@pytest.mark.parametrize("page", [TUTORIAL, ROOT / "README.md"], ids=lambda page: page.name)
def test_the_pictures_of_a_page_exist_and_are_small(page):
    linked = PICTURE.findall(page.read_text(encoding="utf-8"))
    assert linked
    for link in linked:
        assert (page.parent / link).stat().st_size < 400_000, link


def test_the_script_takes_every_picture_anew():
    script = (ROOT / "scripts" / "pictures.py").read_text(encoding="utf-8")
    taken = set(re.findall(r'^    "(\w+)": \w+,$', script, re.MULTILINE))
    folder = (ROOT / "scripts" / "folder_pictures.py").read_text(encoding="utf-8")
    taken |= set(re.findall(r'"(folder_\w+)"', folder))
    # By scripts and recipes of their own.
    elsewhere = {"report", "starter", "forearm", "reliability"}
    shown = {path.stem for path in (ROOT / "docs" / "images").glob("*.png")}
    assert shown == taken | elsewhere
