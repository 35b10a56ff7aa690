"""Training that makes one cell the cause of agreement: interchange interventions.

A sentence is run with one of its cells, across the distractor, replaced by the same cell of another
sentence; the verb has then to agree with the subject of the other. So the number must be in this
cell, and whatever other cells know of it must not matter (Geiger and others, 2022, "Inducing causal
structure for interpretable neural networks").
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import torch
from agreement import SUBJECT_WORDS
from inspection import Hold, by_length, walk
from measures import Templates
from network import Network
from torch import Tensor
from torch.nn import functional

BATCH = 32
WEIGHT = 0.1


def interchange(
    network: Network, templates: Templates, unit: int, seed: int
) -> Callable[[], Tensor]:
    """Return a function that draws sentences of one length and gives the loss of their verbs."""
    random = Random(seed)
    groups = [places for places in by_length(templates.prefixes).values() if len(places) >= BATCH]
    sizes = [len(places) for places in groups]

    def loss() -> Tensor:
        (places,) = random.choices(groups, sizes)
        own = random.sample(places, BATCH)
        return WEIGHT * _loss(network, templates, unit, own, random.sample(own, BATCH))

    return loss


def _loss(
    network: Network, templates: Templates, unit: int, own: list[int], other: list[int]
) -> Tensor:
    """Return the loss of the verbs of some sentences, with the cell and the number of others."""
    ids, others = (
        torch.tensor([templates.prefixes[place] for place in places]) for places in (own, other)
    )
    values = torch.stack([step.cell[:, unit] for step in walk(network, others)])
    *_, last = walk(network, ids, Hold(unit, values, SUBJECT_WORDS))
    plural = torch.tensor([[int(templates.sentences[place].plural)] for place in other])
    wanted = templates.verbs[own].gather(1, plural).squeeze(1)
    return functional.cross_entropy(network.decode(network.dropout(last.hidden)), wanted)
