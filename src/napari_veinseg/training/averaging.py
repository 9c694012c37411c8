"""Averages of weights: over the steps of a run, and of what was known with what was learned."""

import copy

import torch
from torch import nn
from torch.optim.swa_utils import get_ema_multi_avg_fn

from napari_veinseg.data.array_types import Share
from napari_veinseg.model.network import SegmentationNetwork


@torch.no_grad()
def interpolate(
    base: SegmentationNetwork, learned: SegmentationNetwork, share: Share
) -> SegmentationNetwork:
    """Mix a model with what it was fine-tuned to, by the share of what was learned, into a new one.

    That goes for weights and statistics; the models may lie on any devices.

    References
    ----------
    M. Wortsman et al., "Robust fine-tuning of zero-shot models", CVPR (2022).
    """
    mixed = copy.deepcopy(learned)
    known = base.state_dict()
    for name, value in mixed.state_dict().items():
        if value.is_floating_point():
            value.lerp_(known[name].to(value), 1 - share)
    return mixed


class RunningAverage:
    """Lets the weights and statistics of one network follow those of another.

    The average is changed in place by each update; the latest has the same architecture and is
    trained in place.  From now on neither may be moved to another device or memory layout.  An
    update keeps at most that share of the average, once it has seen many steps.
    """

    def __init__(self, average: nn.Module, latest: nn.Module, most_kept: Share) -> None:
        self._most_kept = most_kept
        values = latest.state_dict()
        means = average.state_dict()
        averaged = [name for name, value in means.items() if value.is_floating_point()]
        self._means = [means[name] for name in averaged]
        self._latest = [values[name] for name in averaged]
        self._counts = [(means[name], values[name]) for name in means.keys() - {*averaged}]

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Follow one step, of which number `step` are done.

        The average of few looks back over few, for the first weights are worth little.
        """
        keep = min(self._most_kept, (1 + step) / (10 + step))
        follow = get_ema_multi_avg_fn(keep)  # type: ignore[no-untyped-call]
        follow(self._means, self._latest, None)
        for mean, latest in self._counts:
            mean.copy_(latest)
