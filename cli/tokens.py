"""`lstm tokens`: what a text becomes, without running it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import typer

from cli import options as o
from cli import untold as u
from cli.console import Terminal, write_json
from cli.contradictions import idle
from cli.sources import Request, Source
from lstm.errors import LSTMError
from weights.pretrained.registry import DEFAULT

if TYPE_CHECKING:
    from lstm.model import Model
    from lstm.tokenizers.tokenizer import Token

SCHEMA = "lstm.tokens/1"


def tokens(
    context: typer.Context,
    texts: o.Texts = None,
    file: o.File = None,
    errors: o.Errors = None,
    tokenizer: o.TokenizerPath = None,
    weights: o.Weights = DEFAULT,
    layout: o.LayoutName = None,
    prefix: o.Prefix = None,
    allow_nonfinite: u.AllowNonfinite = False,
    json: o.JsonOnly = False,
    color: o.ColorWhen = None,
    debug: o.Debug = False,
) -> None:
    """Show what a text becomes: pieces, ids, character offsets, known or not.

    \b
    Examples:
      lstm tokens "John likes naïve coffee"
      lstm tokens --file lines.txt --json | jq '.sequences[].tokens[] | select(.known | not)'
    """
    request = Request(list(texts or []), file, errors=errors)
    if request.is_empty:
        typer.echo(context.get_help())
        return
    if json:
        idle("--json", "JSON has no colours", color=color)
    from cli.output import tell_assumptions
    from weights import load

    model = load(
        weights,
        layout=layout,
        prefix=prefix,
        tokenizer=tokenizer,
        allow_nonfinite=allow_nonfinite,
    )
    tell_assumptions(model)
    found = [_encode(model, source) for source in request.sources()]
    if json:
        _write_json(found)
    else:
        _write_tables(found, color)


def _encode(model: Model, source: Source) -> tuple[str, tuple[Token, ...]]:
    text = source.given["text"]
    try:
        return text, model.encode(text)
    except LSTMError as error:
        raise error.at(source.place) if source.place else error from None


def _write_json(found: list[tuple[str, tuple[Token, ...]]]) -> None:
    sequences = [
        {"text": text, "tokens": [_record(token) for token in pieces]} for text, pieces in found
    ]
    write_json({"schema": SCHEMA, "sequences": sequences})


def _record(token: Token) -> dict[str, object]:
    return {
        "text": token.text,
        "read": token.read,
        "id": token.id,
        "start": token.start,
        "end": token.end,
        "known": token.known,
    }


def _write_tables(found: list[tuple[str, tuple[Token, ...]]], color: str | None) -> None:
    from cli.limits import TABLE_STEPS, check_steps
    from cli.tables import number, plain, section, show, table

    console = Terminal.of(sys.stdout, color).console()
    for text, pieces in found:
        check_steps("table", len(pieces), TABLE_STEPS, "Choose --json, or give less text.")
        made = table(number("step"), "text", "read as", number("id"), "characters", "")
        for step, token in enumerate(pieces):
            known = plain("", "") if token.known else plain("unknown", "bold red")
            span = f"{token.start}:{token.end}"
            cells = (step, token.text, token.read, token.id, span)
            made.add_row(*(plain(cell) for cell in cells), known)
        show(console, section(text or "(empty)", made))
