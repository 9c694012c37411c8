"""Images and masks on disk: what is written comes back, what is damaged is refused."""

import io
import itertools
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from napari_veinseg.data import image_files
from napari_veinseg.data.builtin_reader import shown_otherwise
from napari_veinseg.data.grey import is_colour, parse_channel, to_grey
from napari_veinseg.data.image_files import (
    image_hash,
    list_images,
    read_image,
    write_image,
    write_probability,
)
from napari_veinseg.data.mask_files import read_mask, write_mask
from napari_veinseg.errors import VeinSegError

GREY = np.random.default_rng(0).integers(0, 255, (20, 30), dtype=np.uint8)
STACK = np.random.default_rng(1).integers(0, 255, (4, 20, 30), dtype=np.uint8)


def is_one_sentence(text: str, path: Path) -> bool:
    """Whether an error's text names the file and is a single sentence."""
    rest = text.replace(str(path), "FILE")
    return "FILE" in rest and "\n" not in rest and rest.endswith(".") and ". " not in rest


def image_or_sentence(path: Path) -> np.ndarray | str:
    try:
        return read_image(path)
    except VeinSegError as error:
        return str(error)


# --- reading what others wrote -------------------------------------------------------------


@pytest.mark.parametrize(
    "dtype", ["?", "u1", "u2", ">u2", "i2", "u4", "i4", "i8", "f2", "f4", "f8"]
)
def test_tif_of_any_depth_is_read_as_stored(tmp_path, dtype):
    image = (GREY / 2).astype(dtype)
    tifffile.imwrite(tmp_path / "a.tif", image)
    read = read_image(tmp_path / "a.tif")
    np.testing.assert_array_equal(read, image)
    assert read.dtype == image.dtype.newbyteorder("=")


@pytest.mark.parametrize(
    ("shape", "options", "expected"),
    [
        ((4, 20, 30), {"photometric": "minisblack"}, (4, 20, 30)),
        ((3, 20, 30), {"photometric": "minisblack"}, (3, 20, 30)),
        ((20, 30, 3), {"photometric": "rgb"}, (20, 30, 3)),
        ((4, 20, 30, 3), {"photometric": "rgb"}, (4, 20, 30, 3)),
        ((3, 20, 30), {"photometric": "rgb", "planarconfig": "separate"}, (3, 20, 30)),
        ((5, 20, 30), {"imagej": True}, (5, 20, 30)),
        ((5, 20, 30), {"ome": True, "metadata": {"axes": "ZYX"}}, (5, 20, 30)),
        ((20, 30), {"tile": (16, 16), "compression": "zlib"}, (20, 30)),
    ],
)
def test_tif_layouts(tmp_path, shape, options, expected):
    image = np.arange(np.prod(shape), dtype=np.uint8).reshape(shape)
    tifffile.imwrite(tmp_path / "a.tif", image, **options)
    read = read_image(tmp_path / "a.tif")
    assert read.shape == expected
    if image.shape == expected:
        np.testing.assert_array_equal(read, image)


@pytest.mark.parametrize("pages", [1, 4])
@pytest.mark.parametrize("compression", ["tiff_lzw", "tiff_deflate", "packbits"])
def test_tif_compressions(tmp_path, compression, pages):
    first, *rest = [Image.fromarray(page) for page in STACK[:pages]]
    first.save(tmp_path / "a.tif", compression=compression, save_all=pages > 1, append_images=rest)
    np.testing.assert_array_equal(read_image(tmp_path / "a.tif"), STACK[:pages].squeeze())


def test_white_is_zero_is_turned_round_but_not_for_booleans(tmp_path):
    tifffile.imwrite(tmp_path / "grey.tif", GREY, photometric="miniswhite")
    np.testing.assert_array_equal(read_image(tmp_path / "grey.tif"), 255 - GREY)
    tifffile.imwrite(tmp_path / "mask.tif", GREY > 99, photometric="miniswhite")
    np.testing.assert_array_equal(read_mask(tmp_path / "mask.tif"), GREY > 99)


