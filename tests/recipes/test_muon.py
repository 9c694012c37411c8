"""Muon: what it does to matrices, whom it leaves to AdamW, and that it can be resumed."""

import copy
import sys
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

sys.path.insert(0, str(Path(__file__).parents[2] / "recipes"))
from muon import Muon, orthogonalised

sides = st.integers(2, 40)


@given(rows=sides, columns=sides, seed=st.integers(0, 99), scale=st.sampled_from([1e-4, 1.0, 1e4]))
def test_orthogonalising_keeps_directions_and_evens_out_their_sizes(rows, columns, seed, scale):
    torch.manual_seed(seed)
    left = torch.linalg.qr(torch.randn(rows, rows))[0][:, : min(rows, columns)]
    right = torch.linalg.qr(torch.randn(columns, columns))[0][:, : min(rows, columns)]
    sizes = torch.linspace(1, 0.05, min(rows, columns))
    (turned,) = orthogonalised([scale * (left * sizes) @ right.T])
    inside = left.T @ turned @ right
    assert inside.diagonal().min() > 0.6
    assert inside.diagonal().max() < 1.25
    assert (turned - (left * inside.diagonal()) @ right.T).abs().max() < 0.02


def test_matrices_of_all_shapes_together_are_turned_as_each_alone():
    torch.manual_seed(0)
    matrices = [torch.randn(*shape) for shape in ((8, 30), (30, 8), (8, 9), (5, 5))]
    for matrix, turned in zip(matrices, orthogonalised(matrices), strict=True):
        torch.testing.assert_close(turned, orthogonalised([matrix])[0], rtol=1e-4, atol=1e-5)


def _network():
    torch.manual_seed(0)
    layers = [nn.Conv2d(1, 8, 3), nn.BatchNorm2d(8), nn.Conv2d(8, 6, 3), nn.Conv2d(6, 1, 1)]
    return nn.Sequential(*layers)


def _learn(network, optimiser, steps):
    for step in range(steps):
        torch.manual_seed(step)
        optimiser.zero_grad()
        network(torch.randn(4, 1, 12, 12)).square().mean().backward()
        optimiser.step()


def test_first_and_last_layer_biases_and_norms_move_as_with_adamw():
    one, two = _network(), _network()
    _learn(one, Muon(one, 1e-2), 1)
    _learn(two, torch.optim.AdamW(two.parameters(), lr=1e-2, weight_decay=1e-4), 1)
    alike = {
        name: torch.equal(weight, other)
        for (name, weight), other in zip(one.named_parameters(), two.parameters(), strict=True)
    }
    assert [name for name, same in alike.items() if not same] == ["2.weight"]


@pytest.mark.parametrize("shape", [(8, 64), (64, 8), (40, 40)])
def test_a_step_is_as_large_as_one_of_adamw_whatever_the_shape(shape):
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(1, 1), nn.Linear(*shape[::-1]), nn.Linear(1, 1))
    weight = network[1].weight
    before, weight.grad = weight.detach().clone(), torch.randn(shape)
    Muon(network, 1e-2, weight_decay=0.0).step()
    moved = weight.detach() - before
    assert float(moved.square().mean().sqrt()) == pytest.approx(0.2e-2, rel=0.3)


def test_a_layer_without_gradient_stays_where_it_is():
    network = _network()
    network[2].weight.requires_grad_(requires_grad=False)
    before = network[2].weight.clone()
    _learn(network, Muon(network, 1e-2), 2)
    assert torch.equal(network[2].weight, before)


def test_a_resumed_optimiser_goes_on_as_if_never_stopped():
    first = _network()
    optimiser = Muon(first, 1e-2)
    _learn(first, optimiser, 1)
    second = _network()
    second.load_state_dict(first.state_dict())
    resumed = Muon(second, 1e-2)
    resumed.load_state_dict(copy.deepcopy(optimiser.state_dict()))
    for each in (first, second):
        _learn(each, optimiser if each is first else resumed, 1)
    for one, other in zip(first.parameters(), second.parameters(), strict=True):
        assert torch.equal(one, other)


def test_fused_and_channels_last_as_in_the_recipe_it_moves_the_same():
    plain, fused = _network(), _network().to(memory_format=torch.channels_last)
    optimisers = Muon(plain, 1e-2), Muon(fused, 1e-2, fused=True)
    for _ in range(3):
        for one, other in zip(plain.parameters(), fused.parameters(), strict=True):
            one.grad = torch.randn_like(one)
            other.grad = torch.empty_like(other).copy_(one.grad)
        for optimiser in optimisers:
            optimiser.step()
    for one, other in zip(plain.parameters(), fused.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)
