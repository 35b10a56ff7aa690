"""The JSON of a memory's account, schema `lstm.memory/1`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cli.accounts import Account, Asked, read_accounts, read_logit
from cli.formats.record import model_record, text_record
from cli.naming import tells
from lstm.address import Address
from lstm.analysis.ledger import expected_half_life, half_life
from lstm.analysis.memory import LogitAccount
from lstm.analysis.saturation import GATED, Saturation, counters

if TYPE_CHECKING:
    from lstm.model import Model
    from lstm.trace import Trace

SCHEMA = "lstm.memory/1"


def record(model: Model, trace: Trace, asked: Asked) -> dict[str, Any]:
    """Say which word wrote what: the account of one score, or of cells one by one."""
    what = asked.of if asked.unit is None else asked.unit.quantity
    document = {
        "schema": SCHEMA,
        "model": model_record(model),
        **text_record(trace),
        "of": what,
        "account": "by time of writing, not a cause",
        "steps": asked.steps.within(trace.num_steps),
        "cells": [],
        "score": None,
    }
    if asked.word is not None:
        return {**document, "score": _score(read_logit(model, trace, asked))}
    accounts = read_accounts(model, trace, asked)
    return {**document, "cells": [_cell(model, account, asked) for account in accounts]}


def _score(account: LogitAccount) -> dict[str, Any]:
    return {
        "outcome": account.outcome.name,
        "id": account.outcome.id,
        "bias": account.outcome.constant,
        "passed": account.passed,
        "shares": account.shares,
        "logits": account.logits,
        "residual": account.residual,
    }


def _cell(model: Model, account: Account, asked: Asked) -> dict[str, Any]:
    memory, ledger = account.memory, account.ledger
    saturation = Saturation.of(ledger.trace)
    gates = {
        gate: {
            "below": saturation.shut[gate],
            "above": saturation.opened[gate],
            "always_below": saturation.always_shut(gate),
            "always_above": saturation.always_open(gate),
        }
        for gate in GATED
    }
    return {
        "layer": account.layer,
        "direction": account.direction,
        "composition": memory.composition,
        "survival": memory.survival,
        "units": [_unit(model, account, asked.unit, n) for n in range(len(memory.units))],
        "half_life": {"observed": half_life(ledger.kept), "bias": expected_half_life(ledger.cell)},
        "gates": gates,
        "counters": counters(ledger.trace),
        "residual": memory.residual,
    }


def _unit(model: Model, account: Account, asked: Address | None, place: int) -> dict[str, Any]:
    assert asked is not None  # or there would be no units
    memory, unit = account.memory, account.memory.units[place]
    address = asked._replace(units=unit, steps=None)
    return {
        "address": repr(address),
        "tells": tells(model, address),
        "shares": memory.shares[..., place].copy(),
        "survival": memory.unit_survival[..., place].copy(),
        "values": memory.values[:, place].copy(),
    }
