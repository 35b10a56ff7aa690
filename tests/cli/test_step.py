"""`lstm step`: its keys, what the screen says, and the real command on a terminal."""

import asyncio
import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lstm.analysis.intervention import Change, Intervention
from weights import load

pytest.importorskip("textual")

from rich.console import Console

from cli.stepper import Stepper

COMMAND = Path(sys.executable).with_name("lstm")
SENTENCE = "the boys near the car like it"


@pytest.fixture
def screen():
    """Press keys, one after the other, and return the stepper and what it then says."""

    def press(*keys, model="english", text=SENTENCE, width=100, height=50, changes=None):
        loaded = load(model, allow_nonfinite=True)
        if changes is not None:
            loaded = replace(loaded, intervention=Intervention((Change.parse(changes),)))
        stepper = Stepper(loaded, loaded.run(text))

        async def led():
            async with stepper.run_test(size=(width, height)) as pilot:
                await pilot.press(*keys)
                await pilot.pause()
                console = Console(width=width - 2, color_system=None)
                with console.capture() as shown:
                    for part in stepper._parts():
                        console.print(part)
                assert not stepper.query_one("#find").display
                stepper.top = stepper.query_one("VerticalScroll").scroll_y
                return shown.get()

        return stepper, asyncio.run(led())

    return press


def test_what_is_set_on_the_way_is_said(screen):
    _, plain = screen("right")
    _, shown = screen("right", changes="l0.c[83]@1:=-3")
    assert shown.startswith("english, with l0.c[83]@1:=-3\n\nWords, coloured by l0.c[83]")
    assert row(shown, 83)[5] == -3
    assert plain.startswith("Words, coloured by l0.c[83]")


def row(shown, unit):
    """The numbers of a unit: f, i, g, o, c', c, h."""
    lines = (line.split() for line in shown.splitlines())
    return next([float(x) for x in line[1:8]] for line in lines if line[:1] == [str(unit)])


def test_it_begins_at_the_first_word_with_the_first_named_unit(screen):
    stepper, shown = screen()
    assert (stepper.step, stepper.unit) == (0, 83)
    assert "Step 0 (of 0 to 6)" in shown
    assert "the subject, which decides" in shown


@pytest.mark.parametrize(
    ("keys", "step"),
    [
        (("right",), 1), (("n", "space"), 2), (("right", "right", "left"), 1), (("left",), 0),
        (("end",), 6), (("end", "right"), 6), (("end", "p"), 5), (("end", "home"), 0),
    ],
)  # fmt: skip
def test_left_and_right_lead_through_the_words(screen, keys, step):
    stepper, shown = screen(*keys)
    assert stepper.step == step
    assert f"Step {step} (of 0 to 6)" in shown


def test_the_numbers_of_a_step_are_those_of_the_run(screen):
    _, shown = screen("right", "right")
    trace = load().run(SENTENCE)
    record = trace.layers[0].forward
    names = ("forget", "input", "candidate", "output", "previous_cell", "cell", "hidden")
    expected = [getattr(record, name)[2, 83] for name in names]
    np.testing.assert_allclose(row(shown, 83), expected, atol=0.005001)
    most = int(np.abs(record.cell[2] - record.previous_cell[2]).argmax())
    assert row(shown, most)[4] == pytest.approx(record.previous_cell[2, most], abs=0.005001)
    assert f"{trace.forecast(1).predictions[2][0].name} " in shown.split("What comes next")[1]


def test_up_and_down_lead_through_the_units_and_around(screen):
    assert screen("down", "j")[0].unit == 85
    assert screen("up")[0].unit == 82
    assert screen("slash", *"127", "enter", "down")[0].unit == 0


def test_l_leads_through_layers_and_directions(screen, deep):
    seen = []
    for times in range(5):
        stepper, shown = screen(*["l"] * times, model=deep, text="the cat sat")
        seen.append(repr(stepper._address))
        assert f"Words, coloured by {seen[-1]}" in shown
    assert seen == ["l0.c[0]", "l0.reverse.c[0]", "l1.c[0]", "l1.reverse.c[0]", "l0.c[0]"]


