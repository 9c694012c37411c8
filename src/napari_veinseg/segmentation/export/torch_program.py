"""A model as one `torch.export` file: any program with torch runs it, without this package."""

import json
from pathlib import Path

import torch

from napari_veinseg.errors import VeinSegError
from napari_veinseg.files import atomic_path, writing
from napari_veinseg.segmentation.export.standalone import StandaloneModel
from napari_veinseg.segmentation.vein_model import VeinModel

CARD_NAME = "veinseg_card.json"
"""Name of the card among the extra files of `torch.export.load`."""
WIDTHS_NAME = "veinseg_seen_widths.json"
"""Name of the card's `seen_widths`, a list, among them."""


def export_torch(model: VeinModel, target: Path) -> None:
    """Write a model as a program of `torch.export`, with the card and the widths as JSON beside it.

    Its input `image` is `(N, 1, Y, X)` float32, finite grey values of any range in which veins
    are dark and as wide as one of the card's `seen_widths`, of any height and width above the
    network's total stride (16 px for the starter).  Its output is the probability of vein, of the
    same shape.  Each image is normalised by its own percentiles inside.

    Of several widths the mean of the answers counts: docs/formats.md has the lines that make it.
    """
    if target.suffix != ".pt2":
        raise VeinSegError(f"{target} was not written: choose a name that ends in .pt2.")
    smallest = model.network.geometry.total_stride + 1  # px: less is padded by another rule
    example = torch.zeros(2, 1, 70, 90)  # neither square nor whole strides: nothing is fixed by it
    program = torch.export.export(
        standalone(model),
        (example,),
        dynamic_shapes={
            "image": {
                0: torch.export.Dim("images", min=1),
                2: torch.export.Dim("height", min=smallest),
                3: torch.export.Dim("width", min=smallest),
            }
        },
        # Sizes after padding and striding are equal, but too entangled for torch to prove it.
        prefer_deferred_runtime_asserts_over_guards=True,
    )
    with writing(target), atomic_path(target) as temporary:
        described = {
            CARD_NAME: model.card.model_dump_json(),
            WIDTHS_NAME: json.dumps(model.card.seen_widths),
        }
        torch.export.save(program, temporary, extra_files=described)


def standalone(model: VeinModel) -> StandaloneModel:
    """Take the network of a model with its normalisation, to predict; it shares the weights."""
    module = StandaloneModel(model.network, *model.card.normalisation.percentiles)
    return module.eval().requires_grad_(False)
