"""Make `parity`: one unit that flips at every 1, so that it knows whether there were odd many.

    python -m weights.pretrained.parity.make

At a 0 the memory stays (f = 1, i = 0). At a 1 it goes (f = 0) and its opposite is written
(i = 1): to know what the opposite is, the candidate looks at the hidden state. This is what
the recurrent weights are for; `brackets` and `latch` do without any.
"""

from lstm.tokenizers.character import CharacterTokenizer
from lstm.tokenizers.tokenizer import Vocabulary
from weights.pretrained.by_hand import CLOSED, OPEN, labels, one_unit, write

# h is 0 at the start, tanh(1) = 0.76 when odd and -0.76 when even: halfway between 0 and 0.76.
THRESHOLD = 0.38

if __name__ == "__main__":
    write(
        __file__,
        one_unit(
            input=(0, [2 * OPEN], CLOSED),
            forget=(0, [-2 * OPEN], OPEN),
            candidate=(-OPEN, [0], THRESHOLD * OPEN),
            output=(0, [0], OPEN),
        ),
        vectors=[[0], [1]],
        tokenizer=CharacterTokenizer(Vocabulary(("0", "1"))),
        head=labels(odd=(20, -7.6), even=(-20, 7.6)),
        description="Parity: the memory flips at every 1, because it reads itself.",
        tells="+1 after an odd number of ones, -1 after an even one, 0 before the first",
    )
