"""The masks of a dataset are known in one place, whoever has its images open."""

import gc
from pathlib import Path

import numpy as np
import pytest

from napari_veinseg.correction.drafts import Draft, DraftFolder, DraftNotes
from napari_veinseg.correction.image_folder import ImageFolder
from napari_veinseg.correction.image_states import ImageState
from napari_veinseg.correction.mask_store import MaskHome, Unsaved
from napari_veinseg.data.image_files import write_image

SHAPE = (12, 17)
MASK = np.ones(SHAPE, np.uint8)


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "arms"
    path.mkdir()
    write_image(path / "a.tif", np.zeros(SHAPE, np.uint8))
    return path


def by(model, mask=MASK, edited=None):
    return Draft(mask, edited, notes=DraftNotes(model=model))


@pytest.mark.parametrize("spelling", ["plain", "linked parent", "relative", "upwards"])
def test_however_a_folder_is_spelt_its_masks_have_one_home(folder, monkeypatch, spelling):
    top = folder.parent
    (top / "top").symlink_to(top, target_is_directory=True)
    monkeypatch.chdir(folder)
    path = {
        "plain": folder,
        "linked parent": top / "top" / "arms",
        "relative": Path(),
        "upwards": Path("..", "arms"),
    }[spelling]
    first, second = ImageFolder.open(folder), ImageFolder.open(path)
    assert second.masks is first.masks
    assert second.home == top / "arms_veins"


def test_a_link_keeps_its_masks_beside_itself(folder, tmp_path):
    """What it leads to may be a shared disk that nobody writes to."""
    (tmp_path / "own").mkdir()
    link = tmp_path / "own" / "link"
    link.symlink_to(folder, target_is_directory=True)
    assert ImageFolder.open(link).home == link.with_name("link_veins")


def test_what_one_has_drawn_the_other_knows(folder):
    first = ImageFolder.open(folder)
    first.masks.keep("a", Unsaved(by("", edited=MASK > 0)))
    second = ImageFolder.open(folder)
    assert second.state(0) is ImageState.EDITED
    np.testing.assert_array_equal(second.read(0).draft.mask, MASK)
    first.masks.write("a")
    assert second.state(0) is ImageState.EDITED
    assert not second.masks.store_prediction("a", by("starter", 0 * MASK))
    np.testing.assert_array_equal(second.read(0).draft.mask, MASK)


def test_what_another_program_has_written_is_found_on_opening(folder):
    first = ImageFolder.open(folder)
    DraftFolder(first.home).write("a", by("starter"))
    assert first.state(0) is ImageState.NEW
    second = ImageFolder.open(folder)
    assert [each.state(0) for each in (first, second)] == [ImageState.SEGMENTED] * 2


def test_a_home_that_nobody_uses_is_forgotten(folder):
    path = ImageFolder.open(folder).home
    gc.collect()
    assert path not in MaskHome._known


def test_a_mask_that_is_drawn_while_an_older_one_is_written_goes_on_waiting(folder, monkeypatch):
    masks = ImageFolder.open(folder).masks
    write = DraftFolder.write

    def draw_meanwhile(drafts, stem, draft):
        write(drafts, stem, draft)
        if draft.notes.model == "older":
            masks.keep(stem, Unsaved(by("newer")))

    monkeypatch.setattr(DraftFolder, "write", draw_meanwhile)
    masks.keep("a", Unsaved(by("older")))
    masks.write("a")
    assert masks.unsaved("a").draft.notes.model == "newer"
    masks.write("a")
    assert masks.unsaved("a") is None
    assert masks.draft("a").notes.model == "newer"


def test_a_prediction_is_kept_where_it_is_news(folder):
    masks = ImageFolder.open(folder).masks
    assert masks.store_prediction("a", by("old"))
    assert not masks.store_prediction("a", by("old"))
    masks.keep("a", Unsaved(by("newer")))
    assert not masks.store_prediction("a", by("new"))  # what waits was asked for later
    masks.write("a")
    assert masks.draft("a").notes.model == "newer"
    assert masks.store_prediction("a", by("new"))


@pytest.mark.parametrize("as_drawn", [True, False])
def test_what_was_reviewed_as_drawn_is_told_from_what_was_corrected(folder, as_drawn):
    masks = ImageFolder.open(folder).masks
    pixels, model = np.full(SHAPE, 7, np.uint8), "starter 1764355200000000000 red False None"

    def review(mask, model, as_drawn):
        masks.keep("a", Unsaved(by(model, mask, np.ones(SHAPE, bool)), pixels, as_drawn))
        masks.write("a")
        return masks.dataset()["a"].source

    first = "reviewed as drawn by starter" if as_drawn else "corrected, drawn by starter"
    assert review(MASK, model, as_drawn) == first
    assert review(MASK, model, False) == first, "reviewed once more, and nothing was changed"
    assert review(MASK, "", False) == first, "as it is read from the dataset"
    assert review(2 * MASK, "", False) == "corrected, drawn by starter"
    assert review(2 * MASK, "", True) == "corrected, drawn by starter"
