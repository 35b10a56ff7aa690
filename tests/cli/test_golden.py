"""Golden values for ports: a C program that knows only the header finds every number in it."""

import itertools
import json
import os
import pty
import re
import shutil
import subprocess
import sys
from pathlib import Path

import jsonschema
import numpy as np
import pytest

from lstm.head import Head
from lstm.model import Model
from lstm.parameters import CellParameters, LayerParameters, Parameters
from lstm.quantities import GATES, NAMES
from lstm.state import ModelState
from lstm.variants import Variant
from weights import load, save
from weights.port import Port
from weights.states import write_state

ROOT = Path(__file__).parents[2]
PORT = ROOT / "tests" / "golden" / "port.c"
VARIANT_PORT = ROOT / "tests" / "golden" / "port_variant.c"
# This checkout's command, wherever the script `lstm` comes from.
COMMAND = (
    sys.executable,
    "-c",
    "import sys; sys.argv[0] = 'lstm'; from cli.start import main; main()",
)
STRICT = ("-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic")
COMPILER = shutil.which("gcc") or shutil.which("cc")
needs_compiler = pytest.mark.skipif(COMPILER is None, reason="no C compiler here")


@pytest.fixture(scope="module")
def golden(tmp_path_factory):
    """Run `lstm golden` to its end."""
    folder = tmp_path_factory.mktemp("elsewhere")

    def run(*arguments, command="golden", **options):
        given = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE,
                 "cwd": folder, "timeout": 60, **options}  # fmt: skip
        plain = {name: value for name, value in os.environ.items() if name != "LSTM_WEIGHTS"}
        line = [*COMMAND, command, *map(str, arguments)]
        return subprocess.run(line, env={**plain, "PYTHONPATH": str(ROOT)}, **given)

    return run


@pytest.fixture(scope="module")
def header(golden):
    """The header that goes to standard output, without a complaint."""

    def write(*arguments):
        done = golden(*arguments)
        assert (done.returncode, done.stderr) == (0, b"")
        return done.stdout.decode("ascii")

    return write


@pytest.fixture(scope="module")
def archive(golden, tmp_path_factory):
    """The same as arrays, and what the archive says of them."""
    path = tmp_path_factory.mktemp("archive") / "golden.npz"

    def write(*arguments):
        done = golden(*arguments, "-o", path)
        assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
        with np.load(path) as file:
            arrays = dict(file)
        return arrays, json.loads(str(arrays.pop("metadata")))

    return write


@pytest.fixture
def port(tmp_path):
    """Compile the plain LSTM in C with a header, and run it: its exit code and what it says."""

    def run(text, order="ifgo", *told, source=PORT):
        (tmp_path / "golden.h").write_text(text)
        places = ",".join(str(order.index(letter)) for letter in "ifgo")
        program = tmp_path / "port"
        subprocess.run(
            [COMPILER, *STRICT, f"-DORDER={places}", *(f"-D{name}" for name in told),
             "-I", tmp_path, source, "-o", program, "-lm"], check=True,
        )  # fmt: skip
        done = subprocess.run([program], capture_output=True, text=True, timeout=60)
        return done.returncode, done.stdout

    return run


def arrays_of(text):
    """The arrays of a header: C type, declared size and literals, by name."""
    pattern = (
        r"static const (\w+) lstm_golden_(\w+)\[(\d+)\] LSTM_GOLDEN_ATTRIBUTE = \{\n(.*?)\n\};"
    )
    return {
        name: (kind, int(size), [part.strip() for part in body.split(",") if part.strip()])
        for kind, name, size, body in re.findall(pattern, text, re.DOTALL)
    }


def c_name(name):
    return re.sub(r"^layers\.(\d+)\.", r"l\1_", name).replace(".", "_")


def numbers(kind, literals):
    dtype = {"float": np.float32, "double": np.float64}[kind]
    return np.array([float.fromhex(text.removesuffix("f")) for text in literals]).astype(dtype)


