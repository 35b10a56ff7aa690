"""Make `latch`: one unit that is set, holds, and is reset.

    python -m weights.pretrained.latch.make

At `set` the old memory goes (f = 0) and 1 is written (i = 1, g = 1); at `reset` it goes and
nothing is written (f = 0, i = 0); at any other word it stays as it is (f = 1, i = 0).
"""

from lstm.tokenizers.tokenizer import Vocabulary
from lstm.tokenizers.word import WordTokenizer
from weights.pretrained.by_hand import CLOSED, OPEN, labels, one_unit, write

if __name__ == "__main__":
    write(
        __file__,
        one_unit(
            input=(0, [2 * OPEN, 0], CLOSED),
            forget=(0, [-2 * OPEN, -2 * OPEN], OPEN),
            candidate=(0, [0, 0], OPEN),
            output=(0, [0, 0], OPEN),
        ),
        vectors=[[1, 0], [0, 1], [0, 0], [0, 0]],
        tokenizer=WordTokenizer(
            Vocabulary(("set", "reset", "hold", "<other>"), unknown="<other>"), lowercase=True
        ),
        # h is tanh(1) = 0.76 while the latch is set, else 0
        head=labels(on=(20, -5), off=(0, 0)),
        description="A latch: 'set' writes a 1, 'reset' erases it, any other word holds it.",
        tells="1 while the latch is set, else 0",
    )
