"""Where the command begins and ends: signals are heeded before anything large is imported."""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType

# What asks a command to end: Ctrl-C, a request, a terminal that is gone (Windows has no such).
_NAMES = ("SIGINT", "SIGTERM", "SIGHUP")
_ENDING = tuple(getattr(signal, name) for name in _NAMES if hasattr(signal, name))

_PAUSE = 0.1  # seconds between two looks whether the command heard the signal


def main() -> None:
    """Run the command line and leave with its exit code, or as a shell says it of a signal.

    Much of a short run is the end of Python itself: the process ends without taking down every
    module first.
    """
    ending = _Ending()
    for number in _ENDING:
        if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup has it
            signal.signal(number, ending.begin)
    try:
        from cli.app import run

        code = run()
        sys.stderr.flush()
    except BaseException:
        # After a signal this is its own exit, or what a library in its way made of that.
        if ending.number:
            os._exit(128 + ending.number)
        raise
    os._exit(128 + ending.number if ending.number else code)


class _Ending:
    """Unwinds the command, so that no temporary file stays behind, and without a word.

    An exception that a signal raises is lost in a callback that ignores all of them, as the import
    system and a compiler have; so it is raised again for as long as nothing unwinds.

    Attributes:
        number: the signal that came; 0 before.
    """

    number = 0

    def begin(self, number: int, _: FrameType | None) -> None:
        """Heed one signal and no further one, so that nothing disturbs the cleaning up."""
        self.number = number
        for other in _ENDING:
            signal.signal(other, signal.SIG_IGN)
        sys.excepthook = sys.unraisablehook = _say_nothing
        if hasattr(signal, "setitimer"):  # not on Windows
            signal.signal(signal.SIGALRM, self._raise_again)
            signal.setitimer(signal.ITIMER_REAL, _PAUSE, _PAUSE)
        self._raise()

    def _raise_again(self, *_: object) -> None:
        if sys.exc_info()[1] is None:
            self._raise()

    def _raise(self) -> None:
        if self.number == signal.SIGINT:
            raise KeyboardInterrupt
        sys.exit(128 + self.number)


def _say_nothing(*_: object) -> None:
    """Stand in for a hook that would print a traceback."""
