"""What the network is worth: the next word, agreement, and the cell that carries it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from agreement import COPULAS, SUBJECT_WORDS, Sentence
from corpus import encode
from inspection import Hold, by_length, walk
from network import IGNORED, Ids, Network, steps_of
from torch import Tensor
from torch.nn import functional

from lstm.tokenizers.tokenizer import Vocabulary

TOGETHER = 256  # sentences measured in one go


class NextWord(NamedTuple):
    """How well the next token is told, from the second word on, the end included."""

    perplexity: float
    top1: float
    top5: float


class Templates(NamedTuple):
    """Template sentences as ids: what comes before the verb, and the verb's two forms."""

    sentences: Sequence[Sentence]
    prefixes: list[list[int]]
    verbs: Tensor  # (sentences, 2): singular, plural


class Typical(NamedTuple):
    """The mean value of a cell across distractors, for each number of the subject."""

    singular: float
    plural: float


@torch.no_grad()
def next_word(network: Network, sentences: Ids, end: int) -> NextWord:
    """Measure the network from zero states, without a start token."""
    surprise, ranks = [], []
    ordered = sorted(sentences, key=len)
    for at in range(0, len(ordered), TOGETHER):
        inputs, targets = steps_of(ordered[at : at + TOGETHER], end)
        kept = targets != IGNORED
        logits, wanted = network(inputs)[kept], targets[kept]
        surprise.append(functional.cross_entropy(logits, wanted, reduction="none"))
        ranks.append((logits > logits.gather(1, wanted[:, None])).sum(1))
    rank = torch.cat(ranks)
    share = [(rank < best).double().mean().item() for best in (1, 5)]
    return NextWord(math.exp(torch.cat(surprise).double().mean().item()), *share)


def templates(sentences: Sequence[Sentence], words: Vocabulary) -> Templates:
    """Look up the words of template sentences."""
    prefixes = encode([sentence.prefix for sentence in sentences], words)
    verbs = encode([sentence.verbs for sentence in sentences], words)
    return Templates(sentences, prefixes, torch.tensor(verbs))


@torch.no_grad()
def preferences(network: Network, told: Templates, hold: Hold | None = None) -> np.ndarray:
    """Return by how much the plural verb is more likely than the singular, as a log ratio."""
    found = np.empty(len(told.sentences))
    for places in by_length(told.prefixes).values():
        ids = torch.tensor([told.prefixes[place] for place in places])
        here = hold and hold._replace(values=hold.values[:, places])
        *_, last = walk(network, ids, here)
        singular, plural = network.decode(last.hidden).gather(1, told.verbs[places]).unbind(1)
        found[places] = (plural - singular).numpy()
    return found


def agreement(network: Network, told: Templates) -> dict[str, float]:
    """Return the share of right verbs: of all, and where the last noun speaks for the other."""
    plural = np.array([sentence.plural for sentence in told.sentences])
    against = plural != [sentence.attractor_plural for sentence in told.sentences]
    right = (preferences(network, told) > 0) == plural
    return {"all": float(right.mean()), "against_attractor": float(right[against].mean())}


def clamp(network: Network, told: Templates, unit: int, typical: Typical) -> dict[str, float]:
    """Hold one cell across the distractor at what is typical of the other number.

    Returns the share of right verbs that turn into wrong ones, in all and by kind of verb.
    """
    plural = np.array([sentence.plural for sentence in told.sentences])
    copula = np.array([sentence.verbs in COPULAS for sentence in told.sentences])
    values = torch.where(torch.from_numpy(plural), typical.singular, typical.plural)
    right = (preferences(network, told) > 0) == plural
    after = preferences(network, told, Hold(unit, values[None], SUBJECT_WORDS))
    flipped = (after > 0) != plural
    kinds = {"all": right, "is_are_was_were": right & copula, "other_verbs": right & ~copula}
    return {name: float(flipped[kind].mean()) for name, kind in kinds.items()}


def typical(told: Templates, states: Sequence[np.ndarray], unit: int) -> Typical:
    """Return the mean of a cell at the last word before the verb, for each number."""
    values = np.array(
        [state[len(ids) - 1, unit] for ids, state in zip(told.prefixes, states, strict=True)]
    )
    plural = np.array([sentence.plural for sentence in told.sentences])
    return Typical(float(values[~plural].mean()), float(values[plural].mean()))


@torch.no_grad()
def gates(network: Network, told: Templates, unit: int) -> dict[str, float]:
    """Return the mean gates of a unit at the subject's noun and across the distractor."""
    noun, across = [], []
    for places in by_length(told.prefixes).values():
        ids = torch.tensor([told.prefixes[place] for place in places])
        steps = [torch.stack([s.input_gate, s.forget_gate])[:, :, unit] for s in walk(network, ids)]
        noun.append(steps[SUBJECT_WORDS - 1])
        across.extend(steps[SUBJECT_WORDS:])
    at_noun, between = (torch.cat(kind, dim=1).mean(dim=1).tolist() for kind in (noun, across))
    return {
        "input_at_noun": at_noun[0],
        "input_across_distractor": between[0],
        "forget_across_distractor": between[1],
    }
