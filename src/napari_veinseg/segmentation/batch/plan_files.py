"""What is to be done for a folder of images, refused before any work where it cannot go well."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from napari_veinseg.data.images import PROBABILITY_ENDING, list_images
from napari_veinseg.data.ome_zarr import is_zarr
from napari_veinseg.errors import VeinSegError


@dataclass(frozen=True)
class FilePlan:
    """One image and the files that it becomes.

    Parameters
    ----------
    source : Path
        The image.
    mask : Path
        Where the mask goes.
    probability : Path or None
        Where the probability goes, if it is wanted.
    """

    source: Path
    mask: Path
    probability: Path | None = None

    @property
    def finished(self) -> bool:
        """Whether all results exist; they are written whole or not at all."""
        return self.mask.exists() and (self.probability is None or self.probability.exists())


def plan_files(
    inputs: Iterable[str | Path], output: str | Path, probability: bool = False
) -> list[FilePlan]:
    """Find the images and the names of their results, without touching the disk.

    Parameters
    ----------
    inputs : iterable of str or Path
        Images, or folders whose images are meant.
    output : str or Path
        The folder for the results; it need not exist.
    probability : bool, optional
        Whether probabilities are wanted.

    Returns
    -------
    list of FilePlan
        One an image.

    Raises
    ------
    VeinSegError
        If an input does not exist, no image is found, two images would be written to one file, or
        the output would go into an input folder or onto an input.
    """
    given, output = [Path(path) for path in inputs], Path(output)
    _refuse_output_among_inputs(given, output)
    sources: dict[Path, Path] = {}  # as they were first given, whatever other way there is to them
    for image in (image for path in given for image in _images_of(path)):
        sources.setdefault(image.resolve(), image)
    if not sources:
        raise VeinSegError(
            f"There is no image in {', '.join(map(str, given)) or 'no input'}: give tif, png, jpg "
            "or bmp files, or folders of them."
        )
    plans = [_plan(source, output, probability) for source in sources.values()]
    _refuse_clashes(plans)
    _refuse_originals(plans)
    return plans


def _plan(source: Path, output: Path, probability: bool) -> FilePlan:
    if not is_zarr(source):
        likely = output / f"{source.stem}{PROBABILITY_ENDING}.tif" if probability else None
        return FilePlan(source, output / f"{source.stem}.tif", likely)
    if probability:
        raise VeinSegError(f"{source} is OME-Zarr, of which only labels are written: leave it out.")
    return FilePlan(source, output / f"{source.stem}.zarr")


def _images_of(path: Path) -> list[Path]:
    if is_zarr(path):
        return [path]
    if path.is_dir():
        return sorted([*list_images(path), *filter(is_zarr, path.glob("*.zarr"))])
    if not path.exists():
        raise VeinSegError(f"{path} does not exist: check the name.")
    return [path]


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
            owner = owners.setdefault(target.name.casefold(), plan.source)
            if owner != plan.source:
                raise VeinSegError(
                    f"{owner} and {plan.source} would both be written to {target.name}: rename one "
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
