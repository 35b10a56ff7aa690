"""Traces as files: those of `lstm run`, written here by hand, and those of ports."""

import json

import numpy as np
import pytest

from lstm.analysis.recording import Place
from lstm.errors import LSTMError
from weights.containers.safetensors import archive_bytes
from weights.traces import is_trace, parse_names, read_trace

H0 = Place(0, "forward", "hidden")
C0 = Place(0, "forward", "cell")
CELLS = [[1.0, -2.5], [0.1, 4.0], [7.0, 0.0]]  # three steps, two units
HIDDEN = [[0.5, 0.25], [-1.0, 0.75], [0.125, -0.5]]
MODEL = {"source": "m", "dtype": "float32"}


def record(step, **more):
    return {
        "step": step, "token": f"w{step}", "id": 10 + step, "layer": 0, "direction": "forward",
        "hidden": HIDDEN[step], "cell": CELLS[step], **more,
    }  # fmt: skip


def document(**more):
    sequence = {
        "text": "w0 w1 w2", "tokens": ["w0", "w1", "w2"], "ids": [10, 11, 12],
        "steps": [record(step) for step in range(3)],
    }  # fmt: skip
    return {"schema": "lstm.trace/1", "model": MODEL, "sequences": [sequence], **more}


def own_arrays():
    prefix = "sequences.0.layers.0.forward"
    arrays = {f"{prefix}.hidden": HIDDEN, f"{prefix}.cell": CELLS}
    return {name: np.array(array, np.float32) for name, array in arrays.items()}


def provenance(**more):
    texts = [{"text": "w0 w1 w2", "tokens": ["w0", "w1", "w2"], "ids": [10, 11, 12]}]
    told = {"schema": "lstm.trace/1", "model": MODEL, "sequences": texts, **more}
    return {name: v if isinstance(v, str) else json.dumps(v) for name, v in told.items()}


def write(path, ending):
    """Write one and the same trace with each ending that run has."""
    path = path / f"trace{ending}"
    match ending:
        case ".json":
            path.write_text(json.dumps(document()))
        case ".ndjson":
            lines = [json.dumps({"sequence": 0, **record(step)}) for step in range(3)]
            path.write_text("".join(f"{line}\n" for line in lines))
        case ".csv":
            head = "sequence,step,token,id,layer,direction,hidden[0],hidden[1],cell[0],cell[1]"
            rows = [
                ",".join(map(str, (0, n, f"w{n}", 10 + n, 0, "forward", *HIDDEN[n], *CELLS[n])))
                for n in range(3)
            ]
            path.write_text("\n".join([head, *rows, ""]))
        case ".npz":
            np.savez(path, metadata=np.array(json.dumps(provenance())), **own_arrays())
        case ".safetensors":
            path.write_bytes(archive_bytes(own_arrays(), provenance()))
    return path


ENDINGS = (".json", ".ndjson", ".csv", ".npz", ".safetensors")


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_trace_of_run_is_read_with_all_it_tells(tmp_path, ending):
    path = write(tmp_path, ending)
    assert is_trace(path)
    file = read_trace(path)
    (recording,) = file.recordings
    assert not file.is_foreign
    assert set(recording.series) == {H0, C0}
    hidden, cell = recording.series[H0], recording.series[C0]
    assert hidden.values.tolist() == HIDDEN
    assert cell.values.astype(np.float32).tolist() == np.float32(CELLS).tolist()
    assert cell.steps.tolist() == [0, 1, 2]
    assert cell.units.tolist() == [0, 1]
    assert not cell.chosen
    assert recording.ids == (10, 11, 12)
    assert recording.tokens == ("w0", "w1", "w2")
    if ending in (".json", ".npz", ".safetensors"):
        assert file.model == MODEL
        assert recording.text == "w0 w1 w2"
        assert cell.values.dtype == np.float32


