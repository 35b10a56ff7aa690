"""The state that a sequence starts from and leaves behind."""

import numpy as np
import pytest

from weights import load
from weights.containers.safetensors import archive_bytes, open_archive

LINES = ("john likes", "black", "", "coffee black john")
WHOLE = " ".join(line for line in LINES if line)


def piped(lines):
    return "".join(f"{line}\n" for line in lines)


def records(result):
    """All records of a result, in order, without what a cut changes."""
    found = [record for sequence in result.json["sequences"] for record in sequence["steps"]]
    return [{key: value for key, value in record.items() if key != "step"} for record in found]


def read(path):
    archive = open_archive(path)
    return {name: archive.read(name, archive.widest_dtype) for name in archive.tensors}


def test_with_carry_lines_are_one_long_line_bit_for_bit(done, tiny, tmp_path):
    final = (tmp_path / "carried.safetensors", tmp_path / "whole.safetensors")
    carried = done("run", "-w", tiny, "--json", "--carry", "--show", "all", "--final-state",
                   final[0], stdin=piped(LINES))  # fmt: skip
    whole = done("run", WHOLE, "-w", tiny, "--json", "--show", "all", "--final-state", final[1])
    assert records(carried) == records(whole)
    assert final[0].read_bytes() == final[1].read_bytes()
    surprisal = [bits for s in carried.json["sequences"] for bits in s["surprisal"]]
    assert surprisal == whole.json["sequences"][0]["surprisal"]


def test_without_carry_each_sequence_starts_from_zeros(done, tiny, valid):
    apart = valid("trace", done("run", "-w", tiny, "--json", stdin=piped(LINES)).json)
    for sequence, line in zip(apart["sequences"], LINES, strict=True):
        assert [sequence] == done("run", line, "-w", tiny, "--json").json["sequences"]


def test_carry_holds_for_texts_and_vectors_too(done, tiny, wide, tmp_path):
    by_text = done("run", "john", "likes black", "-w", tiny, "--carry", "--json")
    assert records(by_text) == records(done("run", "john likes black", "-w", tiny, "--json"))
    x = np.random.default_rng(0).normal(size=(2, 3, 2))
    np.save(tmp_path / "apart.npy", x)
    np.save(tmp_path / "long.npy", x.reshape(6, 2))
    apart = done("run", "--vectors", tmp_path / "apart.npy", "-w", wide, "--carry", "--json")
    long = done("run", "--vectors", tmp_path / "long.npy", "-w", wide, "--json")
    assert records(apart) == records(long)


def test_after_a_warm_up_the_numbers_are_the_tail_of_the_joined_text(done, tiny):
    warmed = done("run", "black coffee", "-w", tiny, "--warm-up", "john likes", "--json").json
    joined = done("run", "john likes black coffee", "-w", tiny, "--json").json
    tail = [{**record, "step": record["step"] - 2}
            for record in joined["sequences"][0]["steps"][2:]]  # fmt: skip
    assert warmed["sequences"][0]["steps"] == tail
    for key in ("next", "surprisal"):
        assert warmed["sequences"][0][key] == joined["sequences"][0][key][2:]


def test_each_line_is_warmed_up_or_with_carry_the_first(done, tiny):
    given = ("-w", tiny, "--json", "--warm-up", "john")
    lines = ["likes black", "coffee"]
    alone = [done("run", line, *given).json["sequences"][0] for line in lines]
    assert done("run", *given, stdin=piped(lines)).json["sequences"] == alone
    carried = done("run", *given, "--carry", stdin=piped(lines))
    assert records(carried) == records(done("run", " ".join(lines), *given))


def test_a_run_goes_on_from_the_final_state_of_another(done, deep, same_bits, tmp_path):
    state = tmp_path / "state.safetensors"
    done("run", "the cat", "-w", deep, "--final-state", state)
    arrays = read(state)
    trace = load(deep).run("the cat")
    assert sorted(arrays) == sorted(
        f"layers.{layer}.{direction}.{part}"
        for layer in (0, 1)
        for direction in ("forward", "reverse")
        for part in ("hidden", "cell")
    )
    for name, expected in trace.final.arrays().items():
        assert arrays[name].shape == (3,)
        same_bits(arrays[name], expected)
    result = done("run", "sat down", "-w", deep, "--initial-state", state, "--json").json
    continued = load(deep).run("sat down", initial_state=trace.final)
    hidden = [r["hidden"] for r in result["sequences"][0]["steps"] if r["layer"] == 1]
    same_bits(np.reshape(hidden, (2, 6)), continued.hidden)


