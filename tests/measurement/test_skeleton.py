import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage
from skan import Skeleton as Skan
from skimage.measure import label

from napari_veinseg.measurement.skeleton import centreline, crossing_numbers, trace
from tests.measurement.shapes import capsule, ring

EIGHT = np.ones((3, 3))


def picture(*rows):
    return np.array([[character == "#" for character in row] for row in rows])


def line_neighbours(line):
    return ndimage.convolve(line.astype(int), EIGHT.astype(int), mode="constant") - line


SHAPES = {
    "line": (picture("     ", " ####", "     "), 2, 0, 1),
    "stair": (picture("#    ", " ##  ", "   ##"), 2, 0, 1),
    "tee": (picture("#######", "   #   ", "   #   ", "   #   "), 3, 1, 3),
    "plus": (picture("  #  ", "  #  ", "#####", "  #  ", "  #  "), 4, 1, 4),
    "square crossing": (picture("#  #", " ## ", " ## ", "#  #"), 4, 1, 4),
    "ring": (picture(" ## ", "#  #", "#  #", " ## "), 0, 0, 1),
    "ring with a tail": (picture(" ##   ", "#  ###", "#  #  ", " ##   "), 1, 1, 2),
    "dot": (picture("   ", " # ", "   "), 0, 0, 0),
    "nothing": (picture("   ", "   "), 0, 0, 0),
    "two dots touching": (picture("    ", " ## ", "    "), 2, 0, 1),
    "two veins": (picture("####", "    ", "####"), 4, 0, 2),
    "aitch": (picture("##    ##", "  ####  ", "##    ##"), 4, 2, 5),
}


@pytest.mark.parametrize("name", SHAPES)
def test_drawn_graphs(name):
    line, ends, bifurcations, branches = SHAPES[name]
    skeleton = trace(line)
    found = (len(skeleton.ends), len(skeleton.bifurcations), len(skeleton.branches))
    assert found == (ends, bifurcations, branches)


@pytest.mark.parametrize(
    ("name", "row", "column", "number"),
    [("line", 1, 1, 1), ("line", 1, 2, 2), ("tee", 0, 3, 3), ("plus", 2, 2, 4), ("dot", 1, 1, 0)],
)
def test_crossing_numbers(name, row, column, number):
    assert crossing_numbers(SHAPES[name][0])[row, column] == number


def test_a_y_of_veins_has_one_bifurcation_where_they_meet():
    middle = (100, 150)
    mask = np.any([capsule(middle, tip, 9) for tip in ((20, 40), (180, 40), (100, 280))], axis=0)
    skeleton = trace(centreline(mask))
    assert len(skeleton.ends) == 3
    assert len(skeleton.branches) == 3
    np.testing.assert_allclose(skeleton.bifurcations, [middle], atol=3)
    for branch in skeleton.branches:
        assert {branch.start, branch.end} == {0, None}


def test_a_drawn_ring_is_one_closed_branch():
    (branch,) = trace(centreline(ring((100, 150), 60, 7))).branches
    assert branch.is_ring
    radii = np.linalg.norm(branch.path - np.array([100, 150]), axis=1)
    np.testing.assert_allclose(radii, 60, atol=1.5)


@settings(max_examples=60)
@given(arrays(bool, (17, 23), elements=st.booleans()), st.integers(0, 2))
def test_the_graph_holds_the_line_and_nothing_else(noise, blur):
    mask = ndimage.binary_dilation(noise & np.roll(noise, 3), iterations=blur) if blur else noise
    line = centreline(mask)
    assert not (line & ~mask).any()
    # One pixel wide: taking away any pixel that is no tip would cut or close something.
    around = np.lib.stride_tricks.sliding_window_view(np.pad(line, 1), (3, 3))
    for window in around[line & (line_neighbours(line) >= 2)]:
        without = window & (np.arange(9).reshape(3, 3) != 4)
        touches_ground = not (window[0, 1] & window[1, 0] & window[1, 2] & window[2, 1])
        assert label(without, connectivity=2).max() > 1 or not touches_ground
    skeleton = trace(line)
    drawn = np.zeros_like(line)
    for branch in skeleton.branches:
        steps = np.abs(np.diff(branch.path, axis=0)).max(axis=1)
        # Only the step to a bifurcation's middle may be longer than one pixel.
        assert (steps[1:-1] == 1).all()
        drawn[tuple(branch.path.T)] = True
        inner = branch.path[1:-1]
        assert len(np.unique(inner, axis=0)) == len(inner)
    assert not (drawn & ~line).any()
    lone = line & (line_neighbours(line) == 0)
    missed = line & ~drawn & ~lone
    # What no branch runs through belongs to a bifurcation, which may be a square of four pixels.
    bifurcation = (crossing_numbers(line) >= 3) | ndimage.binary_opening(line, np.ones((2, 2)))
    assert not (missed & ~bifurcation).any()


def test_thinning_keeps_the_number_of_veins_and_of_holes():
    rng = np.random.default_rng(3)
    mask = ndimage.gaussian_filter(rng.normal(size=(120, 160)), 4) > 0.01
    line = centreline(mask)
    assert label(line, connectivity=2).max() == label(mask, connectivity=2).max()
    assert label(~np.pad(line, 1), connectivity=1).max() == (
        label(~np.pad(mask, 1), connectivity=1).max()
    )


def test_branches_agree_with_skan():
    middle = np.array([(60, 80), (140, 160)])
    tips = [(20, 20), (100, 15), (180, 120), (150, 280)]
    mask = np.any(
        [
            capsule(middle[0], middle[1], 7),
            capsule(middle[0], tips[0], 7),
            capsule(middle[0], tips[1], 7),
            capsule(middle[1], tips[2], 7),
            capsule(middle[1], tips[3], 7),
        ],
        axis=0,
    )
    line = centreline(mask)
    ours = sorted(len(branch.path) for branch in trace(line).branches)
    skan = Skan(line)
    theirs = sorted(len(skan.path(index)) for index in range(skan.n_paths))
    assert len(ours) == 5
    np.testing.assert_allclose(ours, [length for length in theirs if length > 3], atol=3)
