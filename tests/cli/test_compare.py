"""`lstm compare`: the real command on traces, weights and ports."""

import contextlib
import fcntl
import json
import os
import pty
import struct
import subprocess
import sys
import termios
from pathlib import Path

import jsonschema
import numpy as np
import pytest

from weights.containers.safetensors import archive_bytes

ROOT = Path(__file__).parents[2]
PROGRAM = "import sys; sys.argv[0] = 'lstm'; from cli.start import main; main()"
DISTURBING = ("NO_COLOR", "FORCE_COLOR", "GITHUB_ACTIONS", "LSTM_WEIGHTS", "COLUMNS", "TERM")
D, H, T = 3, 4, 6


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("compare")


@pytest.fixture(scope="module")
def command(folder):
    """Run the command of this checkout in a folder of its own."""
    inherited = {name: value for name, value in os.environ.items() if name not in DISTURBING}
    environment = {**inherited, "PYTHONPATH": str(ROOT)}

    def run(*arguments):
        return subprocess.run(
            [sys.executable, "-c", PROGRAM, *map(str, arguments)],
            capture_output=True, text=True, cwd=folder, env=environment, timeout=60,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip

    return run


@pytest.fixture(scope="module")
def schema(command):
    printed = json.loads(command("schema", "compare").stdout)
    jsonschema.Draft202012Validator.check_schema(printed)
    return jsonschema.Draft202012Validator(printed)


@pytest.fixture(scope="module")
def compared(command, schema):
    """Compare and return the document; the exit code says what it says."""

    def run(*arguments):
        done = command("compare", *arguments, "--json")
        assert done.stdout, done.stderr
        document = json.loads(done.stdout)
        schema.validate(document)
        assert done.returncode == (0 if document["same"] else 1)
        return document

    return run


@pytest.fixture(scope="module")
def refused(command):
    def run(code, *arguments):
        done = command("compare", *arguments)
        assert (done.returncode, done.stdout) == (code, "")
        assert done.stderr.count("\n") == 1
        return done.stderr.removeprefix("error: ").removesuffix("\n")

    return run


@pytest.fixture(scope="module")
def torch(folder):
    """Weights as PyTorch stores them, with two biases."""
    random = np.random.default_rng(0)
    shapes = {
        "weight_ih_l0": (4 * H, D), "weight_hh_l0": (4 * H, H), "bias_ih_l0": (4 * H,),
        "bias_hh_l0": (4 * H,),
    }  # fmt: skip
    arrays = {name: random.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}
    (folder / "torch.safetensors").write_bytes(archive_bytes(arrays, {}))
    np.save(folder / "x.npy", random.normal(size=(T, D)).astype(np.float32))
    return arrays


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def port(
    arrays, x, biases=("bias_ih_l0", "bias_hh_l0"), order="ifgo", squash=sigmoid, forget_bias=0
):
    """Somebody's own LSTM."""
    h, c = np.zeros(H), np.zeros(H)
    hidden, cell = [], []
    for row in x:
        z = arrays["weight_ih_l0"] @ row + arrays["weight_hh_l0"] @ h
        z = z + sum(arrays[name] for name in biases)
        gate = dict(zip(order, np.split(z, 4), strict=True))
        c = squash(gate["f"] + forget_bias) * c + squash(gate["i"]) * np.tanh(gate["g"])
        h = squash(gate["o"]) * np.tanh(c)
        hidden.append(h)
        cell.append(c)
    return np.array(hidden), np.array(cell)


@pytest.fixture(scope="module")
def ports(folder, torch):
    """A right port, one without its second bias, and one with another gate order."""
    x = np.load(folder / "x.npy")
    for name, mistake in (
        ("right", {}), ("unbiased", {"biases": ("bias_ih_l0",)}), ("disordered", {"order": "ofig"}),
    ):  # fmt: skip
        hidden, cell = port(torch, x, **mistake)
        np.savez(folder / f"{name}.npz", h_out=hidden, c_out=cell)
        hidden.astype("<f4").tofile(folder / f"{name}.bin")
        np.savetxt(folder / f"{name}.csv", hidden, delimiter=",", comments="",
                   header=",".join(f"h{n}" for n in range(H)))  # fmt: skip


MAP = ("--map", "hidden=h_out,cell=c_out")
X = ("--vectors", "x.npy")


@pytest.mark.parametrize(
    "given",
    [
        ("right.npz", *MAP),
        ("right.bin", "--raw", "hidden", "--shape", f"{T},{H}"),
        ("right.csv", "--map", "hidden=h"),
    ],
)
def test_a_right_port_agrees_with_the_weights(compared, ports, given):
    found = compared("torch.safetensors", *given, *X)
    assert found["same"]
    assert found["first"] is None
    assert found["cause"] is None
    assert (found["a"]["kind"], found["b"]["kind"]) == ("weights", "trace")
    hidden = next(one for one in found["quantities"] if one["name"] == "hidden")
    assert (hidden["compared"], hidden["beyond"], len(hidden["growth"])) == (T * H, 0, T)
    assert "forget" in found["only_a"]
    assert found["only_b"] == []


@pytest.mark.parametrize(
    ("name", "cause"), [("unbiased", "bias_hh_l0 missing"), ("disordered", "gate order ofig")]
)
@pytest.mark.parametrize(
    "given", [("npz", *MAP), ("bin", "--raw", "h", "--shape", f"{T},{H}"), ("csv", "--map", "h=h")]
)
def test_the_mistake_of_a_port_is_found_from_any_file(compared, ports, name, cause, given):
    ending, *options = given
    found = compared("torch.safetensors", f"{name}.{ending}", *options, *X)
    assert found["first"]["step"] == 0
    assert found["first"]["quantity"] == ("cell" if ending == "npz" else "hidden")
    assert [one["name"] for one in found["cause"]["found"]] == [cause]
    assert found["cause"]["suspect"] == "b"
    assert found["cause"]["other_agrees"]


def turned(arrays):
    """The recurrent matrix of each gate, transposed."""
    blocks = [block.T for block in np.split(arrays["weight_hh_l0"], 4)]
    return {**arrays, "weight_hh_l0": np.concatenate(blocks)}


def crossed(arrays):
    """[h, x] in the place of [x, h]."""
    whole = np.concatenate([arrays["weight_hh_l0"], arrays["weight_ih_l0"]], axis=1)
    return {**arrays, "weight_ih_l0": whole[:, :D], "weight_hh_l0": whole[:, D:]}


BOTH = ("bias_ih_l0", "bias_hh_l0")


@pytest.mark.parametrize(
    ("made", "name"),
    [
        (lambda w, x: port(w, x, (*BOTH, "bias_ih_l0")), "bias_ih_l0 added twice"),
        (lambda w, x: port(w, x, ()), "every bias missing"),
        (lambda w, x: port(w, x, forget_bias=1), "forget bias +1"),
        (lambda w, x: port(w, x, forget_bias=-1), "forget bias -1"),
        (lambda w, x: port(w, x, squash=lambda z: np.clip(0.2 * z + 0.5, 0, 1)),
         "gate activation hard-sigmoid"),
        (lambda w, x: port(w, x, squash=lambda z: np.clip(z / 6 + 0.5, 0, 1)),
         "gate activation keras3-hard-sigmoid"),
        (lambda w, x: port(turned(w), x), "transposed recurrent"),
        (lambda w, x: port(crossed(w), x), "concatenation [x, h]"),
        (lambda w, x: port(w, x[::-1]), "reversed time"),
        (lambda w, x: port(w, x)[::-1], "hidden and cell swapped"),
        (lambda w, x: [one[2:] for one in port(w, np.concatenate([np.zeros((2, D)), x]))],
         "padding, 2 steps before (zeros)"),
    ],
)  # fmt: skip
def test_every_mistake_is_named_by_the_command(compared, folder, torch, made, name):
    hidden, cell = made(torch, np.load(folder / "x.npy"))
    np.savez(folder / "mistaken.npz", h_out=hidden, c_out=cell)
    found = compared("torch.safetensors", "mistaken.npz", *MAP, *X)
    assert [one["name"] for one in found["cause"]["found"]] == [name]


def test_with_weights_the_cause_is_found_between_two_traces(command, compared, ports):
    assert command("run", *X, "-w", "torch.safetensors", "-o", "all.json", "--show", "all")
    given = ("--weights", "torch.safetensors")
    found = compared("all.json", "unbiased.npz", *MAP, *given)
    assert [one["name"] for one in found["cause"]["found"]] == ["bias_hh_l0 missing"]
    turned = compared("unbiased.npz", "all.json", *MAP, *given)
    assert turned["cause"]["suspect"] == "a"
    assert turned["cause"]["found"] == found["cause"]["found"]
    assert compared("all.json", "unbiased.npz", *MAP)["cause"] is None


def test_two_mistakes_at_once_are_found_and_said_to_be_two(command, compared, folder, torch):
    x = np.load(folder / "x.npy")
    hidden, cell = port(torch, x, biases=("bias_ih_l0",), order="fgio")
    np.savez(folder / "both.npz", h_out=hidden, c_out=cell)
    found = compared("torch.safetensors", "both.npz", *MAP, *X)["cause"]
    mistakes = ["bias_hh_l0 missing", "gate order fgio"]
    assert [one["mistakes"] for one in found["found"]] == [mistakes]
    assert found["found"][0]["name"] == "bias_hh_l0 missing + gate order fgio"
    done = command("compare", "torch.safetensors", "both.npz", *MAP, *X)
    assert done.stdout.endswith(
        "Every step of B is explained, within tolerance, if in it\n"
        "  bias_hh_l0 is missing, and the blocks of the gates, in the order i f g o, are read as "
        "if in the order f g i o.\n"
        f"These are two mistakes: none of {found['tried']} explains it alone, and "
        f"{found['pairs_tried']} pairs were tried.\n"
        "A is what the weights give.\n\n"
    )


def test_where_no_mistake_explains_a_port_it_is_said(command, compared, ports, folder):
    noise = np.random.default_rng(1).normal(size=(T, H))
    np.savez(folder / "noise.npz", hidden=noise)
    cause = compared("torch.safetensors", "noise.npz", *X)["cause"]
    assert cause["found"] == []
    done = command("compare", "torch.safetensors", "noise.npz", *X)
    assert done.returncode == 1
    assert done.stdout.endswith(
        f"None of {cause['tried']} known mistakes explains every step of B, and no two of them "
        f"together: {cause['pairs_tried']} pairs were tried.\n\n"
    )


def test_a_narrow_terminal_cuts_no_number(folder, ports):
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 40, 0, 0))
    inherited = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    environment = {**inherited, "PYTHONPATH": str(ROOT), "TERM": "xterm-256color", "NO_COLOR": "1"}
    command = [sys.executable, "-c", PROGRAM, "compare", "torch.safetensors", "unbiased.npz"]
    with subprocess.Popen(
        [*command, *MAP, *X], stdin=theirs, stdout=theirs, cwd=folder, env=environment
    ) as process:
        os.close(theirs)
        shown = b""
        with contextlib.suppress(OSError):  # how Linux says that the other end is closed
            while block := os.read(ours, 65536):
                shown += block
    os.close(ours)
    assert process.returncode == 1
    text = shown.decode().replace("\r\n", "\n")
    assert "…" not in text
    # Sentences are broken between words.
    assert "Every step of B is explained, within\ntolerance, if in it\n" in text
    assert "Only in A: layer_input, pre_forget,\npre_input, " in text


