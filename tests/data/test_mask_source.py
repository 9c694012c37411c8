"""What a sample's source tells of the model that drew its mask."""

import pytest

from napari_veinseg.correction.drafts import model_name
from napari_veinseg.data.mask_source import (
    as_drawn_source,
    corrected_source,
    drawing_model,
    is_as_drawn,
    origin_notes,
)


@pytest.mark.parametrize("name", ["starter", "my model, drawn by me", "日本 3", ""])
def test_the_model_comes_back_from_the_source(name):
    assert drawing_model(corrected_source(name)) == drawing_model(as_drawn_source(name)) == name
    assert is_as_drawn(as_drawn_source(name))
    assert not is_as_drawn(corrected_source(name))


@pytest.mark.parametrize("source", ["", "corrected", "open layers", "drawn by starter"])
def test_other_sources_name_no_model(source):
    assert drawing_model(source) == ""
    assert not is_as_drawn(source)


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("starter 1764355200000000000 luminance False None", "starter"),
        ("my model 2 1764355200000000000 green True 6.5 1,2,30,40", "my model 2"),
        ("", ""),
    ],
)
def test_a_draft_names_its_model(model, name):
    assert model_name(model) == name


@pytest.mark.parametrize(
    ("sources", "said"),
    [
        ([], []),
        (["corrected", ""], []),
        (
            [corrected_source("a"), corrected_source("b"), ""],
            ["1 of the 3 true masks was corrected from a mask of 'a': the figures favour it."],
        ),
        (
            [corrected_source("a")] * 2 + [as_drawn_source("a"), as_drawn_source("b")],
            [
                "2 of the 4 true masks are just as 'a' and 'b' drew them, reviewed but not "
                "corrected: the figures favour models that draw alike.",
                "2 of the 4 true masks were corrected from masks of 'a': the figures favour it.",
            ],
        ),
    ],
)
def test_the_notes_count_the_masks_of_the_judged_model(sources, said):
    assert origin_notes(sources, ["a"]) == said


def test_masks_that_nobody_corrected_are_told_whatever_is_judged():
    (note,) = origin_notes([as_drawn_source("b"), as_drawn_source(""), ""], ["a"])
    assert note.startswith("1 of the 3 true masks is just as 'b' drew it, reviewed but not")


def test_of_masks_that_somebody_else_drew_nothing_is_told():
    assert origin_notes([as_drawn_source(""), ""], ["a"]) == []
