"""The core of the original project's network of 2020."""

from typing import Annotated

import torch
from monai.networks.blocks import ADN, Convolution, DenseBlock
from monai.networks.layers.factories import Conv, Pool
from torch import nn

from napari_veinseg.data.array_types import Share

GROWTH_RATE = 12


class Original2020Core(nn.Module):
    """Dense U-Net with pre-activated layers: `(N, C, Y, X)` to logits `(N, 1, Y, X)`."""

    total_stride = 4
    # 3x3 convolutions at full, half and quarter size, and a pixel's place in its cell of 4 px.
    receptive_radius = (1 + 3 + 3) + 2 * (17 + 16) + 4 * 18 + 3

    def __init__(self, in_channels: int, dropout: Share) -> None:
        super().__init__()

        def dense(channels: int, *layers_and_maps: tuple[int, int]) -> nn.Sequential:
            """Dense blocks, each followed by a transition to so many maps."""
            stages: list[nn.Module] = []
            for layers, maps in layers_and_maps:
                stages += [_dense_block(channels, layers, dropout)]
                stages += [_preactivated(channels + layers * GROWTH_RATE, maps, 1, dropout)]
                channels = maps
            return nn.Sequential(*stages)

        self.full_down = nn.Sequential(
            _convolution(in_channels, 16, norm="batch"), dense(16, (3, 42))
        )
        self.half_down = nn.Sequential(
            _convolution(42, 32, norm="batch"),
            dense(32, (3, 78), (3, 114)),
            _convolution(114, 64),
            dense(64, (3, 150), (6, 222)),
        )
        self.quarter = dense(222, (3, 258), (6, 330), (6, 330), (3, 330))
        self.quarter_to_half = _transposed(330, 128)
        self.half_up = nn.Sequential(
            dense(128 + 222, (6, 222), (3, 222)),
            _convolution(222, 64),
            dense(64, (3, 114), (3, 114)),
        )
        self.half_to_full = _transposed(114, 32)
        self.full_up = dense(32 + 42, (3, 42))
        self.head = nn.Sequential(
            Conv[Conv.CONV, 2](42, 64, kernel_size=1),
            nn.Sigmoid(),
            Conv[Conv.CONV, 2](64, 1, kernel_size=1),
        )
        self.pool = Pool[Pool.AVG, 2](kernel_size=2)

    def forward(
        self, image: Annotated[torch.Tensor, "`(N, C, Y, X)`"]
    ) -> Annotated[torch.Tensor, "`(N, 1, Y, X)`"]:
        """Return the logits of an image whose sides are multiples of 4."""
        full = self.full_down(image)
        half = self.half_down(self.pool(full))
        quarter = self.quarter(self.pool(half))
        half = self.half_up(torch.cat([self.quarter_to_half(quarter), half], dim=1))
        full = self.full_up(torch.cat([self.half_to_full(half), full], dim=1))
        return self.head(full)


def _convolution(channels: int, maps: int, norm: str | None = None) -> Convolution:
    """3x3 convolution, norm if asked, ELU."""
    return Convolution(2, channels, maps, kernel_size=3, act="elu", norm=norm)


def _transposed(channels: int, maps: int) -> nn.Module:
    """Double the sides."""
    return Conv[Conv.CONVTRANS, 2](channels, maps, kernel_size=2, stride=2)


def _preactivated(channels: int, maps: int, kernel: int, dropout: float) -> nn.Sequential:
    """Batch norm, ReLU, convolution without bias, dropout."""
    return nn.Sequential(
        ADN("NA", channels, act="relu", norm="batch", norm_dim=2),
        Conv[Conv.CONV, 2](channels, maps, kernel_size=kernel, padding=kernel // 2, bias=False),
        nn.Dropout(dropout),
    )


def _dense_block(channels: int, layers: int, dropout: float) -> DenseBlock:
    return DenseBlock(
        [
            _preactivated(channels + layer * GROWTH_RATE, GROWTH_RATE, 3, dropout)
            for layer in range(layers)
        ]
    )
