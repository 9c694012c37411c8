"""All of a model as an ONNX graph: grey values are normalised, padded, predicted and cropped."""

import onnx

from napari_veinseg.model.card import ModelCard
from napari_veinseg.model.network import SegmentationNetwork
from napari_veinseg.segmentation.runtimes.onnx_graph import core_nodes, model_of
from napari_veinseg.segmentation.runtimes.torch_runtime import prediction_core
from napari_veinseg.segmentation.tiling.normalisation import CLIP, ENOUGH_SAMPLES

# From grey values to the core's input, as `Normaliser` and `SegmentationNetwork` do it: percentiles
# of evenly spread pixels (their number must be odd, see there) become -1 and 1, and the far ends
# are padded by repeating the border.
_BEFORE = """
before (float[N, 1, Y, X] image) => (float[N, 1, PY, PX] seen) {{
    all = Constant <value = int64[1] {{ 9223372036854775807 }}> ()
    zero = Constant <value = int64[1] {{ 0 }}> ()
    one = Constant <value = int64[1] {{ 1 }}> ()
    two = Constant <value = int64[1] {{ 2 }}> ()
    row = Constant <value = int64[2] {{ 0, -1 }}> ()
    each = Constant <value = int64[4] {{ -1, 1, 1, 1 }}> ()
    grey = Reshape (image, row)
    pixels = Shape <start = 1> (grey)
    enough = Constant <value = int64[1] {{ {enough} }}> ()
    sparse = Div (pixels, enough)
    half_step = Div (sparse, two)
    even_step = Mul (half_step, two)
    step = Add (even_step, one)
    thinned = Slice (grey, zero, all, one, step)
    count = Shape <start = 1> (thinned)
    ascending, _order = TopK <axis = 1, largest = 0> (thinned, count)
    last = Sub (count, one)
    last_place = Cast <to = 11> (last)
    shares = Constant <value = double[2] {{ {low}, {high} }}> ()
    places = Mul (shares, last_place)
    floors = Floor (places)
    lower = Cast <to = 7> (floors)
    after = Add (lower, one)
    upper = Min (after, last)
    beyond64 = Sub (places, floors)
    beyond = Cast <to = 1> (beyond64)
    below = Gather <axis = 1> (ascending, lower)
    above = Gather <axis = 1> (ascending, upper)
    gap = Sub (above, below)
    part = Mul (gap, beyond)
    range = Add (below, part)
    low_percentile = Slice (range, zero, one, one)
    high_percentile = Slice (range, one, two, one)
    distinct = Less (low_percentile, high_percentile)
    smallest = ReduceMin <keepdims = 1> (grey, one)
    largest = ReduceMax <keepdims = 1> (grey, one)
    low = Where (distinct, low_percentile, smallest)
    high = Where (distinct, high_percentile, largest)
    half = Constant <value = float[1] {{ 0.5 }}> ()
    sum = Add (low, high)
    middle = Mul (sum, half)
    difference = Sub (high, low)
    reach = Mul (difference, half)
    nothing = Constant <value = float[1] {{ 0 }}> ()
    unit = Constant <value = float[1] {{ 1 }}> ()
    shows = Greater (reach, nothing)
    divisor = Where (shows, reach, unit)
    centred = Sub (grey, middle)
    scaled = Div (centred, divisor)
    floor = Constant <value = float {{ -{clip} }}> ()
    ceiling = Constant <value = float {{ {clip} }}> ()
    clipped = Clip (scaled, floor, ceiling)
    whole = Shape (image)
    normal = Reshape (clipped, whole)
    sides = Shape <start = 2> (image)
    stride = Constant <value = int64[1] {{ {stride} }}> ()
    short_of = Constant <value = int64[1] {{ {stride_less_one} }}> ()
    raised = Add (sides, short_of)
    cells = Div (raised, stride)
    enough_cells = Max (cells, two)
    padded = Mul (enough_cells, stride)
    missing = Sub (padded, sides)
    none = Constant <value = int64[6] {{ 0, 0, 0, 0, 0, 0 }}> ()
    pads = Concat <axis = 0> (none, missing)
    seen = Pad <mode = "edge"> (normal, pads)
}}
"""
# Back to the image's own sides; an image that shows nothing has no vein.
_AFTER = """
after (float[N, 1, PY, PX] answer, int64[2] sides, bool[N, 1] shows, int64[4] each)
    => (float[N, 1, Y, X] probability) {
    origin = Constant <value = int64[2] { 0, 0 }> ()
    axes = Constant <value = int64[2] { 2, 3 }> ()
    cropped = Slice (answer, origin, sides, axes)
    shown = Cast <to = 1> (shows)
    factor = Reshape (shown, each)
    probability = Mul (cropped, factor)
}
"""


def whole_model(
    card: ModelCard, network: SegmentationNetwork, described: dict[str, str]
) -> onnx.ModelProto:
    """Write all of the model: `image` of grey values, of any size, to `probability`."""
    before = onnx.parser.parse_graph(
        _BEFORE.format(
            enough=ENOUGH_SAMPLES,
            clip=CLIP,
            low=card.normalisation.low_percentile / 100,
            high=card.normalisation.high_percentile / 100,
            stride=network.geometry.total_stride,
            stride_less_one=network.geometry.total_stride - 1,
        )
    )
    core, weights = core_nodes(
        prediction_core(network), network.geometry.in_channels, "seen", "answer"
    )
    after = onnx.parser.parse_graph(_AFTER)
    model = model_of([*before.node, *core, *after.node], weights, described)
    onnx.checker.check_model(model, full_check=True)
    return model