@pytest.mark.parametrize(("dtype", "told"), [("i2", ""), ("f4", ""), ("u2", "0 means white in it")])
def test_white_is_zero_is_told_where_it_is_turned_round(tmp_path, dtype, told):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, GREY.astype(dtype), photometric="miniswhite")
    assert shown_otherwise(path) == told
    assert (read_image(path) != GREY).any() == bool(told)


@pytest.mark.parametrize(
    ("mode", "suffix", "shape", "dtype"),
    [
        ("L", "png", (20, 30), "u1"),
        ("L", "bmp", (20, 30), "u1"),
        ("L", "jpg", (20, 30), "u1"),
        ("L", "JPEG", (20, 30), "u1"),
        ("I;16", "png", (20, 30), "u2"),
        ("1", "png", (20, 30), "?"),
        ("P", "png", (20, 30, 3), "u1"),
        ("LA", "png", (20, 30), "u1"),
        ("RGB", "jpg", (20, 30, 3), "u1"),
        ("CMYK", "jpg", (20, 30, 3), "u1"),
        ("RGBA", "png", (20, 30, 4), "u1"),
    ],
)
def test_png_jpg_bmp(tmp_path, mode, suffix, shape, dtype):
    path = tmp_path / f"Föhn 静脉.{suffix}"
    Image.fromarray(GREY).convert(mode).save(path)
    image = read_image(path)
    assert (image.shape, image.dtype) == (shape, np.dtype(dtype))


# --- bad files -----------------------------------------------------------------------------


def encoded(kind: str) -> bytes:
    buffer = io.BytesIO()
    if kind == "pages.tif":
        first, *rest = [Image.fromarray(page) for page in STACK]
        first.save(buffer, "tiff", save_all=True, append_images=rest)
    elif kind == "lzw.tif":
        Image.fromarray(GREY).save(buffer, "tiff", compression="tiff_lzw")
    elif kind.endswith("tif"):
        options = {"zlib.tif": {"compression": "zlib"}, "tile.tif": {"tile": (16, 16)}}
        tifffile.imwrite(buffer, GREY, **options.get(kind, {}))
    else:
        Image.fromarray(GREY).save(buffer, {"a.png": "png", "a.bmp": "bmp", "a.jpg": "jpeg"}[kind])
    return buffer.getvalue()


KINDS = ["plain.tif", "zlib.tif", "tile.tif", "lzw.tif", "pages.tif", "a.png", "a.bmp", "a.jpg"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_cut_off_anywhere_is_refused_or_whole(tmp_path, kind, caplog):
    content = encoded(kind)
    path = tmp_path / kind
    path.write_bytes(content)
    whole = read_image(path)
    for length in range(0, len(content), 23):
        path.write_bytes(content[:length])
        outcome = image_or_sentence(path)
        if isinstance(outcome, str):
            assert is_one_sentence(outcome, path)
        else:
            np.testing.assert_array_equal(outcome, whole)


@settings(max_examples=150)
@given(kind=st.sampled_from(KINDS), data=st.data())
def test_a_damaged_file_is_refused_or_gives_an_image(tmp_path_factory, kind, data):
    content = bytearray(encoded(kind))
    for place in data.draw(st.lists(st.integers(0, len(content) - 1), min_size=1, max_size=6)):
        content[place] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.mktemp("fuzz") / kind
    path.write_bytes(content)
    outcome = image_or_sentence(path)
    if isinstance(outcome, str):
        assert is_one_sentence(outcome, path)
    else:
        assert outcome.size > 0


def png_claiming(width: int, height: int) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(bytes(1000)))
        + chunk(b"IEND", b"")
    )


