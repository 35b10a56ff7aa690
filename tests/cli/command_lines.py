"""Random command lines: every command, every option, with values that fit and that do not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from hypothesis import strategies as st

from cli.command import COMMANDS, CommandGroup
from lstm.quantities import NAMES

Words = list[str]


class Files(NamedTuple):
    """What lies in the folder, by name."""

    models: tuple[str, ...]
    texts: tuple[str, ...]
    vectors: tuple[str, ...]
    states: tuple[str, ...]
    traces: tuple[str, ...]
    vocabularies: tuple[str, ...]
    datasets: tuple[str, ...]
    strange: tuple[str, ...]


FILES = Files(
    models=(
        "english",
        "brackets",
        "latch",
        "parity",
        "tiny.safetensors",
        "deep.safetensors",
        "uneven.safetensors",
        "wide.safetensors",
        "bare.safetensors",
        "infinite.safetensors",
        "doomed.safetensors",
        "twins.safetensors",
        "foreign.safetensors",
    ),
    texts=(
        "lines.txt",
        "empty.txt",
        "blank.txt",
        "crlf.txt",
        "nul.txt",
        "latin.txt",
        "odd.txt",
        "-",
    ),
    vectors=(
        "two.npy",
        "batch.npy",
        "narrow.npy",
        "nothing.npy",
        "nobody.npy",
        "nan.npy",
        "fortran.npy",
        "objects.npy",
        "flat.npy",
        "deep.npy",
        "words.npy",
        "several.npz",
        "several.npz::a",
        "several.npz::c",
        "two.safetensors",
        "huge.npy",
        "complex.npy",
    ),
    states=("state.safetensors", "states.safetensors", "tiny.safetensors"),
    traces=(
        "trace.json",
        "trace.npz",
        "trace.csv",
        "trace.ndjson",
        "trace.safetensors",
        "bare.bin",
    ),
    vocabularies=("vocab.txt", "vocab.json", "vocab-short.txt"),
    datasets=("states", "unfinished", "folder"),
    strange=("absent", "folder", "lines.txt", "empty.txt", "/dev/null", "", "é\n"),
)

TEXTS = (
    "the boys near the car",
    "John likes black coffee",
    "((a)",
    "set hold reset",
    "1 0 1",
    "the cat sat",
    "up down nil",
    "up",
    "",
    " ",
    "\t\n",
    "zzz",
    "qqq xyzzy",
    "é",
    "e\u0301",
    "שלום עולם",
    "日本語 テキスト",
    "👩‍👩‍👧 👍🏽",
    "\u202ereversed",
    "\x1b[31mred",
    "a\udcffb",
    "[/] [unk]",
    "=1+1",
    "-",
    "x" * 300,
    "the " * 60,
    "\u0e19\u0e49\u0e33",
    "\ufeffthe",
    "ﷺ ﬁ …",
)
ADDRESSES = (
    "l0.c[0]",
    "l0.c[83]",
    "l0.f[0]@0",
    "l0.c[2]@1",
    "l0.h[3:7]@2:",
    "l1.reverse.h[1]",
    "l0.i",
    "l0.g@1",
    "l0[0]",
    "l9.c[0]",
    "l0.c[9999]",
    "l0.c[0]@999",
    "l0.x[0]",
    "l0.reverse.c[0]",
    "l0.c[0:0]",
    "l0",
    "c[0]",
    "",
    "l0.c[-1]",
    "l0.c[0]@-1",
    "l0.c[1:99999999999999999999]",
    "l0.z[1]",
    "l0.tanh_c[0]@0",
    "l0.y[0]",
    "l0.zf[0]",
)
NUMBERS = (
    "0",
    "1",
    "-1",
    "0.5",
    "1e30",
    "1e400",
    "nan",
    "inf",
    "-inf",
    "x",
    "",
    "9" * 40,
    "1e-320",
    "٣",
)
SPANS = (
    "0",
    "-1",
    "0:2",
    ":",
    "1:",
    ":-1",
    "0,2",
    "5:1",
    "99",
    "0:99999999999999999999",
    "a",
    "",
    ",",
    "-99",
    "0,0,0",
    "9" * 40,
)
COUNTS = ("1", "2", "3", "10", "0", "-1", "x", "", "9" * 40, "1000000", "1.5", "99999999999")
WORDS = ("are", "john", "the", ")", "is", "N", "0", "zzz", "", "the@0", "日本", "logit(are)", "a b")
METRICS = (
    "logit(are) - logit(is)",
    "p(are)",
    "log p(are)@1",
    "l0.c[0]",
    "l0.c[0]@0 * 2",
    "logit(N)",
    "1",
    "p(zzz)",
    "((l0.c[0]))",
    "logit(",
    "",
    "l0.c[0]@99",
    "1e400",
    "-" * 40,
    "logit(john)",
    "p(0)",
    "l0.c",
    "(" * 3000,
    "l0.c[0]@0*" + "9" * 400,
    "logit(are) @ 1",
    "1/0",
    "p())",
    "logit(a\udcff)",
)
PATTERNS = (
    "l0.c[0] > 0",
    "token = 'john'",
    "step = 0 and not l0.h[1] < 0.1",
    "l0.c[99] > 0",
    "1 / 0 > 0",
    "x",
    "",
    "token = 'a\udcff'",
    "abs(l0.c[0]) > 1e400",
    "(((",
    "l0.c[0] != l0.h[0]",
    "sequence >= 0",
    "step < 9e99",
    "token = '" + "x" * 5000 + "'",
    "l0.c[0] > nan",
    "step = " + "9" * 40,
    "token = '\x00'",
)
RANKS = (
    "l0.c[0]",
    "abs(l0.c[1])",
    "step",
    "token",
    "l0.c[99]",
    "1/0",
    "",
    "l0.c[0] > 0",
    "-l0.h[0]",
    "9" * 40,
)
TENSORS = ("embedding.weight", "fc.weight", "lstm.weight_ih_l0", "absent", "")


def sampled(*values: str) -> st.SearchStrategy[str]:
    return st.sampled_from(values)


def listed(values: tuple[str, ...]) -> st.SearchStrategy[str]:
    """A choice among the registry's names, mostly."""
    return st.sampled_from((*values, values[0], "nonsense", "", f"{values[0]},{values[-1]}"))


