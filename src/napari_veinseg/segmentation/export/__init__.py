"""A model for other programs: ONNX, torch.export, MONAI bundle."""
