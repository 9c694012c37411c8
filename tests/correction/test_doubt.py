"""Where a model was undecided comes first; certain borders never come."""

import numpy as np
from scipy import ndimage

from napari_veinseg.correction.doubt import (
    candidate_at,
    doubt_map,
    doubtful_places,
    image_doubt,
)


def probability(**veins: float) -> np.ndarray:
    """Return three horizontal veins with soft borders."""
    plane = np.zeros((150, 200), np.float32)
    for row, value in zip((25, 75, 125), veins.values(), strict=True):
        plane[row - 3 : row + 4, 20:180] = value
    return ndimage.gaussian_filter(plane, 1)


def test_the_undecided_vein_comes_first_and_the_certain_one_not_at_all():
    doubt = doubt_map(probability(certain=1, undecided=0.5, unlikely=0.3))
    places = doubtful_places(doubt)
    rows = [place.row for place in places]
    assert abs(rows[0] - 75) < 10
    assert all(row > 45 for row in rows)
    assert [p.doubt for p in places] == sorted((p.doubt for p in places), reverse=True)


def test_places_keep_their_distance_and_number():
    places = doubtful_places(doubt_map(np.full((300, 300), 0.5)))
    assert len(places) == 20
    for one in places:
        for other in places:
            assert one is other or np.hypot(one.row - other.row, one.column - other.column) >= 40


def test_what_a_person_decided_is_not_asked_again():
    doubt = doubt_map(probability(certain=1, undecided=0.5, unlikely=0))
    settled = np.zeros(doubt.shape, bool)
    settled[50:110] = True
    assert doubtful_places(doubt, settled=settled) == []


def test_the_threshold_is_where_doubt_is_largest():
    low, high = (
        image_doubt(probability(a=value, b=0, c=0), threshold=0.3) for value in (0.35, 0.7)
    )
    assert low > high


def test_an_image_is_more_doubtful_where_a_vein_is():
    doubts = [image_doubt(probability(a=1, b=value, c=0)) for value in (0.98, 0.8, 0.5)]
    assert doubts == sorted(doubts)


def test_an_image_without_any_vein_leaves_no_doubt():
    assert image_doubt(np.zeros((40, 40))) == 0
    assert doubtful_places(doubt_map(np.zeros((40, 40)))) == []


def test_what_is_asked_about_is_the_vein_at_the_place_and_no_other():
    likely = probability(certain=1, undecided=0.5, unlikely=0.3)
    place = doubtful_places(doubt_map(likely))[0]
    asked = candidate_at(likely, place)
    rows, columns = np.nonzero(asked)
    assert 65 < rows.min() <= 74
    assert 76 <= rows.max() < 85
    assert columns.min() <= place.column <= columns.max()
    assert 20 <= np.ptp(columns) <= 60
    assert not (asked & (likely < 0.2)).any()
