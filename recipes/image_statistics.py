"""Look at what the generator makes: a contact sheet a sensor, and statistics beside real ones.

python recipes/image_statistics.py runs/look
python recipes/image_statistics.py runs/look --data FOLDER  # also of one with images/, masks/
"""

import argparse
from pathlib import Path

import numpy as np
from image_kinds import PLAIN, VISIBLE
from image_pool import Settings, make_image, settings_of
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage
from sensors import FIRST_SEED, HELD_OUT

from napari_veinseg.data.grey import to_grey
from napari_veinseg.data.image_files import list_images, read_image
from napari_veinseg.data.mask_files import read_mask
from napari_veinseg.data.synthesis import SynthesisSettings, SyntheticFinger
from napari_veinseg.measurement.skeleton import centreline
from napari_veinseg.measurement.vein_width_from_mask import median_width

_COUNT = 24
_TILE = (120, 240)
_LAPLACIAN = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)


def main() -> None:
    """Write the sheets and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("output", type=Path)
    parser.add_argument("--data", type=Path)
    arguments = parser.parse_args()
    arguments.output.mkdir(parents=True, exist_ok=True)
    print("| images | vein contrast (10-90 %) | noise | grey 2-98 % | illumination sd |")
    print("|---|---|---|---|---|")
    seen: dict[str, list[Settings]] = {
        "visible": settings_of(VISIBLE),
        "plain": settings_of(PLAIN),
        "defaults": [SynthesisSettings()] * _COUNT,
        **{name: [settings] * _COUNT for name, settings in HELD_OUT.items()},
    }
    for name, settings in seen.items():
        fingers = [make_image(FIRST_SEED + i, each) for i, each in enumerate(settings)]
        _sheet(fingers[:: len(fingers) // _COUNT][:_COUNT]).save(arguments.output / f"{name}.png")
        print(_row(name, fingers))
    if arguments.data:
        print(_row(arguments.data.name, _read(arguments.data)))


def _read(folder: Path) -> list[SyntheticFinger]:
    fingers = []
    for path in list_images(folder / "images"):
        image = to_grey(read_image(path)).astype(np.uint8)
        mask = read_mask(folder / "masks" / path.name)
        near_veins = ndimage.binary_dilation(mask > 0, iterations=round(3 * median_width(mask)))
        fingers.append(SyntheticFinger(image, mask, near_veins))
    return fingers


def _sheet(fingers: list[SyntheticFinger]) -> Image.Image:
    """Show each image beside itself with its veins red and its unsure pixels yellow."""
    tiles = []
    for finger in fingers:
        plain = np.stack([finger.image] * 3, axis=-1)
        marked = plain.copy()
        marked[finger.mask == 1] = marked[finger.mask == 1] // 2 + np.array([127, 0, 0], np.uint8)
        marked[finger.mask == 2] = marked[finger.mask == 2] // 2 + np.array([127, 127, 0], np.uint8)
        pair = Image.fromarray(np.hstack([plain, marked]))
        tiles.append(np.asarray(pair.resize((2 * _TILE[1], _TILE[0]))))
    rows = [np.hstack(tiles[start : start + 3]) for start in range(0, len(tiles), 3)]
    return Image.fromarray(np.vstack(rows))


def _row(name: str, fingers: list[SyntheticFinger]) -> str:
    contrasts = [contrast for finger in fingers if (contrast := _contrast(finger)) is not None]
    low, middle, high = np.percentile(np.concatenate(contrasts), (10, 50, 90))
    noise, dark, bright, slow = np.median([_levels(finger) for finger in fingers], axis=0)
    return (
        f"| {name} | {middle:.2f} ({low:.2f}-{high:.2f}) | {noise:.1f} "
        f"| {dark:.0f}-{bright:.0f} | {slow:.0f} |"
    )


def _contrast(finger: SyntheticFinger) -> NDArray[np.float32] | None:
    """Relative darkness of the centreline below the ground around, along all veins."""
    width = median_width(finger.mask)
    if not np.isfinite(width):
        return None
    grey = finger.image.astype(np.float32)
    distance = ndimage.distance_transform_edt(finger.mask == 0)
    ground = (distance > 0.3 * width) & (distance < width) & finger.region
    weight = ndimage.gaussian_filter(ground.astype(np.float32), 0.8 * width)
    shoulder = ndimage.gaussian_filter(grey * ground, 0.8 * width) / np.maximum(weight, 1e-6)
    here = centreline(finger.mask) & finger.region & (weight > 0.02)
    smooth = ndimage.gaussian_filter(grey, 0.2 * width)
    return 1 - smooth[here] / np.maximum(shoulder[here], 1)


def _levels(finger: SyntheticFinger) -> tuple[float, float, float, float]:
    """Noise, the 2 and 98 % grey levels, and the spread of slow lighting, within the region."""
    grey, region = finger.image.astype(np.float32), finger.region
    if not region.any():
        return (np.nan,) * 4
    # A mask blind to planes and edges (Immerkaer 1996); the median ignores veins and texture.
    noise = np.median(np.abs(ndimage.convolve(grey, _LAPLACIAN)[region])) / 0.6745 / 6
    dark, bright = np.percentile(grey[region], (2, 98))
    sigma = 0.1 * min(grey.shape)
    weight = ndimage.gaussian_filter(region.astype(np.float32), sigma)
    slow = ndimage.gaussian_filter(grey * region, sigma) / np.maximum(weight, 1e-3)
    return float(noise), float(dark), float(bright), float(slow[region].std())


if __name__ == "__main__":
    main()
