import json
from unicodedata import normalize

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import roc_curve

from napari_veinseg.data.image_files import write_image
from napari_veinseg.data.mask_files import write_mask
from napari_veinseg.errors import VeinSegError
from napari_veinseg.evaluation.consistency.compare_folders import compare_folders, read_masks
from napari_veinseg.evaluation.consistency.equal_error_rate import d_prime, equal_error_rate
from napari_veinseg.evaluation.consistency.miura_matching import Matcher
from napari_veinseg.evaluation.consistency.pairs import choose_pairs
from napari_veinseg.evaluation.consistency.shot_consistency import (
    measure_consistency,
    subtract_error_rates,
)

PATTERN = r"^(.+)_\d+$"


def slow_scores(first, second, rows, columns):
    """Miura's matching by its definition: the scores of all shifts with the largest overlap."""
    height, width = first.shape
    inner = second[rows : height - rows, columns : width - columns].astype(int)
    found = []
    for row in range(2 * rows + 1):
        for column in range(2 * columns + 1):
            window = first[row : row + inner.shape[0], column : column + inner.shape[1]]
            overlap, area = (window * inner).sum(), window.sum() + inner.sum()
            found.append((overlap, overlap / area if area else 0.0))
    best = max(overlap for overlap, _ in found)
    return [score for overlap, score in found if overlap == best]


def make_fingers(fingers=6, shots=4, noise=0.05, shape=(40, 90)):
    rng = np.random.default_rng(0)
    masks = {}
    for finger in range(fingers):
        pattern = rng.random(shape) < 0.15
        for shot in range(shots):
            shifted = np.roll(pattern, rng.integers(-3, 4, 2), axis=(0, 1))
            flipped = rng.random(shape) < noise
            masks[f"f{finger}_{shot}"] = (shifted ^ flipped).astype(np.uint8)
    return masks


@settings(max_examples=25)
@given(arrays(np.uint8, (2, 12, 17), elements=st.integers(0, 1)))
def test_matching_by_fourier_is_matching_by_definition(pair):
    (score,) = Matcher(pair, shift=0.2).scores(np.array([[0, 1]]))
    # Of several shifts with the largest overlap any may win.
    assert min(abs(score - expected) for expected in slow_scores(*pair, 2, 3)) < 1e-5


def test_a_shifted_mask_matches_fully_and_an_empty_one_not_at_all():
    mask = np.random.default_rng(0).random((40, 90)) < 0.2
    matcher = Matcher([mask, np.roll(mask, (4, -9), axis=(0, 1)), np.zeros_like(mask)])
    alike, empty = matcher.scores(np.array([[0, 1], [0, 2]]))
    assert alike == pytest.approx(0.5)
    assert empty == 0


scores = arrays(np.float64, st.integers(1, 12), elements=st.integers(0, 8).map(lambda k: k / 16))


@given(scores, scores)
def test_equal_error_rate_against_scikit_learn(genuine, impostor):
    accepted, kept, _ = roc_curve(
        np.repeat([1, 0], [len(genuine), len(impostor)]),
        np.concatenate([genuine, impostor]),
        drop_intermediate=False,
    )
    gap = np.abs(accepted - (1 - kept))
    candidates = ((accepted + 1 - kept) / 2)[gap <= gap.min() + 1e-9]
    assert np.isclose(candidates, equal_error_rate(genuine, impostor)).any()


@given(scores, scores, st.integers(1, 4))
def test_weights_are_repetitions(genuine, impostor, times):
    weights = np.arange(len(genuine)) % times + 1.0
    repeated = np.repeat(genuine, weights.astype(int))
    assert equal_error_rate(genuine, impostor, weights) == pytest.approx(
        equal_error_rate(repeated, impostor)
    )
    assert d_prime(genuine, impostor, weights) == pytest.approx(d_prime(repeated, impostor))


def test_d_prime_by_hand():
    assert d_prime(np.array([4.0, 6.0]), np.array([1.0, 3.0])) == pytest.approx(3)


def test_fingers_are_unique_names_and_noise_is_not():
    masks = make_fingers()
    pairs = choose_pairs(sorted(masks), PATTERN)
    assert (len(pairs.genuine), len(pairs.impostor)) == (36, 240)
    good = measure_consistency(masks, pairs)
    assert good.equal_error_rate.value == 0
    assert good.d_prime.value > 3
    rng = np.random.default_rng(5)
    noise = {stem: (rng.random((40, 90)) < 0.2).astype(np.uint8) for stem in masks}
    bad = measure_consistency(noise, pairs)
    assert 0.25 < bad.equal_error_rate.value < 0.75
    assert bad.equal_error_rate.low < bad.equal_error_rate.high
    gap = subtract_error_rates(good, bad)
    assert gap.value <= gap.high < 0
    same = subtract_error_rates(bad, bad)
    assert (same.value, same.low, same.high) == (0, None, None)  # there is nothing to resample


def test_pairs_are_genuine_only_within_a_finger_and_drawn_by_seed():
    stems = sorted(make_fingers(fingers=8))
    pairs = choose_pairs(stems, PATTERN, most_impostors=50, seed=3)
    fingers = np.array([stem.split("_")[0] for stem in stems])
    assert (fingers[pairs.genuine[:, 0]] == fingers[pairs.genuine[:, 1]]).all()
    assert (fingers[pairs.impostor[:, 0]] != fingers[pairs.impostor[:, 1]]).all()
    assert len(np.unique(pairs.impostor, axis=0)) == 50
    np.testing.assert_array_equal(pairs.impostor, choose_pairs(stems, PATTERN, 50, seed=3).impostor)


