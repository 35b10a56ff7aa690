"""All that is measured on the rounded weights, and the units that get a name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import agreement
import baselines
import corpus
import inspection
import measures
import probes
import properties
from corpus import Corpus
from measures import Templates
from network import Network

from lstm.tokenizers.tokenizer import Vocabulary

TEMPLATES = 2000
CHOOSE_SEED, TEST_SEED = 101, 102
LONG = 5  # places between a subject and its verb, at most: more than in any training


def evaluate(network: Network, text: Corpus, words: Vocabulary, unit: int) -> dict[str, Any]:
    """Return all figures; `unit` is the one that carries the subject's number."""
    # What a unit tells is measured on the text, also where it was chosen on templates.
    number = _number(network, words, unit)
    in_text = _in_text(network, text, words, unit, number.sign)
    number = replace(number, auc=in_text)
    readings = [number, *_readings(network, text, words)]
    return {
        "next_word": _next_word(network, text, words),
        "agreement": measures.agreement(network, _templates(TEST_SEED, words)),
        "agreement_long": measures.agreement(network, _templates(TEST_SEED, words, LONG)),
        "agreement_unseen_nouns": measures.agreement(
            network, _templates(TEST_SEED, words, nouns=agreement.UNSEEN_NOUNS)
        ),
        "number_unit": number_unit(network, words, unit),
        "number_unit_in_text": in_text,
        "properties": [_row(reading) for reading in readings],
        "units": [
            {
                "address": f"l0.c[{r.unit}]",
                "tells": r.tells,
                "auc": round(r.auc, 3),
                "middle": round(r.middle, 3),
                "scale": round(r.scale, 3),
            }
            # The number first: the one unit that was also trained to be a cause.
            for r in sorted(probes.named(readings), key=lambda r: r.told is not number.told)
        ],
    }


def find_number_unit(network: Network, words: Vocabulary) -> int:
    """Return the unit that best tells the subject's number across a distractor."""
    templates = _templates(CHOOSE_SEED, words)
    return probes.best(_across(network, templates))


def number_unit(network: Network, words: Vocabulary, unit: int) -> dict[str, Any]:
    """Return what a unit knows of the subject's number, and what the verb owes to it."""
    choose, test = _templates(CHOOSE_SEED, words), _templates(TEST_SEED, words)
    typical = measures.typical(choose, inspection.cells(network, choose.prefixes), unit)
    return {
        "unit": unit,
        "auc": _number(network, words, unit).auc,
        "typical_cell": typical._asdict(),
        "gates": measures.gates(network, test, unit),
        "flipped_by_clamp": measures.clamp(network, test, unit, typical),
    }


def _templates(
    seed: int,
    words: Vocabulary,
    places: int = 2,
    nouns: Sequence[agreement.Pair] = agreement.NOUNS,
) -> Templates:
    drawn = agreement.draw(TEMPLATES, seed, held_out=True, places=places, nouns=nouns)
    return measures.templates(drawn, words)


def _across(network: Network, templates: Templates) -> probes.Labelled:
    states = inspection.cells(network, templates.prefixes)
    return probes.across_distractors(templates.sentences, states)


def _number(network: Network, words: Vocabulary, unit: int) -> probes.Reading:
    choose, test = (_across(network, _templates(seed, words)) for seed in (CHOOSE_SEED, TEST_SEED))
    return probes.read(properties.NUMBER, unit, choose, test)


def _in_text(network: Network, text: Corpus, words: Vocabulary, unit: int, sign: int) -> float:
    """Return the AUC of the number unit just before is, was, are or were in the test text."""
    states = inspection.cells(network, corpus.encode(text.test, words))
    test = probes.labelled(properties.is_plural_ahead, text.test, states)
    return probes.auc(sign * test.cells[:, unit], test.labels)


def _readings(network: Network, text: Corpus, words: Vocabulary) -> list[probes.Reading]:
    """Choose a unit for every property on the validation text and measure it on the test text."""
    choose, test = (
        (part, inspection.cells(network, corpus.encode(part, words)))
        for part in (text.valid, text.test)
    )
    readings = []
    for told in properties.PROPERTIES:
        labelled = probes.labelled(told.rule, *choose)
        unit = probes.best(labelled)
        readings.append(probes.read(told, unit, labelled, probes.labelled(told.rule, *test)))
    return readings


def _next_word(network: Network, text: Corpus, words: Vocabulary) -> dict[str, float]:
    train, test = corpus.encode(text.train, words), corpus.encode(text.test, words)
    start, end = words.tokens.index(corpus.START), words.tokens.index(corpus.END)
    lstm = measures.next_word(network, test, end)
    # The start token is never predicted: it is not among the tokens to choose from.
    trigram = baselines.kneser_ney(train, start, end, len(words) - 1)
    unigram = baselines.unigram(train, end)
    return {
        "test_perplexity": lstm.perplexity,
        "kneser_ney_trigram_perplexity": baselines.perplexity(trigram, test, end),
        "unigram_perplexity": baselines.perplexity(unigram, test, end),
        "top1": lstm.top1,
        "top5": lstm.top5,
    }


def _row(reading: probes.Reading) -> dict[str, Any]:
    return {
        "property": reading.told.name,
        "unit": f"l0.c[{reading.unit}]",
        "auc": reading.auc,
        "sign": reading.sign,
        "tells": reading.tells,
    }