def joined(values: tuple[str, ...]) -> st.SearchStrategy[str]:
    return st.lists(st.sampled_from(values), min_size=1, max_size=3).map(",".join)


def tolerance() -> st.SearchStrategy[str]:
    names = st.sampled_from(("", "cell=", "c=", "nonsense=", "="))
    return st.tuples(names, st.sampled_from(NUMBERS)).map("".join)


ARCHITECTURE = {
    "--gate-order": sampled("ifgo", "iofg", "ifg", "iiii", "", "ifgox"),
    "--forget-bias": st.sampled_from(NUMBERS),
    "--gate-activation": sampled("sigmoid", "hard-sigmoid", "keras3-hard-sigmoid", "tanh", ""),
    "--pre-activation-clip": st.sampled_from(NUMBERS),
    "--cell-clip": st.sampled_from(NUMBERS),
    "--projection-clip": st.sampled_from(NUMBERS),
    "--concatenation": sampled("hx", "xh", "hh"),
    "--coupled": None,
    "--residual": None,
    "--embedding": st.sampled_from(TENSORS),
    "--head": st.sampled_from(TENSORS),
}
VALUES: dict[str, Any] = {
    **ARCHITECTURE,
    "--file": st.sampled_from((*FILES.texts, *FILES.strange)),
    "--ids": sampled(
        "0", "1,0,1", "0 1 2", "3,x", "-1", "99999", "", ",", "9" * 40, "1.5", "٣", "1" + ",0" * 50
    ),
    "--vectors": st.sampled_from((*FILES.vectors, *FILES.strange, "::a")),
    "--tokenizer": st.sampled_from((*FILES.vocabularies, *FILES.strange, "two.npy")),
    "--errors": sampled("strict", "replace", "ignore"),
    "--weights": st.sampled_from((*FILES.models, *FILES.strange, "trace.json", "two.npy")),
    "--layout": sampled("native", "pytorch", "keras", "textbook", "chainer", "onnx", "nonsense"),
    "--prefix": sampled("encoder.rnn.", "decoder.rnn.", "encoder", "lstm.", "", "zzz"),
    "--dtype": sampled("float32", "float64", "float16"),
    "--show": joined((*NAMES, "all", "nonsense", "")),
    "--layers": st.sampled_from(SPANS),
    "--units": st.sampled_from(SPANS),
    "--steps": st.sampled_from(SPANS),
    "--color-by": st.sampled_from(ADDRESSES),
    "--digits": sampled("0", "2", "17", "18", "-1", "x"),
    "--top-k": st.sampled_from(COUNTS),
    "--format": sampled(
        "table", "json", "ndjson", "csv", "npz", "safetensors", "svg", "html", "c", "x", ""
    ),
    "--output": sampled(
        "out/x.json",
        "out/x.npz",
        "out/x.csv",
        "out/x.svg",
        "out/x.html",
        "out/x.txt",
        "out/x.safetensors",
        "out/x.h",
        "out/x.ndjson",
        "out/x",
        "absent/x.json",
        "out",
        "",
        "/dev/null",
        "out/old.json",
    ),
    "--color": sampled("auto", "always", "never", "x"),
    "--initial-state": st.sampled_from((*FILES.states, *FILES.strange)),
    "--final-state": sampled(
        "out/final.safetensors", "absent/final.safetensors", "out/x.json", "out", ""
    ),
    "--warm-up": st.sampled_from(TEXTS),
    "--set": st.tuples(
        st.sampled_from(ADDRESSES), sampled(":=", "=", ""), st.sampled_from(NUMBERS)
    ).map("".join),
    "--ablate": st.sampled_from(ADDRESSES),
    "--patch": st.sampled_from(ADDRESSES),
    "--from": st.sampled_from((*TEXTS, *FILES.traces, *FILES.strange)),
    "--engine": sampled("auto", "numpy", "numba", "torch"),
    "--threads": sampled("1", "2", "0", "x", "1000000"),
    "--at": st.sampled_from((*ADDRESSES, *WORDS, "logit(are)@0", "logit(zzz)@99")),
    "--top": st.sampled_from(COUNTS),
    "--bottom": st.sampled_from(RANKS),
    "--limit": st.sampled_from(COUNTS),
    "--context": st.sampled_from(COUNTS),
    "--of": sampled(
        "cell",
        "hidden",
        "logit(are)",
        "logit(john)",
        "logit(zzz)",
        "logit(",
        "x",
        "logit(are)@1",
        "",
    ),
    "--unit": st.sampled_from(ADDRESSES),
    "--direction": sampled("forward", "reverse", "x"),
    "--over": st.sampled_from(ADDRESSES),
    "--to": sampled(
        "zero", "mean", "0.5", "nan", "inf", "1e400", "x", "native", "pytorch", "keras", "flax"
    ),
    "--metric": st.sampled_from(METRICS),
    "--align": sampled("start", "end", "middle"),
    "--temperature": st.sampled_from(NUMBERS),
    "--seed": st.sampled_from(COUNTS),
    "--map": sampled(
        "hidden=hidden",
        "cell=a",
        "hidden=a,cell=b",
        "x=y",
        "hidden",
        "",
        "l9.hidden=a",
        "l0.both.hidden=a",
    ),
    "--raw": sampled("hidden", "cell", "x", "layer_input"),
    "--shape": sampled("2,3", "5,1", "1,2,3", "0,0", "-1,3", "x", "", "9" * 40 + ",1"),
    "--atol": tolerance(),
    "--rtol": tolerance(),
    "--ulp": tolerance(),
    "--order": sampled("ifgo", "ogfi", "ifg", "", "iiii"),
    "--matrices": sampled("outputs-first", "inputs-first", "x"),
    "--biases": sampled("one", "two", "three"),
    "--what": sampled("heatmap", "units", "ledger", "survival", "saturation", "contrast", "x"),
    "--theme": sampled("light", "dark", "x"),
    "--field": sampled("text", "body", ""),
    "--column": sampled("text", "body", ""),
    "--part-size": st.sampled_from(COUNTS),
    "--workers": sampled("1", "0", "x"),
    "--cluster": sampled("ray", "ray://nowhere", "x", ""),
}
OWN: dict[tuple[str, str], Any] = {
    ("find", "--top"): st.sampled_from(RANKS),
    ("plot", "--output"): sampled(
        "out/x.svg", "out/x.html", "out/x.png", "out/x.pdf", "out/x", "absent/x.svg"
    ),
    ("extract", "--output"): sampled("out/states", "out", "lines.txt", "states", "absent/x/y", ""),
    ("extract", "--steps"): st.sampled_from((*SPANS, "all", "last")),
    ("generate", "--steps"): sampled("1", "3", "12", "0", "x"),
    ("sweep", "--format"): sampled("table", "json", "csv", "x"),
    ("find", "--format"): sampled("table", "json", "ndjson", "x"),
    ("golden", "--format"): sampled("c", "json", "npz", "x"),
}
NEEDED = {"plot": ("--output",), "extract": ("--output",), "sweep": ("--metric",)}
# What would wait for others, or for a cluster, or shows tracebacks because it is told to.
LEFT_OUT = {"--debug", "--help", "--cluster"}

