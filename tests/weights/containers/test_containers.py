"""Files that are not safetensors, written by the libraries they belong to."""

from __future__ import annotations

import json
import zipfile

import numpy as np
import pytest
from safetensors.numpy import save_file

from lstm.activations import activation
from lstm.errors import LSTMError
from tests.weights.builders import GOLDEN
from weights import load
from weights.containers.registry import open_any
from weights.containers.tfjs import _group

RANDOM = np.random.default_rng(5)
D, H = 2, 3
PYTORCH = {
    name: RANDOM.normal(size=shape).astype("f")
    for name, shape in {
        "weight_ih_l0": (4 * H, D),
        "weight_hh_l0": (4 * H, H),
        "bias_ih_l0": (4 * H,),
        "bias_hh_l0": (4 * H,),
    }.items()
}
KERAS = {
    "kernel": PYTORCH["weight_ih_l0"].T,
    "recurrent_kernel": PYTORCH["weight_hh_l0"].T,
    "bias": PYTORCH["bias_ih_l0"] + PYTORCH["bias_hh_l0"],
}


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    """The parameters as the safetensors file of the same arrays has them."""
    path = tmp_path_factory.mktemp("plain") / "x.safetensors"
    save_file(PYTORCH, path)
    return load(path).parameters.layers[0].forward


def check(path, expected, **options):
    cell = load(path, **options).parameters.layers[0].forward
    assert np.array_equal(cell.weight_ih, expected.weight_ih)
    assert np.array_equal(cell.weight_hh, expected.weight_hh)
    assert np.array_equal(cell.bias, expected.bias)


def test_an_npz_file_is_read(tmp_path, expected):
    np.savez(tmp_path / "x.npz", **PYTORCH)
    check(tmp_path / "x.npz", expected)


def test_python_objects_in_an_npz_file_are_refused(tmp_path):
    np.savez(tmp_path / "x.npz", a=np.array([object()]))
    with pytest.raises(
        LSTMError, match="a: expected numbers, found Python objects, which are never read"
    ):
        load(tmp_path / "x.npz")


def test_shards_are_put_together(tmp_path, expected):
    names = list(PYTORCH)
    where = {name: f"part-{n % 2}.safetensors" for n, name in enumerate(names)}
    for shard in set(where.values()):
        save_file({n: PYTORCH[n] for n in names if where[n] == shard}, tmp_path / shard)
    index = tmp_path / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": where}))
    check(index, expected)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[]", "expected an index with a weight_map, found none."),
        ('{"weight_map": {"a": "../x.safetensors"}}', "expected files beside it, found ../x"),
        ('{"weight_map": {"a": 5}}', "weight_map: expected file names by tensor, found others."),
        ('{"weight_map": {"a": "none.safetensors"}}', "No such file or directory"),
    ],
)
def test_an_index_that_is_wrong_is_refused(tmp_path, content, message):
    path = tmp_path / "x.index.json"
    path.write_text(content)
    with pytest.raises(LSTMError, match=message):
        load(path)


def hdf5(path, prefix):
    h5py = pytest.importorskip("h5py")
    with h5py.File(path, "w") as file:
        for name, array in KERAS.items():
            file[f"{prefix}/{name}"] = array
        file["optimizer_weights/m"] = np.zeros(3)


def test_an_h5_file_is_read(tmp_path, expected):
    hdf5(tmp_path / "x.h5", "model_weights/lstm/lstm/lstm_cell")
    check(tmp_path / "x.h5", expected)


def test_a_configuration_of_keras_2_is_heeded_as_bytes_too(tmp_path):
    h5py = pytest.importorskip("h5py")
    hdf5(tmp_path / "x.h5", "model_weights/lstm/lstm")
    layer = lstm_layer(recurrent_activation="hard_sigmoid")
    with h5py.File(tmp_path / "x.h5", "r+") as file:
        file.attrs["keras_version"] = np.bytes_("2.2.5")
        file.attrs["model_config"] = np.bytes_(json.dumps(layer))
    variant = load(tmp_path / "x.h5").parameters.layers[0].forward.variant
    assert variant.options == {"gate_activation": "hard-sigmoid"}


