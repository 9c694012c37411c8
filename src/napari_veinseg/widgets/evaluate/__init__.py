"""The Evaluate dock: compare masks and models, measure veins."""
