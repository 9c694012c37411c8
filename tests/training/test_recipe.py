"""The recipes of what ships still work: nothing else would tell before they are needed again."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from napari_veinseg.data.synthesis import SynthesisSettings
from napari_veinseg.model.file import read_model

RECIPES = Path(__file__).parents[2] / "recipes"


@pytest.fixture
def recipes(monkeypatch):
    monkeypatch.syspath_prepend(str(RECIPES))


def test_each_generator_makes_all_of_its_kinds(recipes):
    from kinds import PLAIN, VISIBLE
    from pool import make_items

    for kinds in (VISIBLE, PLAIN):
        assert sum(kind.percent for kind in kinds) == 100
        for kind in kinds:
            (item,) = make_items(range(1), kind.settings)
            assert item.image.shape == item.mask.shape


def test_a_plain_vein_is_in_the_truth_however_faint(recipes):
    from plain import PlainSettings, plain_image

    dark = plain_image(3, PlainSettings(darkness=(0.5, 0.5)))
    faint = plain_image(3, replace(PlainSettings(), darkness=(0.06, 0.06)))
    assert dark.mask.any()
    np.testing.assert_array_equal(dark.mask, faint.mask)
    assert not dark.mask[~dark.region].any()
    again = plain_image(3, PlainSettings(darkness=(0.5, 0.5)))
    np.testing.assert_array_equal(dark.image, again.image)


@pytest.mark.parametrize(("plain_share", "expected"), [(0.0, 51), (0.25, 76), (1.0, 153)])
def test_a_student_is_told_the_weighted_mean_of_its_teachers(recipes, plain_share, expected):
    from pool import make_items
    from teachers import taught_by

    class Says:
        def __init__(self, probability):
            self.says = probability

        def probability(self, image, vein_width):
            return np.full(image.shape, self.says, np.float32)

    (item,) = make_items(range(1), SynthesisSettings())
    taught = taught_by((Says(0.2), Says(0.6)), item, plain_share)
    assert taught.dtype == np.uint8
    np.testing.assert_allclose(taught, expected, atol=1)


def test_the_recipe_goes_from_nothing_to_a_file_and_does_nothing_twice(
    recipes, monkeypatch, tmp_path
):
    import starter
    from plain import PlainSettings
    from pool import Kind

    small = {"height": (60, 60), "aspect": (1.0, 1.2)}
    kinds = {
        "visible": (Kind(100, SynthesisSettings(**small)),),
        "plain": (Kind(100, PlainSettings(**small)),),
    }
    monkeypatch.setattr(starter, "_KINDS", kinds)
    for name in ("SHARDS", "_PLAIN_SHARDS", "_TAUGHT_SHARDS"):
        monkeypatch.setattr(starter, name, 1)
    monkeypatch.setattr(starter, "measure_hold_out", lambda model: ())
    arguments = ["starter.py", "--work", str(tmp_path / "work"), "--processes", "1"]
    arguments += ["--output", str(tmp_path / "made.safetensors"), "--share", "0.0001"]
    monkeypatch.setattr(sys, "argv", arguments)
    starter.main()
    card, network = read_model(tmp_path / "made.safetensors")
    assert card.scales == starter.CARD.scales
    assert next(network.parameters()).isfinite().all()
    kept = {path: path.stat().st_mtime_ns for path in (tmp_path / "work").rglob("*.safetensors")}
    starter.main()
    assert kept == {path: path.stat().st_mtime_ns for path in kept}
    monkeypatch.setattr(sys, "argv", [*arguments[:-1], "1"])
    with pytest.raises(SystemExit, match="another budget"):
        starter.main()  # a trial is not the whole
    assert kept == {path: path.stat().st_mtime_ns for path in kept}


def test_no_group_of_subjects_is_in_two_folds(recipes):
    import forearm

    groups = "aabbbbcccccddeeef"
    folds = forearm._folds(groups)
    assert sorted(group for fold in folds for group in fold) == sorted(set(groups))
    sizes = [sum(group in fold for group in groups) for fold in folds]
    assert max(sizes) - min(sizes) <= 3
