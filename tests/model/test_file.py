import json
import struct

import pytest
import torch
from pydantic import ValidationError

from napari_veinseg.errors import VeinSegError
from napari_veinseg.model.card import DenseUNetArguments, Metric, ModelCard, Original2020Arguments
from napari_veinseg.model.file import CARD_KEY, build_network, read_card, read_model, write_model
from tests.models import lively_network, small_card, write_small_model


def split(path):
    """Header as a dict, and the bytes behind it."""
    content = path.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    return json.loads(content[8 : 8 + length]), content[8 + length :]


def join(path, header, weights):
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + weights)


def edit_card(path, **changes):
    header, weights = split(path)
    card = json.loads(header["__metadata__"][CARD_KEY]) | changes
    header["__metadata__"][CARD_KEY] = json.dumps(card)
    join(path, header, weights)


@pytest.fixture
def file(tmp_path):
    return write_small_model(tmp_path / "Vénen.safetensors")


def test_a_model_comes_back_as_it_was_written(tmp_path):
    metric = Metric(name="vein IoU", mean="over images", value=0.4, data="held-out synthetic")
    card = small_card(metrics=(metric,), threshold=0.35, parent="starter")
    network = lively_network(card)
    write_model(tmp_path / "m.safetensors", card, network)
    read, again = read_model(tmp_path / "m.safetensors")
    assert read == card == read_card(tmp_path / "m.safetensors")
    assert not again.training
    for name, tensor in network.state_dict().items():
        assert torch.equal(again.state_dict()[name], tensor)


def test_a_variance_beyond_half_precision_is_kept(tmp_path):
    card = small_card()
    network = build_network(card)
    name = next(name for name in network.state_dict() if name.endswith("running_var"))
    network.state_dict()[name].fill_(1e5)
    write_model(tmp_path / "half.safetensors", card, network, half=True)
    assert read_model(tmp_path / "half.safetensors")[1].state_dict()[name].min() == 1e5


def test_half_precision_is_for_the_disk_only(tmp_path):
    card = small_card()
    network = lively_network(card)
    write_model(tmp_path / "half.safetensors", card, network, half=True)
    _, again = read_model(tmp_path / "half.safetensors")
    assert {p.dtype for p in again.parameters()} == {torch.float32}
    image = torch.randn(1, 1, 40, 40)
    torch.testing.assert_close(again(image).sigmoid(), network(image).sigmoid(), atol=2e-2, rtol=0)


def test_the_original_network_has_a_card_too():
    network = build_network(ModelCard(network=Original2020Arguments()))
    assert sum(p.numel() for p in network.parameters()) == 2_334_681


def with_header(length: int, text: bytes = b"x" * 200) -> bytes:
    return struct.pack("<Q", length) + text


def without_card(file):
    header, weights = split(file)
    del header["__metadata__"]
    join(file, header, weights)


def without_tensors(file):
    join(file, {"__metadata__": split(file)[0]["__metadata__"]}, b"")


def with_network(file, **arguments):
    edit_card(file, network=DenseUNetArguments().model_dump(mode="json") | arguments)


def with_nan(file):
    header, weights = split(file)
    start = header["core.stem.conv.weight"]["data_offsets"][0]
    nan = struct.pack("<f", float("nan"))
    join(file, header, weights[:start] + nan + weights[start + 4 :])


DAMAGES = {
    "empty": (lambda file: file.write_bytes(b""), "not a vein model"),
    "a picture": (lambda file: file.write_bytes(b"\x89PNG" + bytes(200)), "not a vein model"),
    "huge header": (lambda file: file.write_bytes(with_header(2**40)), "not a vein model"),
    "header not JSON": (lambda file: file.write_bytes(with_header(20)), "not a vein model"),
    "deep header": (lambda file: file.write_bytes(with_header(10**5, b"[" * 10**5)), "not a vein"),
    "no card": (without_card, "not a vein model"),
    "no tensors": (without_tensors, "not a vein model"),
    "header cut": (lambda file: file.write_bytes(file.read_bytes()[:100]), "not a vein model"),
    "truncated": (lambda file: file.write_bytes(file.read_bytes()[:-100]), "cut off"),
    "newer format": (lambda file: edit_card(file, format_version=99, new=1), "has format 99"),
    "other architecture": (lambda file: with_network(file, architecture="ViT"), "does not know"),
    "unknown argument": (lambda file: with_network(file, attention=True), "does not know"),
    "other weights": (with_network, "another architecture"),
    "bad activation": (lambda file: with_network(file, act="no-such"), "cannot be built"),
    "bad norm": (
        lambda file: with_network(file, norm=["group", {"num_groups": 0}]),
        "cannot be built",
    ),
    "no layers": (lambda file: with_network(file, layers=[]), "does not know .*layers"),
    "bad threshold": (lambda file: edit_card(file, threshold=2.0), "wrong at threshold"),
    "a scale twice": (lambda file: edit_card(file, scales=[1, 2, 1]), "wrong at scales .*once"),
    "a scale of nothing": (lambda file: edit_card(file, scales=[1, 0]), "wrong at scales"),
    "NaN weights": (with_nan, "not finite"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_bad_file_is_refused_with_one_sentence(file, damage):
    spoil, sentence = DAMAGES[damage]
    spoil(file)
    with pytest.raises(VeinSegError, match=sentence) as caught:
        read_model(file)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "scales", [(), (0.2,), (1, 4.1), (1, 1.0), (0.5, 1, 2, 3, 4), (float("nan"),), ("wide",)]
)
def test_scales_are_one_to_four_different_factors_between_a_quarter_and_4(scales):
    with pytest.raises(ValidationError, match="scales"):
        small_card(scales=scales)


def test_a_card_of_before_scales_has_one(file):
    header, _ = split(file)
    card = json.loads(header["__metadata__"][CARD_KEY])
    del card["scales"]
    assert card["format_version"] == 1
    assert ModelCard.model_validate(card) == read_card(file)
    assert read_card(file).scales == (1.0,)


@pytest.mark.parametrize(("scales", "known"), [((1.0,), True), ((2.0,), False), ((1, 2), False)])
def test_a_package_of_before_scales_reads_what_needs_none_and_refuses_the_rest(
    tmp_path, monkeypatch, scales, known
):
    path = write_small_model(tmp_path / "m.safetensors")
    card, network = read_model(path)
    write_model(path, card.model_copy(update={"scales": scales}), network)
    assert read_card(path).scales == scales
    monkeypatch.setattr("napari_veinseg.model.file.FORMAT_VERSION", 1)
    if known:
        assert read_model(path)[0] == card
    else:
        with pytest.raises(VeinSegError, match="has format 2 and this veinseg reads up to 1"):
            read_model(path)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(VeinSegError, match="does not exist"):
        read_model(tmp_path / "none.safetensors")
    with pytest.raises(VeinSegError, match=r"cannot be opened|not a vein model"):
        read_model(tmp_path)


def test_weights_that_are_not_finite_are_not_written(tmp_path):
    network = lively_network(small_card())
    next(network.parameters()).data.fill_(float("nan"))
    with pytest.raises(VeinSegError, match="not finite"):
        write_model(tmp_path / "m.safetensors", small_card(), network)
    with pytest.raises(VeinSegError, match="another architecture"):
        write_model(tmp_path / "m.safetensors", ModelCard(), lively_network(small_card()))
    with pytest.raises(VeinSegError, match=r"ends in \.safetensors"):
        write_model(tmp_path / "m.pt", small_card(), network)
    assert not list(tmp_path.iterdir())