def test_mistakes_that_cannot_be_told_apart_are_all_named(command, folder, torch):
    arrays = {name: array.copy() for name, array in torch.items()}
    arrays["bias_hh_l0"] = arrays["bias_ih_l0"]
    (folder / "alike.safetensors").write_bytes(archive_bytes(arrays, {}))
    hidden, _ = port(arrays, np.load(folder / "x.npy"), biases=("bias_ih_l0",))
    np.savez(folder / "alike.npz", hidden=hidden)
    done = command("compare", "alike.safetensors", "alike.npz", *X)
    assert done.stdout.endswith(
        "Every step of B is explained, within tolerance, if in it\n"
        "  bias_ih_l0 is missing.\n"
        "  bias_hh_l0 is missing.\n"
        "What was recorded cannot tell these apart; record more quantities or steps.\n"
        "A is what the weights give. 79 mistakes were tried.\n\n"
    )


def test_weights_that_agree_with_neither_side_are_said_to(command, ports, folder):
    np.savez(folder / "noise.npz", hidden=np.zeros((T, H)))
    given = ("noise.npz", "unbiased.bin", "--raw", "h", "--shape", f"{T},{H}", *X)
    done = command("compare", *given, "-w", "torch.safetensors")
    assert "The weights give neither what A nor what B shows; explaining B.\n" in done.stdout
    assert "  bias_hh_l0 is missing.\n" in done.stdout


