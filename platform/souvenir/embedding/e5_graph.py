"""multilingual-e5-small as an ONNX graph: a BERT encoder of 12 layers, its matrices left in 4 bits.

Source:
    Devlin et al., 2019, §3 (post-norm encoder, exact GELU). `MatMulNBits` is onnxruntime's own.
"""

import math
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from onnx import NodeProto, TensorProto, ValueInfoProto, helper, numpy_helper

from souvenir.embedding.e5_weights import BLOCK_SIZE, E5Weights

_OPSET = 20  # the first with Gelu
_IR_VERSION = 10
_NORM_EPSILON = 1e-12
_INT8_ACTIVATIONS = 4  # an accuracy level of MatMulNBits: four times as fast as float32

Array: TypeAlias = npt.NDArray[np.float32] | npt.NDArray[np.uint8] | npt.NDArray[np.int64]
_Name: TypeAlias = str  # of a value in the graph


def build_graph(weights: E5Weights) -> bytes:
    """The encoder, ready for onnxruntime, with its weights inside (13 MB).

    Inputs:
        x: float32, shape (texts, length, hidden): the sum of word, position and type embeddings.
        mask: float32, shape (texts, 1, 1, length): 0 on pieces, very negative on padding.

    Output:
        float32, shape (texts, length, hidden): each piece in its context.
    """
    graph = _EncoderGraph(weights)
    x = graph.normalized("x", "emb.ln")
    for layer in range(weights.shape.layers):
        x = graph.layer(x, prefix=f"l{layer}.")
    return graph.serialized(output=x)


class _EncoderGraph:
    """Adds nodes one by one; each method gives back the name of what its last node computes."""

    def __init__(self, weights: E5Weights) -> None:
        self._weights = weights
        self._shape = weights.shape
        self._head_width = weights.shape.hidden // weights.shape.heads
        self._nodes: list[NodeProto] = []
        self._constants: list[TensorProto] = []
        self._split = self._constant(np.array([0, 0, weights.shape.heads, self._head_width]))
        self._joined = self._constant(np.array([0, 0, weights.shape.hidden]))
        self._scale = self._constant(np.array(1 / math.sqrt(self._head_width), np.float32))

    def layer(self, x: _Name, *, prefix: str) -> _Name:
        hidden, feed_forward = self._shape.hidden, self._shape.feed_forward
        attended = self._linear(self._attention(x, prefix), prefix + "ao", columns=hidden)
        x = self.normalized(self._node("Add", x, attended), prefix + "aln")
        wide = self._node("Gelu", self._linear(x, prefix + "fi", columns=hidden))
        narrow = self._linear(wide, prefix + "fo", columns=feed_forward)
        return self.normalized(self._node("Add", x, narrow), prefix + "oln")

    def normalized(self, x: _Name, name: str) -> _Name:
        gain = self._constant(self._weights.plain(name + ".w"))
        bias = self._constant(self._weights.plain(name + ".b"))
        return self._node("LayerNormalization", x, gain, bias, epsilon=_NORM_EPSILON)

    def serialized(self, *, output: _Name) -> bytes:
        vectors: list[str | int] = ["texts", "length", self._shape.hidden]
        inputs = [_floats("x", vectors), _floats("mask", ["texts", 1, 1, "length"])]
        graph = helper.make_graph(
            self._nodes, "e5", inputs, [_floats(output, vectors)], self._constants
        )
        opsets = [helper.make_opsetid("", _OPSET), helper.make_opsetid("com.microsoft", 1)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=_IR_VERSION)
        serialized: bytes = model.SerializeToString()
        return serialized

    def _attention(self, x: _Name, prefix: str) -> _Name:
        queries = self._heads(x, prefix + "q", order=[0, 2, 1, 3])
        keys = self._heads(x, prefix + "k", order=[0, 2, 3, 1])
        values = self._heads(x, prefix + "v", order=[0, 2, 1, 3])
        scores = self._node("Mul", self._node("MatMul", queries, keys), self._scale)
        shares = self._node("Softmax", self._node("Add", scores, "mask"), axis=-1)
        heads = self._node("Transpose", self._node("MatMul", shares, values), perm=[0, 2, 1, 3])
        return self._node("Reshape", heads, self._joined)

    def _heads(self, x: _Name, name: str, *, order: list[int]) -> _Name:
        flat = self._linear(x, name, columns=self._shape.hidden)
        return self._node("Transpose", self._node("Reshape", flat, self._split), perm=order)

    def _linear(self, x: _Name, name: str, *, columns: int) -> _Name:
        matrix = self._weights.packed(name + ".w", columns=columns)
        nibbles = matrix.nibbles
        product = self._node(
            "MatMulNBits",
            x,
            self._constant(nibbles[:, :, 0::2] | (nibbles[:, :, 1::2] << 4)),
            self._constant(matrix.scales),
            domain="com.microsoft",
            K=columns,
            N=len(nibbles),
            bits=4,
            block_size=BLOCK_SIZE,
            accuracy_level=_INT8_ACTIVATIONS,
        )
        return self._node("Add", product, self._constant(self._weights.plain(name + ".b")))

    def _node(self, operator: str, *inputs: _Name, domain: str = "", **attributes: Any) -> _Name:
        output = f"n{len(self._nodes)}"
        node = helper.make_node(operator, inputs, [output], domain=domain, **attributes)
        self._nodes.append(node)
        return output

    def _constant(self, values: Array) -> _Name:
        name = f"c{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name


def _floats(name: _Name, shape: list[str | int]) -> ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
