"""Run AllenNLP's own LSTMs and write their weights and what they computed.

Run from a checkout, with torch and safetensors, on the unpacked wheel of AllenNLP, which need not
be installed: pip download --no-deps allennlp==2.10.1, unzip, and then

    python tests/golden/make_allennlp.py FOLDER

Nothing of this project is imported. AllenNLP's modules run as they are; what they import for
training only (initialisers, file caches) is left out, as the weights are drawn here. Beside each
`allennlp_NAME.safetensors` stands an `allennlp_NAME.npz`, in float64:

    x       (N, T, D)
    h0, c0  (layers, N, H), never zero; where AllenNLP's code starts both directions of a layer
            from one state, both have it; ELMo's are side by side: (layers, N, 2P), (layers, N, 2H)
    hs      (N, T, directions * H), what the top layer hands on; of ELMo what every layer does,
            (layers, N, T, 2P)
    h_n, c_n  (layers * directions, N, H), the final states; ELMo's shaped as h0 and c0
"""

from __future__ import annotations

import importlib
import sys
import types
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

HERE = Path(__file__).parent
VERSION = "2.10.1"
N, T, D, H, P = 2, 5, 4, 3, 2


@torch.no_grad()
def main(folder: Path) -> None:
    """Write all files."""
    stand_in(folder)
    alternating = importlib.import_module("allennlp.modules.stacked_alternating_lstm")
    both = importlib.import_module("allennlp.modules.stacked_bidirectional_lstm")
    elmo = importlib.import_module("allennlp.modules.elmo_lstm")
    stack("highway", 1, alternating.StackedAlternatingLstm(D, H, 3))
    stack("highway_one_bias", 2, alternating.StackedAlternatingLstm(
        D, H, 1, use_input_projection_bias=False))  # fmt: skip
    stack("alternating", 3, alternating.StackedAlternatingLstm(D, H, 3, use_highway=False))
    stack("bidirectional", 4, both.StackedBidirectionalLstm(D, H, 2))
    clips = {"memory_cell_clip_value": 0.5, "state_projection_clip_value": 0.4}
    language_model("elmo", 5, elmo.ElmoLstm(D, P, H, 3, **clips))


def stand_in(folder: Path) -> None:
    """Let AllenNLP's modules be imported one by one, without what only training needs."""
    for name in ("allennlp", "allennlp.modules", "allennlp.nn", "allennlp.common"):
        package = types.ModuleType(name)
        package.__path__ = [str(folder.joinpath(*name.split(".")))]
        sys.modules[name] = package
    put("allennlp.nn.initializers", block_orthogonal=lambda *_, **__: None)
    put("allennlp.common.checks", ConfigurationError=ValueError)
    put("allennlp.common.file_utils", cached_path=None)
    put("h5py")
    put("allennlp.common.util", int_to_device=None, is_distributed=None, is_global_primary=None)


def put(name: str, **values: object) -> None:
    """Make a module of these values."""
    module = types.ModuleType(name)
    vars(module).update(values)
    sys.modules[name] = module


def stack(name: str, seed: int, module: nn.Module) -> None:
    """Run a stack on whole sequences, from a state of its own."""
    draw(seed, module)
    shape = (module.num_layers, N, H)
    x, h0, c0 = inputs(N, T, D), inputs(*shape).tanh(), inputs(*shape)
    packed = pack_padded_sequence(x, torch.full((N,), T), batch_first=True)
    hidden, (h_n, c_n) = module(packed, (h0, c0))
    hs, _ = pad_packed_sequence(hidden, batch_first=True)
    write(name, module, {"x": x, "h0": h0, "c0": c0, "hs": hs, "h_n": h_n, "c_n": c_n})


def language_model(name: str, seed: int, module: nn.Module) -> None:
    """Run ELMo's two stacks, which give the output of every layer."""
    draw(seed, module)
    x, h0, c0 = inputs(N, T, D), inputs(3, N, 2 * P).tanh(), inputs(3, N, 2 * H)
    packed = pack_padded_sequence(x, torch.full((N,), T), batch_first=True)
    hs, (h_n, c_n) = module._lstm_forward(packed, (h0, c0))
    write(name, module, {"x": x, "h0": h0, "c0": c0, "hs": hs, "h_n": h_n, "c_n": c_n})


def draw(seed: int, module: nn.Module) -> None:
    """Give every weight and bias another number, exact in float32."""
    torch.manual_seed(seed)
    module.double().eval()
    for parameter in module.parameters():
        parameter.copy_(inputs(*parameter.shape))


def inputs(*shape: int) -> Tensor:
    """Random numbers that float32 holds exactly, as float64."""
    return torch.randn(*shape, dtype=torch.float32).double()


def write(name: str, module: nn.Module, arrays: dict[str, Tensor]) -> None:
    """Write the state_dict as it is, in float32, and what came of it."""
    state = {key: tensor.float().contiguous() for key, tensor in module.state_dict().items()}
    told = {"allennlp": VERSION, "torch": torch.__version__.split("+")[0]}
    (HERE / f"allennlp_{name}.safetensors").write_bytes(save(state, metadata=told))
    written = {key: tensor.numpy() for key, tensor in arrays.items()}
    np.savez_compressed(HERE / f"allennlp_{name}.npz", **written)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
