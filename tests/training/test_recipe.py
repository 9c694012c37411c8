"""The recipes of what ships still work: nothing else would tell before they are needed again."""

import shutil
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
    from image_kinds import PLAIN, SCENES, VISIBLE
    from image_pool import make_items

    for kinds in (VISIBLE, PLAIN, SCENES):
        assert sum(kind.percent for kind in kinds) == 100
        for kind in kinds:
            (item,) = make_items(range(1), kind.settings)
            assert item.image.shape == item.mask.shape


def test_a_plain_vein_is_in_the_truth_however_faint(recipes):
    from plain_images import PlainSettings, plain_image

    dark = plain_image(3, PlainSettings(darkness=(0.5, 0.5)))
    faint = plain_image(3, replace(PlainSettings(), darkness=(0.06, 0.06)))
    assert dark.mask.any()
    np.testing.assert_array_equal(dark.mask, faint.mask)
    assert not dark.mask[~dark.region].any()
    again = plain_image(3, PlainSettings(darkness=(0.5, 0.5)))
    np.testing.assert_array_equal(dark.image, again.image)


def test_in_a_scene_nothing_but_veins_of_the_limb_is_in_the_truth(recipes):
    from scenes import SceneSettings, scene_image

    with_veins = 0
    for seed in range(6):
        scene = scene_image(seed, SceneSettings(height=(80, 120)))
        assert not scene.mask[~scene.region].any()
        with_veins += scene.mask.any()
        bare = scene_image(seed, SceneSettings(height=(80, 120), limb_share=0))
        assert not bare.mask.any()
        assert not bare.region.any()
        assert np.ptp(bare.image) > 100  # something is to be seen, all the same
    assert with_veins >= 3
    again = scene_image(5, SceneSettings(height=(80, 120)))
    np.testing.assert_array_equal(again.image, scene.image)


def test_shards_of_other_images_are_refused_and_weights_of_teachers_are_no_matter(
    recipes, monkeypatch, tmp_path
):
    import image_pool

    def make(kind):
        return image_pool.make_pool(tmp_path / "images", 0, (kind,), 1, print)

    small = SynthesisSettings(height=(60, 60))
    make(image_pool.Kind(100, small, plain_share=0.5))
    make(image_pool.Kind(100, small, plain_share=0.1))
    for other in (
        image_pool.Kind(99, small),
        image_pool.Kind(100, SynthesisSettings(height=(60, 61))),
    ):
        with pytest.raises(SystemExit, match="other kinds"):
            make(other)


def test_what_other_teachers_said_is_not_taken_for_what_these_say(recipes, tmp_path):
    from image_pool import Kind
    from teachers import teach

    teachers = tmp_path / "one", tmp_path / "other"
    for path in teachers:
        path.write_text("weights")

    def ask(share=0.5, folder="taught"):
        kinds = (Kind(100, SynthesisSettings(), plain_share=share),)
        return teach(tmp_path / folder, [], kinds, teachers, 1, print)

    ask()
    ask()
    with pytest.raises(SystemExit, match="other teachers"):
        ask(share=0.4)
    teachers[1].write_text("learnt anew")
    with pytest.raises(SystemExit, match="other teachers"):
        ask()
    (tmp_path / "before").mkdir()
    (tmp_path / "before" / "shard_0000.npz").touch()  # made when nobody noted whose it is
    with pytest.raises(SystemExit, match="other teachers"):
        ask(folder="before")


@pytest.mark.parametrize(("plain_share", "expected"), [(0.0, 51), (0.25, 76), (1.0, 153)])
def test_a_student_is_told_the_weighted_mean_of_its_teachers(recipes, plain_share, expected):
    from image_pool import make_items
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
    np.testing.assert_array_equal(taught_by((), item, None), 255 * (item.mask == 1))


def test_the_recipe_goes_from_nothing_to_a_file_and_does_nothing_twice(
    recipes, monkeypatch, tmp_path
):
    import starter
    from image_pool import Kind
    from plain_images import PlainSettings
    from scenes import SceneSettings

    small = {"height": (60, 60), "aspect": (1.0, 1.2)}
    kinds = {
        "visible": (Kind(100, SynthesisSettings(**small)),),
        "plain": (Kind(100, PlainSettings(**small)),),
        "scenes": (Kind(100, SceneSettings(**small), plain_share=None),),
    }
    monkeypatch.setattr(starter, "_KINDS", kinds)
    for name in ("SHARDS", "_PLAIN_SHARDS"):
        monkeypatch.setattr(starter, name, 1)
    monkeypatch.setattr(starter, "_STUDENT_SHARDS", dict.fromkeys(kinds, 1))
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
    plain = tmp_path / "work" / "plain" / "model.safetensors"
    learnt = plain.read_bytes()
    shutil.copy(tmp_path / "work" / "visible" / "model.safetensors", plain)
    with pytest.raises(SystemExit, match=r"belongs to .* other teachers"):
        starter.main()
    plain.write_bytes(learnt)
    kept[plain] = plain.stat().st_mtime_ns
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
