import csv
import tracemalloc

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from napari_veinseg.data.image_files import write_image
from napari_veinseg.data.mask_files import write_mask
from napari_veinseg.errors import VeinSegError
from napari_veinseg.measurement.measure import measure
from napari_veinseg.measurement.tables import branch_rows, image_row, measure_files
from tests.measurement.shapes import capsule, ring


@settings(max_examples=25)
@given(width=st.floats(3, 14), angle=st.floats(0.05, np.pi / 2 - 0.05), shift=st.floats(0, 1))
@example(width=3.0, angle=0.78515625, shift=0.75)  # Zhang and Suen erase it
@example(width=4.0, angle=0.785, shift=0.5)  # and half of it
@example(width=3.0, angle=0.78515625, shift=0.0)
def test_a_straight_vein_has_its_length_width_and_no_tortuosity(width, angle, shift):
    along = 75 * np.array([np.sin(angle), np.cos(angle)])
    middle = np.array([100 + shift, 150])
    mask = capsule(middle - along, middle + along, width)
    measured = measure(mask)
    (branch,) = measured.branches
    assert branch.length == pytest.approx(150, rel=0.03)
    # At 45 degrees pixels lie in rows 0.7 px apart: what is drawn is up to 0.7 px wider.
    drawn = (mask.sum() - np.pi * width**2 / 4) / 150
    assert branch.mean_width == pytest.approx(drawn, abs=1)
    assert branch.width_5 <= branch.width_95
    assert branch.tortuosity == pytest.approx(1, abs=0.02)
    assert (measured.image.ends, measured.image.bifurcations) == (2, 0)


def test_a_half_circle_is_half_pi_as_long_as_its_chord():
    mask = ring((150, 150), 90, 8, shape=(170, 300))
    mask[150:] = False
    (branch,) = measure(mask).branches
    assert branch.length == pytest.approx(np.pi * 90, rel=0.03)
    assert branch.tortuosity == pytest.approx(np.pi / 2, rel=0.03)
    assert branch.mean_width == pytest.approx(8, abs=1)


def test_a_ring_has_a_length_but_no_tortuosity():
    measured = measure(ring((100, 150), 60, 7))
    (branch,) = measured.branches
    assert branch.length == pytest.approx(2 * np.pi * 60, rel=0.03)
    assert np.isnan(branch.tortuosity)
    (row,) = branch_rows(measured)
    assert row["from"] == row["to"] == "ring"


def test_the_width_of_a_branch_is_taken_away_from_where_it_meets_others():
    mask = capsule((100, 20), (100, 280), 16) | capsule((100, 150), (20, 150), 6)
    measured = measure(mask)
    assert measured.image.bifurcations == 1
    side = min(measured.branches, key=lambda branch: branch.mean_width)
    assert side.mean_width == pytest.approx(6, abs=1)


def test_a_bump_is_no_branch():
    mask = capsule((100, 20), (100, 280), 12) | capsule((95, 150), (92, 150), 5)
    assert measure(mask).image.branches == 1


def test_an_empty_mask_measures_nothing():
    image = measure(np.zeros((30, 40), np.uint8)).image
    assert (image.total_length, image.branches, image.vein_area_share) == (0, 0, 0)
    assert np.isnan(image.median_width)
    assert measure(np.full((30, 40), 2, np.uint8)).image.vein_area_share == 0


def test_unsure_pixels_count_in_no_area():
    mask = np.zeros((20, 20), np.uint8)
    mask[5:10], mask[10:] = 1, 2
    assert measure(mask).image.vein_area_share == 0.5


def spaced_capsule(angle, width, spacing):
    """Draw a vein of length 150 in the unit of the spacing, on pixels that are not square."""
    along = 75 * np.array([np.sin(np.deg2rad(angle)), np.cos(np.deg2rad(angle))])
    places = np.stack(np.indices([int(240 / side) for side in spacing]), axis=-1) * spacing
    offset = places - (120.4, 119.6) + along
    share = np.clip(offset @ (2 * along) / 150**2, 0, 1)
    distance = np.linalg.norm(offset - share[..., None] * 2 * along, axis=-1)
    return (distance <= width / 2).astype(np.uint8)


@pytest.mark.parametrize("spacing", [(1, 2), (2, 1), (1, 3), (3, 1)])
@pytest.mark.parametrize("width", [8, 12, 20])
def test_lengths_are_right_on_pixels_that_are_not_square(width, spacing):
    errors = {}
    for angle in range(0, 180, 15):
        (branch,) = measure(spaced_capsule(angle, width, spacing), spacing).branches
        errors[angle] = abs(branch.length / 150 - 1)
    assert max(errors[75], errors[105]) <= 0.02
    assert max(errors.values()) <= 0.025
    assert np.mean(list(errors.values())) <= 0.01


@pytest.mark.parametrize("turned", [False, True])
def test_a_vein_of_one_long_pixel_is_not_lost(turned):
    mask = np.zeros((80, 60), np.uint8)
    mask[10:70, 20] = 1
    spacing = (3.0, 1.0) if turned else (1.0, 3.0)
    measured = measure(mask, spacing)
    assert measured.image.total_length == pytest.approx(180 if turned else 60, rel=0.15)
    (branch,) = measured.skeleton.branches
    assert mask[tuple(branch.path.T)].all()


@pytest.mark.parametrize("spacing", [(1.0, 2.0), (2.0, 1.0)])
def test_a_vein_that_begins_and_ends_in_one_long_pixel_is_no_ring(spacing):
    mask = np.zeros((20, 30), np.uint8)
    mask[10, 20] = 1
    (row,) = branch_rows(measure(mask, spacing))
    assert (row["from"], row["to"]) == ("end", "end")


