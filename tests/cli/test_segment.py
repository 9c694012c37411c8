"""`veinseg segment`, from images on disk to masks on disk."""

import csv
import os
import subprocess
import sys

import numpy as np
import pytest

from napari_veinseg.data.image_files import read_image, write_image
from napari_veinseg.data.mask_files import read_mask
from napari_veinseg.errors import VeinSegWarning

rng = np.random.default_rng(0)
GREY = rng.integers(0, 255, (40, 60), dtype=np.uint8)


@pytest.fixture
def images(tmp_path):
    folder = tmp_path / "Bilder ü"
    folder.mkdir()
    write_image(folder / "grey.png", GREY)
    write_image(folder / "deep.tif", GREY.astype(np.uint16) * 200)
    write_image(folder / "stack.tif", np.stack([GREY, GREY[::-1]]))
    write_image(folder / "静脉.tif", np.stack([GREY] * 3, axis=-1))
    return folder


def test_a_folder_and_a_file_become_masks(veinseg, images, tiny_model, tmp_path):
    write_image(tmp_path / "single.png", GREY)
    output = tmp_path / "out"
    done = veinseg(
        "segment", images, tmp_path / "single.png", "--output", output, "--model", tiny_model,
        "--probability",
    )  # fmt: skip
    assert done.code == 0, done.err
    assert "5 of 5 images" in done.out
    for stem in ("grey", "deep", "静脉", "single"):
        mask = read_image(output / f"{stem}.tif")
        assert (mask.shape, mask.dtype) == ((40, 60), np.uint8)
        assert mask.max() <= 1
        probability = read_image(output / f"{stem}_probability.tif")
        assert (probability.shape, probability.dtype) == ((40, 60), np.float32)
    assert read_mask(output / "stack.tif").shape == (2, 40, 60)
    with (output / "summary.csv").open(encoding="utf-8") as file:
        assert len(list(csv.DictReader(file))) == 5