@pytest.mark.parametrize("attribute", ["[1", b"\xff"])
def test_a_malformed_configuration_is_a_sentence(tmp_path, attribute):
    h5py = pytest.importorskip("h5py")
    hdf5(tmp_path / "x.h5", "model_weights/lstm/lstm")
    with h5py.File(tmp_path / "x.h5", "r+") as file:
        file.attrs["model_config"] = attribute
    with pytest.raises(LSTMError, match=r"x\.h5: not a valid \.h5 file: "):
        load(tmp_path / "x.h5")


def test_a_keras_file_is_read(tmp_path, expected):
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "model.weights.h5", "w") as file:
        for number, name in enumerate(("kernel", "recurrent_kernel", "bias")):
            file[f"layers/lstm/cell/vars/{number}"] = KERAS[name]
    with zipfile.ZipFile(tmp_path / "x.keras", "w") as archive:
        archive.write(tmp_path / "model.weights.h5", "model.weights.h5")
    check(tmp_path / "x.keras", expected)


@pytest.mark.parametrize("name", ["x.h5", "x.keras", "x.npz", "x.onnx", "model.json"])
def test_junk_is_a_sentence(tmp_path, name):
    pytest.importorskip("h5py")
    pytest.importorskip("onnx")
    (tmp_path / name).write_bytes(b"junk" * 20)
    with pytest.raises(LSTMError, match=name):
        load(tmp_path / name)


def onnx_file(path, **attributes):
    """A graph with one LSTM node whose initializers have meaningless names."""
    onnx = pytest.importorskip("onnx")
    helper, to_array = onnx.helper, onnx.numpy_helper.from_array
    order = [0, 3, 1, 2]  # i, f, g, o to i, o, f, g

    def reordered(array):
        return np.concatenate([np.split(array, 4)[block] for block in order])

    tensors = {
        "onnx::LSTM_1": reordered(PYTORCH["weight_ih_l0"])[None],
        "onnx::LSTM_2": reordered(PYTORCH["weight_hh_l0"])[None],
        "onnx::LSTM_3": np.concatenate(
            [reordered(PYTORCH["bias_ih_l0"]), reordered(PYTORCH["bias_hh_l0"])]
        )[None],
    }
    node = helper.make_node("LSTM", ["x", *tensors], ["y"], hidden_size=H, **attributes)
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        [node],
        "g",
        [value("x", onnx.TensorProto.FLOAT, [None, 1, D])],
        [value("y", onnx.TensorProto.FLOAT, None)],
        [to_array(array, name) for name, array in tensors.items()],
    )
    onnx.save(helper.make_model(graph), str(path))


def test_the_weights_of_an_onnx_node_are_bound_by_position(tmp_path, expected):
    onnx_file(tmp_path / "x.onnx")
    check(tmp_path / "x.onnx", expected)


def test_an_onnx_node_that_only_reads_in_reverse_is_read(tmp_path):
    onnx_file(tmp_path / "x.onnx", direction="reverse")
    onnx_file(tmp_path / "forward.onnx")
    model, forward = load(tmp_path / "x.onnx"), load(tmp_path / "forward.onnx")
    (layer,) = model.parameters.layers
    assert list(layer.directions) == ["reverse"]
    vectors = np.random.default_rng(0).normal(size=(5, D))
    found = model.run(vectors=vectors).hidden
    np.testing.assert_array_equal(found, forward.run(vectors=vectors[::-1]).hidden[::-1])


def test_the_attributes_of_an_onnx_node_are_heeded(tmp_path):
    onnx_file(
        tmp_path / "x.onnx",
        clip=0.5,
        input_forget=1,
        activations=["HardSigmoid", "Tanh", "Softsign"],
    )
    variant = load(tmp_path / "x.onnx").parameters.layers[0].forward.variant
    assert variant.options == {
        "gate_activation": "hard-sigmoid",
        "cell_activation": "softsign",
        "coupled": "forget",
        "pre_activation_clip": 0.5,
    }


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ({"activations": ["Gelu", "Tanh", "Tanh"]}, "x.onnx: the activation Gelu is not supported"),
    ],
)
def test_an_onnx_node_that_is_not_supported_is_refused(tmp_path, attributes, message):
    onnx_file(tmp_path / "x.onnx", **attributes)
    with pytest.raises(LSTMError, match=message):
        load(tmp_path / "x.onnx")


