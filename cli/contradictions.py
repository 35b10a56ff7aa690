"""Options that say different things, or nothing at all: each such pair is refused by name."""

from __future__ import annotations

from cli.console import CommandLineError


def exclusive(**given: object) -> None:
    """Refuse more than one of several options that say the same thing differently."""
    names = [name for name, value in given.items() if is_given(value)]
    if len(names) > 1:
        options = " and ".join(n if n == "TEXT" else _option(n) for n in names)
        raise CommandLineError(f"expected one of {options}, found both. Leave one out.")


def is_given(value: object) -> bool:
    """Whether an option is on the command line; a 0 is."""
    return value is not None and value is not False and value != []


def idle(beside: str, why: str, **given: object) -> None:
    """Refuse options that have no effect beside another.

    Raises:
        CommandLineError: one of them is given; the message names both, and says why.
    """
    for name, value in given.items():
        if is_given(value):
            raise CommandLineError(
                f"{_option(name)}: it has no effect with {beside}: {why}. Leave one out."
            )


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"
