"""Open a file, choose the layout, read it, check that no tensor is left over."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from lstm.card import Card
from lstm.embedding import Embedding
from lstm.errors import LSTMError
from lstm.head import Head
from lstm.model import Model
from lstm.quantities import DTYPES
from lstm.tokenizers.tokenizer import Tokenizer
from weights.archive import Archive
from weights.containers.registry import open_any
from weights.errors import UnreadableFileError
from weights.files import name_as_text
from weights.layouts.detection import detect
from weights.layouts.found import FoundLSTM
from weights.layouts.native import NATIVE
from weights.metadata import Metadata, declared_layout, read_metadata
from weights.options import CellOptions, apply, assumptions, told_variant
from weights.parts import Named, Parts, find_parts
from weights.pretrained.registry import DEFAULT, find
from weights.reader import read_parameters
from weights.vocabulary import beside, read_tokenizer


def load(
    source: str | os.PathLike[str] = DEFAULT,
    *,
    layout: str | None = None,
    prefix: str | None = None,
    tokenizer: str | os.PathLike[str] | None = None,
    dtype: str | None = None,
    allow_nonfinite: bool = False,
    gate_order: str | None = None,
    forget_bias: float | None = None,
    gate_activation: str | None = None,
    pre_activation_clip: float | None = None,
    cell_clip: float | None = None,
    projection_clip: float | None = None,
    concatenation: str | None = None,
    coupled: bool | None = None,
    residual: bool | None = None,
    embedding: str | None = None,
    head: str | None = None,
) -> Model:
    """Load a frozen LSTM with all that stands around it. Prints nothing.

    Args:
        source: a safetensors file, or the name of an embedded model.
        layout: the name of the file's layout, where it cannot be told from the names.
        prefix: which LSTM, where the file holds several.
        tokenizer: a vocab.txt, vocab.json or tokenizer.json; otherwise the one in the file, or
            beside it.
        dtype: `float32` or `float64`, in which everything is computed; otherwise float64 where
            the file holds such numbers, else float32.
        allow_nonfinite: read weights that are NaN or infinite too, which are refused otherwise.
        gate_order: the order of the blocks, such as `ifgo`, where it is not the layout's own.
        forget_bias: what is added to the forget gate at run time.
        gate_activation: `sigmoid`, `hard-sigmoid` or `keras3-hard-sigmoid`.
        pre_activation_clip: pre-activations are cut to plus or minus this.
        cell_clip: the cell state is cut so.
        projection_clip: so is the projected hidden state.
        concatenation: `hx` or `xh`, which comes first where one matrix is for both.
        coupled: the forget gate is 1 - input gate.
        residual: from layer 1 on, a layer hands on its hidden states plus what it read.
        embedding: the name of the tensor that is the embedding, where it is not found.
        head: the name of the tensor that is the head's weight, where it is not found.

    Returns:
        The model; `model.card.assumed` says what had to be assumed.

    Raises:
        LSTMError: the file cannot be read as an LSTM; the message names file, place and reason.
    """
    if dtype is not None and dtype not in DTYPES:
        raise LSTMError(f"dtype: expected {' or '.join(DTYPES)}, found {dtype!r}.")
    try:
        archive = open_any(find(source))
        if not allow_nonfinite:
            archive = replace(archive, finite=True)
        found = detect(archive.tensors, layout or declared_layout(archive.metadata), prefix)
        metadata = read_metadata(archive.metadata) if _is_native(found) else Metadata()
        options = CellOptions(
            gate_order, forget_bias, gate_activation, pre_activation_clip, cell_clip,
            projection_clip, concatenation, coupled, residual,
        )  # fmt: skip
        said = told_variant(archive, found)
        assumed = (*found.assumed, *assumptions(found, options, said))
        told = {**found.layout.variant, **said, **metadata.cell}
        stored = replace(found.layout, variant=told, **metadata.stack)
        found = found.with_layout(apply(stored, options))
        if residual and not found.residual:
            raise LSTMError("--residual: expected at least two layers, found one. Leave it out.")
        model = _assemble(
            archive,
            found,
            metadata,
            find_parts(archive.tensors, found, Named(embedding, head)),
            name_as_text(source),
            tokenizer,
            dtype or archive.widest_dtype,
        )
        archive.check_unchanged()
        return replace(model, card=model.card._replace(assumed=(*assumed, *model.card.assumed)))
    except OSError as error:
        raise UnreadableFileError(f"cannot be read: {error.strerror or error}.").at(
            str(source)
        ) from None
    except LSTMError as error:
        raise error.at(str(source)) from None


def _is_native(found: FoundLSTM) -> bool:
    return found.layout.name == NATIVE.name


def _assemble(
    archive: Archive,
    found: FoundLSTM,
    metadata: Metadata,
    parts: Parts,
    source: str,
    tokenizer: str | os.PathLike[str] | None,
    dtype: str,
) -> Model:
    words, assumed = _tokenizer(archive.path, metadata, tokenizer)
    embedding = _embedding(archive, parts, dtype)
    return Model(
        parameters=read_parameters(archive, found, dtype),
        embedding=embedding,
        head=_head(archive, parts, metadata, words, embedding, dtype),
        tokenizer=words,
        card=_card(archive, found, metadata, source, (*parts.assumed, *assumed)),
    )


def _tokenizer(
    weights: Path, metadata: Metadata, named: str | os.PathLike[str] | None
) -> tuple[Tokenizer | None, Sequence[str]]:
    """The tokenizer named by the user, else the one in the file, else one beside it."""
    if named is not None:
        return read_tokenizer(Path(named))
    if metadata.tokenizer is not None:
        return metadata.tokenizer, ()
    path = beside(weights)
    if path is None:
        return None, ()
    words, assumed = read_tokenizer(path)
    return words, (f"tokenizer: {path.name}, which lies beside the weights", *assumed)


def _embedding(archive: Archive, parts: Parts, dtype: str) -> Embedding | None:
    return None if parts.embedding is None else Embedding(archive.read(parts.embedding, dtype))


def _head(
    archive: Archive,
    parts: Parts,
    metadata: Metadata,
    words: Tokenizer | None,
    embedding: Embedding | None,
    dtype: str,
) -> Head | None:
    names = [parts.head, parts.head_bias, parts.projection, parts.projection_bias]
    arrays = [None if name is None else archive.read(name, dtype) for name in names]
    weight, bias, projection, projection_bias = arrays
    if weight is not None and parts.head_is_transposed:
        weight = weight.T
    if bias is not None and bias.ndim == 2 and 1 in bias.shape:  # a textbook's row or column
        bias = bias.reshape(-1)
    if metadata.tied:
        if embedding is None:
            raise LSTMError("head: expected an embedding to be tied to, found none.")
        if weight is not None:
            raise LSTMError("head.weight: expected none, as the head is tied, found one.")
        weight = embedding.weight
    if weight is None:
        _refuse_remains(names, metadata)
        return None
    head = Head(weight, bias, projection, projection_bias)
    if metadata.labels is not None:
        return replace(head, names=metadata.labels, predicts_tokens=False)
    if metadata.predicts_tokens is False:
        return replace(head, predicts_tokens=False)
    named = _name_outcomes(head, words, embedding)
    return replace(named, predicts_tokens=metadata.predicts_tokens or named.predicts_tokens)


def _refuse_remains(names: Sequence[str | None], metadata: Metadata) -> None:
    """What belongs to a head must not stand there without one."""
    if remains := [name for name in names if name is not None]:
        raise LSTMError(f"{remains[0]}: expected head.weight beside it, found none.")
    if metadata.labels is not None:
        raise LSTMError(f"head: expected a weight for {len(metadata.labels)} labels, found none.")


def _name_outcomes(head: Head, words: Tokenizer | None, embedding: Embedding | None) -> Head:
    """Outcomes are tokens where there are as many as the model reads, else numbered labels."""
    tokens = words.vocabulary.tokens if words else ()
    if len(tokens) == head.num_outcomes:
        return replace(head, names=tokens)
    size = embedding.vocabulary_size if embedding else None
    return replace(head, predicts_tokens=head.num_outcomes == size)


def _card(
    archive: Archive,
    found: FoundLSTM,
    metadata: Metadata,
    source: str,
    assumed: tuple[str, ...],
) -> Card:
    return Card(
        source=source,
        hashed=archive.content,  # type: ignore[arg-type]  # a named tuple that is called
        layout=found.layout.name,
        assumed=assumed,
        description=metadata.description,
        licence=metadata.licence,
        origin=metadata.source,
        units=metadata.units,
        quality=metadata.quality,
    )
