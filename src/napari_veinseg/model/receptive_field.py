"""What tiles must know of a network, without the network: torch takes seconds to import."""

from dataclasses import dataclass

SMALLEST_SIDE = 8
"""Sides shorter than this (px) hold no vein and are refused."""


@dataclass(frozen=True)
class Geometry:
    """How far a network looks, and on which grid."""

    in_channels: int
    """Channels of the image; a grey image is repeated on them."""
    total_stride: int
    """Side in px of an input cell that shares one feature vector at the deepest level."""
    receptive_radius: int
    """No output pixel depends on an input pixel farther away than this, in px along an axis."""

    def padded_side(self, side: int) -> int:
        """Round a side up to a multiple of the total stride, at least two of them."""
        return max(2, -(-side // self.total_stride)) * self.total_stride
