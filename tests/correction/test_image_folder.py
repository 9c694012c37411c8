"""A folder is worked through image by image, and nothing is lost on the way."""

import errno
from pathlib import Path

import numpy as np
import pytest

from napari_veinseg.correction.drafts import Draft, DraftFolder, DraftNotes
from napari_veinseg.correction.image_folder import ImageFolder
from napari_veinseg.correction.image_states import ImageState
from napari_veinseg.correction.mask_store import Unsaved
from napari_veinseg.correction.next_image import next_to_review, waiting_for
from napari_veinseg.data.dataset import Dataset
from napari_veinseg.data.finger_groups import make_thumbnail, similarity
from napari_veinseg.data.image_files import write_image
from napari_veinseg.errors import VeinSegError
from napari_veinseg.files import DAMAGED_ENDING

SHAPE = (12, 17)


def vein(*rows):
    mask = np.zeros(SHAPE, np.uint8)
    mask[list(rows)] = 1
    return mask


def store(folder, index, draft):
    folder.masks.keep(folder.stems[index], Unsaved(draft))
    folder.masks.write(folder.stems[index])


def review(folder, index, pixels, mask):
    folder.masks.keep(folder.stems[index], Unsaved(Draft(mask, mask < 9), pixels))
    folder.masks.write(folder.stems[index])


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "arms").mkdir()
    for number in range(4):
        write_image(tmp_path / "arms" / f"a{number}.tif", np.full(SHAPE, number, np.uint8))
    return tmp_path / "arms"


def test_opening_writes_nothing(folder):
    opened = ImageFolder.open(folder)
    assert len(opened) == 4
    assert opened.state(0) is ImageState.NEW
    assert opened.read(2).draft is None
    assert list(folder.parent.iterdir()) == [folder]


def test_a_draft_comes_back_with_what_was_edited(folder):
    edited = vein(3) > 0
    probability = np.linspace(0, 1, SHAPE[0] * SHAPE[1], dtype=np.float32).reshape(SHAPE)
    notes = DraftNotes("starter 1", 0.4, 9, 5.5, 0.25)
    store(ImageFolder.open(folder), 1, Draft(vein(3, 4), edited, probability, notes))

    again = ImageFolder.open(folder)
    assert [again.state(i) for i in range(2)] == [ImageState.NEW, ImageState.EDITED]
    draft = again.read(1).draft
    np.testing.assert_array_equal(draft.mask, vein(3, 4))
    np.testing.assert_array_equal(draft.edited, edited)
    np.testing.assert_allclose(draft.probability, probability, atol=0.5 / 255)
    assert draft.notes == notes
    assert sorted(path.name for path in folder.iterdir()) == [f"a{i}.tif" for i in range(4)]


def test_what_is_reviewed_is_a_dataset_and_all_of_it_the_user_s(folder):
    opened = ImageFolder.open(folder)
    store(opened, 0, Draft(vein(2)))
    assert opened.state(0) is ImageState.SEGMENTED
    review(opened, 0, opened.read(0).pixels, vein(5))
    (sample,) = Dataset.open(opened.home)
    assert sample.reviewed
    again = ImageFolder.open(folder)
    assert again.state(0) is ImageState.REVIEWED
    draft = again.read(0).draft
    np.testing.assert_array_equal(draft.mask, vein(5))
    assert draft.edited.all()
    store(again, 0, Draft(vein(6), vein(6) > 0))  # and edited once more
    assert ImageFolder.open(folder).state(0) is ImageState.EDITED


def test_a_dataset_is_its_own_home(tmp_path):
    dataset = Dataset.create(tmp_path / "set")
    for number in range(2):
        image = np.full(SHAPE, number, np.uint8)
        dataset.add(f"b{number}", image, vein(number), reviewed=bool(number))
    for path in (dataset.path, dataset.path / "images"):
        opened = ImageFolder.open(path)
        assert opened.home == dataset.path
        assert [opened.state(i) for i in (0, 1)] == [ImageState.SEGMENTED, ImageState.REVIEWED]
        np.testing.assert_array_equal(opened.read(0).draft.mask, vein(0))


