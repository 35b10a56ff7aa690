"""Shell completion."""

import pytest

from cli.command import COMMANDS as ENTRIES
from cli.schema import SCHEMAS


@pytest.fixture(scope="module")
def completed(lstm):
    """What bash would be offered for a line."""

    def offers(line):
        words = line.split(" ")
        env = {"_LSTM_COMPLETE": "complete_bash", "COMP_WORDS": line,
               "COMP_CWORD": str(len(words) - 1)}  # fmt: skip
        result = lstm(env=env)
        assert (result.code, result.stderr) == (0, "")
        return result.stdout.split()

    return offers


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_script_for_the_shell_is_printed(lstm, shell):
    result = lstm("--show-completion", env={"SHELL": f"/bin/{shell}"})
    if not result.data:  # where the shell cannot be found out, it is named
        result = lstm("--show-completion", shell)
    assert result.code == 0
    assert "_LSTM_COMPLETE" in result.stdout
    assert result.stderr == ""


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        (
            "lstm ",
            [entry.name for entry in ENTRIES],
        ),
        ("lstm in", ["inspect"]),
        ("lstm run --weights ", ["english", "brackets", "latch", "parity"]),
        ("lstm generate -w br", ["brackets"]),
        ("lstm run --format n", ["ndjson", "npz"]),
        (
            "lstm run --layout py",
            ["pytorch", "pytorch-cell", "pytorch-quantizable", "pytorch-quantizable-split"],
        ),
        ("lstm run --dtype ", ["float32", "float64"]),
        ("lstm models --color a", ["auto", "always"]),
        ("lstm run --show fo", ["forget", "forget_cell"]),
        ("lstm run --fi", ["--file", "--final-state"]),
        (
            "lstm schema ",
            list(SCHEMAS),
        ),
        ("lstm find --format n", ["ndjson"]),
        ("lstm schema co", ["convert", "compare", "contrast"]),
        ("lstm sweep --format ", ["table", "json", "csv"]),
        ("lstm contrast --align ", ["start", "end"]),
        ("lstm inspect br", ["brackets"]),
    ],
)
def test_names_are_completed(completed, line, offered):
    assert completed(line) == offered
