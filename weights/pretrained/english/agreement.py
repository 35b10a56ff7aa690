"""Sentences of our own in which the first noun decides the verb, whatever stands between.

Such as "the boys near the car like tea ." and "the boy near the cars likes tea .".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

Pair = tuple[str, str]  # singular, plural


def _with_s(nouns: str) -> tuple[Pair, ...]:
    return tuple((noun, f"{noun}s") for noun in nouns.split())


NOUNS = (
    ("boy", "boys"), ("girl", "girls"), ("teacher", "teachers"), ("student", "students"),
    ("doctor", "doctors"), ("friend", "friends"), ("dog", "dogs"), ("cat", "cats"),
    ("bird", "birds"), ("horse", "horses"), ("car", "cars"), ("house", "houses"),
    ("tree", "trees"), ("table", "tables"), ("book", "books"), ("window", "windows"),
    ("man", "men"), ("woman", "women"), ("child", "children"), ("player", "players"),
)  # fmt: skip
MORE_NOUNS = _with_s(
    """
    letter picture room door apple shoe train plane street song game idea question animal
    brother daughter son singer nurse tourist worker driver neighbor farmer soldier
    mountain island school store building wall computer bag chair cup bottle egg orange
    painting paper newspaper toy ball bicycle boat field hill rule word language cousin
    customer scientist politician
    """
)
UNSEEN_NOUNS = _with_s(
    """
    key flower ship problem lion sister writer guest river shop machine hat star magazine
    plan
    """
)
DETERMINERS = ("the", "the", "the", "my", "your")
PLACES = ("near", "behind", "with", "beside", "by", "next to", "in front of")
VERBS = (
    ("likes", "like"), ("wants", "want"), ("needs", "need"), ("has", "have"),
    ("knows", "know"), ("loves", "love"),
)  # fmt: skip
OBJECTS = ("tea", "coffee", "milk", "water", "music", "money", "them", "him", "it", "you")
COPULAS = (("is", "are"), ("was", "were"))
PREDICATES = ("old", "young", "happy", "beautiful", "here", "there", "big", "tired", "black")
SUBJECT_WORDS = 2  # a determiner and a noun
COPULA_SHARE = 0.5
FURTHER_PLACE_SHARE = 0.25
EVERYDAY = ("john", "mary", "tom", "likes", "like", "black", "coffee", "tea", "yesterday")


@dataclass(frozen=True)
class Sentence:
    """A subject, the places that distract from it, a verb in its two forms, and an end."""

    subject: tuple[str, ...]
    distractor: tuple[str, ...]
    verbs: tuple[str, str]
    end: tuple[str, ...]
    plural: bool
    attractor_plural: bool

    @property
    def prefix(self) -> tuple[str, ...]:
        """The words before the verb."""
        return self.subject + self.distractor

    @property
    def words(self) -> tuple[str, ...]:
        """The whole sentence."""
        return (*self.prefix, self.verbs[self.plural], *self.end)


def draw(
    count: int, seed: int, *, held_out: bool, places: int = 2, nouns: Sequence[Pair] = NOUNS
) -> list[Sentence]:
    """Draw different sentences, from noun pairs that are held out or from the others.

    At most `places` places stand between the subject and its verb.
    """
    random = Random(seed)
    drawn: dict[Sentence, None] = {}
    while len(drawn) < count:
        head, last = random.randrange(len(nouns)), random.randrange(len(nouns))
        if head != last and ((head + last) % 5 == 0) == held_out:
            drawn[_sentence(nouns, head, last, places, random)] = None
    return list(drawn)


def words() -> set[str]:
    """Return the words that the vocabulary must hold, and a few that examples are made of."""
    pairs = (word for pair in (*NOUNS, *VERBS, *COPULAS) for word in pair)
    places = (word for place in PLACES for word in place.split())
    return {*pairs, *places, *DETERMINERS, *OBJECTS, *PREDICATES, *EVERYDAY, "."}


def _sentence(nouns: Sequence[Pair], head: int, last: int, places: int, random: Random) -> Sentence:
    plural, attractor_plural = random.random() < 0.5, random.random() < 0.5
    distractor = _place(nouns[last][attractor_plural], random)
    for _ in range(places - 1):
        if random.random() < FURTHER_PLACE_SHARE:
            distractor = _place(random.choice(random.choice(nouns)), random) + distractor
    copula = random.random() < COPULA_SHARE
    return Sentence(
        subject=(random.choice(DETERMINERS), nouns[head][plural]),
        distractor=distractor,
        verbs=random.choice(COPULAS if copula else VERBS),
        end=(random.choice(PREDICATES if copula else OBJECTS), "."),
        plural=plural,
        attractor_plural=attractor_plural,
    )


def _place(noun: str, random: Random) -> tuple[str, ...]:
    return (*random.choice(PLACES).split(), random.choice(DETERMINERS), noun)
