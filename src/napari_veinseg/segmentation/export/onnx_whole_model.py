"""All of a model as an ONNX graph: grey values are normalised, padded, predicted and cropped."""

from importlib.resources import files
from string import Template

import onnx

from napari_veinseg.model.card import ModelCard
from napari_veinseg.model.network import SegmentationNetwork
from napari_veinseg.segmentation.runtimes.onnx_graph import core_nodes, model_of
from napari_veinseg.segmentation.tiling.normalisation import CLIP, ENOUGH_SAMPLES


def whole_model(
    card: ModelCard, network: SegmentationNetwork, described: dict[str, str]
) -> onnx.ModelProto:
    """Write all of the model: `image` of grey values, of any size, to `probability`.

    Before the core it does what `Normaliser` and `SegmentationNetwork` do: percentiles of evenly
    spread pixels (their number must be odd, see there) become -1 and 1, and the far ends are padded
    by repeating the border.  After it the image's own sides come back, and an image that shows
    nothing has no vein.
    """
    before = _graph(
        "onnx_before_core.txt",
        enough=ENOUGH_SAMPLES,
        clip=CLIP,
        low=card.normalisation.low_percentile / 100,
        high=card.normalisation.high_percentile / 100,
        stride=network.geometry.total_stride,
        stride_less_one=network.geometry.total_stride - 1,
    )
    core, weights = core_nodes(network, "seen", "answer")
    after = _graph("onnx_after_core.txt")
    model = model_of([*before.node, *core, *after.node], weights, described)
    onnx.checker.check_model(model, full_check=True)
    return model


def _graph(name: str, **numbers: float) -> onnx.GraphProto:
    """Read a graph in ONNX's own text format, with numbers in the places of `$names`."""
    text = files(__package__).joinpath(name).read_text(encoding="utf-8")
    return onnx.parser.parse_graph(Template(text).substitute(numbers))
