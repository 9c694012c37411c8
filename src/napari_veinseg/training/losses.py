"""What the network minimises.  Pixels labelled unsure have exactly no influence."""

from collections.abc import Callable
from typing import Annotated

import torch
from torch.nn import functional

Batch = Annotated[torch.Tensor, "`(N, 1, Y, X)`"]
Loss = Annotated[torch.Tensor, "a scalar; with zero gradients when nothing is known"]
Sums = Annotated[torch.Tensor, "`(n,)`"]
Weight = Annotated[float, "of a term; 0 leaves it out"]

_SMOOTH = 1.0  # px: keeps the ratios defined on crops without a vein
SKELETON_STEPS = 6
"""px: half the width of a wide vein at working width."""


def vein_loss(
    logits: Batch,
    vein: Batch,
    known: Batch,
    cldice_weight: Weight = 0.0,
    dice_weight: Weight = 1.0,
    sum_up: Callable[[Sums], Sums] = lambda sums: sums,
) -> Loss:
    """Sum Dice and cross-entropy, and soft clDice where asked for, over the known pixels.

    Vein is the share of vein in each pixel; known is 0 where the mask says unsure and 1 elsewhere.
    Dice and clDice take the whole batch as one image: a crop without a vein has none of its own.
    clDice tells how much of each centreline lies outside the other vein.  `sum_up` sums over the
    processes that share the batch, see `distributed`.

    References
    ----------
    S. Shit et al., "clDice - a novel topology-preserving loss function for tubular structure
    segmentation", CVPR (2021).
    """
    known = known > 0.5
    nothing = torch.zeros_like(logits)
    # A constant instead of a weight of 0: not even an infinite logit of an unsure pixel counts.
    logits = torch.where(known, logits, nothing)
    vein = torch.where(known, vein, nothing)
    entropy = functional.binary_cross_entropy_with_logits(logits, vein, reduction="none")
    probability = torch.where(known, logits.sigmoid(), nothing)
    overlap, areas = (probability * vein).sum(), probability.sum() + vein.sum()
    sums = [(entropy * known).sum(), known.sum(), 2 * overlap, areas]
    if cldice_weight:
        sums += _centreline_sums(probability, vein)
    # Together, since processes pay for every word that they exchange.
    crossed, pixels, overlap, areas, *lines = sum_up(torch.stack([part.float() for part in sums]))
    loss: torch.Tensor = crossed / pixels.clamp(min=1) + dice_weight * (1 - _ratio(overlap, areas))
    if cldice_weight:
        loss = loss + cldice_weight * _cldice_loss(*lines)
    return loss


def _centreline_sums(probability: torch.Tensor, vein: torch.Tensor) -> list[torch.Tensor]:
    from monai.losses.cldice import soft_skel  # here: with it come all losses of MONAI

    predicted_line, true_line = (soft_skel(each, SKELETON_STEPS) for each in (probability, vein))
    return [
        (predicted_line * vein).sum(),
        predicted_line.sum(),
        (true_line * probability).sum(),
        true_line.sum(),
    ]


def _cldice_loss(
    right: torch.Tensor, predicted: torch.Tensor, found: torch.Tensor, true: torch.Tensor
) -> torch.Tensor:
    precision, recall = _ratio(right, predicted), _ratio(found, true)
    return 1 - 2 * precision * recall / (precision + recall)


def _ratio(part: torch.Tensor, whole: torch.Tensor) -> torch.Tensor:
    return (part + _SMOOTH) / (whole + _SMOOTH)
