"""The recipes of what ships still work: nothing else would tell before they are needed again."""

from pathlib import Path

import torch

RECIPES = Path(__file__).parents[2] / "recipes"


def test_the_recipe_learns_from_each_of_its_kinds(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(RECIPES))
    import starter
    from pool import make_items
    from train import Budget, Trainer

    from napari_veinseg.model.file import build_network

    assert sum(kind.percent for kind in starter.KINDS) == 100
    pool = [item for kind in starter.KINDS for item in make_items(range(1), kind.settings)]
    said = []
    trainer = Trainer(tmp_path, build_network(starter.CARD), Budget(steps=2, batch=2))
    trainer.run(pool, starter.CARD.working_vein_width, torch.device("cpu"), said.append)
    assert trainer.step == 2
    assert (tmp_path / "last.safetensors").is_file()


def test_no_group_of_subjects_is_in_two_folds(monkeypatch):
    monkeypatch.syspath_prepend(str(RECIPES))
    import forearm

    groups = "aabbbbcccccddeeef"
    folds = forearm._folds(groups)
    assert sorted(group for fold in folds for group in fold) == sorted(set(groups))
    sizes = [sum(group in fold for group in groups) for fold in folds]
    assert max(sizes) - min(sizes) <= 3