def test_a_difference_has_its_address_its_numbers_and_its_word(compared, command, folder):
    command("run", "(a)", "-w", "brackets", "-o", "t.json")
    document = json.loads((folder / "t.json").read_text())
    assert document["sequences"][0]["steps"][1]["cell"] == [1.0]
    document["sequences"][0]["steps"][1]["cell"] = [1.5]
    (folder / "wrong.json").write_text(json.dumps(document))
    found = compared("t.json", "wrong.json")
    assert found["first"] == {
        "address": "l0.c[0]@1", "sequence": 0, "step": 1, "token": "a", "layer": 0,
        "direction": "forward", "quantity": "cell", "unit": 0, "a": 1.0, "b": 1.5,
        "absolute": 0.5, "relative": 0.5 / 1.5, "ulps": 2**22, "units": 1, "units_beyond": 1,
    }  # fmt: skip
    cell = next(one for one in found["quantities"] if one["name"] == "cell")
    assert cell["growth"] == [0, 0.5, 0]
    assert cell["largest"] == found["first"]


def test_the_whole_report_for_people(command, folder):
    command("run", "(a)", "-w", "brackets", "-o", "t.json", "--show", "cell")
    document = json.loads((folder / "t.json").read_text())
    document["sequences"][0]["steps"][1]["cell"] = [1.5]
    (folder / "wrong.json").write_text(json.dumps(document))
    done = command("compare", "t.json", "wrong.json")
    assert done.returncode == 1
    assert done.stdout == (
        "Compared\n"
        "A  t.json: a trace, 1 sequence\n"
        "B  wrong.json: a trace, 1 sequence\n"
        "\n"
        "They differ: the first place\n"
        "step        1 a\n"
        "layer       0, forward\n"
        "quantity    cell state c\n"
        "unit        0: 1 of 1 units are beyond the tolerance here\n"
        "address     l0.c[0]@1\n"
        "A           1\n"
        "B           1.5\n"
        "difference  0.5, relative 0.333, 4194304 ULP\n"
        "tolerance   1e-05 + 1e-05 times the larger\n"
        "\n"
        "Largest differences\n"
        "quantity largest at        A   B\n"
        "cell         0.5 l0.c[0]@1 1 1.5\n"
        "\n"
        "Growth, from 1e-9 to 1\n"
        "quantity beyond tolerance largest difference at each step\n"
        "cell               1 of 3 ·█·\n"
        "\n"
    )


