"""Muon: steps of one size in all directions of a weight matrix, which learn in fewer steps."""

from collections import defaultdict
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

_MOMENTUM = 0.95
_LIKE_ADAM = 0.2  # root mean square of a step over the rate, as AdamW's steps have it (Liu 2025)
_ROUNDS = 5
_POLYNOMIAL = (3.4445, -4.7750, 2.0315)  # of Jordan 2024: pulls singular values to about one


class Muon(torch.optim.AdamW):
    """Orthogonalised momentum for the hidden weight matrices, AdamW for all other weights.

    The kernels of a convolution are one matrix: a row for each map that it makes (that it takes, if
    it is transposed).  The first and the last layer, whose maps mean something, and biases and
    norms are AdamW's.  `torch.optim.Muon` takes matrices alone.

    Parameters
    ----------
    network : nn.Module
        Its weights are trained.
    rate : float
        Learning rate, of the same meaning for both.
    weight_decay : float, optional
        Decoupled from the gradient, times the rate.
    fused : bool, optional
        Whether the device fuses AdamW's step.

    References
    ----------
    K. Jordan et al., "Muon: An optimizer for hidden layers in neural networks", 2024.
    J. Liu et al., "Muon is Scalable for LLM Training", 2025 (the size of a step).
    """

    def __init__(
        self, network: nn.Module, rate: float, weight_decay: float = 1e-4, fused: bool = False
    ) -> None:
        matrices = [weight for weight in network.parameters() if weight.ndim > 1][1:-1]
        chosen = {id(weight) for weight in matrices}
        others = [weight for weight in network.parameters() if id(weight) not in chosen]
        groups = [{"params": matrices, "hidden": True}, {"params": others, "hidden": False}]
        super().__init__(groups, lr=rate, weight_decay=weight_decay, fused=fused)

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> Any:
        """Take a step; the gradients of the hidden matrices are used up.

        Parameters
        ----------
        closure : callable, optional
            Computes the loss and its gradients.

        Returns
        -------
        float or None
            What `closure` gave.
        """
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in (group for group in self.param_groups if group["hidden"]):
            moving = [weight for weight in group["params"] if weight.grad is not None]
            for weight, direction in zip(moving, self._directions(moving), strict=True):
                weight.mul_(1 - group["lr"] * group["weight_decay"])
                weight.add_(direction, alpha=-group["lr"])
                weight.grad = None  # leaves it out of AdamW's step
        super().step()
        return loss

    def _directions(self, weights: list[nn.Parameter]) -> list[torch.Tensor]:
        """Follow the gradients with momentum (Nesterov's), and orthogonalise."""
        ahead = []
        for weight in weights:
            state, gradient = self.state[weight], weight.grad
            assert gradient is not None
            if not state:
                state["step"] = torch.zeros(())  # AdamW looks for one when it loads a state
                state["momentum"] = torch.zeros_like(weight)
            state["momentum"].lerp_(gradient, 1 - _MOMENTUM)
            ahead.append(gradient.lerp(state["momentum"], _MOMENTUM).flatten(1).float())
        turned = orthogonalised(ahead)
        return [
            _LIKE_ADAM * max(matrix.shape) ** 0.5 * matrix.reshape(weight.shape)
            for matrix, weight in zip(turned, weights, strict=True)
        ]


def orthogonalised(matrices: list[torch.Tensor]) -> list[torch.Tensor]:
    """Bring the singular values of each matrix to about one (Newton and Schulz's iteration).

    The iteration is a polynomial in the small square matrix of a matrix with itself: so it runs on
    that, for all matrices of a size together.

    Parameters
    ----------
    matrices : list of torch.Tensor
        float32, of two dimensions.

    Returns
    -------
    list of torch.Tensor
        Of the same shapes, singular values between 0.68 and 1.2 where they were not negligible.
    """
    flat = [m.T if m.shape[0] > m.shape[1] else m for m in matrices]
    flat = [m / m.norm().clamp(min=1e-7) for m in flat]
    alike = defaultdict(list)
    for number, matrix in enumerate(flat):
        alike[len(matrix)].append(number)
    for numbers in alike.values():
        square = torch.stack([flat[number] @ flat[number].T for number in numbers])
        for number, factor in zip(numbers, _iterated(square), strict=True):
            flat[number] = factor @ flat[number]
    return [
        after.T if before.shape[0] > before.shape[1] else after
        for before, after in zip(matrices, flat, strict=True)
    ]


def _iterated(square: torch.Tensor) -> torch.Tensor:
    """Multiply up the factors of all rounds, for a stack of squares."""
    linear, cubic, quintic = _POLYNOMIAL
    whole = torch.eye(square.shape[-1], device=square.device).expand_as(square)
    for _ in range(_ROUNDS):
        factor = cubic * square + quintic * (square @ square)
        factor.diagonal(dim1=1, dim2=2).add_(linear)
        whole = factor @ whole
        square = factor @ square @ factor
    return whole
