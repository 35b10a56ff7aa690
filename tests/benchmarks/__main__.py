"""Print how fast and how exact we are beside torch and ONNX Runtime, and write it as JSON.

    python -m tests.benchmarks long|corpus [--threads N] [--corpus FILE] [-o FILE]

Needs numba, torch, onnx and onnxruntime. Everything runs in one process, in turn; medians and
ratios are printed. Start-up has a script of its own, startup.py.
"""

from __future__ import annotations

import argparse
import json
import platform
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from lstm.model import Model
from tests.benchmarks import corpus, long, peers
from weights import load


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks")
    parser.add_argument("what", choices=["long", "corpus"])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--steps", type=int, default=long.STEPS)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--corpus", type=Path, help="one sentence a line; otherwise generated")
    parser.add_argument("-o", "--output", type=Path)
    options = parser.parse_args()
    print(f"{platform.processor() or platform.machine()}, {peers.versions()}")
    if options.what == "long":
        records = _shown_long(long.measure(options.threads, options.steps, options.rounds))
    else:
        model = load("english")
        sentences = _sentences(model, options.corpus)
        records = _shown_corpus(corpus.measure(sentences, model, options.threads, options.rounds))
    done = list(records)
    if options.output:
        options.output.write_text(json.dumps(done, indent=1) + "\n", encoding="utf-8")


def _sentences(model: Model, path: Path | None, count: int = 50_000) -> list[np.ndarray]:
    assert model.tokenizer is not None
    if path is None:
        random = np.random.default_rng(0)
        lengths = np.clip(random.gamma(4, 5, count).astype(int), 1, 80)
        rows = len(model.tokenizer.vocabulary)
        return [np.minimum(random.zipf(1.3, each) - 1, rows - 1) for each in lengths]
    lines = path.read_text("utf-8").splitlines()[:count]
    encoded = (model.tokenizer.encode(line) for line in lines)
    return [np.array([token.id for token in tokens]) for tokens in encoded if tokens]


def _shown_long(records: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for record in records:
        times = record["microseconds"]
        rivals = [times[name] for name in ("ONNX Runtime", "torch")]
        print(f"H = {record['size']}, {record['threads']} thread(s), microseconds a step")
        for name, each in times.items():
            largest, mean = record["largest error"][name], record["mean error"][name]
            print(f"  {name:<14} {each:9.2f}   error {largest:.1e} largest, {mean:.1e} mean")
        print(f"  best peer / lstm, numba: {min(rivals) / times['lstm, numba']:.2f}", flush=True)
        yield record


def _shown_corpus(records: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for record in records:
        speeds = record["tokens per second"]
        best = max((each, name) for name, each in speeds.items() if name != "lstm")
        print(
            f"H = {record['size']}, {record['sentences']} sentences, {record['threads']} "
            f"thread(s): lstm {speeds['lstm']:,.0f} tokens/s, best peer {best[0]:,.0f} "
            f"({best[1]}), ratio {speeds['lstm'] / best[0]:.2f}",
            flush=True,
        )
        yield record


if __name__ == "__main__":
    main()