def test_a_folder_of_images_alone_becomes_a_dataset_when_one_is_reviewed(tmp_path):
    (tmp_path / "images").mkdir()
    write_image(tmp_path / "images" / "a.tif", np.zeros(SHAPE, np.uint8))
    opened = ImageFolder.open(tmp_path)
    review(opened, 0, opened.read(0).pixels, vein(3))
    (sample,) = Dataset.open(tmp_path)
    assert sample.reviewed


def most_doubtful(folder, besides):
    choice = next_to_review(folder, besides)
    return None if choice is None else choice.place


def test_next_and_most_doubtful_pass_over_what_is_done(folder):
    opened = ImageFolder.open(folder)
    for index, doubt in enumerate((0.1, 0.9, 0.5)):
        store(opened, index, Draft(vein(1), notes=DraftNotes(doubt=doubt)))
    assert most_doubtful(opened, 0) == 1
    review(opened, 1, opened.read(1).pixels, vein(1))
    assert most_doubtful(opened, 0) == 2
    assert opened.next_unreviewed(0) == 2
    assert opened.next_unreviewed(3) == 0
    for index in (0, 2, 3):
        review(opened, index, opened.read(index).pixels, vein(1))
    assert opened.next_unreviewed(0) is None
    assert opened.count(ImageState.REVIEWED) == 4
    assert most_doubtful(opened, 3) is None


def test_images_wait_for_a_model_unless_somebody_worked_on_them(folder):
    opened = ImageFolder.open(folder)
    by = lambda model: DraftNotes(model=model)  # noqa: E731
    store(opened, 0, Draft(vein(1), notes=by("old")))
    store(opened, 1, Draft(vein(1), vein(1) > 0, notes=by("old")))
    store(opened, 2, Draft(vein(1), notes=by("new")))
    assert waiting_for(opened, "new", 0) == [3]
    assert waiting_for(opened, "new", 3) == [0]
    assert waiting_for(ImageFolder.open(folder), "other", 1) == [2, 3, 0]


def test_how_an_image_looks_is_known_after_its_review_too(folder):
    opened = ImageFolder.open(folder)
    assert opened.drafts.look(opened.stems[0]) is None
    rng = np.random.default_rng(0)
    pixels = [rng.integers(0, 255, SHAPE).astype(np.uint8) for _ in range(2)]
    for index, image in enumerate(pixels):
        store(opened, index, Draft(vein(1), look=make_thumbnail(image)))
    before = opened.drafts.look(opened.stems[0])
    write_image(opened.images[0], pixels[0])
    review(opened, 0, pixels[0], vein(1))
    for again in (opened, ImageFolder.open(folder)):
        assert similarity(again.drafts.look(again.stems[0]), before) > 0.99
        assert (
            similarity(again.drafts.look(again.stems[0]), again.drafts.look(again.stems[1])) < 0.9
        )


def test_a_file_that_cannot_be_used_is_faulty_and_named(folder):
    (folder / "a1.tif").write_bytes(b"no image")
    write_image(folder / "a2.tif", np.zeros((3, *SHAPE), np.uint8))
    write_image(folder / "a3.png", np.zeros(SHAPE, np.uint8))
    opened = ImageFolder.open(folder)
    names = [path.name for path in opened.images]
    for name, word in (("a1.tif", "damaged"), ("a2.tif", "stack"), ("a3.tif", "shares its name")):
        index = names.index(name)
        with pytest.raises(VeinSegError, match=word):
            opened.read(index)
        assert opened.state(index) is ImageState.FAULTY
    assert opened.next_unreviewed(0) == names.index("a3.png")


