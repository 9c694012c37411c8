"""The Correct dock: tools that draw, remove and mark, autosave and review."""