def tif_claiming(width: int, height: int) -> bytes:
    """A TIFF file of a few bytes whose one strip should hold width x height pixels."""
    tags = [(256, 4, width), (257, 4, height), (258, 3, 8), (259, 3, 1), (262, 3, 1)]
    tags += [(273, 4, 8), (277, 3, 1), (278, 4, height), (279, 4, width * height % 2**32)]
    entries = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in tags)
    return struct.pack("<2sHIH", b"II", 42, 8, len(tags)) + entries + bytes(4)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("empty.tif", b""),
        ("empty.png", b""),
        ("text.png", b"these are no pixels"),
        ("text.tif", b"II*\0 nor are these"),
        ("huge.png", png_claiming(2**31 - 1, 2**31 - 1)),
        ("bomb.png", png_claiming(40_000, 40_000)),
        ("short.png", png_claiming(300, 300)),
        ("wide.tif", tif_claiming(2**31, 1)),
        ("bomb.tif", tif_claiming(60_000, 60_000)),
        ("nothing.tif", tif_claiming(0, 0)),
        ("text.gif", b"GIF89a"),
        ("page.eps", b"%!PS-Adobe-3.0 EPSF-3.0"),
        ("eps.png", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n"),
    ],
)
def test_lying_files_are_refused_in_one_sentence(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(VeinSegError) as raised:
        read_image(path)
    assert is_one_sentence(str(raised.value), path)


def test_a_compressed_bomb_is_refused_before_it_unpacks(tmp_path):
    path = tmp_path / "bomb.tif"
    pages = itertools.repeat(zlib.compress(bytes(2**26)), 33)
    shape = (33, 8192, 8192)
    tifffile.imwrite(path, pages, shape=shape, dtype="u1", compression="zlib", rowsperstrip=8192)
    assert path.stat().st_size < 3e6
    with pytest.raises(VeinSegError, match="would unpack to"):
        read_image(path)


def test_an_image_larger_than_the_memory_is_not_called_damaged(tmp_path, monkeypatch):
    write_image(tmp_path / "a.tif", GREY)

    def unpack(path):
        raise MemoryError

    monkeypatch.setattr(image_files, "read_tiff", unpack)
    with pytest.raises(VeinSegError, match="too many pixels"):
        read_image(tmp_path / "a.tif")


def test_pages_of_different_sizes_are_refused(tmp_path):
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        file.write(GREY)
        file.write(GREY[:10])
    with pytest.raises(VeinSegError, match="different sizes"):
        read_image(tmp_path / "a.tif")


def test_an_ome_file_does_not_read_other_files(tmp_path):
    tifffile.imwrite(tmp_path / "other.ome.tif", STACK[:1], metadata={"axes": "ZYX"})
    with tifffile.TiffFile(tmp_path / "other.ome.tif") as file:
        xml = file.ome_metadata
    lying = xml.replace("<TiffData", '<TiffData FirstZ="0" IFD="0"', 1)
    lying = lying.replace(
        'PlaneCount="1"/>', 'PlaneCount="1"><UUID FileName="other.ome.tif">x</UUID></TiffData>'
    )
    tifffile.imwrite(tmp_path / "a.tif", GREY, description=lying, metadata=None)
    np.testing.assert_array_equal(read_image(tmp_path / "a.tif"), GREY)


def test_what_is_no_file_is_refused(tmp_path):
    (tmp_path / "folder.tif").mkdir()
    for path in (tmp_path / "folder.tif", tmp_path / "missing.tif"):
        with pytest.raises(VeinSegError) as raised:
            read_image(path)
        assert is_one_sentence(str(raised.value), path)


# --- folders -------------------------------------------------------------------------------


def test_a_folder_lists_its_images_sorted_without_hidden_and_other_files(tmp_path):
    for name in ("b.PNG", "a.tif", "ü.jpeg", ".hidden.png", "notes.txt"):
        (tmp_path / name).touch()
    (tmp_path / "folder.png").mkdir()
    assert [path.name for path in list_images(tmp_path)] == ["a.tif", "b.PNG", "ü.jpeg"]


def test_a_missing_folder_is_refused(tmp_path):
    with pytest.raises(VeinSegError, match="nowhere"):
        list_images(tmp_path / "nowhere")


# --- masks and probabilities ---------------------------------------------------------------


@pytest.mark.parametrize(
    "stored",
    [
        np.array([[0, 1], [1, 0]], np.uint8),
        np.array([[0, 255], [255, 0]], np.uint8),
        np.array([[0, 255], [255, 0]], np.uint16),
        np.array([[0, 1], [1, 0]], bool),
        np.array([[0, 1], [1, 0]], np.float32),
    ],
)
def test_masks_of_any_convention_become_0_and_1(tmp_path, stored):
    write_image(tmp_path / "m.tif", stored)
    mask = read_mask(tmp_path / "m.tif")
    assert mask.dtype == np.uint8
    np.testing.assert_array_equal(mask, [[0, 1], [1, 0]])


def test_a_colour_mask_with_equal_channels_is_a_mask(tmp_path):
    white = np.where(GREY > 99, 255, 0).astype(np.uint8)
    Image.fromarray(white).convert("RGBA").save(tmp_path / "m.png")
    np.testing.assert_array_equal(read_mask(tmp_path / "m.png"), GREY > 99)


@pytest.mark.parametrize(
    "stored",
    [GREY, np.array([[0, 1, 255]], np.uint8), np.array([[0.5]]), np.ones((4, 4, 3)) * [0, 0, 1]],
)
def test_what_is_no_mask_is_refused(tmp_path, stored):
    write_image(tmp_path / "m.tif", stored)
    with pytest.raises(VeinSegError) as raised:
        read_mask(tmp_path / "m.tif")
    assert is_one_sentence(str(raised.value), tmp_path / "m.tif")


@settings(max_examples=30)
@given(
    mask=hnp.arrays(
        np.uint8, hnp.array_shapes(min_dims=2, max_dims=3, max_side=7), elements=st.integers(0, 2)
    )
)
def test_a_mask_comes_back_as_it_was(tmp_path_factory, mask):
    if is_colour(mask.shape):
        return
    folder = tmp_path_factory.mktemp("masks")
    write_mask(folder / "m.tif", mask)
    np.testing.assert_array_equal(read_mask(folder / "m.tif").reshape(mask.shape), mask)
    if mask.ndim == 2:
        write_mask(folder / "m.png", mask)
        np.testing.assert_array_equal(read_mask(folder / "m.png"), mask)


def test_a_mask_too_large_to_be_read_compressed_is_written_otherwise(tmp_path, monkeypatch):
    monkeypatch.setattr("napari_veinseg.data.tiff.MAX_UNPACKED", 5000)
    mask = np.zeros((80, 90), np.uint8)
    mask[3:9] = 1
    write_mask(tmp_path / "m.tif", mask)
    np.testing.assert_array_equal(read_mask(tmp_path / "m.tif"), mask)


def test_a_probability_keeps_its_values(tmp_path):
    probability = np.random.default_rng(0).random((9, 11), np.float32)
    write_probability(tmp_path / "p.tif", probability)
    np.testing.assert_array_equal(read_image(tmp_path / "p.tif"), probability)
    write_probability(tmp_path / "p.png", probability)
    np.testing.assert_allclose(read_image(tmp_path / "p.png") / 65535, probability, atol=1e-5)


@pytest.mark.parametrize(
    ("name", "mask"),
    [
        ("m.jpg", np.zeros((4, 4))),
        ("m.tif", np.full((4, 4), 3)),
        ("m.tif", np.zeros(4)),
        ("m.png", np.zeros((5, 4, 6))),
        ("m.tif", np.zeros((0, 4))),
        ("nowhere/m.tif", np.zeros((4, 4))),
    ],
)
def test_what_cannot_be_written_is_refused_and_leaves_nothing(tmp_path, name, mask):
    with pytest.raises(VeinSegError) as raised:
        write_mask(tmp_path / name, mask)
    assert is_one_sentence(str(raised.value), tmp_path / name)
    assert not list(tmp_path.iterdir())


# --- grey ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((20, 30), (20, 30)),
        ((5, 20, 30), (5, 20, 30)),
        ((20, 30, 3), (20, 30)),
        ((20, 30, 4), (20, 30)),
        ((5, 20, 30, 3), (5, 20, 30)),
        ((3, 20, 30), (3, 20, 30)),
        ((20, 1), (20, 1)),
    ],
)
@pytest.mark.parametrize("dtype", ["?", "u1", "u2", "i8", "f2", "f8"])
def test_grey_shapes(shape, expected, dtype):
    grey = to_grey(np.ones(shape, dtype))
    assert (grey.shape, grey.dtype) == (expected, np.float32)
    np.testing.assert_allclose(grey, 1, rtol=1e-6)


