"""Many images: folders, workers of a cluster, the table of results."""
