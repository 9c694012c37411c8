"""Small untrained models, so that no test depends on the quality of a trained one."""

from functools import cache
from pathlib import Path

import numpy as np
import torch

from napari_veinseg.model.card import DenseUNetArguments, ModelCard
from napari_veinseg.model.file import build_network, read_card, write_model
from napari_veinseg.model.network import SegmentationNetwork
from napari_veinseg.model.store import STARTER, resolve

SMALL = DenseUNetArguments(growth_rate=4, layers=(1, 2, 2), stem_channels=8)
SHIPPED = read_card(resolve(STARTER)).network


def small_card(**changes) -> ModelCard:
    return ModelCard(**{"network": SMALL} | changes)


def lively_network(card: ModelCard, seed: int = 0) -> SegmentationNetwork:
    """Random weights with the statistics of images, so that probabilities are spread out."""
    network = build_network(card)
    network.load_state_dict(_lively_weights(card.model_dump_json(), seed))
    torch.manual_seed(seed)  # whoever draws next draws the same, whether they were kept or made
    return network.eval()


@cache
def _lively_weights(card: str, seed: int) -> dict[str, torch.Tensor]:
    torch.manual_seed(seed)
    network = build_network(ModelCard.model_validate_json(card)).train()
    with torch.no_grad():
        for _ in range(20):
            network(torch.randn(2, network.geometry.in_channels, 64, 64))
        for parameter in network.core.head.parameters():
            parameter *= 8 if parameter.ndim > 1 else 1
    return network.state_dict()


def write_small_model(path: Path, seed: int = 0, **changes) -> Path:
    card = small_card(**changes)
    write_model(path, card, lively_network(card, seed))
    return path


def texture(shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    """Smooth random grey values, `float32` in about [0, 1]."""
    from scipy import ndimage

    noise = np.random.default_rng(seed).random(shape, np.float32)
    sigma = [0] * (len(shape) - 2) + [2, 2]
    smooth = ndimage.gaussian_filter(noise, sigma)
    return (smooth - smooth.min()) / max(np.ptp(smooth), 1e-9)
