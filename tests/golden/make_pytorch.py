"""Run PyTorch's own LSTMs and write their weights and what they computed.

Run from a checkout, with torch and safetensors: python tests/golden/make_pytorch.py

Nothing of this project is imported: the files are what its own code is tested against. Beside
each `pytorch_NAME.safetensors`, with the names of torch's own state_dict, stands a
`pytorch_NAME.npz` with what a float64 run of exactly the stored weights gave:

    x       (T, N, D)  the input, time first, exact in float32; `ids` (T, N) for an embedding
    h0, c0  (layers * directions, N, H), for a cell (N, H): never zero
    hs      (T, N, directions * H)  the top layer's hidden states
            (with a projection h0 and hs are P wide instead of H)
    cs      (T, N, H)               the cell states, where torch gives them at every step
    h_n, c_n                        the final states, shaped as h0 and c0
    i, f, g, o, z_i, z_f, z_g, z_o  (T, N, H)  gates after and before activation, of a cell
    layer_h, layer_c  (T, layers, N, H)        every layer's states at every step
    logits  (T, N, outcomes)        what a linear head made of hs

`pytorch_reject_NAME.safetensors` are relatives of an LSTM, which have to be refused.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save
from torch import Tensor, nn

HERE = Path(__file__).parent
N, H, D, T = 2, 3, 4, 5  # sequences, hidden size, input size, steps: all differ
OUTCOMES, VOCABULARY = 7, 8
TORCH = torch.__version__.split("+")[0]

Arrays = dict[str, Tensor]


class Tagger(nn.Module):
    """A network in which the LSTM is one part among others, some levels down."""

    def __init__(self) -> None:
        super().__init__()
        self.model = nn.Module()
        self.model.embedding = nn.Embedding(VOCABULARY, D)
        self.model.encoder = nn.Module()
        self.model.encoder.rnn = nn.LSTM(D, H)
        self.model.head = nn.Linear(H, OUTCOMES)


@torch.no_grad()
def main() -> None:
    """Write all files."""
    layers("lstm", 11, nn.LSTM(D, H))
    layers("three_layers", 12, nn.LSTM(D, H, num_layers=3), each_layer=True)
    layers("bidirectional", 13, nn.LSTM(D, H, bidirectional=True))
    layers("two_layers_bidirectional", 14, nn.LSTM(D, H, num_layers=2, bidirectional=True))
    layers("no_bias", 15, nn.LSTM(D, H, bias=False))
    layers("float16", 16, nn.LSTM(D, H), torch.float16)
    layers("bfloat16", 17, nn.LSTM(D, H), torch.bfloat16)
    layers("float64", 18, nn.LSTM(D, H, dtype=torch.float64), torch.float64)
    cell("cell", 19, nn.LSTMCell(D, H))
    cell("cell_no_bias", 20, nn.LSTMCell(D, H, bias=False))
    tagger("tagger", 21)
    encoder_and_decoder("encoder_decoder", 22)
    layers("projection", 23, nn.LSTM(D, H, num_layers=2, proj_size=2, bidirectional=True))
    layers("weight_norm", 24, new_weight_norm(nn.LSTM(D, H, num_layers=2)))
    layers("weight_norm_old", 25, old_weight_norm(nn.LSTM(D, H, bidirectional=True)))
    layers("weight_norm_all", 26, new_weight_norm(nn.LSTM(D, H), "weight_ih_l0", "weight_hh_l0"))
    for name, other in (
        ("gru", nn.GRU(D, H)),
        ("gru_cell", nn.GRUCell(D, H)),
        ("rnn", nn.RNN(D, H)),
        ("linear", nn.Linear(D, H)),
        ("attention", nn.MultiheadAttention(D, 2)),
    ):
        write_weights(f"reject_{name}", initialised(other, 30))


def new_weight_norm(module: nn.LSTM, *names: str) -> nn.LSTM:
    """Give each row of these matrices (all recurrent ones) its length as a number of its own."""
    for name in names or [name for name, _ in module.named_parameters() if "weight_hh" in name]:
        nn.utils.parametrizations.weight_norm(module, name)
    return module


def old_weight_norm(module: nn.LSTM) -> nn.LSTM:
    """The same as torch had it before version 2."""
    for name in [name for name, _ in module.named_parameters() if "weight_hh" in name]:
        nn.utils.weight_norm(module, name)
    return module


def layers(
    name: str,
    seed: int,
    module: nn.LSTM,
    dtype: torch.dtype = torch.float32,
    each_layer: bool = False,
) -> None:
    """Write an nn.LSTM and its run."""
    write_weights(name, initialised(module, seed, dtype))
    arrays = run(module)
    write_run(name, {**arrays, **(every_layer(module, arrays) if each_layer else {})})


def cell(name: str, seed: int, module: nn.LSTMCell) -> None:
    """Write an nn.LSTMCell and its run, step by step, with the gates."""
    write_weights(name, initialised(module, seed))
    module.double()
    x, (h0, c0) = inputs(T, N, D), states(N, H)
    h, c = h0, c0
    steps: list[Arrays] = []
    for x_t in x:
        gates = gates_by_hand(module, x_t, h)
        h, new_c = module(x_t, (h, c))
        torch.testing.assert_close(gates["f"] * c + gates["i"] * gates["g"], new_c)
        torch.testing.assert_close(gates["o"] * torch.tanh(new_c), h)
        c = new_c
        steps.append({**gates, "hs": h, "cs": c})
    stacked = {key: torch.stack([step[key] for step in steps]) for key in steps[0]}
    write_run(name, {"x": x, "h0": h0, "c0": c0, **stacked, "h_n": h, "c_n": c})


def tagger(name: str, seed: int) -> None:
    """Write a network with embedding and head around the LSTM, and its run."""
    module = Tagger()
    write_weights(name, initialised(module, seed))
    module.double()
    ids = torch.randint(VOCABULARY, (T, N))
    arrays = run(module.model.encoder.rnn, module.model.embedding(ids))
    del arrays["x"]
    write_run(name, {"ids": ids, **arrays, "logits": module.model.head(arrays["hs"])})


def encoder_and_decoder(name: str, seed: int) -> None:
    """Write two LSTMs of different sizes in one file, and a run of each."""
    both = nn.ModuleDict({"encoder": nn.LSTM(D, H), "decoder": nn.LSTM(H, D + 2)})
    write_weights(name, initialised(both, seed))
    runs = {part: run(module) for part, module in both.items()}
    write_run(name, {f"{part}.{k}": v for part, arrays in runs.items() for k, v in arrays.items()})


def initialised(module: nn.Module, seed: int, dtype: torch.dtype = torch.float32) -> nn.Module:
    """Give every parameter, biases too, random numbers in the dtype that will be stored."""
    torch.manual_seed(seed)
    for parameter in module.parameters():
        parameter.copy_(torch.randn_like(parameter) * 0.6)
    return module.to(dtype)


def run(module: nn.LSTM, x: Tensor | None = None) -> Arrays:
    """Run an nn.LSTM in float64 from a random state."""
    module.double()
    x = inputs(T, N, module.input_size) if x is None else x
    count = module.num_layers * (2 if module.bidirectional else 1)
    h0, c0 = states(count, N, module.hidden_size)
    if module.proj_size:
        h0 = h0[..., : module.proj_size].contiguous()
    hs, (h_n, c_n) = module(x, (h0, c0))
    return {"x": x, "h0": h0, "c0": c0, "hs": hs, "h_n": h_n, "c_n": c_n}


def every_layer(module: nn.LSTM, arrays: Arrays) -> Arrays:
    """Take one step at a time, so that torch shows every layer's states at every step."""
    state = arrays["h0"], arrays["c0"]
    steps = []
    for x_t in arrays["x"]:
        _, state = module(x_t[None], state)
        steps.append(state)
    torch.testing.assert_close(steps[-1][1], arrays["c_n"])
    layer_h, layer_c = (torch.stack(part) for part in zip(*steps, strict=True))
    return {"layer_h": layer_h, "layer_c": layer_c}