def test_chosen_units_and_steps_keep_their_numbers(tmp_path):
    path = tmp_path / "t.json"
    steps = [{**record(2), "step": 7}, {**record(1), "step": 9}]
    whole = document(units=[3, 5])
    whole["sequences"][0]["steps"] = steps
    path.write_text(json.dumps(whole))
    series = read_trace(path).recordings[0].series[H0]
    assert series.units.tolist() == [3, 5]
    assert series.chosen
    assert series.steps.tolist() == [7, 9]
    assert series.values.tolist() == [HIDDEN[2], HIDDEN[1]]
    np.savez(tmp_path / "t.npz", metadata=np.array(json.dumps(provenance(units=[3, 5]))),
             **own_arrays())  # fmt: skip
    assert read_trace(tmp_path / "t.npz").recordings[0].series[H0].units.tolist() == [3, 5]
    (tmp_path / "t.csv").write_text("hidden[4],hidden[6]\n1,2\n")
    series = read_trace(tmp_path / "t.csv").recordings[0].series[H0]
    assert (series.units.tolist(), series.chosen) == ([4, 6], True)


def test_what_json_cannot_hold_is_put_back(tmp_path):
    bad = [{"address": "l0.c[1]@0", "value": "nan"}, {"address": "l0.h[0]@2", "value": "-inf"}]
    whole = document()
    whole["sequences"][0]["steps"][0]["cell"] = [1.0, None]
    whole["sequences"][0]["steps"][2]["hidden"] = [None, -0.5]
    whole["sequences"][0]["nonfinite"] = bad
    (tmp_path / "t.json").write_text(json.dumps(whole))
    series = read_trace(tmp_path / "t.json").recordings[0].series
    assert np.isnan(series[C0].values[0, 1])
    assert series[H0].values[2].tolist() == [-np.inf, -0.5]
    line = {"sequence": 0, **record(0, cell=[None, 2.0]),
            "nonfinite": [{"address": "l0.c[0]@0", "value": "inf"}]}  # fmt: skip
    (tmp_path / "t.ndjson").write_text(json.dumps(line))
    series = read_trace(tmp_path / "t.ndjson").recordings[0].series
    assert series[C0].values.tolist() == [[np.inf, 2.0]]
    (tmp_path / "t.csv").write_text("cell[0],cell[1]\nnan,-inf\n")
    assert str(read_trace(tmp_path / "t.csv").recordings[0].series[C0].values) == "[[ nan -inf]]"


def test_a_narrow_layer_leaves_cells_of_a_table_empty(tmp_path):
    (tmp_path / "t.csv").write_text(
        "step,layer,direction,cell[0],cell[1]\n0,0,forward,1,2\n0,1,forward,3,\n1,0,forward,4,5\n"
        "1,1,forward,6,\n"
    )
    series = read_trace(tmp_path / "t.csv").recordings[0].series
    assert series[C0].values.tolist() == [[1, 2], [4, 5]]
    assert series[Place(1, "forward", "cell")].values.tolist() == [[3], [6]]


@pytest.mark.parametrize("ending", [".npz", ".safetensors", ".json"])
def test_arrays_of_a_port_are_read_by_their_names(tmp_path, ending):
    path = tmp_path / f"port{ending}"
    arrays = {"h_out": np.array(HIDDEN), "c1": np.array(CELLS, np.float32)}
    if ending == ".npz":
        np.savez(path, **arrays)
    elif ending == ".safetensors":
        path.write_bytes(archive_bytes(arrays, {}))
    else:
        path.write_text(json.dumps({name: array.tolist() for name, array in arrays.items()}))
    names = parse_names("h=h_out,l1.reverse.cell=c1", None, None)
    assert is_trace(path, names)
    file = read_trace(path, names)
    assert file.is_foreign
    series = file.recordings[0].series
    assert series[H0].values.tolist() == HIDDEN
    found = series[Place(1, "reverse", "cell")].values
    assert found.astype(np.float32).tolist() == np.float32(CELLS).tolist()


def test_arrays_that_are_named_as_quantities_need_no_map(tmp_path):
    np.savez(tmp_path / "port.npz", hidden=HIDDEN, **{"l1.c": CELLS})
    assert is_trace(tmp_path / "port.npz")
    series = read_trace(tmp_path / "port.npz").recordings[0].series
    assert set(series) == {H0, Place(1, "forward", "cell")}


def test_weights_are_not_taken_for_a_trace(tmp_path):
    arrays = {"weight_ih_l0": np.ones((4, 1)), "weight_hh_l0": np.ones((4, 1))}
    np.savez(tmp_path / "w.npz", **arrays)
    (tmp_path / "w.safetensors").write_bytes(archive_bytes(arrays, {}))
    (tmp_path / "model.json").write_text('{"modelTopology": {}, "weightsManifest": []}')
    (tmp_path / "w.bin").write_bytes(b"")
    names = ("w.npz", "w.safetensors", "model.json", "w.bin", "nothing.npz")
    assert [is_trace(tmp_path / name) for name in names] == [False] * 5
    assert not is_trace("english")
    assert is_trace(tmp_path / "w.bin", parse_names(None, "hidden", "2,3"))


