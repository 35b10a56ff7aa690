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
        os._exit(128 + ending.number if ending.number else code)
    except BaseException:
        # After a signal this is its own exit, or what a library in its way made of that.
        if ending.number:
            os._exit(128 + ending.number)
        raise


class _Ending:
    """Unwinds the command, so that no temporary file stays behind, and without a word.

    An exception that a signal raises is lost in a callback that ignores all of them, as the import
    system and a compiler have; so another is raised for as long as the last does not unwind.

    Attributes:
        number: the signal that came; 0 before.
    """

    number = 0
    _raised: BaseException | None = None

    def begin(self, number: int, _: FrameType | None) -> None:
        """Heed one signal and no further one, so that nothing disturbs the cleaning up."""
        self.number = number
        for other in _ENDING:
            signal.signal(other, signal.SIG_IGN)
        sys.excepthook = sys.unraisablehook = _say_nothing
        if hasattr(signal, "setitimer"):  # not on Windows
            signal.signal(signal.SIGALRM, self._look)
            signal.setitimer(signal.ITIMER_REAL, _PAUSE, _PAUSE)
        self._raise()

    def _look(self, *_: object) -> None:
        handled = sys.exc_info()[1]
        while handled is not None and handled is not self._raised:
            handled = handled.__context__
        if handled is None:
            self._raise()

    def _raise(self) -> None:
        is_interrupt = self.number == signal.SIGINT
        self._raised = KeyboardInterrupt() if is_interrupt else SystemExit(128 + self.number)
        raise self._raised


def _say_nothing(*_: object) -> None:
    """Stand in for a hook that would print a traceback."""
