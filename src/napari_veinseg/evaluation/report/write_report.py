"""A comparison as files: tables, plots and a self-contained `report.html`."""

import json
import platform
from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from napari_veinseg.data.array_types import Px
from napari_veinseg.data.csv_tables import write_table
from napari_veinseg.data.dataset import Dataset
from napari_veinseg.errors import VeinSegError
from napari_veinseg.evaluation.caveats import caveats
from napari_veinseg.evaluation.comparison import Comparison, Progress, compare, count_range
from napari_veinseg.evaluation.contenders import Contender
from napari_veinseg.evaluation.metrics import TOLERANCE
from napari_veinseg.evaluation.report.html_page import PLOTS, draw_plots, html_page
from napari_veinseg.evaluation.report.pseudonyms import (
    DATASET,
    with_pseudonyms,
    without_folder_names,
)
from napari_veinseg.evaluation.selection import select
from napari_veinseg.evaluation.summary import (
    SHARE,
    TO_CORRECT,
    Difference,
    Summary,
    differences,
    image_rows,
    interval_note,
    summarise,
)
from napari_veinseg.files import check_output_folder, write_text, writing

REPORT_PAGE = "report.html"
_SUMMARY, _ROWS = "summary.json", "per_image.csv"
REPORT_FILES = (REPORT_PAGE, _SUMMARY, _ROWS, *(f"{name}.svg" for name in PLOTS))
"""What a report writes into its folder."""

_PACKAGES = ("napari-veinseg", "numpy", "scipy", "scikit-image", "torch", "monai")


def evaluate(
    dataset: Dataset,
    contenders: Sequence[Contender],
    output: Path,
    *,
    everything: bool = False,
    tolerance: Px = TOLERANCE,
    pseudonyms: bool = False,
    pictures: bool = True,
    progress: Progress | None = None,
) -> tuple[Comparison, list[Summary]]:
    """Compare contenders on a dataset, see `comparison.compare`, and write the report.

    It takes the hold-out where there is one, or everything.  With pseudonyms numbers stand for the
    names of images, fingers and folders; with pictures the page shows examples of the images.

    Raise VeinSegError if nothing can be evaluated, or the output lies in the dataset or cannot be
    written.
    """
    refuse_output_in(dataset.path, output)
    check_output_folder(output)
    selection, name = select(dataset, everything), dataset.path.resolve().name
    if pseudonyms:
        selection, name = with_pseudonyms(selection), DATASET
        contenders = without_folder_names(contenders)
    comparison = compare(selection, contenders, tolerance, progress)
    return comparison, write_report(comparison, name, output, pictures=pictures)


def refuse_output_in(dataset: Path, output: Path) -> None:
    """Refuse a folder for the report that lies in the dataset."""
    inside = dataset.resolve()
    if output.resolve() == inside or inside in output.resolve().parents:
        raise VeinSegError(f"The output {output} lies in the dataset: choose another folder.")


def write_report(
    comparison: Comparison, dataset_name: str, output: Path, *, pictures: bool = True
) -> list[Summary]:
    """Write a comparison."""
    summaries = [summarise(result) for result in comparison.results]
    gaps = differences(comparison)
    facts = dataset_facts(comparison, dataset_name)
    rows = list(image_rows(comparison))
    write_table(output / _ROWS, rows, rows[0])
    text = summary_json(comparison, summaries, gaps, facts)
    drawn, versions = draw_plots(comparison.results), package_versions()
    page = html_page(comparison, summaries, gaps, facts, versions, drawn, pictures=pictures)
    with writing(output):
        write_text(output / _SUMMARY, text)
        for name, svg in drawn.items():
            write_text(output / f"{name}.svg", svg)
        write_text(output / REPORT_PAGE, page)
    return summaries


def dataset_facts(comparison: Comparison, dataset_name: str) -> dict[str, str]:
    """Describe the data without any path."""
    sizes = [f"{height} x {width}" for height, width in comparison.sizes]
    return {
        "Dataset": dataset_name,
        "Selection": comparison.note,
        "Images": _images_fact(comparison),
        "Subjects": _subjects_fact(comparison),
        "Size (Y x X)": sizes[0] if len(sizes) == 1 else f"{sizes[0]} to {sizes[-1]}",
        "Truths that differ": str(comparison.distinct_truths),
        "Content (SHA-256)": comparison.data_hash,
    }


def _images_fact(comparison: Comparison) -> str:
    """Count the images that figures are made of, and name the others beside."""
    facts = [comparison.judged_range]
    if known := len(comparison.samples) - min(comparison.judged_counts, default=0):
        facts.append(f"{known} more are left out, since a contender was trained on them")
    if comparison.left_out:
        facts.append(f"{len(comparison.left_out)} more could not be used")
    return "; ".join(facts)


def _subjects_fact(comparison: Comparison) -> str:
    """Count the subjects of the images that figures are made of."""
    fingers = [{image.sample.finger for image in each.judged} for each in comparison.results]
    known = not any("" in each for each in fingers)
    return count_range(map(len, fingers)) if known else "not all known"


def summary_json(
    comparison: Comparison,
    summaries: Sequence[Summary],
    gaps: Sequence[Difference],
    facts: dict[str, str],
) -> str:
    """Give all figures of a comparison as the text of `summary.json`."""
    models = {}
    for summary, result in zip(summaries, comparison.results, strict=True):
        figures: dict[str, object] = {}
        for name, estimate in summary.mean_of_images.items():
            key = name if name in (SHARE, TO_CORRECT) else f"{name}_mean_of_images"
            figures[key] = asdict(estimate)
        figures |= {f"{name}_pooled": value for name, value in summary.pooled.items()}
        if summary.threshold:
            figures["best_threshold_on_these_images"] = summary.threshold[0]
            figures["vein_iou_mean_of_images_at_best_threshold"] = summary.threshold[1]
        card = result.contender.card
        models[summary.name] = {
            "kind": summary.kind,
            "images": summary.images,
            "images_seen_in_training": summary.seen,
            "unsure_share": result.unsure,
            "intervals": interval_note([summary]),
            "resampled": summary.resampled,
            **figures,
            "card": card.model_dump(mode="json") if card else None,
        }
    return json.dumps(
        {
            "dataset": facts,
            "caveats": caveats(comparison),
            "left_out": {fault.stem: fault.message for fault in comparison.left_out},
            "same_images_for_all": comparison.same_images,
            "centreline_tolerance_px": comparison.tolerance,
            "models": models,
            "differences": [
                {
                    "first": gap.first,
                    "second": gap.second,
                    "images": gap.images,
                    "identical": gap.identical,
                    **{
                        f"{name}_first_minus_second_mean_of_images": asdict(estimate)
                        for name, estimate in gap.of.items()
                    },
                }
                for gap in gaps
            ],
            "versions": package_versions(),
        },
        indent=2,
        allow_nan=False,
        ensure_ascii=False,
    )


def package_versions() -> dict[str, str]:
    """Tell which programs made the figures."""
    versions = {"Python": platform.python_version()}
    for name in _PACKAGES:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            continue
    return versions