def test_a_leading_axis_holds_sequences(tmp_path):
    np.savez(tmp_path / "port.npz", h=np.array([HIDDEN, CELLS]))
    first, second = read_trace(tmp_path / "port.npz").recordings
    assert first.series[H0].values.tolist() == HIDDEN
    assert second.series[H0].values.tolist() == CELLS


def test_the_steps_may_be_the_first_of_three_axes(tmp_path):
    both = np.stack([HIDDEN, CELLS], axis=1)  # (T, N, W)
    np.savez(tmp_path / "port.npz", h=both)
    both.astype("<f4").tofile(tmp_path / "port.bin")
    for name, names in (
        ("port.npz", parse_names(None, None, None, time_first=True)),
        ("port.bin", parse_names(None, "h", "3,2,2", time_first=True)),
    ):
        first, second = read_trace(tmp_path / name, names).recordings
        assert first.series[H0].values.tolist() == HIDDEN
        assert second.series[H0].values.astype(np.float32).tolist() == np.float32(CELLS).tolist()


@pytest.mark.parametrize("heading", ["{}[{}]", "{}_{}", "{}.{}", "{}{}", "{} {}"])
def test_a_ports_table_has_a_column_for_each_unit(tmp_path, heading):
    head = ",".join([*(heading.format("c", n) for n in (0, 1)), "other"])
    rows = "".join(f"{a},{b},9\n" for a, b in CELLS)
    (tmp_path / "port.csv").write_text(f"{head}\n{rows}")
    for names in (parse_names(None, None, None), parse_names("cell=c", None, None)):
        series = read_trace(tmp_path / "port.csv", names).recordings[0].series
        assert {place: one.values.tolist() for place, one in series.items()} == {C0: CELLS}


def test_a_ports_table_may_hold_several_layers_side_by_side(tmp_path):
    (tmp_path / "port.tsv").write_text("a0\ta1\tb\n1\t2\t3\n4\t5\t6\n")
    names = parse_names("cell=a,l1.cell=b", None, None)
    series = read_trace(tmp_path / "port.tsv", names).recordings[0].series
    assert series[C0].values.tolist() == [[1, 2], [4, 5]]
    assert series[Place(1, "forward", "cell")].values.tolist() == [[3], [6]]


def test_both_directions_side_by_side_are_parted(tmp_path):
    both = np.concatenate([HIDDEN, CELLS], axis=1)
    np.savez(tmp_path / "port.npz", out=both)
    both.astype("<f4").tofile(tmp_path / "port.bin")
    rows = "".join(",".join(map(str, row)) + "\n" for row in both)
    (tmp_path / "port.csv").write_text(f"out0,out1,out2,out3\n{rows}")
    by_name = parse_names("l1.both.hidden=out", None, None)
    for name, names in (
        ("port.npz", by_name), ("port.csv", by_name),
        ("port.bin", parse_names(None, "l1.both.h", "3,4")),
    ):  # fmt: skip
        series = read_trace(tmp_path / name, names).recordings[0].series
        assert set(series) == {Place(1, "forward", "hidden"), Place(1, "reverse", "hidden")}
        assert series[Place(1, "forward", "hidden")].values.tolist() == HIDDEN
        found = series[Place(1, "reverse", "hidden")].values
        assert found.astype(np.float32).tolist() == np.float32(CELLS).tolist()
    np.savez(tmp_path / "port.npz", out=np.zeros((3, 5)))
    with pytest.raises(LSTMError, match=r"l1.both: expected \(steps, 2\*hidden_size\), found"):
        read_trace(tmp_path / "port.npz", by_name)


def test_bare_numbers_have_the_shape_that_is_told(tmp_path):
    path = tmp_path / "dump.f32"
    np.array(HIDDEN, "<f4").tofile(path)
    series = read_trace(path, parse_names(None, "hidden", "3,2")).recordings[0].series
    assert series[H0].values.tolist() == HIDDEN
    assert series[H0].values.dtype == np.float32
    sequences = read_trace(path, parse_names(None, "l0.h", "3,1,2")).recordings
    assert [one.series[H0].values.tolist() for one in sequences] == [[row] for row in HIDDEN]
    with pytest.raises(LSTMError) as raised:
        read_trace(path, parse_names(None, "hidden", "5,2"))
    assert str(raised.value) == (
        f"{path}: --shape: expected (5, 2) float32 numbers = 40 bytes, found 24 bytes."
    )


