"""Metrics, comparison of models, reports."""
