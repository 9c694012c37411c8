"""Mask layers: how they are made, what is known of them, undo and colours of errors."""
