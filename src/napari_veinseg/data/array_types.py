"""The arrays and measures of this package by their names, with shapes, units and ranges.

Whoever reads a signature reads these words, and so does `help`: a function says of an argument
only what is special about it.
"""

from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray

Mask = Annotated[NDArray[Any], "`(Y, X)`: 0 background, 1 vein (or True), 2 unsure"]
Binary = Annotated[NDArray[np.bool_], "`(Y, X)`, True in what it is named after"]
Grey = Annotated[NDArray[Any], "`(Y, X)`, any range; veins are dark"]
Field = Annotated[NDArray[np.float32], "`(Y, X)`"]
AnyImage = Annotated[
    NDArray[Any], "`(Y, X)` or `(N, Y, X)`, or either with 3 or 4 colours as the last axis"
]
ImageArray = Annotated[NDArray[Any], "`(Y, X)` or `(Y, X, 3 or 4)`, any range"]
GreyArray = Annotated[NDArray[np.float32], "grey values, of any shape"]
MaskStack = Annotated[NDArray[np.uint8], "`(Y, X)` or `(N, Y, X)`, as a mask"]
ProbabilityStack = Annotated[NDArray[np.float32], "`(Y, X)` or `(N, Y, X)`, in [0, 1]"]
Probability = Annotated[NDArray[Any], "`(Y, X)`, of vein, in [0, 1]"]
Point = Annotated[tuple[float, float], "(row, column)"]
Points = Annotated[NDArray[np.float64], "`(n, 2)`, (row, column)"]
Px = Annotated[float, "in px of the image"]
Seconds = Annotated[float, "in seconds"]
Share = Annotated[float, "in [0, 1]"]
Spacing = Annotated[tuple[float, float], "size of a pixel along Y and X"]
