"""Which image is reviewed next: doubt, weighed by how new the image is, with the reason."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_veinseg.correction.next_image import ImageLook, choose_next
from napari_veinseg.data.finger_groups import thumbnail_spectrum


def look(seed):
    return thumbnail_spectrum(np.random.default_rng(seed).random((64, 128)))


LOOKS = {seed: look(seed) for seed in range(6)}


def image(name, doubt=0.0, seed=None, finger=""):
    return ImageLook(name, LOOKS.get(seed), finger, doubt)


@pytest.mark.parametrize(
    ("candidates", "reviewed", "chosen", "said"),
    [
        ([image("a", 0.2), image("b", 0.3)], [], "b", "most doubtful of 2 (30%)"),
        (
            [image("twin", 0.30, seed=1), image("new", 0.25, seed=2)],
            [image("seen", seed=1)],
            "new",
            "twin is more so (30%) but looks like seen, which is reviewed",
        ),
        (
            [image("shot 2", 0.30, finger="left"), image("other", 0.25, finger="right")],
            [image("shot 1", finger="left")],
            "other",
            "shot 2 is more so (30%) but shows left, which is reviewed",
        ),
        (  # far more doubtful counts, although it is not new
            [image("twin", 0.8, seed=1), image("new", 0.1, seed=2)],
            [image("seen", seed=1)],
            "twin",
            "most doubtful",
        ),
        ([image("a", 0.2)], [image("seen", seed=1)], "a", "Doubtful (20%)"),
    ],
)
def test_what_is_doubtful_and_new_comes_first_and_the_reason_is_told(
    candidates, reviewed, chosen, said
):
    choice = choose_next(candidates, reviewed)
    assert candidates[choice.place].name == chosen
    assert said in choice.reason


def test_without_a_candidate_there_is_no_choice():
    assert choose_next([], [image("seen", seed=1)]) is None


def test_ten_shots_of_one_finger_are_not_reviewed_one_after_the_other():
    waiting = [image(f"f{finger}_{shot}", 0.4 - finger / 100, finger, f"f{finger}")
               for finger in range(4) for shot in range(3)]  # fmt: skip
    reviewed = []
    for _ in range(4):
        choice = choose_next(waiting, reviewed)
        reviewed.append(waiting.pop(choice.place))
    assert {each.finger for each in reviewed} == {"f0", "f1", "f2", "f3"}


@given(
    st.lists(
        st.tuples(st.floats(0, 1), st.sampled_from([None, *LOOKS]), st.sampled_from(["", "x"])),
        min_size=1,
        max_size=6,
    ),
    st.lists(st.sampled_from(list(LOOKS)), max_size=4),
)
def test_more_doubt_is_never_worth_less(rows, seen):
    reviewed = [image(f"r{seed}", seed=seed) for seed in seen]
    candidates = [image(str(n), d, seed, finger) for n, (d, seed, finger) in enumerate(rows)]
    place = choose_next(candidates, reviewed).place
    more = list(candidates)
    more[place] = image("more", 1.0, rows[place][1], rows[place][2])
    assert choose_next(more, reviewed).place == place