def vectors(path, *shape, dtype=np.float32):
    np.save(path, np.random.default_rng(11).normal(size=shape).astype(dtype))
    return path


# What a C program finds


@needs_compiler
@pytest.mark.parametrize("order", ["ifgo", "ifog", "fiog", "gofi"])
@pytest.mark.parametrize("matrices", ["outputs-first", "inputs-first"])
@pytest.mark.parametrize("biases", ["one", "two"])
def test_a_plain_port_agrees_at_every_number(header, port, tiny, order, matrices, biases):
    given = ("--order", order, "--matrices", matrices, "--biases", biases)
    text = header("John likes black coffee", "-w", tiny, *given)
    told = ["INPUTS_FIRST"] * (matrices == "inputs-first") + ["TWO_BIASES"] * (biases == "two")
    # 4 steps, D = 4 inputs and 13 quantities of H = 5 units
    assert port(text, order, *told) == (0, f"{4 * (4 + 14 * 5)} numbers checked, 0 differ\n")


@needs_compiler
def test_a_port_with_any_other_gate_order_differs(header, port, tiny):
    text = header("John likes black coffee", "-w", tiny)
    for letters in itertools.permutations("ifgo"):
        order = "".join(letters)
        assert port(text, order)[0] == (order != "ifgo"), order


@needs_compiler
def test_a_port_with_transposed_matrices_or_without_bias_differs(header, port, tiny):
    given = ("John likes black coffee", "-w", tiny)
    assert port(header(*given), "ifgo", "INPUTS_FIRST")[0] == 1
    assert port(header(*given, "--matrices", "inputs-first"), "ifgo")[0] == 1
    assert port(header(*given), "ifgo", "WITHOUT_BIAS")[0] == 1


@needs_compiler
@pytest.mark.parametrize("name", NAMES)
def test_a_port_differs_where_one_number_of_any_quantity_is_off(header, port, tiny, name):
    text = header("john coffee", "-w", tiny)
    literal = arrays_of(text)[f"l0_forward_{name}"][2][-1]
    before, after = text.split(f"lstm_golden_l0_forward_{name}[")
    wrong = (float.fromhex(literal[:-1]) + 1e-3).hex() + "f"
    after = after.replace(literal, wrong, 1) if after.index(literal) < after.index("}") else ""
    assert port(f"{before}lstm_golden_l0_forward_{name}[{after}")[0] == 1


@needs_compiler
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_several_layers_and_two_directions_agree(header, port, deep, dtype):
    text = header("the cat sat", "-w", deep, "--dtype", dtype, "--order", "ofig")
    # T = 3; D = 4, then the 2 * 3 of the layer below; two directions each
    count = 3 * 2 * ((4 + 14 * 3) + (6 + 14 * 3))
    assert port(text, "ofig") == (0, f"{count} numbers checked, 0 differ\n")
    assert port(text, "ifgo")[0] == 1


@needs_compiler
def test_layers_of_different_sizes_agree(header, port, uneven):
    text = header("--ids", "4,0,2,2,1", "-w", uneven)
    assert port(text)[0] == 0
    assert re.findall(r"#define LSTM_GOLDEN_L(\d)_HIDDEN_SIZE (\d+)", text) == [
        ("0", "3"), ("1", "2")
    ]  # fmt: skip
    assert "#define LSTM_GOLDEN_HIDDEN_SIZE 2\n" in text
    assert "#define LSTM_GOLDEN_INPUT_SIZE 4\n" in text


@needs_compiler
def test_float64_is_double_and_far_stricter(header, port, bare, tmp_path):
    path = vectors(tmp_path / "x.npy", 6, 2, dtype=np.float64)
    text = header("--vectors", path, "-w", bare)
    assert port(text)[0] == 0
    assert {kind for kind, *_ in arrays_of(text).values()} == {"double"}
    assert "#define LSTM_GOLDEN_TYPE double\n" in text
    assert float(re.search(r"ATOL_HIDDEN (\S+)\n", text)[1]) < 1e-13


