"""What a part of the answer depends on, along one axis."""

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from napari_veinseg.model.receptive_field import Geometry
from napari_veinseg.segmentation.tiling.resampling import Resampling

if TYPE_CHECKING:
    from scipy import sparse


@dataclass(frozen=True)
class Span:
    """A stretch of the answer, and all that it depends on; each pair is half open."""

    tile: tuple[int, int]
    """The stretch, in px of the image."""
    kept: tuple[int, int]
    """Working px that the stretch is interpolated from."""
    seen: tuple[int, int]
    """Working px that the network sees, on its stride grid."""
    read: tuple[int, int]
    """Px of the image that those are made of."""
    shrink: "sparse.csr_array[Any]"
    """From `read` to `seen`."""
    enlarge: "sparse.csr_array[Any]"
    """From `kept` to `tile`."""

    @property
    def length(self) -> int:
        """Working px that the network sees."""
        return self.seen[1] - self.seen[0]

    @property
    def kept_of_seen(self) -> slice:
        """Where `kept` lies in what the network sees."""
        return slice(self.kept[0] - self.seen[0], self.kept[1] - self.seen[0])


@dataclass(frozen=True)
class Axis:
    """One axis of an image, at its own and at the working scale."""

    side: int
    """Px of the image."""
    working: int
    """Px at the working scale."""
    geometry: Geometry
    """Of the network."""

    @property
    def padded(self) -> int:
        """Working px with the network's padding at the far end."""
        return self.geometry.padded_side(self.working)

    def span(self, start: int, stop: int) -> Span:
        """Trace a stretch back to what it depends on, with a halo on the stride grid."""
        shrink, enlarge = Resampling(self.side, self.working), Resampling(self.working, self.side)
        kept = enlarge.needs(start, stop)
        stride, radius = self.geometry.total_stride, self.geometry.receptive_radius
        seen = (
            max(0, (kept[0] - radius) // stride * stride),
            min(self.padded, -(-(kept[1] + radius) // stride) * stride),
        )
        weights = shrink.matrix(*seen), enlarge.matrix(start, stop)
        return Span((start, stop), kept, seen, shrink.needs(*seen), *weights)

    def halves(self, span: Span) -> list[Span]:
        """Cut a span in two."""
        start, stop = span.tile
        middle = (start + stop) // 2
        return [self.span(start, middle), self.span(middle, stop)] if middle > start else [span]


@lru_cache(maxsize=64)  # the images of a folder have mostly one size
def spans(axis: Axis, tile: int) -> tuple[Span, ...]:
    """Cut a whole axis."""
    starts = range(0, axis.side, tile)
    return tuple(axis.span(start, min(start + tile, axis.side)) for start in starts)