@pytest.mark.parametrize("ending", ["json", "ndjson", "csv", "npz", "safetensors"])
def test_every_format_of_run_agrees_with_the_weights_and_with_every_other(
    command, compared, ending
):
    texts = ("John likes black coffee", "The boys like tea")
    command("run", *texts, "--show", "all", "-o", "all.npz")
    command("run", *texts, "--show", "all", "-o", f"text.{ending}")
    for found in (
        compared("english", f"text.{ending}", *texts, "--atol", "0", "--rtol", "0"),
        compared("all.npz", f"text.{ending}", "--ulp", "0"),
    ):
        assert found["same"], found["first"]
        assert found["sequences"] == 2
        assert [len(one["growth"]) for one in found["quantities"]] == [4] * 15
        assert sum(one["compared"] for one in found["quantities"]) == 8 * (64 + 14 * 128)


@pytest.mark.parametrize("ending", ["json", "ndjson", "csv", "npz", "safetensors"])
def test_weights_run_on_what_a_trace_says_it_read(command, compared, ending):
    command("run", "John likes tea", "--show", "hidden", "-o", f"words.{ending}")
    assert compared("english", f"words.{ending}")["same"]
    assert compared(f"words.{ending}", "english", "John likes tea")["same"]
    assert not compared("english", f"words.{ending}", "John likes coffee")["same"]


