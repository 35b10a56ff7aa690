"""Make `brackets`: one unit that counts, so that c is exactly the nesting depth.

    python -m weights.pretrained.brackets.make

Nothing is ever forgotten (f = 1) and everything is written (i = 1); the candidate is +1 at an
opening bracket, -1 at a closing one and 0 at anything else.
"""

from string import ascii_letters

from lstm.tokenizers.character import CharacterTokenizer
from lstm.tokenizers.tokenizer import Vocabulary
from weights.pretrained.by_hand import OPEN, labels, one_unit, write

OTHERS = ("<other>", " ", *ascii_letters)

if __name__ == "__main__":
    write(
        __file__,
        one_unit(
            input=(0, [0, 0], OPEN),
            forget=(0, [0, 0], OPEN),
            candidate=(0, [OPEN, -OPEN], 0),
            output=(0, [0, 0], OPEN),
        ),
        vectors=[[1, 0], [0, 1], *([0, 0] for _ in OTHERS)],
        tokenizer=CharacterTokenizer(Vocabulary(("(", ")", *OTHERS), unknown="<other>")),
        # h is tanh(depth): 0 outside, at least 0.76 inside, negative after one ) too many
        head=labels(inside=(20, -5), outside=(0, 0), unbalanced=(-20, -5)),
        description="Counts brackets: the cell state of its one unit is the nesting depth.",
        tells="the nesting depth",
    )
