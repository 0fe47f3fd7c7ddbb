"""The network as an ONNX graph, made from a checkpoint's weights without a deep-learning framework.

Begin with `backbones.py`, which reads config.json and names the weights; `bert.py` and `modernbert.py` are
the two families of networks, `builder.py` collects nodes and constants, `linear.py` says how a linear map is
stored. All of it needs the package onnx, which only this folder imports.
"""
