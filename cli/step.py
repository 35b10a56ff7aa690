"""`lstm step`: through a sentence with the keyboard."""

import sys
from typing import Annotated

import typer

from cli import interventions as i
from cli import options as o
from cli import untold as u
from cli.console import CommandLineError, utf8
from weights.pretrained.registry import DEFAULT

Text = Annotated[str, typer.Argument(metavar="TEXT", help="What to read.", rich_help_panel=o.INPUT)]


def step(
    text: Text,
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
    warm_up: o.WarmUp = None,
    set_value: i.SetValue = None,
    ablate: i.Ablate = None,
    patch: i.Patch = None,
    patch_from: i.PatchFrom = None,
    debug: o.Debug = False,
) -> None:
    """Step through a text on the terminal: words, units and layers by the keyboard.

    \b
    Examples:
      lstm step "the boys near the car like it"
      lstm step "((a)" --weights brackets

    Left and right: words. Up and down: units. l: layer and direction. /: find a unit by number,
    address or meaning. Page up and down: the rest of a small terminal. q: leave. Needs the extra
    tui: pip install 'lstm-cli[tui]'.
    """
    # Textual draws on standard error.
    if not all(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr)):
        raise CommandLineError("step: expected a terminal, found none. lstm run prints every step.")
    from cli.output import tell_assumptions
    from cli.runner import Runner
    from cli.sources import Source
    from lstm.errors import LSTMError, MissingExtraError
    from weights import load

    try:
        from cli.stepper import Stepper
    except ModuleNotFoundError:
        raise MissingExtraError("textual", "tui", "lstm step") from None
    model = load(
        weights, layout=layout, prefix=prefix, tokenizer=tokenizer, dtype=dtype,
        allow_nonfinite=allow_nonfinite,
        gate_order=gate_order, forget_bias=forget_bias, gate_activation=gate_activation,
        pre_activation_clip=pre_activation_clip, cell_clip=cell_clip, residual=residual,
        projection_clip=projection_clip, concatenation=concatenation, coupled=coupled,
    )  # fmt: skip
    model = i.changed(model, set_value, ablate, patch, patch_from)
    (trace,) = Runner(model, warm_up=warm_up).run([Source({"text": utf8(text, "TEXT")})])
    if not trace.num_steps:
        raise LSTMError("step: expected a text of at least one word, found none.")
    tell_assumptions(model)
    Stepper(model, trace).run()