def gates_by_hand(module: nn.LSTMCell, x: Tensor, h: Tensor) -> Arrays:
    """Compute the gates of one step as torch documents them, blocks i, f, g, o."""
    z = x @ module.weight_ih.T + h @ module.weight_hh.T
    if module.bias:
        z = z + module.bias_ih + module.bias_hh
    z_i, z_f, z_g, z_o = z.chunk(4, dim=-1)
    gates = {"i": z_i.sigmoid(), "f": z_f.sigmoid(), "g": z_g.tanh(), "o": z_o.sigmoid()}
    return {**gates, "z_i": z_i, "z_f": z_f, "z_g": z_g, "z_o": z_o}


def inputs(*shape: int) -> Tensor:
    """Random numbers that float32 holds exactly, as float64."""
    return torch.randn(*shape, dtype=torch.float32).double()


def states(*shape: int) -> tuple[Tensor, Tensor]:
    """An initial hidden state, within -1 and 1 as all are, and an initial cell state."""
    return inputs(*shape).tanh().float().double(), inputs(*shape)


def write_weights(name: str, module: nn.Module) -> None:
    """Write the state_dict as it is."""
    state = {key: tensor.contiguous() for key, tensor in module.state_dict().items()}
    (HERE / f"pytorch_{name}.safetensors").write_bytes(save(state, metadata={"torch": TORCH}))


def write_run(name: str, arrays: Arrays) -> None:
    """Write what was given and what came out."""
    written = {key: tensor.numpy() for key, tensor in arrays.items()}
    np.savez_compressed(HERE / f"pytorch_{name}.npz", **written)


if __name__ == "__main__":
    main()
