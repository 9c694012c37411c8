"""`veinseg demo`: what the package does, shown on its own sample images."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from napari_veinseg.cli.app import app
from napari_veinseg.cli.options import Device, ModelName

if TYPE_CHECKING:
    from napari_veinseg.data.array_types import AnyImage, Mask, MaskStack
    from napari_veinseg.data.sample_data import DemoImage
    from napari_veinseg.segmentation.vein_model import VeinModel


@dataclass(frozen=True)
class _Shown:
    """A sample, its mask, the mask where its veins have the working width, and the scores."""

    sample: "DemoImage"
    mask: "MaskStack"
    working_mask: "Mask"
    scores: dict[str, float]  # of a stack the mean of its slices


@app.command()
def demo(
    output: Annotated[Path, typer.Option(help="Folder for masks and contact sheet.")] = Path(
        "demo"
    ),
    model: ModelName = "starter",
    device: Device = "auto",
    view: Annotated[bool, typer.Option("--view", help="Open the results in napari.")] = False,
) -> None:
    """Segment the sample images, score them, and draw a contact sheet."""
    from napari_veinseg.cli.console import print_table, progress_bar
    from napari_veinseg.data.image_files import write_image
    from napari_veinseg.data.mask_files import write_mask
    from napari_veinseg.data.sample_data import DEMO_IMAGES
    from napari_veinseg.files import make_output_folder
    from napari_veinseg.segmentation.vein_model import VeinModel

    make_output_folder(output)
    with progress_bar() as progress:
        loaded = VeinModel.load(model, device=device)
        makers = progress.track(DEMO_IMAGES, description="Segmenting")
        shown = [_segmented(make(), loaded) for make in makers]
    for item in shown:
        write_image(output / f"{item.sample.name}_image.tif", item.sample.image)
        write_mask(output / f"{item.sample.name}_truth.tif", item.sample.mask)
        write_mask(output / f"{item.sample.name}.tif", item.mask)
    _draw(output / "contact_sheet.png", shown)
    print_table(
        ("Sample", "Size", "Mean IoU (vein, background)", "Vein IoU", "Dice"),
        [
            (
                item.sample.name,
                " x ".join(map(str, item.sample.image.shape)),
                f"{item.scores['two_class_mean_iou']:.3f}",
                f"{item.scores['vein_iou']:.3f}",
                f"{item.scores['dice']:.3f}",
            )
            for item in shown
        ],
        title=f"Sample images, model {model}",
    )
    typer.echo(f"Masks and contact_sheet.png are in {output}")
    if view:
        _view(shown)


def _segmented(sample: "DemoImage", model: "VeinModel") -> _Shown:
    from napari_veinseg.evaluation.metrics import mean_of_slices

    mask = model.segment(sample.image)
    scores = mean_of_slices(mask, sample.mask)
    return _Shown(sample, mask, _at_working_scale(sample.image, model), scores)


def _at_working_scale(image: "AnyImage", model: "VeinModel") -> "Mask":
    """Segment the first slice where its veins have the working width, and leave it at that size."""
    from skimage.transform import resize

    from napari_veinseg.segmentation.settings import SegmentationSettings

    first = image if image.ndim == 2 else image[0]
    width = model.resolve(SegmentationSettings(), first).vein_width
    scale = model.card.working_vein_width / width
    shape = [max(8, round(side * scale)) for side in first.shape]
    small = resize(first, shape, anti_aliasing=True)
    return model.segment(small, vein_width=model.card.working_vein_width)


def _draw(path: Path, shown: list[_Shown]) -> None:
    from napari_veinseg.evaluation.report.contact_sheet import (
        SheetRow,
        agreement_picture,
        mask_picture,
        write_contact_sheet,
    )

    rows = []
    for item in shown:
        stack = item.sample.image.ndim == 3
        image, truth, mask = (
            array[0] if stack else array
            for array in (item.sample.image, item.sample.mask, item.mask)
        )
        rows.append(
            SheetRow(
                f"{item.sample.name}{' (all; the first is shown)' if stack else ''}: "
                f"vein IoU {item.scores['vein_iou']:.2f}, Dice {item.scores['dice']:.2f}",
                [
                    image,
                    mask_picture(truth),
                    mask_picture(item.working_mask),
                    agreement_picture(mask, truth),
                ],
            )
        )
    columns = ["Image", "Truth", "Prediction", "Upsampled prediction"]
    write_contact_sheet(path, columns, rows, legend=True)


def _view(shown: list[_Shown]) -> None:
    """Open image, truth and mask of every sample; returns when the viewer is closed."""
    import napari

    viewer = napari.Viewer(title="veinseg demo")
    for item in shown:
        first = item is shown[0]
        viewer.add_image(item.sample.image, name=item.sample.name, visible=first)
        viewer.add_labels(item.sample.mask, name=f"{item.sample.name} truth", visible=False)
        viewer.add_labels(item.mask, name=f"{item.sample.name} veins", visible=first)
    napari.run()
