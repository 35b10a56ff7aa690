"""Where the command begins: signals are heeded before anything large is imported."""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType

# What asks a command to end: Ctrl-C, a request, a terminal that is gone (Windows has no such).
_NAMES = ("SIGINT", "SIGTERM", "SIGHUP")
_ENDING = tuple(getattr(signal, name) for name in _NAMES if hasattr(signal, name))


def main() -> None:
    """Run the command line; when a signal ends it, leave as a shell says it, and without a word."""
    for number in _ENDING:
        if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup has it
            signal.signal(number, _end)
    try:
        from cli.app import main as run

        run()
    except KeyboardInterrupt:
        os._exit(128 + signal.SIGINT)


def _end(number: int, _: FrameType | None) -> None:
    """Unwind, so that no temporary file stays behind; once, so that nothing disturbs that."""
    for other in _ENDING:
        signal.signal(other, signal.SIG_IGN)
    if number == signal.SIGINT:
        raise KeyboardInterrupt
    sys.exit(128 + number)
