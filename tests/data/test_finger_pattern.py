"""A finger marked in one name is found in the others."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_veinseg.data.finger_pattern import group_by_finger, part_at, pattern_from_example
from napari_veinseg.errors import VeinSegError


def marked(text):
    """Read a name with its finger in [ ]."""
    before, inside, after = re.fullmatch(r"(.*)\[(.*)\](.*)", text).groups()
    return before + inside + after, len(before), len(before + inside)


@pytest.mark.parametrize(
    ("example", "others", "fingers"),
    [
        ("[004_L]_3", ["004_L_1", "005_R_10", "004_R_3"], {"004_L", "005_R", "004_R"}),
        ("[004]_L_3", ["004_R_1", "005_R_10"], {"004", "005"}),
        ("s[12]-index-07", ["s12-index-08", "s7-index-01", "s7-middle-01"], {"12", "7"}),
        ("s[12-index]-07", ["s12-index-08", "s7-ring-01"], {"12-index", "7-ring"}),
        ("[anna left] (2)", ["bob right (1)", "anna left (1)"], {"anna left", "bob right"}),
        ("img_[003]", ["img_004", "img_003"], {"003", "004"}),
        ("shot3_of_[finger9]", ["shot1_of_finger9", "shot1_of_finger10"], {"finger9", "finger10"}),
        ("[01]07", ["0108", "0207"], {"01", "02"}),  # no separator: a fixed length
        ("[a]_01", ["b_02", "c_x_7"], {"a", "b", "c"}),  # what follows differs in kind
        ("[P1.left]#2", ["P2.right#1", "P1.left#1"], {"P1.left", "P2.right"}),
        ("[日本]_1", ["中国_2"], {"日本", "中国"}),
        ("[a_b]_1", ["a_1", "c_d_e_2"], {"a_b", "a", "c_d_e"}),
    ],
)
def test_the_marked_part_is_found_in_the_other_names(example, others, fingers):
    stem, start, end = marked(example)
    names = [stem, *others]
    groups = group_by_finger(names, pattern_from_example(names, stem, start, end))
    assert set(groups.fingers) == fingers
    assert not groups.unknown


def test_a_stray_name_makes_no_subject_of_what_stands_at_the_place_of_others():
    stem, start, end = marked("[001]_01")
    names = [stem, "001_03", "002_01", "Müller links 1", "m_002_1_01"]
    groups = group_by_finger(names, pattern_from_example(names, stem, start, end))
    assert set(groups.fingers) == {"001", "002", "m_002_1"}
    assert groups.unknown == ["Müller links 1"]


def test_the_place_of_the_subject_counts_where_nothing_else_fits_another_name():
    stem, start, end = marked("[A1]B2")
    names = [stem, "1234", "1256"]
    groups = group_by_finger(names, pattern_from_example(names, stem, start, end))
    assert groups.fingers == {"A1": ["A1B2"], "12": ["1234", "1256"]}


@given(st.text(min_size=1, max_size=20), st.data())
def test_what_is_marked_is_what_is_found(stem, data):
    start = data.draw(st.integers(0, len(stem) - 1))
    end = data.draw(st.integers(start + 1, len(stem)))
    groups = group_by_finger([stem], pattern_from_example([stem], stem, start, end))
    assert groups.fingers == {stem[start:end]: [stem]}


@given(st.lists(st.text(max_size=12), max_size=8))
def test_every_name_is_in_one_group(stems):
    groups = group_by_finger(stems, r"^(.*?)_")
    assert sorted(sum(groups.fingers.values(), groups.unknown)) == sorted(stems)


def test_names_without_the_part_are_told():
    groups = group_by_finger(["a_1", "a_2", "b_1", "cover"], r"^(.+)_\d+$")
    assert str(groups) == "2 subjects\na: a_1, a_2\nb: b_1\nno subject in cover"


@pytest.mark.parametrize(
    ("place", "part"), [(0, "004"), (2, "004"), (3, ""), (4, "L"), (6, "12"), (9, "")]
)
def test_a_click_means_what_stands_between_separators(place, part):
    start, end = part_at("004_L_12", place)
    assert "004_L_12"[start:end] == part


@pytest.mark.parametrize(("start", "end"), [(0, 0), (2, 1), (0, 9), (-1, 2)])
def test_nothing_marked_is_told(start, end):
    with pytest.raises(VeinSegError, match="Mark the part"):
        pattern_from_example(["a_1"], "a_1", start, end)