def test_weights_run_on_the_vectors_of_a_trace(command, compared, refused, ports):
    command("run", *X, "-w", "torch.safetensors", "-o", "vectors.csv", "--show", "all")
    assert compared("torch.safetensors", "vectors.csv")["same"]
    command("run", *X, "-w", "torch.safetensors", "-o", "states.csv")
    said = refused(3, "torch.safetensors", "states.csv")
    assert said.startswith("the trace does not tell what it read. Give a TEXT, --ids or")


def test_two_weight_files_are_run_on_the_same_text(compared, folder, torch):
    assert compared("english", "english", "John likes tea")["same"]
    nudged = {**torch, "bias_ih_l0": torch["bias_ih_l0"] + np.float32(1e-3)}
    (folder / "nudged.safetensors").write_bytes(archive_bytes(nudged, {}))
    given = ("torch.safetensors", "nudged.safetensors", *X)
    found = compared(*given)
    assert found["first"]["address"].startswith("l0.z_f[")
    assert found["first"]["absolute"] == pytest.approx(1e-3, rel=1e-3)
    assert found["cause"] is None
    assert len({found[side]["model"]["sha256"] for side in "ab"}) == 2
    assert compared(*given, "--atol", "0.1")["same"]


def test_models_of_other_shapes_differ_in_words(command, compared):
    found = compared("english", "brackets", "( a")
    assert "layer 0: A has 128 units, B has 1" in found["differs"]
    done = command("compare", "english", "brackets", "( a")
    assert "layer 0, input: A has 64 units, B has 2.\n" in done.stdout


def test_tolerances_are_for_all_quantities_or_for_one(compared, ports, folder):
    given = ("torch.safetensors", "unbiased.npz", *MAP, *X)
    assert compared(*given, "--atol", "9")["same"]
    found = compared(*given, "--atol", "9", "--atol", "cell=1e-6")
    assert found["first"]["quantity"] == "cell"
    by_name = {one["name"]: one for one in found["quantities"]}
    assert (by_name["cell"]["atol"], by_name["hidden"]["atol"]) == (1e-6, 9)
    assert by_name["cell"]["rtol"] == 1e-5
    found = compared(*given, "--ulp", "h=3")
    by_name = {one["name"]: one for one in found["quantities"]}
    assert [by_name["hidden"][key] for key in ("atol", "rtol", "ulp")] == [0, 0, 3]
    assert [by_name["cell"][key] for key in ("atol", "rtol", "ulp")] == [1e-5, 1e-5, None]


def test_parts_can_be_chosen(compared, ports):
    given = ("torch.safetensors", "unbiased.npz", *MAP, *X)
    found = compared(*given, "--units", "1,3", "--steps", "2:")
    hidden = next(one for one in found["quantities"] if one["name"] == "hidden")
    assert hidden["compared"] == 2 * (T - 2)
    assert hidden["growth"][:2] == [None, None]
    assert found["first"]["step"] == 2
    assert [one["name"] for one in found["cause"]["found"]] == ["bias_hh_l0 missing"]


def test_nan_agrees_with_nan_only_where_asked(compared, folder):
    np.savez(folder / "nan.npz", hidden=[[np.nan, np.inf]])
    found = compared("nan.npz", "nan.npz")
    assert found["first"]["a"] == "nan"
    assert found["first"]["absolute"] == "inf"
    assert found["first"]["ulps"] is None
    assert compared("nan.npz", "nan.npz", "--equal-nan")["same"]


def test_a_trace_from_a_given_state_is_compared_from_that_state(command, compared):
    command("run", "((", "-w", "brackets", "--final-state", "state.safetensors", "-o", "a.json")
    command("run", ")", "-w", "brackets", "--initial-state", "state.safetensors", "-o", "b.json")
    assert compared("brackets", "b.json", "--initial-state", "state.safetensors")["same"]
    assert not compared("brackets", "b.json")["same"]