@pytest.mark.parametrize(("channel", "value"), [("red", 1), ("green", 2), ("blue", 4), (1, 2)])
def test_grey_takes_one_channel_and_changes_sign(channel, value):
    image = np.broadcast_to(np.array([1, 2, 4, 9], np.uint8), (8, 9, 4))
    assert (to_grey(image, channel) == value).all()
    assert (to_grey(image, channel, invert=True) == -value).all()


def test_grey_of_a_grey_image_ignores_the_channel():
    np.testing.assert_array_equal(to_grey(GREY, "green"), GREY)


def test_grey_does_not_change_its_input():
    image = np.ones((4, 5), np.float32)
    to_grey(image, invert=True)
    assert (image == 1).all()


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((0, 5)),
        np.zeros(5),
        np.zeros((2, 2, 5, 5)),
        np.zeros((5, 5), complex),
        np.array([["a", "b"]]),
        np.zeros((5, 5), object),
    ],
)
def test_grey_refuses_what_is_no_image(image):
    with pytest.raises(VeinSegError, match="cannot be segmented"):
        to_grey(image)


@pytest.mark.parametrize("channel", ["alpha", 3, -1])
def test_grey_refuses_a_channel_that_is_not_there(channel):
    with pytest.raises(VeinSegError, match="no channel"):
        to_grey(np.zeros((8, 9, 3)), channel)


