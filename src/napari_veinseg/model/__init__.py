"""The network, its file and the place where named models live."""
