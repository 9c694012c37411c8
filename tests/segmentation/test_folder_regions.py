"""Regions of a folder: what is remembered comes back, and an image's own counts more."""

import pytest

from napari_veinseg.errors import VeinSegError
from napari_veinseg.files import DAMAGED_ENDING
from napari_veinseg.segmentation.folder_regions import FILE_NAME, FolderRegions
from napari_veinseg.segmentation.region import Region

ONE, OTHER = Region.parse("10,10,50,50"), Region.parse("0,0,40,0,40,40")


def steps(regions, said):
    for name, stem, region in said:
        getattr(regions, name)(stem, region)


@pytest.mark.parametrize(
    ("said", "a", "b"),
    [
        ([], None, None),
        ([("give", "a", ONE)], ONE, None),
        ([("share", "a", ONE)], ONE, ONE),
        ([("share", "a", ONE), ("give", "b", OTHER)], ONE, OTHER),
        ([("give", "b", OTHER), ("share", "a", ONE)], ONE, OTHER),
        ([("share", "a", ONE), ("give", "b", None)], ONE, None),
        ([("share", "a", ONE), ("share", "b", None)], None, None),
        ([("give", "a", ONE), ("give", "a", None), ("share", "b", OTHER)], OTHER, OTHER),
    ],
)
def test_regions_come_back_in_another_session(tmp_path, said, a, b):
    regions = FolderRegions(tmp_path / "drafts")
    steps(regions, said)
    for each in (regions, FolderRegions(tmp_path / "drafts")):
        assert (each.of("a"), each.of("b")) == (a, b)


def test_the_region_for_all_is_left_out_where_an_image_does_not_reach_it(tmp_path):
    regions = FolderRegions(tmp_path)
    regions.share("a", ONE)
    assert regions.fitting("b", (60, 60)) == ONE
    assert regions.fitting("b", (12, 60)) is None
    assert regions.is_shared("b")


@pytest.mark.parametrize("text", ["", "{", "[]", '{"all": "1,2", "images": {}}', '{"all": 3}'])
def test_a_damaged_file_holds_no_region_and_is_told_and_kept(tmp_path, text):
    (tmp_path / FILE_NAME).write_text(text)
    regions = FolderRegions(tmp_path)
    assert regions.of("a") is None
    (said,) = regions.damaged.take_untold()
    assert str(tmp_path / FILE_NAME) in said
    assert (tmp_path / FILE_NAME).read_text() == text  # reading changes nothing
    for region in (ONE, OTHER):
        regions.give("a", region)
    assert (tmp_path / f"{FILE_NAME}{DAMAGED_ENDING}").read_text() == text
    again = FolderRegions(tmp_path)
    assert again.of("a") == OTHER
    assert again.damaged.take_untold() == []


def test_a_region_that_cannot_be_written_holds_for_the_session(tmp_path):
    (tmp_path / "drafts").write_text("in the way")
    regions = FolderRegions(tmp_path / "drafts")
    with pytest.raises(VeinSegError, match="is a file where a folder is wanted"):
        regions.give("a", ONE)
    assert regions.of("a") == ONE
