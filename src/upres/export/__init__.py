"""Generators as files of other runtimes: ONNX and OpenVINO."""