def test_a_tensorflow_js_model_is_read(tmp_path, expected):
    weights, data = [], b""
    for name, array in KERAS.items():
        weights.append({"name": f"lstm_1/{name}", "shape": list(array.shape), "dtype": "float32"})
        data += np.ascontiguousarray(array).tobytes()
    (tmp_path / "a.bin").write_bytes(data[:50])
    (tmp_path / "b.bin").write_bytes(data[50:])
    manifest = [{"paths": ["a.bin", "b.bin"], "weights": weights}]
    (tmp_path / "model.json").write_text(json.dumps({"weightsManifest": manifest}))
    check(tmp_path / "model.json", expected)


def model_json(folder, *layers):
    """A model of TensorFlow.js with the weights of one layer and the configuration of several."""
    weights = [
        {"name": f"lstm_1/{name}", "shape": list(array.shape), "dtype": "float32"}
        for name, array in KERAS.items()
    ]
    (folder / "a.bin").write_bytes(b"".join(array.tobytes() for array in KERAS.values()))
    topology = {"model_config": {"class_name": "Sequential", "config": {"layers": list(layers)}}}
    manifest = [{"paths": ["a.bin"], "weights": weights}]
    content = {"modelTopology": topology, "weightsManifest": manifest}
    (folder / "model.json").write_text(json.dumps(content))
    return folder / "model.json"


def lstm_layer(name="lstm", **config):
    return {"class_name": "LSTM", "config": {"name": name, **config}}


def test_the_activations_that_a_model_is_configured_with_are_heeded(tmp_path):
    layer = lstm_layer(activation="softsign", recurrent_activation="hard_sigmoid")
    model = load(model_json(tmp_path, layer))
    assert model.parameters.layers[0].forward.variant.options == {
        "gate_activation": "hard-sigmoid",
        "candidate_activation": "softsign",
        "cell_activation": "softsign",
    }
    assert model.card.assumed == ()


# What Keras' and TensorFlow.js' own sources make of -1.
@pytest.mark.parametrize(
    ("name", "at_minus_one"),
    [("elu", np.expm1(-1)), ("celu", np.expm1(-1)), ("leaky_relu", -0.2), ("softsign", -0.5)],
)
def test_an_activation_of_keras_is_the_function_that_it_names(tmp_path, name, at_minus_one):
    model = load(model_json(tmp_path, lstm_layer(activation=name)))
    found = activation(model.parameters.layers[0].forward.variant.cell_activation)
    assert found(np.array([-1.0, 2.0])).tolist() == pytest.approx(
        [at_minus_one, 2 / 3 if name == "softsign" else 2]
    )


def test_an_option_stands_above_what_the_file_tells(tmp_path):
    path = model_json(tmp_path, lstm_layer(recurrent_activation="hard_sigmoid"))
    variant = load(path, gate_activation="sigmoid").parameters.layers[0].forward.variant
    assert variant.options == {}


def test_the_second_of_two_directions_goes_backwards_as_it_should(tmp_path):
    both = {
        "layer": lstm_layer(activation="relu"),
        "backward_layer": lstm_layer(activation="relu", go_backwards=True),
    }
    path = model_json(tmp_path, {"class_name": "Bidirectional", "config": both})
    assert load(path).parameters.layers[0].forward.variant.options["cell_activation"] == "relu"


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ([lstm_layer(activation="swish")], "the activation swish is not supported."),
        (
            [lstm_layer(activation={"class_name": "Mine"})],
            "the activation {'class_name': 'Mine'} is not supported.",
        ),
        (
            [lstm_layer(activation="tanh"), lstm_layer(activation="relu")],
            "LSTM layers with different activations are not supported.",
        ),
        (
            [lstm_layer("last", go_backwards=True)],
            "last: go_backwards, which leaves the outputs in reverse, is not supported.",
        ),
    ],
)
def test_a_configuration_that_is_not_supported_is_refused(tmp_path, layers, message):
    path = model_json(tmp_path, *layers)
    with pytest.raises(LSTMError) as caught:
        load(path)
    assert str(caught.value) == f"{path}: {message}"


