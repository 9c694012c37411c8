import pytest

from napari_veinseg.wording import capitalised, counted, listed, some_of


@pytest.mark.parametrize(
    ("number", "said"), [(0, "0 masks"), (1, "1 mask"), (2, "2 masks"), (1200, "1,200 masks")]
)
def test_a_number_agrees_with_its_noun(number, said):
    assert counted(number, "mask") == said
    assert counted(number, "mask was", "masks were").split()[-1] == (
        "was" if number == 1 else "were"
    )


@pytest.mark.parametrize(
    ("part", "whole", "said"),
    [
        (1, 1, "the only image"),
        (0, 1, "0 of 1 image"),
        (1, 3, "1 of the 3 images"),
        (3, 3, "all 3 images"),
    ],
)
def test_a_part_of_one_is_no_part_of_several(part, whole, said):
    assert some_of(part, whole, "image") == said


def test_many_names_are_counted():
    assert listed(["a"]) == "a"
    assert listed(["a", "b", "c"]) == "a, b, c"
    assert listed([*"abcde"]) == "a, b, c and 2 more"


def test_a_sentence_begins_with_a_capital_and_is_else_as_it_is():
    assert capitalised("the mask of IMG_1") == "The mask of IMG_1"
    assert capitalised("") == ""
