"""A running average of the weights, which generalises better than the latest ones."""

import torch
from torch import nn
from torch.optim.swa_utils import get_ema_multi_avg_fn


class RunningAverage:
    """Lets the weights and statistics of one network follow those of another.

    Parameters
    ----------
    average : nn.Module
        Changed in place by each update.
    latest : nn.Module
        What is followed: of the same architecture, and trained in place.
    longest : float
        Share of the average that an update keeps, in [0, 1), once it has seen many steps.
    """

    def __init__(self, average: nn.Module, latest: nn.Module, longest: float) -> None:
        self._longest = longest
        values = latest.state_dict()
        pairs = [(value, values[name]) for name, value in average.state_dict().items()]
        self._floats = list(zip(*(p for p in pairs if p[0].is_floating_point()), strict=True))
        self._counts = [pair for pair in pairs if not pair[0].is_floating_point()]

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Follow one step.

        Parameters
        ----------
        step : int
            Steps before this one: the average of few looks back over few, for the first weights
            are worth little.
        """
        keep = min(self._longest, (1 + step) / (10 + step))
        follow = get_ema_multi_avg_fn(keep)  # type: ignore[no-untyped-call]
        follow(*map(list, self._floats), None)
        for mean, latest in self._counts:
            mean.copy_(latest)
