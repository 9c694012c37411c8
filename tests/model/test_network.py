import pytest
import torch

from napari_veinseg.model.network import DenseUNet, SegmentationNetwork, original_2020


def small(**changes) -> DenseUNet:
    return DenseUNet(**{"growth_rate": 4, "layers": (1, 2, 2), "stem_channels": 8} | changes)


def parameter_count(network: torch.nn.Module) -> int:
    return sum(p.numel() for p in network.parameters() if p.requires_grad)


@pytest.mark.parametrize("side", [(60, 152), (241, 601), (8, 8), (9, 64)])
@pytest.mark.parametrize("stem_stride", [1, 2])
def test_any_size_comes_back_as_it_was(side, stem_stride):
    network = small(stem_stride=stem_stride, out_channels=2, in_channels=3).eval()
    with torch.inference_mode():
        assert network(torch.rand(2, 3, *side)).shape == (2, 2, *side)


def test_three_dimensions():
    network = small(spatial_dims=3).eval()
    with torch.inference_mode():
        assert network(torch.rand(1, 1, 8, 19, 12)).shape == (1, 1, 8, 19, 12)


def test_a_side_below_8_px_is_refused():
    with pytest.raises(ValueError, match="at least 8 px"):
        small()(torch.rand(1, 1, 7, 40))


@pytest.mark.parametrize(
    ("stem_stride", "layers", "total_stride"), [(1, (1, 1), 2), (2, (1, 1, 1), 8), (2, (1,), 2)]
)
def test_total_stride_and_the_smallest_padded_side(stem_stride, layers, total_stride):
    network = small(stem_stride=stem_stride, layers=layers)
    assert network.geometry.total_stride == total_stride
    assert network.geometry.padded_side(1) == 2 * total_stride
    assert network.geometry.padded_side(2 * total_stride + 1) == 3 * total_stride


def test_parameter_counts():
    assert parameter_count(DenseUNet()) <= 950_000
    assert parameter_count(original_2020()) == 2_334_681


def test_the_decoder_upsamples_only_new_maps():
    network = small(layers=(2, 3, 4))
    assert [up.deconv.in_channels for up in network.core.ups] == [4 * 4, 3 * 4]


def with_compressed_skips(**changes) -> DenseUNet:
    return small(compressed_skips=True, **changes)


def test_compressed_skips_halve_what_the_decoder_gets():
    blocks = [next(net.core.decoder[-1].children()) for net in (small(), with_compressed_skips())]
    whole, compressed = (block.conv.in_channels for block in blocks)
    assert (whole, compressed) == (12 + 4, 6 + 4)


@pytest.mark.parametrize("make", [small, with_compressed_skips, original_2020])
def test_a_gradient_reaches_every_parameter(make):
    torch.manual_seed(0)
    network = make(in_channels=1)
    network(torch.rand(2, 1, 36, 44)).square().sum().backward()
    without = [name for name, p in network.named_parameters() if not p.grad.abs().sum() > 0]
    assert without == []


def reach(network: SegmentationNetwork, position: int, side: int) -> int:
    """Farthest input row that an output row depends on, when no two paths cancel."""
    image = torch.rand(1, 1, side, 16, dtype=torch.float64, requires_grad=True)
    network.core(image)[0, 0, position].sum().backward()
    rows = image.grad.abs().sum((0, 1, 3)).nonzero()
    assert rows.min() > 0, "the image is too small to tell"
    assert rows.max() < side - 1
    return int((rows - position).abs().max())


@pytest.mark.parametrize("make", [small, with_compressed_skips])
@pytest.mark.parametrize("stem_stride", [1, 2])
def test_the_receptive_radius_is_true_and_tight(stem_stride, make):
    network = make(norm=None, act=("leakyrelu", {"negative_slope": 1.0}), stem_stride=stem_stride)
    network = network.double()
    for parameter in network.parameters():
        parameter.data.abs_()
    reaches = [reach(network, 96 + offset, 192) for offset in range(network.geometry.total_stride)]
    assert max(reaches) <= network.geometry.receptive_radius <= max(reaches) + 3


def test_the_receptive_radius_of_the_original():
    network = original_2020(in_channels=1).eval().double()
    for parameter in network.parameters():
        parameter.data.abs_()
    # Every pre-activation stays positive and nothing saturates: no path is hidden.
    network.core.head[1] = torch.nn.Identity()
    reaches = [reach(network, 160 + offset, 320) for offset in (0, 3)]
    assert max(reaches) <= network.geometry.receptive_radius <= max(reaches) + 3


@pytest.mark.parametrize("stem_stride", [1, 2])
def test_the_core_exports_with_dynamic_sizes(stem_stride):
    network = small(stem_stride=stem_stride).eval()
    cells = {
        2: torch.export.Dim("rows", min=2, max=64),
        3: torch.export.Dim("columns", min=2, max=64),
    }
    stride = network.geometry.total_stride
    sizes = {axis: stride * cell for axis, cell in cells.items()}
    example = torch.rand(1, 1, 4 * stride, 6 * stride)
    exported = torch.export.export(network.core, (example,), dynamic_shapes=({**sizes},))
    other = torch.rand(1, 1, 10 * stride, 4 * stride)
    torch.testing.assert_close(exported.module()(other), network.core(other))