@needs_compiler
def test_a_port_that_starts_from_a_state_starts_from_that_of_the_header(
    header, port, tiny, tmp_path
):
    random = np.random.default_rng(8)
    parameters = load(tiny).parameters
    zeros = ModelState.zeros(parameters).arrays()
    arrays = {name: random.normal(size=a.shape).astype(a.dtype) for name, a in zeros.items()}
    write_state(tmp_path / "s.safetensors", ModelState.from_arrays(arrays, parameters))
    text = header("john", "-w", tiny, "--initial-state", tmp_path / "s.safetensors")
    assert port(text)[0] == 0
    found = numbers(*arrays_of(text)["l0_forward_initial_cell"][::2])
    assert np.array_equal(found, arrays["layers.0.forward.cell"])
    assert found.any()


@needs_compiler
def test_the_model_inside_agrees_over_a_long_text(header, port):
    text = header(" ".join(["the boys near the car like tea and John likes coffee ."] * 6))
    assert port(text, "ifgo") == (0, f"{72 * (64 + 14 * 128)} numbers checked, 0 differ\n")


def variant(seed, dtype, projected, **options):
    """D = 4, H = 3, and where projected P = 2; V = 7 outcomes over a projection 5 wide."""
    random = np.random.default_rng(seed)

    def made(*shape):
        return random.normal(size=shape).astype(dtype)

    width = 2 if projected else 3
    arrays = {f"peephole_{gate}": made(3) for gate in ("input", "forget", "output")}
    if projected:
        arrays["projection"] = made(2, 3)
    cell = CellParameters(made(12, 4), made(12, width), made(12), Variant(**arrays, **options))
    head = Head(made(7, 5), made(7), made(5, width), predicts_tokens=False)
    return Model(Parameters((LayerParameters(cell),)), head=head)


@needs_compiler
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("projected", "options"),
    [
        (True, {"coupled": "input"}),
        (True, {"coupled": "forget", "cell_clip": 0.6, "projection_clip": 0.4}),
        (False, {"coupled": "input", "gate_activation": "hard-sigmoid"}),
        (False, {"cell_clip": 0.25}),
    ],
)
def test_a_port_of_a_variant_agrees_and_with_another_gate_order_differs(
    header, port, tmp_path, dtype, projected, options
):
    save(tmp_path / "variant.safetensors", variant(3, dtype, projected, **options))
    path = vectors(tmp_path / "x.npy", 6, 4, dtype=dtype)
    given = ("--vectors", path, "-w", tmp_path / "variant.safetensors", "--order", "fiog")
    told = ["PEEPHOLES", "HEAD", *(["PROJECTION"] * projected)]
    width = 2 if projected else 3
    count = 6 * (10 * 3 + width + 2 * 7)
    text = header(*given, "--head")
    done = port(text, "fiog", *told, source=VARIANT_PORT)
    assert done == (0, f"{count} numbers checked, 0 differ\n")
    for wrong in ("ifgo", "figo", "iofg", "ogif"):
        assert port(text, wrong, *told, source=VARIANT_PORT)[0] == 1, wrong


@needs_compiler
@pytest.mark.parametrize("left_out", ["PEEPHOLES", "PROJECTION"])
def test_a_port_that_leaves_out_a_part_of_a_variant_differs(header, port, tmp_path, left_out):
    model = variant(5, np.float32, projected=True, coupled="input")
    save(tmp_path / "variant.safetensors", model)
    path = vectors(tmp_path / "x.npy", 4, 4)
    text = header("--vectors", path, "-w", tmp_path / "variant.safetensors", "--head")
    told = {"PEEPHOLES", "PROJECTION", "HEAD"}
    assert port(text, "ifgo", *told, source=VARIANT_PORT)[0] == 0
    assert port(text, "ifgo", *told - {left_out}, source=VARIANT_PORT)[0] == 1
    without = re.sub(r"#define \w+_COUPLED .*\n", "", text)
    assert port(without, "ifgo", *told, source=VARIANT_PORT)[0] == 1


