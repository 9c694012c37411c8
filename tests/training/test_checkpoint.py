"""What a resumed run goes on from."""

import pytest
import torch
from torch import nn

from napari_veinseg.training.checkpoint import Position, lay_out_as_weights, load_state, save_state
from napari_veinseg.training.config import TrainingConfig


@pytest.mark.parametrize("judging", [0.0, 3.0, 29.0, 60.0, 500.0])
def test_a_budget_in_minutes_always_leaves_time_to_learn(judging):
    config = TrainingConfig(dataset="d", minutes=1)
    assert Position(seconds=0, validation_seconds=judging).progress(config, 20) == 0
    halfway = Position(seconds=15, validation_seconds=judging).progress(config, 20)
    assert 0.25 <= halfway <= 0.5
    last = 60 - min(judging, 30)
    assert Position(seconds=last, validation_seconds=judging).progress(config, 20) == 1


def test_moments_saved_in_another_memory_layout_stay_those_of_their_weights(tmp_path):
    # Devices differ in where channels lie, and a fused step does not look at strides.
    written, read = (_learner(layout) for layout in (torch.channels_last, torch.contiguous_format))
    _step(*written)
    path = tmp_path / "state.pt"
    save_state(path, Position(), {"network": written[0], "optimiser": written[1]})
    load_state(path, {"network": read[0], "optimiser": read[1]}, torch.device("cpu"))
    lay_out_as_weights(read[1])
    _step(*written)
    _step(*read)
    torch.testing.assert_close(read[0].weight, written[0].weight)


def _learner(layout):
    torch.manual_seed(0)
    network = nn.Conv2d(4, 4, 3).to(memory_format=layout)
    return network, torch.optim.AdamW(network.parameters(), lr=0.1, fused=True)


def _step(network, optimiser):
    optimiser.zero_grad()
    image = torch.arange(4 * 5 * 5.0).reshape(1, 4, 5, 5).sin()
    network(image).square().mean().backward()
    optimiser.step()
