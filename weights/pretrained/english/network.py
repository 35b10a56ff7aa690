"""The network and its training."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.rnn import pad_sequence

EMBEDDING = 64
HIDDEN = 128
DROPOUT = 0.1
BATCH = 64
CLIP = 1.0
IGNORED = -100  # the target of a padded step

Ids = Sequence[Sequence[int]]


class Phase(NamedTuple):
    """A stretch of training: a whole cosine, from a learning rate down to nothing."""

    name: str
    epochs: int
    rate: float
    seed: int


class Network(nn.Module):
    """One LSTM layer between an embedding and its own transpose."""

    def __init__(self, words: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(words, EMBEDDING)
        self.lstm = nn.LSTM(EMBEDDING, HIDDEN, batch_first=True)
        self.projection = nn.Linear(HIDDEN, EMBEDDING)
        self.bias = nn.Parameter(torch.zeros(words))
        self.dropout = nn.Dropout(DROPOUT)
        nn.init.normal_(self.embedding.weight, std=0.1)
        # An open forget gate at the start: what is written early can be learnt from late.
        nn.init.constant_(self.lstm.bias_ih_l0.data[HIDDEN : 2 * HIDDEN], 1.0)

    def forward(self, ids: Tensor) -> Tensor:
        """Return the logits of the next token at every step, from zero states."""
        hidden, _ = self.lstm(self.dropout(self.embedding(ids)))
        return self.decode(self.dropout(hidden))

    def decode(self, hidden: Tensor) -> Tensor:
        """Return the logits for hidden states."""
        return functional.linear(self.projection(hidden), self.embedding.weight, self.bias)


def train(
    network: Network,
    sentences: Ids,
    start: int,
    end: int,
    phase: Phase,
    further: Callable[[], Tensor] | None = None,
) -> Iterator[float]:
    """Train through one phase and yield the mean loss of every epoch.

    `further` gives a loss to be added at every step.
    """
    torch.manual_seed(phase.seed)
    random = Random(phase.seed)
    optimizer = torch.optim.Adam(network.parameters(), lr=phase.rate)
    steps = phase.epochs * math.ceil(len(sentences) / BATCH)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for _ in range(phase.epochs):
        network.train()
        losses = []
        for batch in batches(sentences, random):
            inputs, targets = steps_of(batch, end, start if random.random() < 0.5 else None)
            kept = targets != IGNORED
            loss = functional.cross_entropy(network(inputs)[kept], targets[kept])
            losses.append(loss.item())
            _descend(network, optimizer, loss if further is None else loss + further())
            schedule.step()
        yield sum(losses) / len(losses)


def batches(sentences: Ids, random: Random) -> list[list[Sequence[int]]]:
    """Cut the sentences into batches of like length, in random order."""
    # The random number breaks ties, so that a batch is not the same in every epoch.
    ordered = sorted(sentences, key=lambda ids: (len(ids), random.random()))
    cut = [list(ordered[at : at + BATCH]) for at in range(0, len(ordered), BATCH)]
    random.shuffle(cut)
    return cut


def steps_of(batch: Ids, end: int, start: int | None = None) -> tuple[Tensor, Tensor]:
    """Return padded inputs and targets; without a start token a step is a word.

    Every sentence has the end token as its last target.
    """
    first = [] if start is None else [start]
    whole = [torch.tensor([*first, *ids, end]) for ids in batch]
    inputs = pad_sequence([ids[:-1] for ids in whole], batch_first=True)
    targets = pad_sequence([ids[1:] for ids in whole], batch_first=True, padding_value=IGNORED)
    return inputs, targets


def _descend(network: Network, optimizer: torch.optim.Optimizer, loss: Tensor) -> None:
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(network.parameters(), CLIP)
    optimizer.step()
