"""Help pages as plain text: options grouped under headings, examples first.

Typer's own panels are drawn with Rich, whose tables take longer to import than all else; a
help page should be there at once.
"""

from __future__ import annotations

from typing import Any

from typer.core import TyperCommand

# Where an option names no group of its own.
GENERAL = "General"


class GroupedCommand(TyperCommand):
    """A command whose help lists each group of options under its heading."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        groups: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is not None:
                heading = getattr(parameter, "rich_help_panel", None) or GENERAL
                groups.setdefault(heading, []).append(record)
        for heading, records in groups.items():
            with formatter.section(heading):
                formatter.write_dl(records)