def test_a_channel_is_read_from_text():
    assert [parse_channel(text) for text in ("luminance", "green", "1")] == ["luminance", 1, 1]
    with pytest.raises(VeinSegError, match="no channel 'purple'"):
        parse_channel("purple")


@pytest.mark.parametrize(
    ("dtype", "pedestal"),
    [("i8", 10**9), ("u4", 4 * 10**9), ("f8", 1e6), ("f8", -1e9), ("i8", -(10**12)), ("u8", 2**50)],
)
@pytest.mark.parametrize("colours", [False, True])
def test_a_pedestal_does_not_swallow_the_picture(dtype, pedestal, colours):
    picture = np.stack([GREY] * 3, -1) if colours else GREY
    grey = to_grey(picture.astype(dtype) + np.array(pedestal, dtype))
    right = GREY.astype(float)
    np.testing.assert_allclose(grey - grey.mean(), right - right.mean(), atol=1e-3)


def test_parts_of_an_image_lose_the_same_pedestal():
    from napari_veinseg.segmentation.tiling.image_source import ImageSource

    image = np.arange(300 * 400, dtype=np.int64).reshape(300, 400) + 10**9
    plane = ImageSource(image).plane(0)
    whole = plane.read(slice(0, 300), slice(0, 400))
    np.testing.assert_array_equal(plane.read(slice(50, 90), slice(7, 300)), whole[50:90, 7:300])
    np.testing.assert_array_equal(np.diff(whole.ravel()), 1)


@pytest.mark.parametrize("channels", [1, 2])
def test_grey_may_have_an_axis_of_its_own(tmp_path, channels):
    image = np.stack([GREY, np.full_like(GREY, 255)][:channels], -1)
    np.testing.assert_array_equal(to_grey(image, "green"), GREY)
    write_image(tmp_path / "a.png", image)
    np.testing.assert_array_equal(read_image(tmp_path / "a.png"), GREY)


def test_a_compression_that_nothing_undoes_is_named(tmp_path):
    content = bytearray(encoded("plain.tif"))
    with tifffile.TiffFile(io.BytesIO(content)) as file:
        place = file.pages[0].tags["Compression"].valueoffset
    content[place : place + 2] = struct.pack("<H", 34715)
    (tmp_path / "a.tif").write_bytes(content)
    with pytest.raises(VeinSegError, match=r"a\.tif is compressed as JBIG2.*save it without"):
        read_image(tmp_path / "a.tif")


# --- content hash --------------------------------------------------------------------------


def test_hash_knows_content_type_and_shape_but_not_layout():
    same = image_hash(GREY)
    assert same == image_hash(np.asfortranarray(GREY))
    assert image_hash(GREY.astype("<u2")) == image_hash(GREY.astype(">u2"))
    assert (
        len({same, image_hash(GREY.T), image_hash(GREY.astype(np.uint16)), image_hash(GREY + 1)})
        == 4
    )
