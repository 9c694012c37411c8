"""From an image of any size to its probability: grey values, scale, tiles."""