@pytest.mark.parametrize(
    ("text", "unit"), [("7", 7), ("l0.c[12]", 12), ("question", 114), ("500", 83), ("zzz", 83)]
)
def test_a_unit_is_found_by_number_address_or_meaning(screen, text, unit):
    stepper, _ = screen("slash", *text, "enter")
    assert stepper.unit == unit


def test_a_search_can_be_left_and_letters_in_it_are_letters(screen):
    stepper, _ = screen("slash", "l", "q", "7", "escape", "right")
    assert (stepper.unit, stepper.step, stepper.cell) == (83, 1, 0)


def test_units_with_fewer_hidden_states_and_numbers_that_are_none(screen, infinite, tiny):
    _, shown = screen("right", model=infinite, text="nil up")
    assert "nan" in shown
    _, shown = screen(model=tiny, text="[/bold] \x1b[31m")
    assert "bold" in shown
    assert "\x1b" not in shown


def test_a_long_text_and_a_narrow_terminal(screen):
    _, shown = screen("end", text="tea " * 400, width=60)
    assert shown.count("tea ") < 80
    assert max(map(len, shown.splitlines())) <= 58
    _, shown = screen("right", width=60)
    assert "\n83: the subject, which decides the verb, is plural" in shown


def test_what_comes_next_is_seen_on_a_small_terminal_and_the_rest_by_the_page_keys(screen):
    stepper, shown = screen("right", width=80, height=24)
    assert "What comes next" in shown.splitlines()[:15]
    assert len(shown.splitlines()) > 23
    assert (stepper.top, screen("pagedown", width=80, height=24)[0].top > 0) == (0, True)
    assert screen("pagedown", "pageup", width=80, height=24)[0].top == 0


# The real command


def keyed(*arguments, keys=(), env=None):
    """Run the command on a terminal, and press each key when the screen has come to rest."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 100, 0, 0))
    with subprocess.Popen(
        [COMMAND, *map(str, arguments)], stdin=theirs, stdout=theirs, stderr=theirs,
        env={**os.environ, "TERM": "xterm-256color", **(env or {})},
    ) as process:  # fmt: skip
        os.close(theirs)
        shown, remaining, until = b"", list(keys), time.monotonic() + 40
        while time.monotonic() < until:
            if select.select([ours], [], [], 1)[0]:
                try:
                    shown += os.read(ours, 65536)
                except OSError:  # the other end is closed
                    break
            elif remaining and b"quit" in shown:
                os.write(ours, remaining.pop(0))
        else:
            process.kill()
        os.close(ours)
        return process.wait(), shown.decode()


def test_it_leaves_when_its_terminal_is_gone():
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [COMMAND, "step", SENTENCE], stdin=theirs, stdout=theirs, stderr=theirs,
        env={**os.environ, "TERM": "xterm-256color"},
    ) as process:  # fmt: skip
        os.close(theirs)
        shown = b""
        while b"quit" not in shown:
            shown += os.read(ours, 65536)
        os.close(ours)
        try:
            assert process.wait(timeout=20) == 0
        finally:
            process.kill()


def test_the_command_steps_on_a_terminal_and_leaves_it_as_it_was():
    code, shown = keyed("step", SENTENCE, keys=[b"\x1b[C", b"q"])
    assert code == 0
    assert "Traceback" not in shown
    assert shown.count("\x1b[?1049h") == shown.count("\x1b[?1049l") == 1
    assert "near" in shown


def test_where_there_is_no_terminal_it_says_what_to_do(refusal):
    message = refusal(2, "step", SENTENCE)
    assert message == "step: expected a terminal, found none. lstm run prints every step."


def test_a_text_without_words_is_refused():
    code, shown = keyed("step", "", "-w", "brackets")
    assert (code, shown) == (
        3,
        "error: step: expected a text of at least one word, found none.\r\n",
    )


def test_without_the_extra_a_sentence_names_it(tmp_path):
    (tmp_path / "textual.py").write_text("raise ModuleNotFoundError")
    code, shown = keyed("step", "((", "-w", "brackets", env={"PYTHONPATH": str(tmp_path)})
    assert code == 3
    assert "lstm step needs the package textual" in shown
    assert "pip install 'lstm-cli[tui]'" in shown
