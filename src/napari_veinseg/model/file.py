"""One model, one `.safetensors` file: the card as JSON in its header, the weights behind it.

Opening a file never runs code, and a network is handed out whole or not at all.  torch is imported
only where weights are touched: reading a card takes milliseconds.
"""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from napari_veinseg.errors import VeinSegError
from napari_veinseg.files import atomic_path, opening, writing
from napari_veinseg.model.card import FORMAT_VERSION, ModelCard

if TYPE_CHECKING:
    import torch

    from napari_veinseg.model.network import SegmentationNetwork

CARD_KEY = "veinseg_card"
LARGEST_HEADER = 16 * 2**20
"""Bytes; a header is some kilobytes, and a damaged length must not fill the memory."""


def read_card(path: str | Path) -> ModelCard:
    """Read the card without the weights.

    Raise VeinSegError if the file is missing, no model, truncated, of a newer format or another
    architecture.
    """
    path = Path(path)
    return _parse_card(path, _read_header(path)[0])


def read_model(path: str | Path) -> tuple[ModelCard, "SegmentationNetwork"]:
    """Read a card and build its network with the weights of the file, ready to predict.

    Raise VeinSegError as `read_card`, and if the weights do not fit the architecture or are not
    finite.
    """
    path = Path(path)
    text, shapes = _read_header(path)
    card = _parse_card(path, text)
    network = _empty_network(card)
    # By the header first: neither the card nor the file decides how much memory is taken.
    _check_shapes(path, network.state_dict(), shapes)
    weights = _read_weights(path)
    _check_fit(path, network.state_dict(), weights)
    network.load_state_dict(weights, assign=True)
    return card, network.eval()


def write_model(
    path: str | Path, card: ModelCard, network: "SegmentationNetwork", *, half: bool = False
) -> None:
    """Write card and weights, whole or not at all.

    `half` stores `float16`: half the size, a change in probability of about 1e-3.

    Raise VeinSegError if card and network do not fit, a weight is not finite or the file cannot be
    written.
    """
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    path = Path(path)
    if path.suffix != ".safetensors":
        raise VeinSegError(f"{path} was not written: choose a name that ends in .safetensors.")
    weights = {name: tensor.detach().cpu() for name, tensor in network.state_dict().items()}
    if half:
        weights = {name: _halved(tensor) for name, tensor in weights.items()}
    _check_fit(path, _empty_network(card).state_dict(), weights)
    contiguous = {name: tensor.contiguous() for name, tensor in weights.items()}
    with writing(path), atomic_path(path) as temporary:
        try:
            save_file(contiguous, temporary, metadata={CARD_KEY: card.model_dump_json()})
        except SafetensorError as error:  # a full disk, in the words of another language
            raise OSError(str(error)) from error


def _halved(tensor: "torch.Tensor") -> "torch.Tensor":
    """Store as `float16` what fits: a variance can lie beyond its range."""
    smaller = tensor.half() if tensor.is_floating_point() else tensor
    return smaller if smaller.isfinite().all() else tensor


def build_network(card: ModelCard) -> "SegmentationNetwork":
    """Build the network that a card describes, with fresh random weights, on the CPU.

    Raise VeinSegError if the arguments name an activation or norm that does not exist, or cannot
    be.
    """
    from napari_veinseg.model.network import DenseUNet, original_2020

    arguments = card.network.model_dump(exclude={"architecture"})
    makers: dict[str, Any] = {"DenseUNet": DenseUNet, "original_2020": original_2020}
    try:
        network: SegmentationNetwork = makers[card.network.architecture](**arguments)
    except Exception as error:  # layers of torch and MONAI raise anything at all
        raise VeinSegError(
            f"A network cannot be built from the card's arguments {str(arguments)[:500]}: use "
            "another model."
        ) from error
    return network


