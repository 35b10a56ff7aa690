"""Let a model go on by itself: its own next word becomes its next input."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import numpy as np

from lstm.arrays import Floats
from lstm.errors import LSTMError, MissingPartError
from lstm.head import best_outcomes, log_softmax
from lstm.model import Model
from lstm.trace import Trace


def generate(
    model: Model, start: Trace, *, temperature: float = 0.0, top_k: int | None = None, seed: int = 0
) -> Iterator[int]:
    """Give token ids, each chosen after the ones before it, until the model ends its text.

    Args:
        model: one whose head predicts the next token; what it changes on the way is changed in
            the steps to come too, counted from the start's first.
        start: the run to continue; at least one step.
        temperature: 0 takes the most probable token; 1 draws from the model's probabilities,
            less sharpens them, more flattens them.
        top_k: draw from the k most probable tokens only.
        seed: of the generator that draws; the same seed gives the same text.

    Returns:
        The ids one by one, never the unknown or the start token, which are no words.

    Raises:
        MissingPartError: the model has no head for tokens, or no embedding.
        LSTMError: the run to continue has no step or several sequences, the model reads
            from the end, or an option is out of its range.
    """
    if model.head is None or not model.head.predicts_tokens:
        raise MissingPartError("head that predicts tokens", "generate", "Use run instead.")
    if model.parameters.reads_back:
        raise LSTMError(
            "generate: expected a model that reads forward only, found one that reads from the "
            "end of a text."
        )
    _check_options(temperature, top_k)
    start.need_one_sequence()
    if start.num_steps == 0:
        raise LSTMError("generate: expected at least one token to continue from, found none.")
    return _draw(model, start, temperature, top_k, np.random.default_rng(seed))


def _draw(
    model: Model, start: Trace, temperature: float, top_k: int | None, random: np.random.Generator
) -> Iterator[int]:
    end = _special(model, "end")
    trace = start
    for step in count(start.num_steps):
        scores = log_softmax(trace.logits[-1])
        scores[[*_special(model, "unknown"), *_special(model, "start")]] = -np.inf
        chosen = _choose(scores, temperature, top_k, random)
        if chosen in end:
            return
        yield chosen
        trace = model.window(step, 1).run(ids=[chosen], initial_state=trace.final)


def _check_options(temperature: float, top_k: int | None) -> None:
    if not 0 <= temperature < np.inf:
        raise LSTMError(f"temperature: expected a number of at least 0, found {temperature}.")
    if top_k is not None and top_k < 1:
        raise LSTMError(f"top_k: expected at least 1, found {top_k}.")


def _special(model: Model, role: str) -> tuple[int, ...]:
    """The id of a special token, as a tuple of one or none."""
    if model.tokenizer is None:
        return ()
    vocabulary = model.tokenizer.vocabulary
    token = getattr(vocabulary, role)
    return () if token is None else (vocabulary.tokens.index(token),)


def _choose(
    scores: Floats, temperature: float, top_k: int | None, random: np.random.Generator
) -> int:
    if temperature == 0:
        return int(scores.argmax())
    if top_k is not None and top_k < len(scores):
        few = best_outcomes(scores, top_k)
        kept = np.full_like(scores, -np.inf)
        kept[few] = scores[few]
        scores = kept
    with np.errstate(over="ignore"):  # at the lowest temperatures all but the best are at -inf
        scores = (scores - scores.max()) / temperature
    weights = np.exp(log_softmax(scores))
    return int(random.choice(len(weights), p=weights))
