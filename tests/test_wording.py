import pytest

from napari_veinseg.wording import counted, some_of


@pytest.mark.parametrize(
    ("number", "said"), [(0, "0 masks"), (1, "1 mask"), (2, "2 masks"), (1200, "1,200 masks")]
)
def test_a_number_agrees_with_its_noun(number, said):
    assert counted(number, "mask") == said
    assert counted(number, "mask was", "masks were").split()[-1] == (
        "was" if number == 1 else "were"
    )


def test_a_part_of_one_is_no_part_of_several():
    assert some_of(1, 1, "image") == "1 of 1 image"
    assert some_of(1, 3, "image") == "1 of the 3 images"
