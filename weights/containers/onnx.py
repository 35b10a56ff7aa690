"""ONNX: the LSTM nodes of a graph, their weights bound by the position of the node's inputs."""

from __future__ import annotations

import os
from collections import ChainMap
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from lstm.errors import MissingExtraError
from weights.archive import Archive
from weights.containers.arrays import archive_of
from weights.containers.onnx_activations import read_activations, shortest
from weights.errors import NotAnLSTMError, UnreadableFileError
from weights.files import beside, require_file, unchanged

Constants = ChainMap[str, Any]  # the tensors of a graph by name, behind them the outer graph's
DIRECTIONS = (b"forward", b"reverse", b"bidirectional")
# The inputs by position; X, sequence_lens and the initial states are no weights.
INPUTS = {1: "W", 2: "R", 3: "B", 7: "P"}


def open_onnx(path: Path) -> Archive:
    """Read the weights of every LSTM node, as `NODE/W`, `NODE/R`, `NODE/B` and `NODE/P`.

    A node that only reads in reverse has `NODE/reverse/W` and so on. What each node's attributes
    say of its cell (activations, clip, coupled gates) becomes the archive's `variants`.

    Raises:
        MissingExtraError: onnx is not installed.
        UnreadableFileError: it is no ONNX file, or a weight is computed in the graph.
        NotAnLSTMError: there is no LSTM node, or one with an attribute that is not supported.
    """
    try:
        import onnx
    except ImportError:
        raise MissingExtraError("onnx", "onnx", "an .onnx file") from None
    told = require_file(path)
    try:
        graph = onnx.load(str(path), load_external_data=False).graph
    except OSError as error:
        raise UnreadableFileError(f"cannot be read: {error.strerror or error}.") from None
    except Exception as error:  # protobuf's DecodeError has no public name that all versions share
        raise UnreadableFileError(f"not a valid ONNX file: {error}.") from None
    try:
        return _archive(onnx, path, told, graph)
    except (ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
        raise UnreadableFileError(f"not a valid ONNX file: {error}.") from None


def _archive(onnx: Any, path: Path, told: os.stat_result, graph: Any) -> Archive:
    arrays: dict[str, Any] = {}
    variants: dict[str, dict[str, Any]] = {}
    for number, (where, constants, node) in enumerate(_lstms(onnx, graph)):
        place = where + (node.name or f"lstm{number}")
        given = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
        direction = given.get("direction", b"forward")
        if direction not in DIRECTIONS:
            raise UnreadableFileError(
                f"direction: expected forward, reverse or bidirectional, found {direction!r}."
            )
        folder = "/reverse" if direction == b"reverse" else ""
        while place + folder in variants:  # nothing keeps two nodes from having one name
            place = f"{place}.{number}"
        place += folder
        for position, name in INPUTS.items():
            if position < len(node.input) and node.input[position]:
                constant = _constant(constants, node, position)
                arrays[f"{place}/{name}"] = _numbers(onnx, path, constant)
        variants[place] = _variant(given)
    if not variants:
        kinds = ", ".join(sorted({node.op_type for node in _nodes(onnx, graph)})[:5])
        raise NotAnLSTMError(f"the graph has no LSTM node; it has {kinds or 'none at all'}.")
    return replace(archive_of(path, told, arrays, {}), variants=variants)


def _lstms(
    onnx: Any, graph: Any, where: str = "", outer: Constants | None = None
) -> Iterator[tuple[str, Constants, Any]]:
    """Yield every LSTM node with the constants that it sees, and where it is.

    The body of a loop and the branches of a condition are graphs too, inside a node.
    """
    constants = (outer if outer is not None else ChainMap()).new_child()
    constants.update((tensor.name, tensor) for tensor in graph.initializer)
    for node in graph.node:
        if node.op_type == "Constant" and node.attribute[0].name == "value":
            constants[node.output[0]] = node.attribute[0].t
        elif node.op_type == "Identity" and node.input[0] in constants:
            constants[node.output[0]] = constants[node.input[0]]
        elif node.op_type == "LSTM":
            yield where, constants, node
        for name, inner in _graphs(onnx, node):
            yield from _lstms(onnx, inner, f"{where}{node.name}.{name}/", constants)


def _nodes(onnx: Any, graph: Any) -> Iterator[Any]:
    for node in graph.node:
        yield node
        for _, inner in _graphs(onnx, node):
            yield from _nodes(onnx, inner)


def _graphs(onnx: Any, node: Any) -> Iterator[tuple[str, Any]]:
    """Yield the graphs inside a node, by name."""
    for attribute in node.attribute:
        if attribute.type == onnx.AttributeProto.GRAPH:
            yield attribute.name, attribute.g


def _constant(constants: Constants, node: Any, position: int) -> Any:
    name = node.input[position]
    if name not in constants:
        raise UnreadableFileError(f"{name}: expected a constant, found what the graph computes.")
    return constants[name]


def _numbers(onnx: Any, path: Path, tensor: Any) -> Any:
    """The numbers of a constant, which lie in the graph or in a file beside it."""
    if tensor.data_location == onnx.TensorProto.EXTERNAL:
        where = {entry.key: entry.value for entry in tensor.external_data}
        place = beside(path, where["location"], f"{tensor.name}: location")
        before = require_file(place)
        start, size = int(where.get("offset", 0)), before.st_size
        length = int(where.get("length", size - start))
        if start < 0 or length < 0 or start + length > size:
            raise UnreadableFileError(
                f"{tensor.name}: expected bytes 0 to {size} of {place.name}, found {start} to "
                f"{start + length}."
            )
        with place.open("rb") as file:
            file.seek(start)
            tensor.raw_data = file.read(length)
        unchanged(place, before)
        tensor.data_location = onnx.TensorProto.DEFAULT
    return onnx.numpy_helper.to_array(tensor)


def _variant(given: dict[str, Any]) -> dict[str, Any]:
    """The attributes of a node, as fields of a Variant."""
    variant: dict[str, Any] = {}
    if given.get("input_forget"):
        variant["coupled"] = "forget"
    if "clip" in given:
        variant["pre_activation_clip"] = shortest(given["clip"])
    return {**variant, **read_activations(given)}