@pytest.mark.parametrize(
    ("code", "arguments", "said"),
    [
        (2, ["english", "english"], "expected a TEXT, --file, --ids or --vectors to run A and B"),
        (2, ["t.npz", "t.npz", "a text"], "input: A and B are traces, which are not run."),
        (2, ["t.npz", "t.npz", "--dtype", "float64"], "--dtype: A and B are traces, which are"),
        (2, ["t.npz", "t.npz", "--map", "h=hidden", "--raw", "h"], "expected one of --map and"),
        (2, ["t.npz", "t.npz", "--shape", "1,2"], "--shape: it is the shape of --raw."),
        (2, ["t.npz", "t.npz", "--map", "hidden"], "--map: expected QUANTITY=NAME,..., found"),
        (
            2,
            ["english", "other.npz"],
            "expected a TEXT, --file, --ids or --vectors to run A and B "
            "on. If it is what a port recorded, say what is what: --map hidden=NAME,cell=NAME, or",
        ),
        (
            2,
            ["t.npz", "t.npz", "--map", "out=l1.h"],
            "--map: expected QUANTITY=NAME, found 'out=l1.h'. Turn it round: l1.h=out.",
        ),
        (
            3,
            ["english", "other.npz", "a", "--map", "h=out"],
            "other.npz: --map: expected arrays named "
            "out, found none of them; nor has any layout of weights the names that are there. "
            "lstm inspect other.npz lists them.",
        ),
        (2, ["t.npz", "t.npz", "--atol", "x"], "--atol: expected a number, 0 or more, found 'x'"),
        (2, ["t.npz", "t.npz", "--atol", "soul=1"], "--atol: expected a quantity among layer_in"),
        (2, ["t.npz", "t.npz", "--rtol", "-1"], "--rtol: expected a number, 0 or more, found '-1"),
        (2, ["t.npz", "t.npz", "--ulp", "0.5"], "--ulp: expected a whole number, 0 or more, fo"),
        (2, ["english", "english", "a", "-w", "english"], "--weights: A and B are weights them"),
        (2, ["english", "english", "a", "--raw", "h"], "--map, --raw, --time-first: neither A nor"),
        (2, ["t.npz", "t.npz", "--carry"], "--carry: A and B are traces, which are not run."),
        (2, ["english", "english", "a", "--carry"], "--carry: expected several sequences, found"),
        (3, ["t.npz", "cells.npz"], "nothing to compare: A holds l0.h, B l0.c. Name what belongs"),
        (3, ["t.npz", "none.npz"], "none.npz: no such file, and no model of that name inside"),
        (3, ["t.npz", "other.npz"], "other.npz: no known layout has tensors named q."),
    ],
)
def test_what_cannot_be_compared_is_refused(refused, folder, code, arguments, said):
    np.savez(folder / "t.npz", hidden=[[1.0]])
    np.savez(folder / "cells.npz", cell=[[1.0]])
    np.savez(folder / "other.npz", q=[[1.0]])
    found = refused(code, *arguments)
    assert found.startswith(said)
    if arguments == ["t.npz", "other.npz"]:
        assert found.endswith("say what is what: --map hidden=NAME,cell=NAME, or --raw hidden "
                              "--shape T,H for bare numbers.")  # fmt: skip


def test_a_missing_argument_is_refused(refused):
    assert refused(2, "english") == "Missing argument 'B'."


def test_help_needs_neither_numpy_nor_rich(folder):
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-X", "importtime", "-c", PROGRAM, "compare", "--help"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, env=environment)
    assert done.returncode == 0
    assert "--atol" in done.stdout
    loaded = {line.split("|")[-1].strip().split(".")[0] for line in done.stderr.splitlines()}
    assert not {"numpy", "rich", "safetensors"} & loaded


# Golden values as a side


@pytest.mark.parametrize("ending", ["json", "npz"])
def test_golden_values_agree_with_the_weights_and_with_a_port(
    command, compared, ports, folder, ending
):
    golden = f"golden.{ending}"
    made = command("golden", *X, "-w", "torch.safetensors", "--order", "ofig", "-o", golden)
    assert (made.returncode, made.stderr) == (0, "")
    # The weights run on the inputs that the golden file holds.
    found = compared("torch.safetensors", golden, "--atol", "0", "--rtol", "0")
    assert found["same"]
    assert (found["b"]["kind"], found["b"]["model"]["source"]) == ("trace", "torch.safetensors")
    assert len(found["quantities"]) == 15
    assert compared(golden, "right.npz", *MAP)["same"]
    wrong = compared(golden, "disordered.npz", *MAP, "--weights", "torch.safetensors")
    assert wrong["cause"]["suspect"] == "b"
    assert [one["name"] for one in wrong["cause"]["found"]] == ["gate order ofig"]


