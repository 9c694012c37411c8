"""What is to be done for a folder of images, refused before any work where it cannot go well."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from napari_veinseg.data.image_files import IMAGE_SUFFIXES, PROBABILITY_ENDING, list_images
from napari_veinseg.data.mixed_folders import masks_beside, mixed_remark
from napari_veinseg.data.ome_zarr import is_zarr, zarr_images, zarr_name
from napari_veinseg.errors import VeinSegError
from napari_veinseg.files import opening
from napari_veinseg.wording import counted, listed

_UNREAD_SUFFIXES = (".gif", ".webp", ".heic", ".jp2", ".dcm", ".nii")

if TYPE_CHECKING:
    from napari_veinseg.segmentation.batch.summary_csv import SummaryRow


@dataclass(frozen=True)
class FolderOptions:
    """Which images of folders are taken, what is written of them, and what is made anew."""

    recursive: bool = False
    """Whether the images of subfolders are taken, too; the results mirror the subfolders."""
    probability: bool = False
    """Whether probabilities are written, too, as `STEM_probability.tif`."""
    overwrite: bool = False
    """Whether all results are made anew that are there already; else they are kept."""
    update: bool = False
    """Whether those are made anew that another model, other settings or another image gave, as
    long as nobody has edited them since."""


USUAL_OPTIONS = FolderOptions()


@dataclass(frozen=True)
class FilePlan:
    """One image and the files that it becomes."""

    source: Path
    """The image."""
    mask: Path
    """Where the mask goes."""
    probability: Path | None = None
    """Where the probability goes, if it is wanted."""
    name: str = ""
    """Of the mask within the folder for results, with `/` between folders."""
    made: "SummaryRow | None" = None
    """What an earlier run told of the mask."""

    @property
    def finished(self) -> bool:
        """Whether all results exist; they are written whole or not at all."""
        return self.mask.exists() and (self.probability is None or self.probability.exists())


def plan_files(
    inputs: Iterable[str | Path], output: str | Path, options: FolderOptions = USUAL_OPTIONS
) -> list[FilePlan]:
    """Find the images and the names of their results, without touching the disk.

    Results of subfolders go into subfolders of the same names; hidden folders and links to folders
    are left out, and so are masks that lie beside their images.

    Raise VeinSegError if an input does not exist, no image is found, two images would be written to
    one file, or the output would go into an input folder or onto an input.
    """
    given, output = [Path(path) for path in inputs], Path(output)
    _refuse_output_among_inputs(given, output)
    # As they were first given, whatever other way there is to them; with the folder above.
    sources: dict[Path, tuple[Path, Path]] = {}
    for path in given:
        for image in _images_of(path, options.recursive):
            top = path if path != image else path.parent
            sources.setdefault(image.resolve(), (image, _folder_below(top, image)))
    if not sources:
        deeper = not options.recursive and any(subfolders(path) for path in given if path.is_dir())
        hint = ", or take images of subfolders, too (recursive)" if deeper else ""
        raise VeinSegError(
            f"There is no image in {', '.join(map(str, given)) or 'no input'}: give tif, png, jpg "
            f"or bmp files, or folders of them{hint}."
        )
    plans = [
        _plan(image, output, folder, options.probability) for image, folder in sources.values()
    ]
    _refuse_clashes(plans)
    _refuse_originals(plans)
    return plans


def _folder_below(top: Path, image: Path) -> Path:
    """Where an image lies below a folder, whatever Zarr hierarchy it is a part of."""
    while image != top and _is_zarr(image.parent):
        image = image.parent
    return image.relative_to(top).parent


def subfolders(folder: Path) -> list[Path]:
    """List the folders in a folder that a recursive run takes: none hidden, linked or a Zarr."""
    with opening(folder):
        below = [path for path in folder.iterdir() if path.is_dir()]
    return sorted(
        path
        for path in below
        if not (path.is_symlink() or path.name.startswith(".") or _is_zarr(path))
    )


def files_left_out(inputs: Iterable[str | Path], recursive: bool = False) -> Iterator[str]:
    """Say which files of folders are no images to segment though they may seem to be."""
    for path in map(Path, inputs):
        if path.is_dir() and not _is_zarr(path):
            remark = mixed_remark(path, masks_beside(list_images(path)))
            yield from [remark] if remark else []
            yield from _unread_remarks(path)
            yield from files_left_out(subfolders(path) if recursive else (), recursive)


def _unread_remarks(folder: Path) -> Iterator[str]:
    """Say which links lead nowhere, and which images are of a kind that is not read."""
    files = sorted(folder.iterdir())
    links = [
        path.name
        for path in files
        if path.suffix.lower() in IMAGE_SUFFIXES and path.is_symlink() and not path.exists()
    ]
    unread = [p.name for p in files if p.suffix.lower() in _UNREAD_SUFFIXES and p.is_file()]
    if links:
        lead = counted(len(links), "link leads", "links lead")
        yield f"{lead} nowhere in {folder} ({listed(links)}): bring back what is gone."
    if unread:
        files_are = counted(len(unread), "file is", "files are")
        yield (
            f"{files_are} of a kind that is not read in {folder} ({listed(unread)}): save "
            "them as tif or png."
        )


def _is_zarr(path: Path) -> bool:
    try:
        return is_zarr(path)
    except OSError:  # it may not be entered, and says so when it is
        return False


def _plan(source: Path, output: Path, folder: Path, probability: bool) -> FilePlan:
    if is_zarr(source):
        if probability:
            raise VeinSegError(
                f"{source} is OME-Zarr, of which only labels are written: leave it out."
            )
        name = folder / f"{zarr_name(source)}.zarr"
        return FilePlan(source, output / name, name=name.as_posix())
    name = folder / f"{source.stem}.tif"
    likely = output / folder / f"{source.stem}{PROBABILITY_ENDING}.tif" if probability else None
    return FilePlan(source, output / name, likely, name.as_posix())


def _images_of(path: Path, recursive: bool) -> Iterator[Path]:
    if _is_zarr(path):
        yield from zarr_images(path)
    elif path.is_dir():
        zarrs = {each for each in path.glob("*.zarr") if _is_zarr(each)}
        images = list_images(path)
        for each in sorted([*set(images).difference(masks_beside(images)), *zarrs]):
            yield from zarr_images(each) if each in zarrs else [each]
        for folder in subfolders(path) if recursive else ():
            yield from _images_of(folder, recursive)
    elif path.exists():
        yield path
    else:
        raise VeinSegError(f"{path} does not exist: check the name.")


def _refuse_output_among_inputs(inputs: Sequence[Path], output: Path) -> None:
    target = output.resolve()
    for path in inputs:
        folder = path.resolve()
        one_image = not path.is_dir() or is_zarr(path)
        inside = folder in (target, *target.parents) or (one_image and folder.parent == target)
        if inside:
            raise VeinSegError(
                f"The output {output} lies in the input folder of {path}: choose another folder."
            )


def _refuse_clashes(plans: Sequence[FilePlan]) -> None:
    owners: dict[str, Path] = {}
    for plan in plans:
        for target in filter(None, (plan.mask, plan.probability)):
            # Many file systems do not tell upper from lower case.
            owner = owners.setdefault(str(target).casefold(), plan.source)
            if owner != plan.source:
                raise VeinSegError(
                    f"{owner} and {plan.source} would both be written to {target}: rename one "
                    "or segment them into different folders."
                )


def _refuse_originals(plans: Sequence[FilePlan]) -> None:
    """Refuse results that would replace an image: by a link, or a name written otherwise."""
    targets = [target for plan in plans for target in (plan.mask, plan.probability) if target]
    there = [target for target in targets if target.exists()]
    originals = {_identity(plan.source): plan.source for plan in plans} if there else {}
    for target in there:
        original = originals.get(_identity(target))
        if original:
            raise VeinSegError(
                f"The result {target} would replace the image {original}: choose another folder."
            )


def _identity(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_dev, found.st_ino
