"""The networks: a dense U-Net built from MONAI's blocks, and the original one of 2020.

A network is a *core* and the padding around it.  The core is plain convolutions on sides that are
multiples of the total stride, so that `torch.export` takes it with dynamic sizes; the network pads
any image to such sides and crops the answer back.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import torch
from monai.networks.blocks import Convolution, DenseBlock, UpSample
from monai.networks.layers.factories import Pool
from torch import nn
from torch.nn import functional

from napari_veinseg.data.array_types import Share
from napari_veinseg.model.original_2020_network import Original2020Core
from napari_veinseg.model.receptive_field import SMALLEST_SIDE, Geometry


class SegmentationNetwork(nn.Module):
    """A core with the padding that lets it take any image.

    The core maps `(N, C, *spatial)` to logits `(N, K, *spatial)`, with sides that are multiples of
    the total stride; the geometry is that of the core.
    """

    def __init__(self, core: nn.Module, geometry: Geometry) -> None:
        super().__init__()
        self.core, self.geometry = core, geometry

    def forward(
        self, image: Annotated[torch.Tensor, "`(N, C, *spatial)`, sides of at least 8 px"]
    ) -> Annotated[torch.Tensor, "logits `(N, K, *spatial)`"]:
        """Pad at the far ends by repeating the border, run the core, crop back.

        Raise ValueError when a side is shorter than 8 px.
        """
        sides = image.shape[2:]
        if min(sides) < SMALLEST_SIDE:
            raise ValueError(f"sides must be at least {SMALLEST_SIDE} px, got {tuple(sides)}")
        missing = [self.geometry.padded_side(side) - side for side in sides]
        if any(missing):
            far_ends = [pad for amount in reversed(missing) for pad in (0, amount)]
            image = functional.pad(image, far_ends, mode="replicate")
        logits: torch.Tensor = self.core(image)
        crop = (slice(None), slice(None), *map(slice, sides))
        return logits[crop] if any(missing) else logits


class DenseUNet(SegmentationNetwork):
    """U-Net of dense blocks, after Jegou et al. 2017 ('The one hundred layers tiramisu').

    The stem halves the image (`stem_stride=2`), which makes everything after it four times cheaper;
    the sub-pixel head returns to full resolution.  In the decoder only the *new* maps of the block
    below are upsampled, for with all of them the channels would grow without bound.  Batch norm
    follows each convolution and folds into it for inference, so that no statistic of the image at
    hand is computed and a tile equals the whole.

    Parameters
    ----------
    spatial_dims : int
        2 or 3.
    in_channels : int
        Channels of the image.
    out_channels : int
        Logits a pixel.
    growth_rate : int
        Maps that each dense layer adds.
    layers : sequence of int
        Dense layers in the block of each level, finest first; the decoder mirrors all but the last.
    stem_channels : int
        Maps after the stem.
    stem_stride : int
        Stride of the stem: 1 or 2.
    act : str or tuple
        Activation, as MONAI's factories name it.
    norm : str or tuple or None
        Normalisation, as MONAI's factories name it.
    dropout : float
        Probability of dropping a map's value in training.
    compressed_skips : bool
        The decoder gets the maps that also go down, compressed to half as many, instead of all.

    References
    ----------
    S. Jegou et al., "The One Hundred Layers Tiramisu", CVPR Workshops 2017.
    W. Shi et al., "Real-Time Single Image and Video Super-Resolution Using an Efficient Sub-Pixel
    Convolutional Neural Network", CVPR 2016 (the head).
    """

    def __init__(
        self,
        spatial_dims: int = 2,
        in_channels: int = 1,
        out_channels: int = 1,
        growth_rate: int = 16,
        layers: Sequence[int] = (2, 3, 4, 6),
        stem_channels: int = 32,
        stem_stride: int = 2,
        act: str | tuple[str, dict[str, Any]] = ("relu", {"inplace": True}),
        norm: str | tuple[str, dict[str, Any]] | None = "batch",
        dropout: float = 0.0,
        compressed_skips: bool = False,
    ) -> None:
        style = {"act": act, "norm": norm, "bias": norm is None}
        blocks = _Blocks(spatial_dims, growth_rate, style, dropout or None)
        core = _DenseUNetCore(
            blocks, in_channels, out_channels, layers, stem_channels, stem_stride, compressed_skips
        )
        scales = [stem_stride * 2**level for level in range(len(layers))]
        # Cells on the way down and up, the deepest block once, a pixel's place in its deepest cell,
        # and the 3x3 convolutions of stem and head.
        reach = sum(2 * n * scale for n, scale in zip(layers, scales, strict=True))
        reach += scales[-1] - 1 - layers[-1] * scales[-1] + 1 + stem_stride
        super().__init__(core, Geometry(in_channels, scales[-1], reach))


class _NewMaps(DenseBlock):  # type: ignore[misc]
    """A dense block that hands on only the maps that it has made."""

    def __init__(self, layers: Sequence[nn.Module], count: int) -> None:
        super().__init__(layers)
        self.count = count

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        return super().forward(maps)[:, -self.count :]


class _Down(nn.Sequential):
    """To the next level: the maps for the skip connection, and those that go down."""

    def __init__(self, compress: nn.Module, halve: nn.Module, compressed_skip: bool) -> None:
        super().__init__(compress, halve)
        self.compressed_skip = compressed_skip

    def forward(self, maps: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        compress, halve = self
        compressed = compress(maps)
        return compressed if self.compressed_skip else maps, halve(compressed)


@dataclass(frozen=True)
class _Blocks:
    """Makes the blocks that share one style: dimensions, growth, activation, norm, dropout."""

    spatial_dims: int
    growth_rate: int
    style: dict[str, Any]
    dropout: float | None

    def convolution(self, channels: int, out: int, kernel: int, stride: int = 1) -> Convolution:
        """Convolution, norm, activation."""
        return Convolution(
            self.spatial_dims, channels, out, strides=stride, kernel_size=kernel, **self.style
        )

    def dense(self, channels: int, layers: int) -> DenseBlock:
        """`channels` maps in; the same and `layers * growth_rate` new ones out."""
        return DenseBlock(self._dense_layers(channels, layers))

    def new_maps(self, channels: int, layers: int) -> _NewMaps:
        """`channels` maps in; `layers * growth_rate` new ones out."""
        return _NewMaps(self._dense_layers(channels, layers), layers * self.growth_rate)

    def _dense_layers(self, channels: int, layers: int) -> list[nn.Module]:
        # Not MONAI's `ConvDenseBlock`: it cannot order norm, dropout and activation.
        return [
            Convolution(
                self.spatial_dims,
                channels + layer * self.growth_rate,
                self.growth_rate,
                adn_ordering="NAD",
                dropout=self.dropout,
                **self.style,
            )
            for layer in range(layers)
        ]

    def down(self, channels: int, out: int, compressed_skip: bool) -> _Down:
        """Compress to `out` maps and halve the sides."""
        compress = self.convolution(channels, out, kernel=1)
        halve = Pool[Pool.AVG, self.spatial_dims](kernel_size=2, stride=2)
        return _Down(compress, halve, compressed_skip)

    def up(self, channels: int, out: int) -> nn.Module:
        """Double the sides."""
        return UpSample(self.spatial_dims, channels, out, scale_factor=2, mode="deconv")

    def head(self, channels: int, out: int, stride: int) -> nn.Module:
        """Logits at `stride` times the resolution of the maps."""
        if stride == 1:
            return Convolution(self.spatial_dims, channels, out, kernel_size=3, conv_only=True)
        return UpSample(
            self.spatial_dims,
            channels,
            out,
            scale_factor=stride,
            mode="pixelshuffle",
            apply_pad_pool=False,
        )


class _DenseUNetCore(nn.Module):
    """The convolutions of `DenseUNet`: `(N, C, *spatial)` to `(N, K, *spatial)`."""

    def __init__(
        self,
        blocks: _Blocks,
        in_channels: int,
        out_channels: int,
        layers: Sequence[int],
        stem_channels: int,
        stem_stride: int,
        compressed_skips: bool,
    ) -> None:
        super().__init__()
        self.stem = blocks.convolution(in_channels, stem_channels, kernel=3, stride=stem_stride)
        self.encoder, self.downs = nn.ModuleList(), nn.ModuleList()
        self.decoder, self.ups = nn.ModuleList(), nn.ModuleList()
        *finer, deepest = layers

        channels, skips = stem_channels, []
        for n in finer:
            self.encoder.append(blocks.dense(channels, n))
            channels += n * blocks.growth_rate
            self.downs.append(blocks.down(channels, channels // 2, compressed_skips))
            skips.append(channels // 2 if compressed_skips else channels)
            channels //= 2
        self.encoder.append(blocks.new_maps(channels, deepest))
        channels = deepest * blocks.growth_rate
        for n, skip in zip(reversed(finer), reversed(skips), strict=True):
            new = n * blocks.growth_rate
            self.ups.append(blocks.up(channels, new))
            self.decoder.append(blocks.new_maps(skip + new, n))
            channels = new
        self.head = blocks.head(channels, out_channels, stem_stride)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        *blocks, deepest = self.encoder
        maps, skips = self.stem(image), []
        for block, down in zip(blocks, self.downs, strict=True):
            skip, maps = down(block(maps))
            skips.append(skip)
        maps = deepest(maps)
        for up, block, skip in zip(self.ups, self.decoder, reversed(skips), strict=True):
            maps = block(torch.cat([skip, up(maps)], dim=1))
        return self.head(maps)


def original_2020(in_channels: int = 3, dropout: Share = 0.5) -> SegmentationNetwork:
    """Return the dense U-Net of the original Keras project, layer by layer.

    It took 60 x 152 px crops of a finger, grey repeated on three channels; 2,334,681 trainable
    parameters.  Trained with Adam, binary cross-entropy and batches of 30.
    """
    core = Original2020Core(in_channels, dropout)
    return SegmentationNetwork(
        core, Geometry(in_channels, core.total_stride, core.receptive_radius)
    )
