"""What computes a network: torch on a device, or ONNX Runtime."""
