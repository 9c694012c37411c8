"""Centrelines, branches, bifurcations, widths and lengths of veins."""
