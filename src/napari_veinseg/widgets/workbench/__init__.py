"""The workbench: one dock that leads through a folder of images, with the four docks as tabs."""