# The head


def test_the_head_is_written_where_asked_with_its_weights_and_what_it_says(
    golden, header, archive, tiny, same_bits
):
    given = ("John likes tea", "-w", tiny)
    arrays, metadata = archive(*given, "--head", "--matrices", "inputs-first")
    model = load(tiny)
    trace = model.run("John likes tea")
    assert np.array_equal(arrays["head.weight"], model.head.weight.T)
    assert np.array_equal(arrays["head.projection"], model.head.projection.T)
    assert np.array_equal(arrays["head.bias"], model.head.bias)
    assert np.array_equal(arrays["head.logits"], trace.logits)
    powers = np.exp(trace.logits.astype(np.float64))
    expected = powers / powers.sum(axis=1, keepdims=True)
    assert np.allclose(arrays["head.probabilities"], expected, rtol=1e-6, atol=0)
    assert arrays["head.probabilities"].dtype == np.float32
    document = json.loads(golden(*given, "--head", "-f", "json").stdout)
    jsonschema.validate(document, json.loads(golden("golden", command="schema").stdout))
    assert document["tolerances"] == metadata["tolerances"]
    assert list(document["tolerances"]) == [*NAMES, "logits", "probabilities"]
    assert (document["head"]["input_size"], document["head"]["projection_size"]) == (5, 4)
    same_bits(document["head"]["expected"]["logits"], trace.logits)
    same_bits(document["head"]["weights"]["weight"], model.head.weight)
    text = header(*given, "--head", "--bits")
    assert "#define LSTM_GOLDEN_OUTCOMES 7\n" in text
    assert arrays_of(text)["head_logits"][:2] == ("uint32_t", 3 * 7)
    for name, limits in document["tolerances"].items():
        assert f"#define LSTM_GOLDEN_ATOL_{name.upper()} {limits['atol']!r}f\n" in text
    assert "head" not in json.loads(golden(*given, "-f", "json").stdout)
    assert "HEAD" not in header(*given)


def test_a_head_that_is_not_there_is_refused(golden, uneven):
    done = golden("--ids", "1", "-w", uneven, "--head")
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr == b"error: --head: the model has no head. Leave it out.\n"


# What stands in a header


def test_each_literal_gives_back_the_same_bits(header, archive, deep):
    given = ("the cat", "-w", deep, "--order", "ogfi", "--matrices", "inputs-first")
    found = arrays_of(header(*given))
    arrays, _ = archive(*given)
    assert set(found) == {c_name(name) for name in arrays}
    for name, array in arrays.items():
        kind, size, literals = found[c_name(name)]
        assert size == len(literals) == array.size
        if name == "ids":
            assert (kind, literals) == ("int32_t", [str(n) for n in array])
        else:
            assert numbers(kind, literals).tobytes() == array.tobytes()


@pytest.mark.parametrize(("dtype", "kind"), [("float32", "uint32_t"), ("float64", "uint64_t")])
def test_bit_patterns_are_those_of_numpy(header, archive, uneven, dtype, kind):
    given = ("--ids", "1,0,3", "-w", uneven, "--dtype", dtype)
    text = header(*given, "--bits")
    assert "#define LSTM_GOLDEN_BITS 1\n" in text
    found = arrays_of(text)
    arrays, _ = archive(*given)
    for name, array in arrays.items():
        if name != "ids":
            patterns = array.ravel().view(kind.removesuffix("_t"))
            assert found[c_name(name)][0] == kind
            assert [int(p.rstrip("ul"), 16) for p in found[c_name(name)][2]] == patterns.tolist()