@pytest.mark.parametrize("spacing", [(0.25, 0.25), (2.0, 2.0)])
def test_figures_follow_the_pixel_size(spacing):
    mask = capsule((60, 40), (140, 260), 9) | capsule((100, 150), (20, 240), 7)
    plain, scaled = measure(mask), measure(mask, spacing)
    size = spacing[0]
    assert scaled.image.total_length == pytest.approx(plain.image.total_length * size)
    assert scaled.image.median_width == pytest.approx(plain.image.median_width * size)
    assert scaled.image.bifurcation_density == pytest.approx(
        plain.image.bifurcation_density / size**2
    )
    for one, other in zip(scaled.branches, plain.branches, strict=True):
        assert one.mean_width == pytest.approx(other.mean_width * size)
        assert one.tortuosity == pytest.approx(other.tortuosity)


def test_a_large_unit_takes_no_more_memory():
    mask = capsule((60, 40), (140, 260), 9)

    def most(size):
        tracemalloc.start()
        measure(mask, (size, size))
        taken = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return taken

    assert most(1e-5) < 1.1 * most(1.0)


def test_pixels_that_are_not_square():
    level = capsule((100, 40), (100, 260), 10)
    measured = measure(level, (0.5, 1.0))
    assert measured.branches[0].length == pytest.approx(220, rel=0.03)
    assert measured.branches[0].mean_width == pytest.approx(5, abs=0.5)


def test_tables_of_files(tmp_path):
    masks = tmp_path / "masks"
    masks.mkdir()
    veins = capsule((60, 40), (140, 260), 9).astype(np.uint8)
    write_mask(masks / "Ünï.png", veins)
    write_mask(masks / "stack.tif", np.stack([veins, np.zeros_like(veins)]))
    assert measure_files([masks], tmp_path / "new" / "out", 0.1, "mm") == 3
    with (tmp_path / "new/out/images.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [(row["mask"], row["slice"]) for row in rows] == [
        ("stack", "0"),
        ("stack", "1"),
        ("Ünï", "0"),
    ]
    assert float(rows[0]["total_length_mm"]) == pytest.approx(23.4, rel=0.03)
    assert rows[1]["median_width_mm"] == ""
    with (tmp_path / "new/out/branches.csv").open(encoding="utf-8") as file:
        assert [row["mask"] for row in csv.DictReader(file)] == ["stack", "Ünï"]


@pytest.mark.parametrize(("size", "unit"), [(0.05, "px"), (None, "mm")])
def test_a_pixel_size_and_its_unit_are_given_together(tmp_path, size, unit):
    write_mask(tmp_path / "mask.png", capsule((60, 40), (140, 260), 9).astype(np.uint8))
    with pytest.raises(VeinSegError, match="size of a pixel and its unit"):
        measure_files([tmp_path], tmp_path / "out", size, unit)
    assert not (tmp_path / "out").exists()


def test_an_image_row_has_the_area_that_its_shares_and_densities_are_of():
    mask = (capsule((60, 40), (140, 260), 9) | capsule((100, 150), (20, 240), 7)).astype(np.uint8)
    mask[:30] = 2
    row = image_row(measure(mask, (0.5, 0.5)), "mm")
    assert row["area_mm2"] == pytest.approx((mask != 2).sum() / 4)
    assert row["vein_area_share"] * row["area_mm2"] == pytest.approx((mask == 1).sum() / 4)
    assert row["bifurcations_per_mm2"] * row["area_mm2"] == pytest.approx(row["bifurcations"])


def test_masks_of_one_name_are_told_apart_in_tables(tmp_path):
    veins = capsule((60, 40), (140, 260), 9).astype(np.uint8)
    masks = [tmp_path / "left" / "i0.tif", tmp_path / "right" / "i0.tif", tmp_path / "i1.tif"]
    for path in masks:
        path.parent.mkdir(exist_ok=True)
        write_mask(path, veins)
    measure_files(masks, tmp_path / "out")
    for table in ("images.csv", "branches.csv"):
        with (tmp_path / "out" / table).open(encoding="utf-8") as file:
            names = [row["mask"] for row in csv.DictReader(file)]
        assert names == [str(masks[0]), str(masks[1]), "i1"]


def test_the_rows_of_a_measurement_have_units_in_their_names():
    measured = measure(capsule((60, 40), (140, 260), 9))
    assert "length_mm" in next(branch_rows(measured, "mm"))
    assert {"total_length_px", "bifurcations_per_px2"} <= set(image_row(measured))


def test_a_file_that_is_no_mask_costs_the_others_nothing(tmp_path):
    veins = capsule((60, 40), (140, 260), 9).astype(np.uint8)
    write_mask(tmp_path / "good.png", veins)
    write_image(tmp_path / "counted_from_1.png", veins + 1)
    (tmp_path / "broken.png").write_bytes(b"no picture")
    told: list[str] = []
    assert measure_files([tmp_path], tmp_path / "out", tell=told.append) == 1
    assert ["broken" in told[0], "no 0" in told[1]] == [True, True]
    (tmp_path / "good.png").unlink()
    with pytest.raises(VeinSegError, match=r"the first: .*broken\.png cannot be read"):
        measure_files([tmp_path], tmp_path / "other")


def test_nothing_to_measure_is_refused(tmp_path):
    with pytest.raises(VeinSegError, match="no mask"):
        measure_files([tmp_path], tmp_path / "out")
