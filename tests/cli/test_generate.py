"""The model goes on by itself."""

import select
import subprocess

import numpy as np
import pytest

from weights import load

WORDS = ("<unk>", "<s>", "</s>", "john", "likes", "black", "coffee")


def greedy(model, ids, steps):
    """The most probable next word, again and again, until the end; no word is <unk> or <s>."""
    ids = list(ids)
    for _ in range(steps):
        logits = model.run(ids=ids).logits[-1].copy()
        logits[[0, 1]] = -np.inf
        if (best := int(logits.argmax())) == 2:
            break
        ids.append(best)
    return ids


def test_without_temperature_each_word_is_the_most_probable(done, tiny):
    ids = greedy(load(tiny), [3], 6)
    result = done("generate", "John", "--steps", "6", "--weights", tiny)
    assert result.stdout == " ".join(["John", *(WORDS[i] for i in ids[1:])]) + "\n"
    document = done("generate", "John", "--steps", "6", "-w", tiny, "--json").json
    assert document["sequences"][0]["ids"] == ids


def test_it_ends_where_the_model_ends_its_text_or_after_so_many_steps(done, tiny):
    model = load(tiny)
    for steps in (1, 3, 50):
        given = ("generate", "black", "--steps", str(steps), "-w", tiny, "--json")
        ids = done(*given).json["sequences"][0]["ids"]
        assert ids == greedy(model, [5], steps)
        assert 2 not in ids


def test_json_is_the_trace_that_run_gives_for_the_same_words(done, valid, tiny):
    result = done("generate", "John likes", "--steps", "4", "-w", tiny, "--json")
    document = valid("trace", result.json)
    ids = ",".join(str(number) for number in document["sequences"][0]["ids"])
    by_run = done("run", "--ids", ids, "-w", tiny, "--json").json
    assert document["model"] == by_run["model"]
    ours, theirs = document["sequences"][0], by_run["sequences"][0]
    for key in ("ids", "next", "surprisal"):
        assert ours[key] == theirs[key]
    for a, b in zip(ours["steps"], theirs["steps"], strict=True):
        assert (a["hidden"], a["cell"]) == (b["hidden"], b["cell"])


def test_json_tells_the_words_as_typed_and_which_are_unknown(done, tiny):
    result = done("generate", "John hates", "--steps", "2", "-w", tiny, "--json")
    sequence = result.json["sequences"][0]
    assert sequence["tokens"][:2] == ["John", "hates"]
    assert sequence["unknown"] == [{"step": 1, "token": "hates"}]


def test_a_draw_is_decided_by_its_seed(done, tiny):
    def drawn(*options):
        return done("generate", "john", "--steps", "12", "-w", tiny, *options).stdout

    hot = ("--temperature", "3")
    assert drawn(*hot, "--seed", "1") == drawn(*hot, "--seed", "1")
    assert drawn(*hot) == drawn(*hot, "--seed", "0")
    assert len({drawn(*hot, "--seed", str(seed)) for seed in range(3)}) > 1


def test_a_draw_among_one_or_at_almost_no_temperature_is_the_most_probable(done, tiny):
    best = done("generate", "john", "-w", tiny).stdout
    assert done("generate", "john", "-w", tiny, "--temperature", "2", "--top-k", "1").stdout == best
    assert done("generate", "john", "-w", tiny, "--temperature", "0.001").stdout == best


def test_a_draw_among_two_takes_only_the_two_most_probable(done, tiny):
    model = load(tiny)
    for seed in range(3):
        given = ("--temperature", "50", "--top-k", "2", "--seed", str(seed), "--steps", "8")
        document = done("generate", "john", "-w", tiny, *given, "--json").json
        ids = document["sequences"][0]["ids"]
        logits = model.run(ids=ids).logits
        for step, chosen in enumerate(ids[1:]):
            scores = np.array([x if n > 1 else -np.inf for n, x in enumerate(logits[step])])
            assert chosen in np.argsort(-scores)[:2]


def test_without_a_text_it_starts_from_the_start_token(done, refusal, deep, tiny):
    ids = greedy(load(tiny), [1], 20)
    result = done("generate", "-w", tiny)
    assert result.stdout == " ".join(WORDS[i] for i in ids[1:]) + "\n"
    assert done("generate", "", "-w", tiny).stdout == result.stdout


def test_words_come_one_by_one(start):
    with start("generate", "The", "--steps", "400") as process:
        assert select.select([process.stdout], [], [], 20)[0]
        first = process.stdout.read1(64)
        assert first
        assert len(first) < 64
        process.stdout.read()


def test_a_reader_that_stops_is_left_without_a_word(start):
    given = ("--steps", "5000", "--temperature", "1")
    with start("generate", "The", *given, stdin=subprocess.DEVNULL) as process:
        assert process.stdout.read(3)
        process.stdout.close()
        assert (process.stderr.read(), process.wait(30)) == (b"", 0)


@pytest.mark.parametrize(
    ("code", "arguments", "message"),
    [
        (2, ["x", "--top-k", "3"], "--top-k and --seed need a draw"),
        (2, ["x", "--seed", "3"], "--top-k and --seed need a draw"),
        (2, ["x", "--temperature=-1"], "Invalid value for '--temperature': -1"),
        (2, ["x", "--temperature", "nan"], ""),
        (2, ["x", "--temperature", "inf"], ""),
        (2, ["x", "--seed=-1", "--temperature", "1"], "Invalid value for '--seed': -1"),
        (2, ["x", "--steps", "0"], "Invalid value for '--steps': 0"),
        (3, ["(", "-w", "brackets"], "the model has no head that predicts tokens"),
    ],
)
def test_what_cannot_be_drawn_is_refused(refusal, code, arguments, message):
    assert refusal(code, "generate", *arguments).startswith(message)


def test_a_model_without_start_token_needs_a_text(lstm, foreign, tmp_path):
    path = tmp_path / "vocab.txt"
    path.write_text("a\nb\nc\nd\ne\nf\n")
    given = ("-w", foreign, "--tokenizer", path, "--layout", "pytorch", "--prefix", "lstm",
             "--dtype", "float64")  # fmt: skip
    result = lstm("generate", *given)
    assert result.code == 2
    assert "the model has no start token" in result.stderr
    assert result.data == b""
    result = lstm("generate", "a", *given, "--steps", "3")
    assert result.code == 0
    assert result.stdout.startswith("a")