@needs_compiler
@pytest.mark.parametrize("more", [[], ["--bits"], ["--dtype", "float64"]])
@pytest.mark.parametrize("language", [("c", "c99"), ("c", "c11"), ("c++", "c++17")])
def test_a_header_compiles_alone_and_twice_without_a_warning(
    header, deep, tmp_path, more, language
):
    if language[0] == "c++" and shutil.which("g++") is None:
        pytest.skip("no C++ compiler here")
    (tmp_path / "golden.h").write_text(header("the cat", "-w", deep, *more))
    main = tmp_path / "main.c"
    main.write_text('#include "golden.h"\n#include "golden.h"\nint main(void) { return 0; }\n')
    for path in (main, tmp_path / "golden.h"):
        done = subprocess.run(
            [COMPILER, f"-std={language[1]}", *STRICT[1:], "-Wunused-const-variable=2",
             "-fsyntax-only", "-x", language[0], path], capture_output=True, text=True,
        )  # fmt: skip
        assert (done.returncode, done.stderr.replace("#pragma once", "")) == (0, "")


@needs_compiler
@pytest.mark.parametrize("model", ["infinite", "doomed"])
def test_what_is_not_finite_compiles_as_a_macro_of_math_h(
    header, archive, model, request, tmp_path
):
    given = ("--ids", "0,1,2", "-w", request.getfixturevalue(model), "--allow-nonfinite")
    text = header(*given)
    assert "#include <math.h>" in text
    (tmp_path / "golden.h").write_text(text)
    (tmp_path / "main.c").write_text('#include "golden.h"\nint main(void) { return 0; }\n')
    subprocess.run([COMPILER, *STRICT, "-fsyntax-only", tmp_path / "main.c"], check=True)
    arrays, _ = archive(*given)
    words = {"NAN": np.nan, "INFINITY": np.inf, "-INFINITY": -np.inf}
    for name in ("weight_ih", "pre_candidate", "cell"):
        literals = arrays_of(text)[f"l0_forward_{name}"][2]
        read = [words[w] if w in words else float.fromhex(w[:-1]) for w in literals]
        array = arrays[f"layers.0.forward.{name}"]
        assert np.array_equal(np.reshape(read, array.shape), array, equal_nan=True)
    assert "math.h" not in header(*given, "--bits")


HOSTILE = ('*/ int x; /*', "/*/ */* **//", "??/", "a ??/\n*/", "back\\", "tab\there", "\x1b[31m",
           "naïve \u202e \u2028",
           '"quoted" \'text\'', "line\nbreak\r\n#error no", "\x7f")  # fmt: skip


@needs_compiler
@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_can_leave_its_comment(header, tiny, tmp_path, text):
    found = header(text, "-w", tiny)
    assert re.sub(r"[\x20-\x7e\n]", "", found) == ""
    assert "#error" not in re.sub(r"/\*.*?\*/", "", found, flags=re.DOTALL)
    (tmp_path / "golden.h").write_text(found)
    main = tmp_path / "main.c"
    main.write_text('#include "golden.h"\nint main(void) { return LSTM_GOLDEN_STEPS == 0; }\n')
    subprocess.run([COMPILER, *STRICT, "-fsyntax-only", main], check=True)


def test_the_comment_says_where_the_numbers_come_from(header, tiny):
    text = header("John likes tea", "-w", tiny, "--order", "ifog", "--biases", "two")
    about = text.split("*/")[0]
    assert f"lstm golden 'John likes tea' -w {tiny} --order ifog --biases two" in about
    assert load(tiny).card.sha256 in about
    assert "order ifog: input, forget, output, candidate" in about
    assert "(outputs, inputs), row by row" in about
    assert "biases    two" in about
    assert 'text      "John likes tea"' in about
    assert 'step 2    "tea", id 0' in about
    assert "float32 as hexadecimal literals" in about
    assert "cell state, c = f * c' + i * g" in text