@pytest.mark.parametrize("ending", ["json", "npz"])
def test_golden_values_tell_the_tokens_and_the_state_they_started_from(command, compared, ending):
    command("run", "((", "-w", "brackets", "--final-state", "start.safetensors", "-o", "a.json")
    given = ("-w", "brackets", "--initial-state", "start.safetensors")
    command("golden", ")(", *given, "--show", "cell,hidden", "-o", f"started.{ending}")
    found = compared("brackets", f"started.{ending}")
    assert found["same"]
    assert [one["compared"] for one in found["quantities"]] == [4, 2, 2]  # 2 inputs a step
    assert compared(f"started.{ending}", "brackets")["same"]
    command("golden", ")(", "-w", "brackets", "-o", f"anew.{ending}")
    parted = compared(f"started.{ending}", f"anew.{ending}")
    assert (parted["first"]["step"], parted["first"]["token"]) == (0, ")")


def test_numbers_that_json_cannot_hold_are_compared_as_what_they_are(command, compared, folder):
    np.save(folder / "nan.npy", np.array([[np.nan, 1], [2, np.inf]], np.float32))
    for ending in ("json", "npz"):
        command("golden", "--vectors", "nan.npy", "-w", "brackets", "-o", f"odd.{ending}")
    assert not compared("odd.json", "odd.npz")["same"]
    assert compared("odd.json", "odd.npz", "--equal-nan", "--ulp", "0")["same"]


def test_a_golden_header_and_a_broken_golden_file_are_refused(command, refused, folder):
    command("golden", "(", "-w", "brackets", "-o", "golden.h")
    assert refused(3, "brackets", "golden.h") == (
        "golden.h: a C header cannot be compared. Write it with lstm golden --format json or npz."
    )
    (folder / "broken.json").write_text('{"schema": "lstm.golden/1", "model": {}}')
    said = refused(3, "brackets", "broken.json")
    assert said.startswith("broken.json: expected a trace as lstm run writes it, found a record")


# The state from line to line


def test_lines_are_carried_on_where_asked(command, compared):
    lines = ("( (", ") a", "(")
    command("run", *lines, "-w", "brackets", "--carry", "-o", "carried.json")
    assert compared("brackets", "carried.json", "--carry")["same"]
    assert compared("carried.json", "brackets", *lines, "--carry")["same"]
    anew = compared("brackets", "carried.json")
    assert (anew["first"]["sequence"], anew["first"]["step"]) == (1, 0)
    assert [one["name"] for one in anew["cause"]["found"]] == ["state is kept between sequences"]
    found = compared("brackets", "brackets", *lines, "--carry")
    assert found["same"]
    assert found["sequences"] == 3


def test_a_mistake_is_found_in_lines_that_are_carried_on(command, compared, ports, folder, torch):
    x = np.random.default_rng(4).normal(size=(3, 4, D)).astype(np.float32)
    np.save(folder / "lines.npy", x)
    hidden, _ = port(torch, x.reshape(-1, D), biases=("bias_ih_l0",))
    np.savez(folder / "lines.npz", hidden=hidden.reshape(3, 4, H))
    given = ("torch.safetensors", "lines.npz", "--vectors", "lines.npy")
    found = compared(*given, "--carry")
    assert [one["name"] for one in found["cause"]["found"]] == ["bias_hh_l0 missing"]
    found = compared(*given)
    assert [one["name"] for one in found["cause"]["found"]] == [
        "bias_hh_l0 missing + state is kept between sequences"
    ]


def test_sides_without_any_difference_need_no_tables(command):
    done = command("compare", "brackets", "brackets", "( a")
    assert done.stdout == (
        "Compared\n"
        "A  brackets: weights, 1 sequence\n"
        "B  brackets: weights, 1 sequence\n"
        "\n"
        "They agree\n"
        "48 numbers compared, no two differ\n"
        "\n"
    )
