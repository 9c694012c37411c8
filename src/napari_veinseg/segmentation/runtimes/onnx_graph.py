"""A network's convolutions as an ONNX graph.

torch's own exporter takes 11 s of processor time for the starter and asks for more packages; the
few modules that our networks are made of are translated here in a tenth of a second, so that a
model which was trained a moment ago is ready at once.
"""

import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
import torch
from monai.networks.blocks import SubpixelUpsample
from numpy.typing import NDArray
from onnx import helper, numpy_helper
from torch import fx, nn

from napari_veinseg.errors import VeinSegError
from napari_veinseg.model.network import SegmentationNetwork
from napari_veinseg.segmentation.runtimes.torch_runtime import prediction_core

OPSET = 18
IR_VERSION = 8
"""The oldest that goes with the opset, for old runtimes."""


class _Tracer(fx.Tracer):
    """Stops at the modules that have a translation."""

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return type(m) in _MODULES or super().is_leaf_module(m, module_qualified_name)


class _Graph:
    """Nodes and weights in the making; a value of the graph is known by its name."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []

    def weight(self, values: torch.Tensor | NDArray[Any]) -> str:
        name = f"weight_{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.asarray(values), name))
        return name

    def node(self, operation: str, *inputs: str, **attributes: Any) -> str:
        name = f"value_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operation, inputs, [name], **attributes))
        return name

    def parameters(self, module: nn.Module, *names: str) -> list[str]:
        tensors = [getattr(module, name) for name in names]
        return [self.weight(tensor.detach()) for tensor in tensors if tensor is not None]


def core_nodes(
    network: SegmentationNetwork, image: str, probability: str
) -> tuple[list[onnx.NodeProto], list[onnx.TensorProto]]:
    """Translate a network's core and the sigmoid behind it into nodes, in order, and constants.

    The input is named `image` and is `(N, 1, Y, X)`, its sides multiples of the total stride; the
    output `probability` has the same shape.
    """
    core, graph = prediction_core(network), _Graph()
    names: dict[Any, str] = {}
    for node in _Tracer().trace(core).nodes:
        if node.op == "placeholder":
            names[node] = graph.node("Concat", *[image] * network.geometry.in_channels, axis=1)
        elif node.op == "call_module":
            module = core.get_submodule(str(node.target))
            translate = _MODULES.get(type(module)) or _untranslated(type(module).__name__)
            names[node] = translate(graph, module, names[node.args[0]])
        elif node.op == "output":
            result = names[node.args[0]]
            graph.nodes.append(helper.make_node("Sigmoid", [result], [probability]))
        elif node.target is torch.cat:
            maps, axis = node.args[0], node.kwargs.get("dim", node.args[-1])
            names[node] = graph.node("Concat", *(names[part] for part in maps), axis=axis)
        elif node.target is operator.getitem:
            names[node] = _last_maps(graph, names[node.args[0]], node.args[1])
        else:
            _untranslated(str(node.target))
    return graph.nodes, graph.weights


def core_model(network: SegmentationNetwork, described: dict[str, str]) -> bytes:
    """Write the bare network: `image`, normalised and padded, to `probability`."""
    nodes, weights = core_nodes(network, "image", "probability")
    return model_of(nodes, weights, described).SerializeToString()


def model_of(
    nodes: list[onnx.NodeProto], weights: list[onnx.TensorProto], described: dict[str, str]
) -> onnx.ModelProto:
    """Make a model of a graph that takes `image` to `probability`."""
    image, probability = (
        helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, ["N", 1, "Y", "X"])
        for name in ("image", "probability")
    )
    graph = helper.make_graph(nodes, "veinseg", [image], [probability], weights)
    model = helper.make_model(
        graph,
        producer_name="napari-veinseg",
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
    )
    helper.set_model_props(model, described)
    return model


def _untranslated(what: str) -> Any:
    raise VeinSegError(f"A network with {what} cannot be written as ONNX: use another model.")


def _last_maps(graph: _Graph, maps: str, where: Any) -> str:
    """Translate `maps[:, -n:]`, the only indexing in our networks."""
    if where[:1] != (slice(None),) or len(where) != 2 or where[1].stop or where[1].step:
        _untranslated(f"the indexing {where}")
    bounds = (where[1].start, np.iinfo(np.int64).max, 1)
    return graph.node("Slice", maps, *(graph.weight(np.array([bound])) for bound in bounds))


def _convolution(graph: _Graph, module: Any, maps: str) -> str:
    attributes: dict[str, Any] = {
        "strides": module.stride,
        "pads": [*module.padding, *module.padding],
        "dilations": module.dilation,
        "group": module.groups,
    }
    transposed = isinstance(module, nn.ConvTranspose2d)
    if transposed:
        attributes["output_padding"] = module.output_padding
    parameters = graph.parameters(module, "weight", "bias")
    operation = "ConvTranspose" if transposed else "Conv"
    return graph.node(operation, maps, *parameters, **attributes)


def _norm(graph: _Graph, module: Any, maps: str) -> str:
    parameters = graph.parameters(module, "weight", "bias", "running_mean", "running_var")
    return graph.node("BatchNormalization", maps, *parameters, epsilon=module.eps)


def _average_pool(graph: _Graph, module: Any, maps: str) -> str:
    sides = {"kernel_shape": [module.kernel_size] * 2, "strides": [module.stride] * 2}
    return graph.node("AveragePool", maps, **sides)


def _sub_pixels(graph: _Graph, module: Any, maps: str) -> str:
    maps = _convolution(graph, module.conv_block, maps)
    return graph.node("DepthToSpace", maps, blocksize=module.scale_factor, mode="CRD")


def _nothing(_graph: _Graph, _module: Any, maps: str) -> str:
    return maps


_MODULES: dict[type[nn.Module], Callable[[_Graph, Any, str], str]] = {
    nn.Conv2d: _convolution,
    nn.ConvTranspose2d: _convolution,
    nn.BatchNorm2d: _norm,
    nn.AvgPool2d: _average_pool,
    SubpixelUpsample: _sub_pixels,
    nn.ReLU: lambda graph, _module, maps: graph.node("Relu", maps),
    nn.ELU: lambda graph, module, maps: graph.node("Elu", maps, alpha=module.alpha),
    nn.LeakyReLU: lambda graph, module, maps: graph.node(
        "LeakyRelu", maps, alpha=module.negative_slope
    ),
    nn.Sigmoid: lambda graph, _module, maps: graph.node("Sigmoid", maps),
    nn.Identity: _nothing,
    nn.Dropout: _nothing,  # in evaluation mode
    nn.Dropout2d: _nothing,
}