def test_several_sequences_leave_and_take_one_state_each(done, refusal, tiny, tmp_path):
    state = tmp_path / "states.safetensors"
    done("run", "john likes", "black", "-w", tiny, "--final-state", state)
    assert {array.shape for array in read(state).values()} == {(2, 5)}
    given = ("-w", tiny, "--initial-state", state, "--json")
    result = done("run", "black", "coffee", *given)
    joined = done("run", "john likes black", "black coffee", "-w", tiny, "--json")
    for part, whole in zip(result.json["sequences"], joined.json["sequences"], strict=True):
        assert part["steps"][-1]["cell"] == whole["steps"][-1]["cell"]
        assert part["surprisal"][-1] == whole["surprisal"][-1]
    expected = "--initial-state: expected one sequence for each of its 2 states, found "
    assert refusal(3, "run", "a", *given) == f"{expected}1."
    assert refusal(3, "run", "a", "b", "c", *given) == f"{expected}more."
    said = refusal(3, "run", "a", "b", *given, "--carry")
    assert said.startswith("--initial-state: expected one state to carry on from, found 2.")


@pytest.mark.parametrize("format", ["table", "ndjson", "csv", "json"])
@pytest.mark.parametrize("lines", ["a\n", "a\nb\nc\n"])
def test_another_number_of_lines_than_states_is_told_before_anything_is_written(
    refusal, done, tiny, tmp_path, format, lines
):
    state = tmp_path / "states.safetensors"
    done("run", "john", "black", "-w", tiny, "--final-state", state)
    given = ("run", "-w", tiny, "--initial-state", state, "-f", format)
    expected = "--initial-state: expected one sequence for each of its 2 states, found"
    # `refusal` sees to it that nothing stands on standard output.
    assert refusal(3, *given, stdin=lines).startswith(expected)
    path = tmp_path / "lines.txt"
    path.write_text(lines)
    assert refusal(3, *given, "--file", path).startswith(expected)


def test_an_initial_state_for_all_is_given_to_each_sequence(done, tiny, tmp_path):
    state = tmp_path / "state.safetensors"
    done("run", "john", "-w", tiny, "--final-state", state)
    result = done("run", "likes", "black", "-w", tiny, "--initial-state", state, "--json")
    joined = done("run", "john likes", "john black", "-w", tiny, "--json")
    for part, whole in zip(result.json["sequences"], joined.json["sequences"], strict=True):
        assert part["steps"][0]["hidden"] == whole["steps"][1]["hidden"]


def test_an_initial_state_that_does_not_fit_is_refused(refusal, tiny, deep, tmp_path):
    path = tmp_path / "state.safetensors"

    def said(weights=tiny, **arrays):
        named = {f"layers.0.forward.{name}": array for name, array in arrays.items()}
        path.write_bytes(archive_bytes(named, {}))
        return refusal(3, "run", "the", "-w", weights, "--initial-state", path)

    wrong = np.zeros(4, np.float32)
    right = np.zeros(5, np.float32)
    assert said(hidden=wrong, cell=right).startswith(f"{path}: state: layers.0.forward.hidden: ")
    assert "found none" in said(hidden=right)
    assert "found also layers.0.forward.extra" in said(hidden=right, cell=right, extra=right)
    assert "layers.0.reverse" in said(deep, hidden=wrong[:3], cell=wrong[:3])
    path.unlink()
    missing = refusal(3, "run", "the", "-w", tiny, "--initial-state", path)
    assert missing == f"{path}: cannot be read: No such file or directory."


def test_a_warm_up_that_the_model_cannot_read_is_named(refusal, deep):
    said = refusal(3, "run", "the", "-w", deep, "--warm-up", "a dog")
    assert said.startswith('--warm-up: token "a" at position 0 is not in the vocabulary')


def test_a_failed_run_writes_no_final_state(refusal, deep, tmp_path):
    path = tmp_path / "state.safetensors"
    refusal(3, "run", "the", "dog", "-w", deep, "--json", "--final-state", path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("stdin", ["", "\n"])
def test_a_final_state_of_nothing_is_refused_or_that_of_the_start(lstm, tiny, tmp_path, stdin):
    path = tmp_path / "state.safetensors"
    result = lstm("run", "-w", tiny, "--json", "--final-state", path, stdin=stdin)
    if stdin:
        assert result.code == 0
        assert not any(array.any() for array in read(path).values())
    else:
        assert result.code == 3
        assert result.stderr.startswith("error: --final-state: expected at least one sequence")
        assert not path.exists()
