"""The Train dock: choose a dataset, follow a run, keep or drop its model."""
