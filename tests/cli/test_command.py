"""The help pages, and that the README names every option."""

import re
from pathlib import Path

import pytest

from cli.command import COMMANDS as ENTRIES
from lstm.quantities import NAMES

COMMANDS = tuple(entry.name for entry in ENTRIES)
README = Path(__file__).parents[2] / "README.md"


@pytest.fixture(scope="module")
def pages(done):
    return {command: done(command, "--help").stdout for command in COMMANDS}


def headings(page):
    return re.findall(r"^(\w[\w ]*):$", page, re.MULTILINE)


def options(page):
    return set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", page))


def test_the_first_page_lists_the_commands(done):
    result = done("--help")
    assert result.data == done("-h").data
    listed = re.findall(r"^  ([a-z]+) {2,}\S", result.stdout.split("Commands:")[1], re.MULTILINE)
    assert tuple(listed) == COMMANDS
    assert "Exit codes: 0 done" in result.stdout
    assert "--version" in result.stdout
    # no description is cut: a sentence ends with a full stop
    assert "..." not in result.stdout.split("Commands:")[1]


@pytest.mark.parametrize("command", COMMANDS)
def test_each_page_starts_with_a_sentence_and_examples(pages, done, command):
    page = pages[command]
    usage, sentence, *_ = (line for line in page.splitlines() if line)
    assert usage.startswith(f"Usage: lstm {command} ")
    assert re.match(r"  [A-Z][a-z]+ ", sentence)
    assert "\n  Examples:\n    lstm " in page
    assert page.index("Examples:") < page.index("Options" if "\nOptions" in page else "General:")
    assert done(command, "-h").stdout == page
    assert all(len(line) <= 100 for line in page.splitlines())
    assert "\x1b" not in page


def test_the_options_of_run_stand_in_groups(pages):
    groups = {}
    for line in pages["run"].splitlines():
        if match := re.match(r"(\w[\w ]*):$", line):
            group = groups.setdefault(match[1], set())
        elif groups:
            group |= options(line.strip().split("  ")[0])
    assert list(groups) == [
        "Input",
        "Model",
        "What the weight file does not tell",
        "What to show",
        "Output",
        "State",
        "What if",
        "Speed",
        "General",
    ]
    assert groups == {
        "Input": {"--file", "--ids", "--vectors", "--errors", "--tokenizer"},
        "Model": {"--allow-nonfinite", "--weights", "--layout", "--prefix", "--dtype"},
        "What the weight file does not tell": {
            "--gate-order",
            "--forget-bias",
            "--gate-activation",
            "--pre-activation-clip",
            "--cell-clip",
            "--projection-clip",
            "--concatenation",
            "--coupled",
            "--residual",
            "--no-residual",
        },
        "What to show": {
            "--show",
            "--layers",
            "--units",
            "--steps",
            "--color-by",
            "--digits",
            "--top-k",
        },
        "Output": {"--format", "--json", "--output", "--color"},
        "State": {"--initial-state", "--final-state", "--carry", "--warm-up"},
        "What if": {"--set", "--ablate", "--patch", "--from"},
        "Speed": {"--engine", "--threads"},
        "General": {"--verbose", "--debug", "--help"},
    }


def test_the_page_of_run_names_every_choice_and_default(pages):
    page = " ".join(pages["run"].split())
    assert "table|json|ndjson|csv|npz|safetensors|svg" in page
    assert "--layout NAME" in page
    assert "float32|float64" in page
    assert "auto|always|never" in page
    assert all(name in page for name in NAMES)
    assert "LSTM_WEIGHTS" in page
    assert "default: english" in page
    assert "NO_COLOR" in page


@pytest.mark.parametrize("command", COMMANDS)
def test_no_default_is_told_twice(pages, command):
    text = " ".join(pages[command].split())
    assert not re.search(r"\[default: (\S+)\]\s*\[.*?default: \1\]", text)
    assert "<int range>" not in text
    assert "<float range>" not in text


@pytest.mark.parametrize("command", COMMANDS)
def test_the_readme_names_each_command_and_each_of_its_options(pages, command):
    readme = README.read_text("utf-8")
    assert f"lstm {command}" in readme
    missing = {name for name in options(pages[command]) if name not in readme}
    assert missing - {"--help"} == set()


def test_the_readme_names_no_option_that_is_not_there(pages, done):
    there = set().union(*map(options, pages.values())) | options(done("--help").stdout)
    there |= {"--version", "--cov"}
    code = re.sub(r"```sh.*?```", "", README.read_text("utf-8"), flags=re.DOTALL)
    foreign = {"--install-completion", "--show-completion"}
    lines = [line for line in code.splitlines() if "lstm" in line or "`--" in line]
    assert set().union(*map(options, lines)) - there - foreign == set()