def test_only_what_is_asked_for_is_written(header, archive, tiny):
    text = header("john", "-w", tiny, "--show", "cell,forget")
    assert {name for name in arrays_of(text) if "weight" not in name} == {
        "ids", "inputs", "l0_forward_bias", "l0_forward_initial_hidden",
        "l0_forward_initial_cell", "l0_forward_cell", "l0_forward_forget",
    }  # fmt: skip
    assert re.findall(r"#define LSTM_GOLDEN_ATOL_(\w+) ", text) == ["CELL", "FORGET"]


# The other formats


def test_json_holds_the_same_and_follows_its_schema(golden, archive, deep, same_bits):
    given = ("the cat sat", "-w", deep, "--order", "ifog", "--biases", "two")
    document = json.loads(golden(*given, "--format", "json").stdout)
    schema = json.loads(golden("golden", command="schema").stdout)
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(document, schema)
    arrays, metadata = archive(*given)
    same_bits(document["inputs"], arrays.pop("inputs"))
    assert document["ids"] == arrays.pop("ids").tolist()
    for cell in document["cells"]:
        place = f"layers.{cell['layer']}.{cell['direction']}"
        states = {name: cell[name] for name in ("initial_hidden", "initial_cell")}
        for name, rows in {**cell["weights"], **states, **cell["expected"]}.items():
            same_bits(rows, arrays.pop(f"{place}.{name}"))
    assert arrays == {}
    for key in ("schema", "model", "text", "tokens", "ids", "steps", "port", "tolerances"):
        assert document[key] == metadata[key]
    assert document["command"] == ["lstm", "golden", *map(str, given), "--format", "json"]
    assert document["port"] == {"order": "ifog", "matrices": "outputs-first", "biases": "two"}


def test_json_lists_what_it_cannot_hold(golden, infinite):
    document = json.loads(
        golden("up nil", "-w", infinite, "--allow-nonfinite", "-f", "json").stdout
    )
    schema = json.loads(golden("golden", command="schema").stdout)
    jsonschema.validate(document, schema)
    assert document["cells"][0]["expected"]["pre_candidate"] == [[None], [None]]
    bad = {(entry["array"], *entry["index"]): entry["value"] for entry in document["nonfinite"]}
    assert bad["layers.0.forward.weight_ih", 2, 0] == "inf"
    assert bad["layers.0.forward.pre_candidate", 1, 0] == "nan"


def test_the_arrays_are_the_run_and_the_weights(archive, tiny):
    arrays, metadata = archive("John likes tea", "-w", tiny, "--order", "gifo")
    model = load(tiny)
    trace = model.run("John likes tea")
    record, cell = trace.layers[0].forward, model.parameters.layers[0].forward
    for name in NAMES:
        assert np.array_equal(arrays[f"layers.0.forward.{name}"], getattr(record, name))
    assert np.array_equal(arrays["inputs"], model.embedding(arrays["ids"]))
    packed = np.concatenate([cell.gate_bias(gate) for gate in Port("gifo").gates])
    assert np.array_equal(arrays["layers.0.forward.bias"], packed)
    assert metadata["unknown"] == [{"step": 2, "token": "tea"}]


VARIANT = Variant(
    projection=np.random.default_rng(1).normal(size=(2, 3)),
    peephole_input=np.array([0.5, -1.0, 2.0]),
    peephole_output=np.random.default_rng(2).normal(size=(3, 3)),
    norm_gain=np.arange(12.0) / 7,
    cell_clip=0.75,
    gate_activation="hard-sigmoid",
)


@pytest.fixture
def special(tmp_path):
    """A cell with a projection, peepholes, a normalisation and a clip; D = 4, H = 3, P = 2."""
    random = np.random.default_rng(12)
    arrays = (random.normal(size=shape) for shape in ((12, 4), (12, 2), (12,)))
    parameters = Parameters((LayerParameters(CellParameters(*arrays, VARIANT)),))
    path = tmp_path / "special.safetensors"
    save(path, Model(parameters))
    return path


