"""Hard texts: what people type, paste and scan, and what breaks tokenizers."""

from hypothesis import strategies as st

HARD = (
    "",
    " ",
    " \t\n\r\f\v\u00a0\u2003\u3000\u2028",
    "hello",
    "Hello, world! (How are you?)",
    "don't can’t ‘tis rock'n'roll O’Neill’s dogs'",
    "3.14 1,000 1,000,000.5 1. .5 3rd 2nd 12a a12 1,2,3x $3.50 50% 1e-5 007",
    "wait… e.g. U.S.A. well-known e_mail a.b@c.org https://a.b/c?d=e#f",
    "cafe\u0301 cafés na\u00efve A\u030angstro\u0308m \u212b",
    "a\u0315\u0301 a\u0301\u0315 q\u0323\u0307 q\u0307\u0323 \u0301 \u0301\u0301",
    "ﬁne ﬂow oﬃce ½ x² H₂O ™ ℡ № ﷺ ¨ ａｂｃ １２３ ｶﾞ ⅷ",
    "हिन्दी में लिखा है। किताबें",
    "ภาษาไทยไม่มีช่องว่าง น้ำ กำลัง",
    "日本語を書く。中文没有空格，对吗？",
    "한국어 \u1112\u1161\u11ab\u1100\u1173\u11af \uac00\u11a8",
    "שָׁלוֹם عربي مُشَكَّل",
    "İstanbul ıI ẞß Σίσυφος ΣΑΣ ǅ",
    "👍🏽 👩‍👩‍👧 🇩🇪 e\u20e3 1\ufe0f\u20e3",
    "zero\u200bwidth\u200djoin\u00adsoft \ufeffbom",
    "\x00\x01\x1c\x1d\x1e\x1f\x7f\x85",
    "line one\nline two\r\n\tindented",
    "\U0001d4d7\U0001d4ee\U0001d4f5\U0001d4f5\U0001d4f8 \U00010348 \U0001f1e9",
    "<unk> [UNK] <s> </s> <|endoftext|> <00> [/] [bold]",
    "\udce9 bytes that were no UTF-8",
)

texts = st.text(max_size=40)

# Letters, marks, compatibility forms and spaces that meet seldom in random text.
tangles = st.text(
    "aeqAI1２½²ﬁ…¨'’_-.,()‿ \u00a0\t\u0300\u0301\u0315\u0323\u0327\u0338\u0345\u20e3\u1e9b\u0344"
    "\u093f\u094d\u0958\u09c7\u09be\u0e33\u0e49\u0e4d\u0f71\u0f73क가한\u1100\u1161\u11a8\u11a7"
    "\u3099か\uff76\uff9e\ufdfa\u212b\ufb2c\U0001d15e\U00011131\U00011127",
    max_size=12,
)