def test_one_quantity_may_lie_in_an_npy_or_in_a_table_without_a_header(tmp_path):
    np.save(tmp_path / "h.npy", HIDDEN)
    np.savetxt(tmp_path / "h.csv", HIDDEN, delimiter=",")
    for name in ("h.npy", "h.csv"):
        path = tmp_path / name
        names = parse_names(None, "hidden", None)
        assert is_trace(path, names)
        assert read_trace(path, names).recordings[0].series[H0].values.tolist() == HIDDEN


@pytest.mark.parametrize(
    ("option", "said"),
    [
        (("hidden", None, None), "--map: expected QUANTITY=NAME,..., found 'hidden'."),
        (("soul=mine", None, None), "--map: expected a quantity such as cell, c or l1.reverse.c,"),
        ((None, "l1.x.y", None), "--raw: expected a quantity such as cell, c or l1.reverse.c,"),
        ((None, "hidden", "5"), "--shape: expected T,H or N,T,H, found '5'."),
        ((None, "hidden", "a,b"), "--shape: expected T,H or N,T,H, found 'a,b'."),
    ],
)
def test_names_that_follow_no_grammar_are_refused(option, said):
    with pytest.raises(LSTMError) as raised:
        parse_names(*option)
    assert str(raised.value).startswith(said)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("t.json", b"{", "expected JSON, found an error: "),
        ("t.json", b"[]", "expected a trace, found JSON that is no object."),
        ("t.json", b'{"sequences": []}', "a record without 'model'."),
        ("t.json", b'{"a": [["x"]]}', "a: expected lists of numbers, found something else."),
        ("t.json", b'{"a": [[1]]}', "expected names of quantities, found a. Say which is which"),
        ("t.json", b'{"hidden": [1]}', "hidden: expected (steps, units) or (sequences, steps,"),
        ("t.ndjson", b'{"step": 1}\n', "found a record without 'sequence'."),
        ("t.ndjson", b'{"sequence": 0, "step": 0}\n3\n', "found an error: "),
        ("t.csv", b"", "expected a table with a header, found nothing."),
        ("t.csv", b"cell[0]\nx\n", "line 2: could not convert string to float: 'x'."),
        ("t.csv", b"\xff", "expected UTF-8 text, found the byte at offset 0."),
        ("t.csv", b"step,cell[0]\nx,1\n", "found an error: invalid literal for int()"),
        ("t.npz", b"no zip", "not a valid .npz file: "),
        ("t.npy", b"no npy", "not a valid .npy file of numbers: "),
        ("t.bin", b"", "expected --raw and --shape for a file of bare numbers, found none."),
    ],
)
def test_a_file_that_is_no_trace_is_refused_in_words(tmp_path, name, content, said):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(LSTMError) as raised:
        read_trace(path)
    assert str(raised.value).startswith(f"{path}: ")
    assert said in str(raised.value)


def test_arrays_that_do_not_belong_together_are_refused(tmp_path):
    path = tmp_path / "port.npz"
    np.savez(path, h=np.zeros((2, 3, 4)), c=np.zeros((3, 4)))
    with pytest.raises(LSTMError, match="same number of sequences in every array, found 2 in h,"):
        read_trace(path)
    np.savez(path, h=np.array([["a"]]))
    with pytest.raises(LSTMError, match="h: expected real numbers, found <U1"):
        read_trace(path)
    np.savez(path, h_out=np.zeros((3, 4)))
    with pytest.raises(LSTMError, match="--map: expected one of h_out; found 'q'"):
        read_trace(path, parse_names("hidden=q", None, None))


def test_what_the_first_layer_read_is_known_where_it_is_recorded_whole(tmp_path):
    np.savez(tmp_path / "t.npz", x=np.array(CELLS), h=np.array(HIDDEN))
    assert read_trace(tmp_path / "t.npz").recordings[0].inputs.tolist() == CELLS
    (tmp_path / "t.csv").write_text("step,x[0],h[0]\n1,5,6\n2,7,8\n")
    assert read_trace(tmp_path / "t.csv").recordings[0].inputs is None