def test_a_variant_is_written_with_all_it_has(header, archive, special, tmp_path):
    path = vectors(tmp_path / "x.npy", 5, 4)
    given = ("--vectors", path, "-w", special)
    arrays, metadata = archive(*given, "--order", "fgoi", "--matrices", "inputs-first")
    place = "layers.0.forward"
    assert metadata["options"] == {
        place: {"gate_activation": "hard-sigmoid", "cell_clip": 0.75, "norm_epsilon": 1e-12}
    }
    assert np.array_equal(arrays[f"{place}.projection"], VARIANT.projection.T)
    assert np.array_equal(arrays[f"{place}.peephole_output"], VARIANT.peephole_output.T)
    assert np.array_equal(arrays[f"{place}.peephole_input"], VARIANT.peephole_input)
    blocks = dict(zip(GATES, np.split(VARIANT.norm_gain, 4), strict=True))
    expected = np.concatenate([blocks[gate] for gate in Port("fgoi").gates])
    assert np.array_equal(arrays[f"{place}.norm_gain"], expected)
    assert np.abs(arrays[f"{place}.cell"]).max() <= 0.75
    text = header(*given)
    assert '#define LSTM_GOLDEN_L0_FORWARD_GATE_ACTIVATION "hard-sigmoid"\n' in text
    assert "#define LSTM_GOLDEN_L0_FORWARD_CELL_CLIP 0x1.8p-1\n" in text
    assert "#define LSTM_GOLDEN_L0_OUTPUT_SIZE 2\n" in text
    assert "cell      not standard" in text
    assert {"l0_forward_projection", "l0_forward_norm_gain"} < set(arrays_of(text))


def test_a_variant_in_json_follows_the_schema(golden, special, tmp_path):
    given = ("--vectors", vectors(tmp_path / "x.npy", 2, 4), "-w", special, "-f", "json")
    document = json.loads(golden(*given).stdout)
    jsonschema.validate(document, json.loads(golden("golden", command="schema").stdout))
    assert document["cells"][0]["output_size"] == 2
    document["cells"][0]["weights"].pop("bias")
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(document, json.loads(golden("golden", command="schema").stdout))


# What the command line may say


def test_the_ending_of_the_file_chooses_the_format(golden, tiny, tmp_path):
    for name, start in (("x.h", b"/* Golden"), ("x.json", b'{"schema"'), ("x.npz", b"PK")):
        done = golden("john", "-w", tiny, "-o", tmp_path / name)
        assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
        assert (tmp_path / name).read_bytes().startswith(start)
    assert golden("john", "-w", tiny, "-f", "npz").stdout.startswith(b"PK")
    assert golden("-", "-w", tiny, stdin=None, input=b"john\n").stdout.startswith(b"/* Golden")


def test_what_is_assumed_is_said_on_stderr_and_in_the_header(golden, foreign):
    done = golden("--ids", "1,2", "-w", foreign)
    for line in done.stderr.decode().splitlines():
        assert line.startswith("note: assumed: ")
        assert line.removeprefix("note: assumed: ") in done.stdout.decode()


def test_a_tolerance_that_hides_a_wrong_port_is_told(golden, tmp_path):
    """Weights this large make the states chaotic: after some steps nothing can be repeated."""
    random = np.random.default_rng(9)
    shapes = ((80, 2), (80, 20), (80,))
    arrays = (random.normal(scale=3, size=shape).astype(np.float32) for shape in shapes)
    save(
        tmp_path / "wild.safetensors",
        Model(Parameters((LayerParameters(CellParameters(*arrays)),))),
    )
    for num_steps, told in ((2, False), (150, True)):
        path = vectors(tmp_path / "x.npy", num_steps, 2)
        done = golden("--vectors", path, "-w", tmp_path / "wild.safetensors")
        assert done.returncode == 0
        said = re.match(
            rb"note: rounding grows on this input: the tolerance of \w+ is \d", done.stderr
        )
        assert bool(said) is told
        assert done.stderr.count(b"\n") == told