def test_a_folder_that_is_away_for_a_while_makes_no_image_faulty(folder):
    opened = ImageFolder.open(folder)
    (folder / "a1.tif").write_bytes(b"no image")
    index = [path.name for path in opened.images].index("a1.tif")
    with pytest.raises(VeinSegError, match="damaged"):
        opened.read(index)
    sound = folder.rename(folder.with_name("unplugged"))
    other = (index + 1) % len(opened)
    with pytest.raises(VeinSegError, match="out of reach"):
        opened.read(other)
    assert opened.state(other) is ImageState.NEW
    sound.rename(folder)
    write_image(folder / "a1.tif", np.zeros(SHAPE, np.uint8))
    assert opened.read(index).pixels.shape == SHAPE
    assert opened.state(index) is ImageState.NEW


@pytest.mark.parametrize("text", ["{", "[]", '{"doubt": "high"}', '{"model": null, "more": 1}'])
def test_a_damaged_note_costs_only_the_note(tmp_path, text):
    drafts = DraftFolder(tmp_path)
    drafts.write("x", Draft(vein(1), notes=DraftNotes("m", doubt=0.5)))
    (drafts.path / "notes" / "x.json").write_text(text)
    assert drafts.read("x").notes == DraftNotes()
    assert len(drafts.damaged.take_untold()) == 1
    np.testing.assert_array_equal(drafts.read("x").mask, vein(1))


@pytest.mark.parametrize("room", ["notes", "edited", "probability"])
@pytest.mark.parametrize("damage", ["torn", "of another shape"])
def test_what_is_damaged_beside_a_mask_is_told_and_kept(folder, room, damage):
    opened = ImageFolder.open(folder)
    probability = np.full(SHAPE, 0.5, np.float32)
    for index in range(2):
        store(opened, index, Draft(vein(3), vein(3) > 0, probability, DraftNotes("m", doubt=0.5)))
    name = f"a0{'.json' if room == 'notes' else '.tif'}"
    path = opened.drafts.path / room / name
    if damage == "torn" or room == "notes":
        path.write_bytes(path.read_bytes()[:20])
    else:
        write_image(path, np.ones((5, 5), np.uint8))
    torn = path.read_bytes()

    again = ImageFolder.open(folder)
    draft = again.read(0).draft
    (said,) = again.drafts.damaged.take_untold()
    assert str(path) in said
    np.testing.assert_array_equal(draft.mask, vein(3))
    assert draft.edited[3].all()  # no model may draw over it
    assert draft.edited.all() == (room == "edited")
    assert path.read_bytes() == torn  # reading changes nothing
    store(again, 0, draft)
    assert path.with_name(name + DAMAGED_ENDING).read_bytes() == torn
    last = ImageFolder.open(folder)
    last.read(0), last.read(1)
    assert last.drafts.damaged.take_untold() == []


def test_a_file_in_use_is_one_sentence_and_the_mask_goes_on_waiting(folder, monkeypatch):
    opened = ImageFolder.open(folder)
    store(opened, 0, Draft(vein(3), vein(3) > 0))

    def refuse(path, missing_ok=False):  # as Windows does while another program reads it
        raise PermissionError(errno.EACCES, "in use", str(path))

    monkeypatch.setattr(Path, "unlink", refuse)
    with pytest.raises(VeinSegError, match="in use"):
        store(opened, 0, Draft(vein(4)))
    with pytest.raises(VeinSegError, match="in use"):
        opened.drafts.remove("a0")
    np.testing.assert_array_equal(opened.masks.unsaved("a0").draft.mask, vein(4))


def test_many_damaged_files_are_one_sentence(folder):
    opened = ImageFolder.open(folder)
    for index in range(4):
        store(opened, index, Draft(vein(3)))
    for path in (opened.drafts.path / "notes").iterdir():
        path.write_text("{")
    (said,) = ImageFolder.open(folder).drafts.damaged.take_untold()
    assert "3 more" in said


def test_a_folder_without_images_is_one_sentence(tmp_path):
    with pytest.raises(VeinSegError, match="no image"):
        ImageFolder.open(tmp_path)
    with pytest.raises(VeinSegError, match="cannot be read"):
        ImageFolder.open(tmp_path / "gone")
