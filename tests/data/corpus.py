"""One small image in every form in which people store it, with the values that are right.

The picture is the same everywhere: bright above, with a dark vein that bends, so that one that is
inverted, turned or mirrored is not mistaken for it.  Nothing here uses the code under test.
"""

import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tifffile
from PIL import Image

SHAPE = (32, 48)  # napari takes colours of fewer than 30 px for a stack


def _picture() -> np.ndarray:
    y, x = np.indices(SHAPE)
    ground = 0.9 - 0.4 * y / SHAPE[0] - 0.1 * x / SHAPE[1]
    vein = np.abs(y - 6 - 10 * (x / SHAPE[1]) ** 2) < 1.6
    return np.where(vein, 0.25 * ground, ground)


PICTURE = _picture()
"""Shares of full scale, in [0, 1]."""
VEIN = PICTURE < 0.3


def grey(dtype: str = "u1", bits: int | None = None) -> np.ndarray:
    kind = np.dtype(dtype)
    if kind.kind == "f":
        return PICTURE.astype(kind)
    if kind.kind == "b":
        return ~VEIN
    top = 2**bits - 1 if bits else np.iinfo(kind).max
    return (PICTURE * top).astype(kind)


def colour(dtype: str = "u1") -> np.ndarray:
    base = grey(dtype)
    return np.stack([base, base // 2, base // 3 + base // 9], -1)


def stored_as(image: np.ndarray, orientation: int) -> np.ndarray:
    """What a camera that was held otherwise stores for `image`; the inverse of the tag."""
    turn: dict[int, Callable[[np.ndarray], np.ndarray]] = {
        1: lambda a: a,
        2: lambda a: a[:, ::-1],
        3: lambda a: a[::-1, ::-1],
        4: lambda a: a[::-1],
        5: lambda a: a.swapaxes(0, 1),
        6: lambda a: np.rot90(a, 1),
        7: lambda a: a[::-1, ::-1].swapaxes(0, 1),
        8: lambda a: np.rot90(a, -1),
    }
    return np.ascontiguousarray(turn[orientation](image))


@dataclass(frozen=True)
class Case:
    """A file: its name, how it is written, and what is right to read from it.

    `near` is the largest difference that a lossy format may make.
    """

    name: str
    write: Callable[[Path], object]
    right: np.ndarray
    near: float = 0

    @property
    def stack(self) -> bool:
        return self.right.ndim - (self.right.shape[-1] in (3, 4)) == 3


def _tiff(name: str, image: np.ndarray, right: np.ndarray | None = None, near=0, **how) -> Case:
    how = {"photometric": "rgb" if image.shape[-1] in (3, 4) else "minisblack"} | how
    return Case(
        f"{name}.tif",
        lambda path: tifffile.imwrite(path, image, **how),
        image if right is None else right,
        near,
    )


def _pillow(name: str, image: np.ndarray, right=None, near=0, mode=None, **how) -> Case:
    def write(path: Path) -> None:
        picture = Image.fromarray(image)
        (picture.convert(mode) if mode else picture).save(path, **how)

    return Case(name, write, image if right is None else right, near)


def _exif(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x112] = orientation
    return exif


def _png(image: np.ndarray, kind: int) -> bytes:
    """Encode a png of 16 bits, which Pillow cannot: kind 2 RGB, 4 grey and alpha, 6 RGBA."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        )

    rows = b"".join(b"\0" + row.tobytes() for row in image.astype(">u2"))
    header = struct.pack(">IIBBBBB", image.shape[1], image.shape[0], 16, kind, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def _deep_png(name: str, image: np.ndarray, kind: int, right: np.ndarray) -> Case:
    return Case(name, lambda path: path.write_bytes(_png(image, kind)), right)


def with_alpha(image: np.ndarray) -> np.ndarray:
    opaque = np.full((*SHAPE, 1), np.iinfo(image.dtype).max, image.dtype)
    return np.concatenate([image.reshape(*SHAPE, -1), opaque], -1)


def _numbered() -> tuple[np.ndarray, np.ndarray]:
    """Give the colours as numbers `(Y, X)` and a palette `(256, 3)`."""
    colours, numbers = np.unique(colour().reshape(-1, 3), axis=0, return_inverse=True)
    table = np.zeros((256, 3), np.uint8)
    table[: len(colours)] = colours
    return numbers.reshape(SHAPE).astype(np.uint8), table


def _palette_tiff(path: Path, compression: str | None) -> None:
    numbers, table = _numbered()
    colormap = table.T.astype(np.uint16) * 257
    tifffile.imwrite(
        path, numbers, photometric="palette", colormap=colormap, compression=compression
    )


def _palette_png(path: Path) -> None:
    numbers, table = _numbered()
    image = Image.fromarray(numbers, "P")
    image.putpalette(table.ravel().tolist())
    image.save(path)


LOSSLESS = {
    "none": None, "zip": "zlib", "lzw": "lzw", "packbits": "packbits", "zstd": "zstd",
    "lzma": "lzma", "lerc": "lerc", "jpeg2000": "jpeg2000", "jpegxl": "jpegxl", "png": "png",
    "jpegxr": "jpegxr",
}  # fmt: skip
GREY_DEPTHS = {
    "none": ("?", "u1", "u2", ">u2", "i2", "u4", "i4", "u8", "i8", "f2", "f4", "f8"),
    "zip": ("?", "u1", "u2", "i2", "u4", "i4", "i8", "f4", "f8"),
    "lzw": ("?", "u1", "u2", ">u2", "u4", "i4", "f4", "f8"),
    "zstd": ("u1", "u2", "u4", "f4", "f8"),
    "packbits": ("u1", "u2", "f4"),
    "lzma": ("u1", "u2", "f4"),
    "lerc": ("u1", "u2", "f4", "f8"),
    "jpeg2000": ("u1", "u2"),
    "jpegxl": ("u1", "u2", "f4"),
    "png": ("u1", "u2"),
    "jpegxr": ("u1", "u2"),
}
PREDICTED = ("zip", "lzw", "zstd")


def _depths() -> Iterator[Case]:
    for name, compression in LOSSLESS.items():
        for dtype in GREY_DEPTHS[name]:
            label = dtype.replace("?", "bool").replace(">", "big_")
            yield _tiff(f"grey_{label}_{name}", grey(dtype), compression=compression)
        for dtype in ("u1", "u2"):
            yield _tiff(f"rgb_{dtype}_{name}", colour(dtype), compression=compression)
    for name in PREDICTED:
        for dtype in ("u1", "u2", "f4"):
            yield _tiff(
                f"predictor_{dtype}_{name}", grey(dtype), compression=name.replace("zip", "zlib"),
                predictor=True,
            )  # fmt: skip


def _meanings() -> Iterator[Case]:
    for name in ("none", "lzw", "zip", "zstd"):
        code = LOSSLESS[name]
        for dtype in ("u1", "u2"):
            image = grey(dtype)
            top = np.iinfo(dtype).max
            yield _tiff(
                f"white_is_zero_{dtype}_{name}", top - image, image, photometric="miniswhite",
                compression=code,
            )  # fmt: skip
            yield _tiff(
                f"grey_alpha_{dtype}_{name}", with_alpha(image), image, compression=code,
                photometric="minisblack", extrasamples=["unassalpha"],
            )  # fmt: skip
            yield _tiff(
                f"planar_{dtype}_{name}", np.moveaxis(colour(dtype), -1, 0), compression=code,
                photometric="rgb", planarconfig="separate",
            )  # fmt: skip
        yield _tiff(f"rgba_{name}", with_alpha(colour()), compression=code,
                    extrasamples=["unassalpha"])  # fmt: skip
        yield _tiff(f"stack_{name}", np.stack([grey(), grey()[::-1]]), compression=code)
        yield _tiff(f"colour_stack_{name}", np.stack([colour(), colour()[::-1]]), compression=code)
        yield Case(f"palette_{name}.tif", lambda p, c=code: _palette_tiff(p, c), colour())


def _layouts() -> Iterator[Case]:
    for compression in (None, "packbits", "tiff_lzw", "tiff_deflate", "group3", "group4"):
        for photometric in (0, 1):  # Pillow stores what is white as 0 where it is asked to
            yield _pillow(
                f"bilevel_{'white' if photometric == 0 else 'black'}_is_zero_{compression}.tif",
                ~VEIN, compression=compression, tiffinfo={262: photometric},
            )  # fmt: skip
    for orientation in range(1, 9):
        for name in ("none", "lzw"):
            yield _tiff(
                f"orientation_{orientation}_{name}", stored_as(grey("u2"), orientation),
                grey("u2"), compression=LOSSLESS[name],
                extratags=[(274, 3, 1, orientation, True)],
            )  # fmt: skip
    yield _tiff("tiles", np.kron(grey(), np.ones((2, 2), "u1")), tile=(16, 16), compression="lzw")
    yield _tiff("bits_10", grey("u2", 10), compression=None, bitspersample=10)
    yield _tiff("bits_12", grey("u2", 12), compression=None, bitspersample=12)
    yield _tiff("imagej", np.stack([grey(), grey()[::-1]]), imagej=True)
    yield _tiff("big_tiff", grey(), bigtiff=True)
    yield _tiff("ome", grey("u2"), ome=True)
    yield _tiff("times_and_depths", np.stack([np.stack([grey()] * 2)] * 3),
                np.stack([grey()] * 6), metadata={"axes": "TZYX"}, ome=True)  # fmt: skip
    yield Case("pyramid.tif", lambda path: _pyramid(path), np.kron(grey(), np.ones((4, 4), "u1")))
    yield _tiff("webp", colour(), compression="webp")
    yield _pillow("jpeg.tif", grey(), near=12, compression="jpeg", quality=95)
    yield _tiff("jpeg_rgb", colour(), near=80, compression="jpeg")
    cmyk = np.asarray(Image.fromarray(colour()).convert("CMYK"))
    yield _tiff("cmyk", cmyk, colour(), near=2, photometric="separated", compression="lzw")


def _pyramid(path: Path) -> None:
    large = np.kron(grey(), np.ones((4, 4), np.uint8))
    with tifffile.TiffWriter(path) as file:
        for step in (1, 2, 4):
            file.write(large[::step, ::step], photometric="minisblack", metadata=None)


def _others() -> Iterator[Case]:
    rgb = colour()
    for suffix in ("png", "bmp"):
        yield _pillow(f"grey_8.{suffix}", grey())
        yield _pillow(f"bilevel.{suffix}", ~VEIN)
        yield _pillow(f"rgb_8.{suffix}", rgb)
    yield _pillow("grey_16.png", grey("u2"))
    yield _pillow("grey_alpha_8.png", with_alpha(grey()), grey())
    yield _pillow("rgb_alpha_8.png", with_alpha(rgb))
    yield Case("palette.png", _palette_png, rgb)
    yield _pillow("grey_palette.png", grey(), np.stack([grey()] * 3, -1), mode="P")
    deep = colour("u2")
    yield _deep_png("rgb_16.png", deep, 2, deep)
    yield _deep_png("rgb_alpha_16.png", with_alpha(deep), 6, with_alpha(deep))
    yield _deep_png("grey_alpha_16.png", with_alpha(grey("u2")), 4, grey("u2"))
    ten_bits = grey("u2", 10)
    yield _deep_png(
        "rgb_10_in_16.png", np.stack([ten_bits] * 3, -1), 2, np.stack([ten_bits] * 3, -1)
    )
    for orientation in range(1, 9):
        stored = stored_as(grey(), orientation)
        yield _pillow(f"exif_{orientation}.jpg", stored, grey(), 12, quality=97,
                      exif=_exif(orientation))  # fmt: skip
        yield _pillow(f"exif_{orientation}.png", stored, grey(), exif=_exif(orientation))
        yield _pillow(f"exif_rgb_{orientation}.jpg", stored_as(rgb, orientation), rgb, 80,
                      quality=97, exif=_exif(orientation))  # fmt: skip
    yield _pillow("grey.jpg", grey(), near=12, quality=97)
    yield _pillow("grey.JPEG", grey(), near=12, quality=97)
    yield _pillow("progressive.jpg", grey(), near=12, quality=97, progressive=True)
    yield _pillow("cmyk.jpg", rgb, near=80, quality=97, mode="CMYK")
    yield Case("a_jpeg_inside.png", lambda path: Image.fromarray(grey()).save(
        path, "jpeg", quality=97), grey(), 12)  # fmt: skip
    yield Case("a_png_inside.tif", lambda path: Image.fromarray(grey()).save(path, "png"), grey())
    yield Case("a_tiff_inside.png", lambda path: tifffile.imwrite(path.open("wb"), grey("u2")),
               grey("u2"))  # fmt: skip


CASES = [*_depths(), *_meanings(), *_layouts(), *_others()]

MASK = VEIN.astype(np.uint8)
UNSURE_MASK = np.where(np.arange(SHAPE[1]) > 43, 2, MASK).astype(np.uint8)


def _voc(path: Path, numbers: np.ndarray) -> None:
    image = Image.fromarray(numbers, "P")
    table = np.zeros((256, 3), np.uint8)
    table[[1, 2, 255]] = [[128, 0, 0], [0, 128, 0], [224, 224, 192]]
    image.putpalette(table.ravel().tolist())
    image.save(path)


def _two_colours(path: Path, first: int, second: int) -> None:
    image = Image.fromarray(VEIN.astype(np.uint8), "P")
    image.putpalette([first] * 3 + [second] * 3)
    image.save(path)


MASKS = [
    *(
        _tiff(f"mask_{value}_{dtype}_{name}", (VEIN * value).astype(dtype), MASK, compression=code)
        for value, dtype in ((1, "u1"), (255, "u1"), (65535, "u2"), (255, "u2"), (1, "f4"))
        for name, code in (("none", None), ("lzw", "lzw"), ("zip", "zlib"))
    ),
    _tiff("mask_bool", VEIN, MASK),
    _tiff("mask_unsure", UNSURE_MASK),
    *(
        _tiff(f"mask_inverting_lut_{name}", MASK * 255, MASK, photometric="miniswhite",
              compression=code)
        for name, code in (("none", None), ("lzw", "lzw"), ("zip", "zlib"))
    ),
    _tiff("mask_bool_by_tifffile", VEIN, MASK, photometric="miniswhite"),
    *(
        _pillow(f"mask_bilevel_{photometric}_{compression}.tif", VEIN, MASK,
                compression=compression, tiffinfo={262: photometric})
        for compression in (None, "packbits", "tiff_lzw", "group3", "group4")
        for photometric in (0, 1)
    ),
    _pillow("mask_rgb.png", np.stack([MASK * 255] * 3, -1), MASK),
    _pillow("mask_one_colour.png", MASK[..., np.newaxis] * np.array([128, 0, 7], np.uint8), MASK),
    _pillow("mask_rgba.png", with_alpha(np.stack([MASK * 255] * 3, -1)), MASK),
    _pillow("mask_bilevel.png", VEIN, MASK),
    _pillow("mask_16.png", (VEIN * 65535).astype(np.uint16), MASK),
    _pillow("mask_exif.png", stored_as(MASK, 6), MASK, exif=_exif(6)),
    Case("mask_voc.png", lambda path: _voc(path, MASK), MASK),
    Case("mask_voc_void.png", lambda path: _voc(path, np.where(UNSURE_MASK == 2, 255, MASK)
                                                .astype(np.uint8)), UNSURE_MASK),
    Case("mask_palette_grey.png", lambda path: _two_colours(path, 0, 255), MASK),
    Case("mask_palette_turned.png", lambda path: _two_colours(path, 255, 0), 1 - MASK),
]  # fmt: skip