def test_a_file_name_that_is_no_text_is_written_as_one_can_be(golden, archive, bare, tmp_path):
    path = os.fsdecode(os.fsencode(tmp_path) + b"/m\xff*??.safetensors")
    shutil.copy(bare, path)
    given = ("--vectors", vectors(tmp_path / "x.npy", 1, 2), "-w", path)
    assert b"\\\\xff*? ?.safetensors" in golden(*given).stdout
    document = json.loads(golden(*given, "-f", "json").stdout)
    assert document["model"]["source"].endswith("m\\xff*??.safetensors")
    assert archive(*given)[1]["model"] == document["model"]


@pytest.mark.parametrize(
    ("code", "arguments", "said"),
    [
        (2, ["x", "--order", "ifg"], "expected the letters i, f, g and o, each once; found 'ifg'"),
        (2, ["x", "--order", "ifgg"], "each once; found 'ifgg'"),
        (2, ["x", "--matrices", "round"], "expected outputs-first or inputs-first, found 'round'"),
        (2, ["x", "--biases", "three"], "expected one or two, found 'three'"),
        (2, ["x", "--format", "csv"], "expected c, json or npz, found 'csv'"),
        (2, ["x", "-o", "x.txt"], "expected a name ending in .h, .json, .npz; found 'x.txt'"),
        (2, ["x", "--bits", "-f", "json"], "--bits: json holds every bit anyway"),
        (2, ["x", "--bits", "-o", "x.npz"], "--bits: npz holds every bit anyway"),
        (2, ["x", "--show", "soul"], "--show: expected all, or names among"),
        (2, ["x", "--ids", "1"], "expected one of TEXT and --ids, found both"),
        (3, [], "input: expected one sequence, found none. Give a TEXT, --ids or --vectors."),
        (3, [""], "input: expected at least one step, found none."),
        (3, ["--vectors", "absent.npy"], "absent.npy: cannot be read"),
        (3, ["x", "-o", "absent/x.h"], "absent/x.h: cannot be written"),
        (3, ["x", "-w", "absent.safetensors"], "absent.safetensors"),
    ],
)
def test_what_cannot_be_written_is_refused_in_one_line(golden, tiny, code, arguments, said):
    weights = () if "-w" in arguments else ("-w", tiny)
    done = golden(*weights, *arguments)
    assert (done.returncode, done.stdout) == (code, b"")
    error = done.stderr.decode()
    assert error.startswith("error: ")
    assert error.count("\n") == 1
    assert said in error


def test_several_sequences_are_refused_and_one_is_taken_out_of_its_batch(golden, bare, tmp_path):
    one, two = vectors(tmp_path / "1.npy", 1, 4, 2), vectors(tmp_path / "2.npy", 2, 4, 2)
    assert golden("--vectors", one, "-w", bare).returncode == 0
    done = golden("--vectors", two, "-w", bare)
    assert (done.returncode, done.stdout) == (3, b"")
    assert b"error: input: expected one sequence, found several." in done.stderr


def test_a_terminal_is_spared_an_archive(golden, tiny):
    ours, theirs = pty.openpty()
    done = golden("john", "-w", tiny, "-f", "npz", stdout=theirs)
    os.close(theirs)
    os.close(ours)
    assert done.returncode == 2
    assert b"--format npz: a terminal cannot show it" in done.stderr


def test_nothing_given_on_a_terminal_shows_the_help(golden):
    ours, theirs = pty.openpty()
    done = golden(stdin=theirs)
    os.close(theirs)
    os.close(ours)
    assert done.returncode == 0
    assert done.stdout.startswith(b"Usage: lstm golden [OPTIONS] [TEXT]\n")


def test_a_file_that_stood_there_stays_where_the_new_one_fails(golden, tiny, tmp_path):
    path = tmp_path / "x.h"
    path.write_text("old")
    assert golden("", "-w", tiny, "-o", path).returncode == 3
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