def _empty_network(card: ModelCard) -> "SegmentationNetwork":
    """Build the network without memory for its weights, to compare shapes or to take weights."""
    import torch
    from torch.overrides import TorchFunctionMode

    class WithoutChance(TorchFunctionMode):
        """Where there is no memory torch imports its compiler to fill it with random numbers."""

        def __torch_function__(
            self, function: Any, _types: Any, args: Any = (), kwargs: Any = None
        ) -> Any:
            if function in (torch.Tensor.normal_, torch.Tensor.uniform_):
                return args[0]
            return function(*args, **(kwargs or {}))

    with torch.device("meta"), WithoutChance():
        return build_network(card)


def _read_header(path: Path) -> tuple[str, dict[str, tuple[int, ...]]]:
    """Read the card, and the shapes of the weights, of a file that is as long as it says."""
    if not path.exists():
        raise VeinSegError(f"The model {path} does not exist: check the name.")
    with opening(path), path.open("rb") as file:
        size = path.stat().st_size
        length = int.from_bytes(file.read(8), "little")
        if size < 8 or length > LARGEST_HEADER:
            raise _no_model(path)
        text = file.read(length)
    try:
        header = json.loads(text)
        card = header.pop("__metadata__")[CARD_KEY]
        shapes = {name: tuple(entry["shape"]) for name, entry in header.items()}
        ends = [entry["data_offsets"][1] for entry in header.values()]
        if not all(type(end) is int and 0 <= end < 2**63 for end in ends):
            raise _no_model(path)
        expected = 8 + length + max(ends)
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError) as error:
        raise _no_model(path) from error
    if size < expected:
        raise VeinSegError(
            f"{path} is cut off ({size} of {expected} bytes): copy or download it again."
        )
    return card, shapes


def _no_model(path: Path) -> VeinSegError:
    return VeinSegError(f"{path} is not a vein model: choose a .safetensors file made by veinseg.")


def _parse_card(path: Path, text: str) -> ModelCard:
    try:
        content = json.loads(text)
        version = int(content["format_version"])
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        raise _no_model(path) from error
    if version < 1:
        raise _no_model(path)
    if version > FORMAT_VERSION:
        raise VeinSegError(
            f"{path} has format {str(version)[:20]} and this veinseg reads up to "
            f"{FORMAT_VERSION}: update it."
        )
    try:
        return ModelCard.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        field = _shown(".".join(str(part) for part in first["loc"]))
        if field.startswith("network"):
            raise VeinSegError(
                f"{path} holds a network that this veinseg does not know ({field}): update veinseg "
                "or use another model."
            ) from error
        raise VeinSegError(
            f"The card of {path} is wrong at {field} ({first['msg']}): use another copy."
        ) from error


def _shown(text: str) -> str:
    """Cut a stranger's words down to what a sentence can hold."""
    return "".join(sign for sign in text[:80] if sign.isprintable())


def _read_weights(path: Path) -> dict[str, "torch.Tensor"]:
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        weights: dict[str, torch.Tensor] = load_file(path)
    except (SafetensorError, OSError, ValueError) as error:
        raise _no_model(path) from error
    # Copies: what was read may be mapped onto a file that somebody cuts off later.
    return {
        name: tensor.to(torch.float32 if tensor.is_floating_point() else tensor.dtype, copy=True)
        for name, tensor in weights.items()
    }


def _check_shapes(
    path: Path, wanted: dict[str, "torch.Tensor"], found: dict[str, tuple[int, ...]]
) -> None:
    shapes = {name: tuple(tensor.shape) for name, tensor in wanted.items()}
    for name in sorted({*shapes, *found}):
        if shapes.get(name) != found.get(name):
            raise VeinSegError(
                f"The weights of {path} belong to another architecture than its card says (at "
                f"{_shown(name)}): use another copy."
            )


def _check_fit(
    path: Path, wanted: dict[str, "torch.Tensor"], weights: dict[str, "torch.Tensor"]
) -> None:
    _check_shapes(path, wanted, {name: tuple(tensor.shape) for name, tensor in weights.items()})
    for name, tensor in weights.items():
        if tensor.is_floating_point() != wanted[name].is_floating_point():
            raise VeinSegError(f"{path} has weights of a wrong type (at {name}): use another copy.")
        if not bool(tensor.isfinite().all()):
            raise VeinSegError(
                f"{path} has weights that are not finite (at {name}): train it again."
            )