@pytest.mark.parametrize(
    ("stems", "message"),
    [
        (["a_1", "b"], "no subject in 'b'"),
        (["a_1", "a_2"], "1 subject in 2 masks"),
        (["a_1", "b_1"], "2 subjects in 2 masks"),
    ],
)
def test_what_cannot_be_judged_is_refused(stems, message):
    with pytest.raises(VeinSegError, match=message):
        choose_pairs(stems, PATTERN)


def padded(mask, shape):
    """Put a mask in the middle of a larger empty one."""
    top, left = np.subtract(shape, mask.shape) // 2
    whole = np.zeros(shape, np.uint8)
    whole[top : top + mask.shape[0], left : left + mask.shape[1]] = mask
    return whole


def test_masks_of_varying_size_are_matched_by_their_middles():
    rng = np.random.default_rng(1)
    masks = {
        stem: padded(mask, (rng.integers(46, 60), rng.integers(96, 120)))
        for stem, mask in make_fingers(noise=0).items()
    }
    pairs = choose_pairs(sorted(masks), PATTERN)
    found = measure_consistency(masks, pairs)
    assert found.equal_error_rate.value == 0
    assert found.genuine.min() > 0.4
    # A border without veins changes nothing but where the middle is.
    wide = {stem: np.pad(mask, ((10, 10), (20, 20))) for stem, mask in masks.items()}
    assert measure_consistency(wide, pairs).equal_error_rate.value == 0


@given(arrays(np.uint8, (2, 13, 18), elements=st.integers(0, 1)), st.integers(0, 3))
@settings(max_examples=25)
def test_a_larger_first_mask_changes_no_score_where_it_is_empty(pair, more):
    wider = [np.pad(pair[0], 2 * more), pair[1]]
    (score,) = Matcher(wider, shift=0.2).scores(np.array([[0, 1]]))
    # Of several shifts with the largest overlap any may win.
    assert min(abs(score - expected) for expected in slow_scores(*pair, 3, 4)) < 1e-5


@pytest.mark.parametrize(
    ("name", "array", "message"),
    [
        ("a.tif", np.zeros((3, 4, 5), np.uint8), "a.tif is a stack"),
        ("b.png", np.zeros((4, 5), np.uint8), "several masks named 'b'"),
        ("a.tif", np.full((4, 5), 7, np.uint8), "a.tif is not a mask"),
        ("a.tif", np.eye(4, 5, dtype=np.uint8) + 1, "no 0"),
    ],
)
def test_a_file_that_cannot_be_matched_is_told_and_the_others_are(tmp_path, name, array, message):
    for stem in "bc":
        write_mask(tmp_path / f"{stem}.tif", np.zeros((4, 5), np.uint8))
    write_image(tmp_path / name, array)
    read = read_masks(tmp_path)
    (fault,) = read.faults
    assert message in fault.message
    assert "c" in read.masks
    assert set(read.masks) == {"b", "c"} - {fault.stem}


def test_a_folder_without_masks_is_refused(tmp_path):
    with pytest.raises(VeinSegError, match="no masks"):
        read_masks(tmp_path)
    for shot in "01":
        (tmp_path / f"f_{shot}.png").write_bytes(b"no picture")
    with pytest.raises(VeinSegError, match=r"No mask can be judged; the first: .*f_0"):
        compare_folders([tmp_path], PATTERN)


def test_names_are_the_same_however_a_system_composes_them(tmp_path):
    folders = [tmp_path / form for form in ("NFC", "NFD")]
    for folder in folders:
        folder.mkdir()
        for stem, mask in make_fingers(fingers=2, shots=2).items():
            write_mask(folder / normalize(folder.name, f"ü{stem}.png"), mask)
    assert compare_folders(folders, PATTERN).difference.value == 0


def test_what_is_left_out_is_left_out_in_both_folders(tmp_path):
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        folder.mkdir()
        for stem, mask in make_fingers(fingers=5, shots=3).items():
            write_mask(folder / f"{stem}.png", mask)
    broken = folders[1] / "f0_0.png"
    broken.write_bytes(b"no picture")
    compared = compare_folders(folders, PATTERN, tmp_path / "out")
    assert [fault.stem for fault in compared.left_out] == ["f0_0"]
    assert len(compared.pairs.stems) == 14
    first, second = compared.consistency
    np.testing.assert_array_equal(first.genuine, second.genuine)
    told = json.loads((tmp_path / "out/consistency.json").read_text(encoding="utf-8"))
    assert [str(broken) in each for each in told["left_out"]] == [True]
    (tmp_path / "taken" / "consistency.json").mkdir(parents=True)
    with pytest.raises(VeinSegError, match=r"taken was not written"):
        compare_folders(folders, PATTERN, tmp_path / "taken")


def test_what_cannot_be_believed_is_said(tmp_path):
    masks = make_fingers(fingers=4, shots=2)
    masks["f0_1"] = masks["f0_0"]
    masks["f1_0"] = np.full_like(masks["f1_0"], 2)
    masks["f2_0"] = np.zeros((30, 60), np.uint8)
    for stem, mask in masks.items():
        write_mask(tmp_path / f"{stem}.png", mask)
    said = " ".join(compare_folders([tmp_path], PATTERN).caveats)
    for part in (
        "fewer than five",
        "2 of the 8 masks",
        "12.5% of",
        "1 of the 4 genuine",
        "2 sizes",
    ):
        assert part in said
