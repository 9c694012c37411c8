"""Label 2 covers what was asked for."""

import numpy as np

from napari_veinseg.correction.mark_unsure import all_but_boxes_unsure, rest_unsure, unsure_box


def test_a_box_covers_both_corner_pixels_whichever_way_it_was_drawn():
    mask = np.ones((10, 12), np.uint8)
    one = unsure_box(mask, np.array([[2.2, 3.0], [5.0, 6.4]])).applied_to(mask)
    other = unsure_box(mask, np.array([[5.0, 3.0], [2.2, 6.4]])).applied_to(mask)
    np.testing.assert_array_equal(one, other)
    expected = mask.copy()
    expected[2:6, 3:7] = 2
    np.testing.assert_array_equal(one, expected)


def test_a_box_outside_the_image_changes_nothing():
    mask = np.ones((10, 12), np.uint8)
    assert len(unsure_box(mask, np.array([[-9.0, -9], [-2, -3]]))) == 0
    assert len(unsure_box(mask, np.array([[20.0, 3], [25, 6]]))) == 0


def test_the_rest_is_what_is_far_from_every_edit():
    mask = np.zeros((40, 40), np.uint8)
    mask[20, 10:30] = 1
    after = rest_unsure(mask, mask == 1, 5).applied_to(mask)
    assert (after[15:26, 10:30] != 2).all()
    assert (after[:14] == 2).all()
    assert (after[20, 10:30] == 1).all()
    assert (rest_unsure(mask, mask == 9, 5).applied_to(mask) == 2).all()


def test_what_lies_in_none_of_the_reviewed_boxes_is_unsure():
    mask = np.ones((10, 12), np.uint8)
    boxes = [np.array([[5.0, 3.0], [2.2, 6.4]]), np.array([[4.0, 6], [7, 20]])]
    after = all_but_boxes_unsure(mask, boxes).applied_to(mask)
    expected = np.full(mask.shape, 2)
    expected[2:6, 3:7] = expected[4:8, 6:] = 1
    np.testing.assert_array_equal(after, expected)
    assert (all_but_boxes_unsure(mask, []).applied_to(mask) == 2).all()
