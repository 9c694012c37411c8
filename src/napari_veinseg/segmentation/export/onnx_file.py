"""A model as one ONNX file that needs nothing of ours: grey values in, probabilities out."""

import json
from importlib.util import find_spec
from pathlib import Path

from napari_veinseg.errors import VeinSegError
from napari_veinseg.files import write_bytes, writing
from napari_veinseg.model.file import CARD_KEY
from napari_veinseg.segmentation.vein_model import VeinModel

WIDTHS_KEY = "veinseg_seen_widths"
"""Under which the metadata hold the card's `seen_widths`, as a list in JSON."""


def export_onnx(model: VeinModel, target: Path) -> None:
    """Write a model as ONNX.

    Its input `image` is `(N, 1, Y, X)` float32, finite grey values of any range in which veins
    are dark and as wide as one of the card's `seen_widths`, of any height and width; its output
    `probability` has the same shape.  Each image is normalised by its own percentiles inside.
    The card, with the threshold, and the widths stand in the file's metadata.

    Of several widths the mean of the answers counts: docs/formats.md has the lines that make it.

    Raise VeinSegError if the package `onnx` is missing, the network has no counterpart in ONNX, or
    the file cannot be written.
    """
    if target.suffix != ".onnx":
        raise VeinSegError(f"{target} was not written: choose a name that ends in .onnx.")
    if find_spec("onnx") is None:
        raise VeinSegError(
            "The package onnx is needed to write ONNX: pip install napari-veinseg[fast]."
        )
    from napari_veinseg.segmentation.export.onnx_whole_model import whole_model

    described = {
        CARD_KEY: model.card.model_dump_json(),
        WIDTHS_KEY: json.dumps(model.card.seen_widths),
    }
    content = whole_model(model.card, model.network, described).SerializeToString()
    with writing(target):
        write_bytes(target, content)
