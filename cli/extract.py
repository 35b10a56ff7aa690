"""`lstm extract`: the states of a whole corpus, as a Parquet dataset."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any

import typer

from cli import interventions as i
from cli import options as o
from cli import speed as s
from cli import untold as u
from cli.console import CommandLineError, utf8, write_json
from cli.contradictions import idle
from cli.selection import Selection, Spans, parse_show
from weights.corpus.reading import STDIN, Source
from weights.pretrained.registry import DEFAULT

RUN = "How it runs"
_STEPS = {"all": None, "last": "-1"}


def _cluster(value: str | None) -> str | None:
    if value is not None and not re.fullmatch(r"ray|ray://[^/]+:\d+", value):
        raise typer.BadParameter(f"expected ray or ray://HOST:PORT, found {value!r}.")
    return value


def extract(
    corpus: Annotated[
        list[str],
        typer.Argument(
            metavar="CORPUS...",
            help="Texts, one sequence a line; .jsonl with --field, .parquet with --column; also "
            ".gz and .zst; - is standard input.",
            rich_help_panel=o.INPUT,
        ),
    ],
    output: Annotated[
        Path,
        typer.Option(
            "--output",
            "-o",
            metavar="DIR",
            help="A folder of its own; where it holds a part of the dataset already, go on.",
            rich_help_panel=o.OUTPUT,
        ),
    ],
    field: Annotated[
        str | None,
        typer.Option(
            "--field",
            metavar="NAME",
            help="Where JSON lines hold the text.",
            rich_help_panel=o.INPUT,
        ),
    ] = None,
    column: Annotated[
        str | None,
        typer.Option(
            "--column",
            metavar="NAME",
            help="Where Parquet files hold the text.",
            rich_help_panel=o.INPUT,
        ),
    ] = None,
    errors: o.Errors = None,
    tokenizer: o.TokenizerPath = None,
    weights: o.Weights = DEFAULT,
    layout: o.LayoutName = None,
    prefix: o.Prefix = None,
    allow_nonfinite: u.AllowNonfinite = False,
    dtype: o.Dtype = None,
    gate_order: u.GateOrder = None,
    forget_bias: u.ForgetBias = None,
    gate_activation: u.GateActivation = None,
    pre_activation_clip: u.PreActivationClip = None,
    cell_clip: u.CellClip = None,
    projection_clip: u.ProjectionClip = None,
    concatenation: u.Concatenation = None,
    coupled: u.Coupled = None,
    residual: u.Residual = None,
    show: o.Show = None,
    layers: o.Layers = None,
    units: Annotated[
        str | None,
        typer.Option("--units", metavar="0:8,12", help="Only these units.", rich_help_panel=o.SHOW),
    ] = None,
    steps: Annotated[
        str,
        typer.Option(
            "--steps",
            metavar="all|last|0:10",
            help="Only these steps; negative ones count from the end.",
            show_default=True,
            rich_help_panel=o.SHOW,
        ),
    ] = "all",
    half: Annotated[
        bool, typer.Option("--half", help="Write float16.", rich_help_panel=o.OUTPUT)
    ] = False,
    part_size: Annotated[
        int,
        typer.Option(
            "--part-size",
            metavar="N",
            min=1,
            help="Sequences in a part; fewer where they are long.",
            show_default=True,
            rich_help_panel=o.OUTPUT,
        ),
    ] = 10_000,
    yes: Annotated[
        bool, typer.Option("--yes", help="Also write more than 10 GB.", rich_help_panel=o.OUTPUT)
    ] = False,
    json: Annotated[
        bool, typer.Option("--json", help="Print the summary as JSON.", rich_help_panel=o.OUTPUT)
    ] = False,
    set_value: i.SetValue = None,
    ablate: i.Ablate = None,
    engine: s.EngineName = "auto",
    workers: Annotated[
        int | None,
        typer.Option(
            "--workers",
            metavar="N",
            min=1,
            help="Processes; no byte depends on it.  [default: one per core]",
            rich_help_panel=s.SPEED,
        ),
    ] = None,
    cluster: Annotated[
        str | None,
        typer.Option(
            "--cluster",
            metavar="ray|ray://HOST:PORT",
            callback=_cluster,
            help="Run on a Ray cluster, whose nodes all see the same files.",
            rich_help_panel=s.SPEED,
        ),
    ] = None,
    verbose: s.Verbose = False,
    debug: o.Debug = False,
) -> None:
    """Write the states of a whole corpus as a Parquet dataset.

    One row per sequence, step, layer and direction, in one file per part of the corpus. The same
    command goes on where an interrupted one stopped.

    \b
    Examples:
      lstm extract sentences.txt -o states
      lstm extract reviews.jsonl.gz --field text --show all --layers 0 -o states
      duckdb -c "select token, avg(cell[82]) from 'states/*.parquet' group by 1 order by 2"
    """
    sources = _sources(corpus, field, column, errors)
    if cluster is not None and any(source.is_stream for source in sources):
        raise CommandLineError("--cluster: expected files, found a stream. Leave one out.")
    selection = Selection(
        parse_show(show or "hidden,cell"),
        Spans.parse("--layers", layers),
        Spans.parse("--units", units),
        Spans.parse("--steps", _STEPS.get(steps, steps)),
    )
    from cli.extraction import Request, run
    from cli.output import tell_assumptions
    from weights import load

    for source in sources:
        source.check()
    options: dict[str, Any] = {
        "layout": layout, "prefix": prefix, "tokenizer": tokenizer, "dtype": dtype,
        "gate_order": gate_order, "forget_bias": forget_bias, "gate_activation": gate_activation,
        "pre_activation_clip": pre_activation_clip, "cell_clip": cell_clip, "residual": residual,
        "projection_clip": projection_clip, "concatenation": concatenation, "coupled": coupled,
        **({"allow_nonfinite": True} if allow_nonfinite else {}),
    }  # fmt: skip
    model = i.changed_throughout(load(weights, **options), set_value, ablate)
    tell_assumptions(model)
    request = Request(
        weights, options, sources, selection, steps, half, part_size, output, engine, workers,
        cluster, verbose, yes,
    )  # fmt: skip
    summary = run(request, model)
    if json:
        write_json(summary)


def _sources(
    corpus: list[str], field: str | None, column: str | None, errors: str | None
) -> list[Source]:
    """Name the files, each with where its texts are, and refuse what says nothing of any."""
    sources = [
        Source(utf8(name, "CORPUS"), Path(name), field, column, errors or "strict")
        for name in corpus
    ]
    lines = [source for source in sources if source.is_json_lines]
    tables = [source for source in sources if source.is_parquet]
    if corpus.count(STDIN) > 1:
        raise CommandLineError("CORPUS: standard input can be read once, found - twice.")
    if field is None and lines:
        raise CommandLineError(f"{lines[0].name}: JSON lines need --field, the name of the text.")
    if column is None and tables:
        raise CommandLineError(f"{tables[0].name}: Parquet needs --column, the name of the text.")
    if field is not None and not lines and STDIN not in corpus:
        raise CommandLineError("--field: no CORPUS holds JSON lines (.jsonl). Leave it out.")
    if column is not None and not tables:
        raise CommandLineError("--column: no CORPUS is a .parquet file. Leave it out.")
    if len(tables) == len(sources):
        idle("Parquet", "its texts are UTF-8", errors=errors)
    return sources