_one, _many = st.sampled_from(TEXTS), st.lists(st.sampled_from(TEXTS), max_size=3)
_side = st.sampled_from((*FILES.models, *FILES.traces, *FILES.strange))
ARGUMENTS: dict[str, st.SearchStrategy[Words]] = {
    "run": _many,
    "sweep": _many,
    "explain": _many,
    "memory": _many,
    "plot": _many,
    "tokens": _many,
    "golden": st.lists(_one, max_size=1),
    "generate": st.lists(_one, max_size=1),
    "step": st.lists(_one, max_size=1),
    "contrast": st.lists(_one, min_size=2, max_size=2),
    "tour": st.lists(st.sampled_from(COUNTS), max_size=1),
    "inspect": st.lists(_side, min_size=1, max_size=1),
    "convert": st.tuples(
        _side, sampled("out/x.safetensors", "out/x.npz", "absent/x.safetensors")
    ).map(list),
    "compare": st.tuples(_side, _side, _many).map(lambda given: [given[0], given[1], *given[2]]),
    "extract": st.lists(
        st.sampled_from((*FILES.texts, *FILES.strange, "lines.jsonl", "bad.jsonl", "t.parquet")),
        min_size=1,
        max_size=2,
    ),
    "find": st.tuples(
        st.lists(st.sampled_from(PATTERNS), max_size=1),
        st.sampled_from((*FILES.datasets, *FILES.strange)),
    ).map(lambda given: [*given[0], given[1]]),
    "models": st.just([]),
    "schema": st.lists(sampled("trace", "find", "x", ""), max_size=1),
}


