"""Quality without truth: whether masks of one finger agree better than those of two."""