def quantized_run():
    """What TensorFlow.js itself made of the quantised model beside the record."""
    record = json.loads((GOLDEN / "tfjs_quantized" / "run.json").read_text())
    shapes = {"kernel": (2, 12), "recurrent_kernel": (3, 12), "bias": (12,), "x": (1, 5, 2)}
    return {
        name: np.array(record[name], np.uint32).view(np.float32).reshape(shape)
        for name, shape in {**shapes, "hs": (1, 5, 3)}.items()
    }


def test_quantised_weights_are_those_that_tensorflow_js_decodes_bit_for_bit():
    archive = open_any(GOLDEN / "tfjs_quantized" / "model.json")
    run = quantized_run()
    for name in ("kernel", "recurrent_kernel", "bias"):
        assert archive.read(f"lstm/{name}", "float32").tobytes() == run[name].tobytes()


def test_a_quantised_model_gives_the_hidden_states_of_tensorflow_js():
    run = quantized_run()
    trace = load(GOLDEN / "tfjs_quantized" / "model.json").run(vectors=run["x"])
    np.testing.assert_allclose(trace.hidden, run["hs"], rtol=0, atol=1e-6)


def test_quantised_whole_numbers_are_rounded_as_javascript_rounds():
    weight = {"name": "n", "shape": [4], "dtype": "int32"}
    weight["quantization"] = {"dtype": "uint8", "scale": 0.5, "min": -1.0}
    # -1, -0.5, 0, 0.5: Math.round goes up where two are as near.
    assert dict(_group({"weights": [weight]}, bytes([0, 1, 2, 3])))["n"].tolist() == [-1, 0, 0, 1]


@pytest.mark.parametrize(
    ("dtype", "quantization", "message"),
    [
        ("float32", {"dtype": "int4"}, "k: expected float32 quantised to uint8 or uint16 or float"),
        ("int32", {"dtype": "float16"}, "k: expected int32 quantised to uint8 or uint16, found fl"),
        ("bool", {"dtype": "uint8"}, "k: expected bool quantised to nothing, found uint8"),
        ("float32", {"dtype": "uint8", "min": 1}, "expected a weightsManifest, found an error"),
        ("float32", "uint8", "expected a weightsManifest, found an error"),
    ],
)
def test_another_quantisation_is_refused(tmp_path, dtype, quantization, message):
    weight = {"name": "k", "shape": [1], "dtype": dtype, "quantization": quantization}
    (tmp_path / "a.bin").write_bytes(b"0000")
    manifest = [{"paths": ["a.bin"], "weights": [weight]}]
    (tmp_path / "model.json").write_text(json.dumps({"weightsManifest": manifest}))
    with pytest.raises(LSTMError, match=message):
        load(tmp_path / "model.json")


def test_a_checkpoint_of_torch_is_read(tmp_path, expected):
    torch = pytest.importorskip("torch")
    state = {name: torch.from_numpy(array) for name, array in PYTORCH.items()}
    torch.save({"epoch": 3, "state_dict": state}, tmp_path / "x.pt")
    check(tmp_path / "x.pt", expected)


def test_code_in_a_checkpoint_is_never_run(tmp_path):
    torch = pytest.importorskip("torch")

    class Evil:
        def __reduce__(self):
            return (open, (str(tmp_path / "run"), "w"))

    torch.save({"a": Evil()}, tmp_path / "x.pt")
    told = r"torch refuses it: expected tensors alone, found _?io\.open, which is code"
    with pytest.raises(LSTMError, match=told):
        load(tmp_path / "x.pt")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("name", "article", "package", "extra"),
    [
        ("x.h5", "a", "h5py", "keras"),
        ("x.onnx", "an", "onnx", "onnx"),
        ("x.pt", "a", "torch", "torch"),
    ],
)
def test_a_missing_package_is_a_sentence_that_names_the_extra(
    tmp_path, monkeypatch, name, article, package, extra
):
    (tmp_path / name).write_bytes(b"x")
    monkeypatch.setitem(__import__("sys").modules, package, None)
    with pytest.raises(LSTMError) as caught:
        load(tmp_path / name)
    path = tmp_path / name
    assert str(caught.value) == (
        f"{path}: {article} {path.suffix} file needs the package {package}, "
        f"which is not installed. Install the extra: pip install 'lstm-cli[{extra}]'."
    )