def test_photographs_of_scenes_have_their_model_named_once(veinseg, tmp_path):
    photograph = np.stack([GREY, GREY // 4, GREY], axis=-1).repeat(4, axis=0).repeat(4, axis=1)
    (tmp_path / "arms").mkdir()
    for name in ("one.png", "two.png"):
        write_image(tmp_path / "arms" / name, photograph)
    done = veinseg(
        "segment", tmp_path / "arms", "--output", tmp_path / "out", "--vein-width", 2
    )  # fmt: skip
    assert done.err.count("'forearm' learned from such photographs") == 1
    assert "forearm" not in done.out


def test_the_settings_reach_the_model(veinseg, images, tiny_model, tmp_path):
    def mask(*options: object) -> np.ndarray:
        veinseg(
            "segment", images / "grey.png", "--output", tmp_path / "out", "--model", tiny_model,
            "--min-size", 0, "--vein-width", 6, "--overwrite", *options,
        )  # fmt: skip
        return read_mask(tmp_path / "out" / "grey.tif")

    usual = mask()
    assert mask("--threshold", 0.0001).all()
    assert not mask("--threshold", 0.9999).any()
    assert (mask("--invert") != usual).any()
    assert (mask("--vein-width", 3) != usual).any()


def test_a_second_run_keeps_what_is_there(veinseg, images, tiny_model, tmp_path):
    call = ("segment", images, "--output", tmp_path / "out", "--model", tiny_model)
    veinseg(*call)
    again = veinseg(*call)
    assert "0 of 4 images" in again.out
    assert "4 masks were there already and kept: 4 made as now (--overwrite all)" in again.out
    other = veinseg(*call, "--threshold", "0.9")
    assert "4 made with threshold=model, now 0.9 (--update makes 4 of them anew" in other.out
    assert "4 of 4 images" in veinseg(*call, "--threshold", "0.9", "--update").out


def test_an_empty_mask_is_told_at_once_and_at_the_end(veinseg, tiny_model, tmp_path):
    write_image(tmp_path / "flat.png", np.full((40, 60), 7, np.uint8))
    for status in ("1 of 1 image seg", "0 of 1 image seg"):  # a kept one, too
        done = veinseg(
            "segment", tmp_path / "flat.png", "--output", tmp_path / "out", "--model", tiny_model
        )
        assert done.code == 0
        assert status in done.out
        assert f"{tmp_path / 'flat.png'}: no vein found" in done.err
        assert "The only mask is empty" in done.err
        assert "--vein-width" in done.err


def test_a_region_and_subfolders(veinseg, images, tiny_model, tmp_path):
    (images / "sub").mkdir()
    write_image(images / "sub" / "grey.png", GREY)
    call = ("segment", images, "--output", tmp_path / "out", "--model", tiny_model)
    left_out = veinseg(*call, "--roi", "0,0,30,40", "--threshold", "0.0001", "--min-size", "0")
    assert f"1 subfolder is left out ({images / 'sub'}): see --recursive" in left_out.err
    mask = read_mask(tmp_path / "out" / "grey.tif")
    assert mask[:, :30].all()
    assert not mask[:, 30:].any()
    done = veinseg(*call, "--recursive", "--roi", "0,0,30,40")
    assert "left out" not in done.err
    assert read_mask(tmp_path / "out" / "sub" / "grey.tif").shape == GREY.shape
    far = veinseg(*call, "--roi", "500,0,600,40", "--overwrite")
    assert far.code == 1
    assert f"{images / 'grey.png'}: The region 500,0,600,40 leaves less than" in far.err


def bad_files() -> dict[str, bytes | np.ndarray]:
    return {
        "empty.png": b"",
        "text.tif": b"no image at all",
        "cut.png": b"\x89PNG\r\n\x1a\n",
        "thin.tif": np.zeros((30, 1), np.uint8),
        "complex.tif": np.zeros((30, 30), np.complex64),
        "nan.tif": np.full((30, 30), np.nan, np.float32),
    }


def odd_files() -> dict[str, np.ndarray]:
    return {
        "constant.tif": np.full((30, 30), 7, np.uint8),
        "bool.tif": GREY > 99,
        "int64.tif": GREY.astype(np.int64) * 10**12,
        "rgba.png": np.stack([GREY] * 4, axis=-1),
        "half_nan.tif": np.where(GREY > 99, GREY, np.nan).astype(np.float32),
        "inf.tif": np.where(GREY > 99, GREY, np.inf).astype(np.float32),
        "small.tif": GREY[:8, :8],
    }


def test_bad_files_are_told_in_a_sentence_each_and_the_others_go_on(veinseg, tiny_model, tmp_path):
    import tifffile

    folder = tmp_path / "in"
    folder.mkdir()
    for name, content in bad_files().items():
        if isinstance(content, bytes):
            (folder / name).write_bytes(content)
        else:
            tifffile.imwrite(folder / name, content, photometric="minisblack")
    for name, image in odd_files().items():
        write_image(folder / name, image)
    times_and_depths = np.zeros((2, 2, 30, 30), np.uint8)
    tifffile.imwrite(folder / "four.tif", times_and_depths, photometric="minisblack")
    done = veinseg("segment", folder, "--output", tmp_path / "out", "--model", tiny_model)
    assert done.code == 1
    with (tmp_path / "out" / "summary.csv").open(encoding="utf-8") as file:
        rows = {row["image"]: row for row in csv.DictReader(file)}
    failed = {image for image, row in rows.items() if row["status"] == "failed"}
    assert failed == {str(folder / name) for name in bad_files()}
    for image in failed:
        assert image in rows[image]["error"]
        assert rows[image]["error"] in done.err
        assert "Error" not in rows[image]["error"]  # a sentence, not an exception's name
    assert not read_mask(tmp_path / "out" / "constant.tif").any()
    assert read_mask(tmp_path / "out" / "four.tif").shape == (4, 30, 30)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nowhere.png", "--output", "out"), "nowhere.png does not exist"),
        ((".", "--output", "out"), "input folder"),
        (("in", "--output", "out", "--model", "nothing"), "no model 'nothing'"),
        (("in", "--output", "out", "--vein-width", "wide"), "'wide' is no number"),
        (("in", "--output", "out", "--vein-width", "-3"), "-3"),
        (("in", "--output", "out", "--threshold", "2"), "threshold"),
        (("in", "--output", "out", "--channel", "purple"), "purple"),
        (("in", "--output", "out", "--device", "tpu"), "tpu"),
        (("in", "--output", "file.txt"), "file.txt"),
        (("in", "--output", "out", "--roi", "1,2,3"), "1,2,3"),
    ],
)
def test_a_bad_call_is_refused_in_one_sentence(
    veinseg, tiny_model, tmp_path, monkeypatch, arguments, said
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in").mkdir()
    (tmp_path / "file.txt").touch()
    write_image(tmp_path / "in" / "a.png", GREY)
    if "--model" not in arguments:
        arguments = (*arguments, "--model", tiny_model)
    done = veinseg("segment", *arguments)
    assert done.code == 1
    assert said in done.err
    assert done.err.startswith("veinseg: ")
    assert done.err.count("\n") == 1


@pytest.mark.parametrize("arguments", [(), ("in",), ("in", "--output"), ("--threshold", "x")])
def test_a_wrong_usage_is_explained(veinseg, arguments):
    assert veinseg("segment", *arguments).code == 2


def test_a_bug_is_told_without_a_traceback_unless_asked(veinseg, monkeypatch, tmp_path):
    def broken(*_: object) -> None:
        raise RuntimeError("two\nlines")

    monkeypatch.setattr("napari_veinseg.segmentation.batch.plan_files.plan_files", broken)
    monkeypatch.delenv("VEINSEG_DEBUG", raising=False)
    told = veinseg("segment", tmp_path, "--output", tmp_path / "out")
    assert told.code == 1
    assert "unexpected RuntimeError: two lines" in told.err
    monkeypatch.setenv("VEINSEG_DEBUG", "1")
    with pytest.raises(RuntimeError):
        veinseg("segment", tmp_path, "--output", tmp_path / "out")


def test_ctrl_c_ends_quietly(veinseg, images, tiny_model, monkeypatch, tmp_path):
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("napari_veinseg.segmentation.vein_model.VeinModel.segment", interrupted)
    done = veinseg("segment", images, "--output", tmp_path / "out", "--model", tiny_model)
    assert (done.code, done.err) == (130, "")
    assert [path.name for path in (tmp_path / "out").glob(".*")] == [".lock"]


def test_the_real_program_ends_with_a_code(images, tiny_model, tmp_path):
    (images / "broken.png").write_bytes(b"broken")
    run = subprocess.run(
        [sys.executable, "-m", "napari_veinseg", "segment", str(images), "--output",
         str(tmp_path / "out"), "--model", str(tiny_model)],
        capture_output=True, text=True, encoding="utf-8", check=False,
        env=os.environ | {"PYTHONUTF8": "1"},
    )  # fmt: skip
    assert run.returncode == 1
    assert "broken.png" in run.stderr
    assert "Traceback" not in run.stderr
    assert "4 of 5 images" in run.stdout


def test_help_needs_no_torch():
    code = (
        "import sys; sys.argv = ['veinseg', '--help']\n"
        "from napari_veinseg.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print({'torch', 'monai', 'napari', 'matplotlib', 'scipy'} & set(sys.modules))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip().endswith("set()")
    assert "segment" in run.stdout


def test_a_step_down_the_memory_ladder_is_told(veinseg, images, tiny_model, tmp_path, monkeypatch):
    from napari_veinseg.segmentation.runtimes.torch_runtime import TorchRuntime

    forward = TorchRuntime._forward

    def scarce(self, pixels):
        if pixels.size > 120 * 120:
            raise MemoryError
        return forward(self, pixels)

    monkeypatch.setenv("VEINSEG_FAST", "0")
    monkeypatch.setattr(TorchRuntime, "_forward", scarce)
    write_image(tmp_path / "large.png", np.tile(GREY, (4, 4)))
    with pytest.warns(VeinSegWarning, match="smaller tiles") as told:
        done = veinseg(
            "segment", tmp_path / "large.png", "--output", tmp_path / "out", "--model", tiny_model,
            "--vein-width", 6, "--device", "cpu",
        )  # fmt: skip
    assert done.code == 0
    assert sum(warning.category is VeinSegWarning for warning in told) == 1