class Option(NamedTuple):
    """An option of a command, as it is typed; None where it takes no value."""

    name: str
    values: Any


def options(command: str) -> Iterator[Option]:
    """Yield every option that a command declares."""
    made = CommandGroup(name="lstm").get_command(None, command)
    for parameter in made.params:
        for name in (*parameter.opts, *parameter.secondary_opts):
            if name.startswith("--") and name not in LEFT_OUT:
                flag = getattr(parameter, "is_flag", False)
                values = OWN.get((command, name), VALUES.get(name))
                yield Option(name, None if flag else values)


@st.composite
def command_lines(draw: Any) -> Words:
    """A command, what it reads, and some of its options in any order."""
    command = draw(st.sampled_from([entry.name for entry in COMMANDS]))
    known = {option.name: option for option in options(command)}
    few = (
        st.lists(st.sampled_from(sorted(known)), max_size=5, unique=command != "x")
        if known
        else st.just([])
    )
    chosen = draw(few)
    if "--weights" in known and "--weights" not in chosen and draw(st.booleans()):
        chosen.append("--weights")
    chosen += [
        name for name in NEEDED.get(command, ()) if name not in chosen and draw(st.integers(0, 9))
    ]
    words = []
    for name in chosen:
        option = known[name]
        words += [name] if option.values is None else [f"{name}={draw(option.values)}"]
    given = draw(ARGUMENTS[command])
    if any(word.startswith(("--ids", "--vectors", "--file")) for word in words) and draw(
        st.booleans()
    ):
        given = given[: 2 if command == "compare" else 0]
    return [command, *words, "--", *given]
