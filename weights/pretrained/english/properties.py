"""What a cell might tell, and the simple rules that label the steps of a sentence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

from corpus import Words

Labels = list[bool | None]  # one a step; None where the rule has nothing to say
Rule = Callable[[Words], Labels]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


NEGATIONS = _words("no not never nothing nobody none neither nor cannot without")
PRESENT = _words("is are am do does has i'm you're he's she's it's we're they're")
PAST = _words(
    """was were did had went said came made took got saw gave told found left felt thought knew
    kept began bought wrote heard lost met ran broke spoke fell grew caught brought slept stood
    didn't wasn't weren't hadn't couldn't"""
)
DETERMINERS = _words("the a an my your his her its our their this that these those")
WH_WORDS = _words("what who where when why how which whose what's who's where's how's")
CONJUNCTIONS = _words("if when because although though while unless since as")
FEMALE = _words("she her hers herself she's she'll she'd")
MALE = _words("he him his himself he's he'll he'd")
MODALS = _words(
    """to will would can could should must may might shall don't doesn't didn't can't won't
    couldn't wouldn't shouldn't i'll you'll he'll she'll we'll they'll"""
)
PERFECT = _words("have has had i've you've we've they've haven't hasn't hadn't")
PREPOSITIONS = _words("in on at by with from for of about into under over near")
MANY = _words("two three four five six ten many several few these those all some")
ONE = _words("a an one this every each another")
PRONOUNS = _words("i you he she it we they i'm i've i'll we're you're you'll they're")
SPEAKER = _words("i i'm i've i'll i'd")
MARKS = _words(". ? !")
COPULA_NUMBER = {"is": False, "was": False, "are": True, "were": True}
MARKS = frozenset(".?!")


@dataclass(frozen=True)
class Property:
    """Something to tell: a phrase with two gaps, and what goes there for yes and for no."""

    name: str
    phrase: str
    yes: str
    no: str
    rule: Rule


def so_far(seen: Callable[[Words], bool | None]) -> Rule:
    """Make a rule from what is said of the words up to a step; the last step is left out."""
    return lambda words: [*(seen(words[: at + 1]) for at in range(len(words) - 1)), None]


def is_question(words: Words) -> Labels:
    """Tell the sentences that end in a question mark from those that end in a full stop."""
    known = words[-1] in {"?", "."}
    return [words[-1] == "?" if known else None] * (len(words) - 1) + [None]


def is_past(seen: Words) -> bool | None:
    """Tell a past form from a present one; neither or both say nothing."""
    past = any(word in PAST or (word.endswith("ed") and len(word) > 4) for word in seen)
    present = any(word in PRESENT for word in seen)
    return past if past != present else None


def is_negated(seen: Words) -> bool:
    """Find a negative word."""
    return any(word in NEGATIONS or word.endswith("n't") for word in seen)


def is_female(seen: Words) -> bool | None:
    """Tell the gender of the last pronoun that has one."""
    last = next((word for word in reversed(seen) if word in FEMALE | MALE), None)
    return None if last is None else last in FEMALE


def is_addressee(seen: Words) -> bool | None:
    """Tell whether the last pronoun is you."""
    last = next((word for word in reversed(seen) if word in PRONOUNS), None)
    return None if last is None else last.startswith("you")


def is_many(seen: Words) -> bool | None:
    """Tell the number that the last word asks of its noun."""
    return seen[-1] in MANY if seen[-1] in MANY | ONE else None


def is_clause_open(seen: Words) -> bool:
    """Find a conjunction at the start that no comma has answered yet."""
    return seen[0] in CONJUNCTIONS and "," not in seen


def is_plural_ahead(words: Words) -> Labels:
    """Tell are and were from is and was, a step ahead; questions and "you" say nothing."""
    if words[-1] == "?":
        return [None] * len(words)
    ahead = [None if word == "you" else COPULA_NUMBER.get(after) for word, after in pairwise(words)]
    return [*ahead, None]


def is_quoted(seen: Words) -> bool:
    """Find an opening quotation mark that no closing one has answered yet."""
    return seen.count('"') % 2 == 1


def is_by_speaker(seen: Words) -> bool:
    """Find the speaker at the start."""
    return seen[0] in SPEAKER


def is_over(words: Words) -> Labels:
    """Find the marks that end a sentence."""
    return [word in MARKS for word in words]


PROPERTIES = (
    Property("question", "the sentence will be {} or {}", "a question", "a statement", is_question),
    Property("negation", "a negation {} or {}", "was seen", "was not", so_far(is_negated)),
    Property("past", "the verb is in the {} or {}", "past", "present", so_far(is_past)),
    Property("quotation", "{} or {} quotation marks", "inside", "outside", so_far(is_quoted)),
    Property(
        "clause", "an if- or when-clause {} or {}", "is open", "is not", so_far(is_clause_open)
    ),
    Property("gender", "the last pronoun was {} or {}", "she", "he", so_far(is_female)),
    Property("addressee", "the last pronoun was {} or {}", "you", "another", so_far(is_addressee)),
    Property(
        "speaker", "the sentence began {} or {}", "with I", "otherwise", so_far(is_by_speaker)
    ),
    Property(
        "wh-word",
        "the sentence began {} or {}",
        "with a question word",
        "otherwise",
        so_far(lambda seen: seen[0] in WH_WORDS),
    ),
    Property(
        "determiner",
        "the last word {} or {} one that a noun follows (the, my)",
        "was",
        "was not",
        so_far(lambda seen: seen[-1] in DETERMINERS),
    ),
    Property(
        "preposition",
        "the last word {} or {} a preposition (in, with)",
        "was",
        "was not",
        so_far(lambda seen: seen[-1] in PREPOSITIONS),
    ),
    Property(
        "infinitive",
        "the last word {} or {} one that a bare verb follows (to, can, don't)",
        "was",
        "was not",
        so_far(lambda seen: seen[-1] in MODALS),
    ),
    Property(
        "participle",
        "the last word {} or {} a form of have",
        "was",
        "was not",
        so_far(lambda seen: seen[-1] in PERFECT),
    ),
    Property(
        "quantity",
        "the noun to come is {} or {} (after many, two; a, every)",
        "plural",
        "singular",
        so_far(is_many),
    ),
    Property(
        "length",
        "words read so far: {} or {}",
        "eight or more",
        "fewer",
        so_far(lambda seen: len(seen) >= 8),
    ),
    Property("over", "the sentence {} or {}", "is over", "goes on", is_over),
)
NUMBER = Property(
    "number",
    "the subject, which decides the verb, is {} or {}",
    "plural",
    "singular",
    lambda _: [],
)
