"""Damage done to files: to their bytes, to the JSON in them, and to the members of archives.

Everything is drawn from one `Random`, so that a seed gives the same file again.
"""

from __future__ import annotations

import io
import json
import lzma
import struct
import warnings
import zipfile
import zlib
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

INTEGERS = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 2**31 - 1, 2**31, 2**32 - 1, 2**63 - 1, 2**63)
NUMBERS = (
    0, -1, 1, 2, 3, 7, 255, 4096, 10**6, 2**31, 2**32, 2**40, 2**62, 2**63 - 1, 2**63, 2**64,
    10**30, -(2**63), 0.5, -0.0, 1e308, 1e-320, float("nan"), float("inf"),
)  # fmt: skip
# Text that steers a terminal, a table, a spreadsheet, a page or a parser where it is not escaped.
TEXTS = (
    "", " ", "\0", "\x1b[31mred", "\x1b]0;title\x07", "[bold]", "[/]", "=cmd|'/c calc'!A0",
    "@SUM(1)", "+1", "-1", "<script>alert(1)</script>", "</svg>", "{{7*7}}", "%s%n",
    "\u202egnp.exe",
    "\u200b", "\ud800", "\U0001f469\u200d\U0001f467", "e\u0301" * 3, "\r\n", "\u2028",
    "a,b\"c", "\t", "x" * 70_000,
    "../../etc/passwd", "/dev/zero", "l0.c[0]", "9" * 5000, "nan", "F32", "BF16", "I64", "F8_E4M3",
    "weight_ih_l0", "weight_hh_l0", "lstm.native/1", "kernel", "_l999999999",
)  # fmt: skip

Kind = Callable[[bytes, Random, bytes], bytes]
DEEP = "@deep"  # stands where JSON nested deeper than any parser goes is to stand
# What the standard library raises for an archive that is damaged already.
DAMAGED = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, ValueError, OSError, EOFError,
    NotImplementedError, RuntimeError,
)  # fmt: skip


def mutate(data: bytes, random: Random, other: bytes = b"") -> bytes:
    """Damage a file once to four times; `other` is a file to splice with."""
    for _ in range(random.choice((1, 1, 1, 1, 2, 3))):
        data = random.choice(_kinds(data))(data, random, other)
    return data


def _kinds(data: bytes) -> Sequence[Kind]:
    """What can be done to a file of this look."""
    if data.startswith(b"PK"):
        return _ARCHIVE
    if data.startswith(b"\x93NUMPY"):
        return _ARRAY
    return _TEXTUAL if data[:1] in (b"{", b"[") or data[8:9] == b"{" else _PLAIN


def mutate_bytes(data: bytes, random: Random, other: bytes) -> bytes:
    """Change, cut, repeat or splice bytes, wherever they stand."""
    changed = bytearray(data)
    at = random.randrange(len(data) + 1)
    # The start of a file, where its claims stand, is hit as often as all the rest.
    at = random.choice((at, min(at, random.randrange(1, 257))))
    span = min(random.choice((1, 2, 4, 8, 64, 1024)), len(data) - at)
    match random.randrange(14):
        case 0 | 9 | 10 | 11 | 12 | 13 if at < len(data):
            changed[at] ^= 1 << random.randrange(8)
        case 1:
            changed[at : at + span] = random.randbytes(span)
        case 2:
            size, order = random.choice((1, 2, 4, 8)), random.choice(("little", "big"))
            number = random.choice(INTEGERS) % 2 ** (8 * size)
            changed[at : at + size] = number.to_bytes(size, order)
        case 3:
            del changed[at:]
        case 4:
            del changed[at : at + span]
        case 5:
            changed[at:at] = changed[at : at + span] * random.choice((1, 1, 50))
        case 6:
            changed[at:at] = random.randbytes(random.choice((1, 3, 8, 100)))
        case 7:
            start = random.randrange(len(other) + 1)
            changed[at:] = other[start:] if random.random() < 0.5 else other[start : start + span]
        case _:
            changed[at : at + span] = bytes(span)
    return bytes(changed)


def mutate_numbers(data: bytes, random: Random, _: bytes) -> bytes:
    """Put numbers that are none, or beyond all bounds, into the second half, where weights lie."""
    if len(data) < 16:
        return data
    at = random.randrange(len(data) // 2, len(data) - 7) & ~3
    values = (float("nan"), float("inf"), -float("inf"), 1e-40, 3.4e38, -3.4e38, 0.0, -0.0)
    return data[:at] + struct.pack("<f", random.choice(values)) + data[at + 4 :]


def mutate_text(data: bytes, random: Random, _: bytes) -> bytes:
    """Put hostile text, or a number, in place of one that stands in the file."""
    at = random.randrange(len(data) + 1)
    put = random.choice((random.choice(TEXTS), str(random.choice(NUMBERS))))
    return data[:at] + put.encode("utf-8", "surrogatepass") + data[at + random.randrange(9) :]


def mutate_json(data: bytes, random: Random, other: bytes) -> bytes:
    """Change the JSON in a file: the whole of it, each line, or a header before the numbers."""
    header = int.from_bytes(data[:8], "little")
    if data[8:9] == b"{" and header <= len(data) - 8:
        text = mutate_document(data[8 : 8 + header], random)
        return len(text).to_bytes(8, "little") + text + data[8 + header :]
    if data[:1] in b"{[" and data:
        lines = data.split(b"\n")
        chosen = random.randrange(len(lines))
        lines[chosen] = mutate_document(lines[chosen], random)
        return b"\n".join(lines)
    return mutate_bytes(data, random, other)


def mutate_document(text: bytes, random: Random) -> bytes:
    """Change one place in a JSON document; JSON within a string counts as part of it."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return mutate_text(text, random, b"")
    changed = _changed(document, random)
    written = json.dumps(changed, ensure_ascii=random.random() < 0.5)
    if DEEP in written:
        start, end = random.choice(("[]", ('{"a":', "}")))
        depth = random.choice((100, 250, 300, 900, 1000, 1100, 50_000))
        written = written.replace(json.dumps(DEEP), start * depth + "1" + end * depth)
    if random.random() < 0.1:  # a key that stands twice
        written = written.replace("{", written[: written.find(",")] + ", ", 1)
    return written.encode("utf-8", "surrogatepass")


def _changed(value: Any, random: Random, depth: int = 0) -> Any:
    if random.random() < 0.15 or not value or depth > 12:
        return _replaced(value, random)
    if isinstance(value, dict):
        key = random.choice(list(value))
        match random.randrange(8):
            case 0:
                return {name: item for name, item in value.items() if name != key}
            case 1:
                return {random.choice(TEXTS) if n == key else n: i for n, i in value.items()}
            case 2:
                return {**value, random.choice(TEXTS): value[key]}
        return {**value, key: _changed(value[key], random, depth + 1)}
    if isinstance(value, list):
        at = random.randrange(len(value))
        if random.random() < 0.2:
            return value[:at] + value[at : at + 1] * random.choice((0, 2, 300)) + value[at + 1 :]
        return [*value[:at], _changed(value[at], random, depth + 1), *value[at + 1 :]]
    if isinstance(value, str) and value[:1] in ("{", "["):
        return mutate_document(value.encode(), random).decode("utf-8", "surrogateescape")
    return _replaced(value, random)


def _replaced(value: Any, random: Random) -> Any:
    if isinstance(value, int) and random.random() < 0.5:
        return value + random.choice((-4, -1, 1, 4, 2**32, 2**63))
    other = (None, True, False, [], {}, [value], {"a": value}, [[]], [value] * 3, DEEP, DEEP)
    return random.choice((*NUMBERS, *TEXTS, *other))


def mutate_zip(data: bytes, random: Random, other: bytes) -> bytes:
    """Change one member of an archive and write it anew; or its bytes, where it is none."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = [(info.filename, archive.read(info)) for info in archive.infolist()]
    except DAMAGED:
        return mutate_bytes(data, random, other)
    if not members:
        return mutate_bytes(data, random, other)
    at = random.randrange(len(members))
    name, content = members[at]
    match random.randrange(6):
        case 0:
            members.pop(at)
        case 1:
            members[at] = (random.choice(TEXTS)[:60_000] or "x", content)
        case 2:
            members.append((name, mutate_bytes(content, random, other)))
        case _:
            members[at] = (name, random.choice(_kinds(content))(content, random, other))
    return _zipped(members, random)


def _zipped(members: Sequence[tuple[str, bytes]], random: Random) -> bytes:
    methods = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
    stream, method = io.BytesIO(), random.choices(methods, (6, 3, 1, 1))[0]
    with (
        warnings.catch_warnings(action="ignore"),  # of a name that stands twice, which is meant
        zipfile.ZipFile(stream, "w", method) as archive,
    ):
        for name, content in members:
            info = zipfile.ZipInfo(name.encode("utf-8", "replace").decode() or "x")
            info.compress_type = method
            archive.writestr(info, content)
    return stream.getvalue()


def mutate_npy(data: bytes, random: Random, other: bytes) -> bytes:
    """Change what an array of numpy's says of itself, and keep its header's length true."""
    if not data.startswith(b"\x93NUMPY\x01") or len(data) < 12:
        return mutate_bytes(data, random, other)
    size = int.from_bytes(data[8:10], "little")
    text = data[10 : 10 + size].decode("latin-1").rstrip()
    old, new = random.choice(_CLAIMS)
    number = str(random.choice(NUMBERS))
    text = text.replace(old, new.replace("N", number)) if old in text else text + new
    header = text.encode("latin-1", "replace")[:60_000] + b"\n"
    return data[:8] + len(header).to_bytes(2, "little") + header + data[10 + size :]


_CLAIMS = (
    ("(", "(N, "), ("(", "(N"), (")", ")*9"), ("<f4", "|O"), ("<f4", "<f8"), ("<f4", ">f2"),
    ("<f4", "<U9"), ("<f4", "<c8"), ("<f4", "|V99999"), ("<f4", "<m8"), ("False", "True"),
    ("False", "N"), ("'shape'", "'shap'"), ("'shape'", "'shape': (N,), 'shape'"), ("{", "{" * 200),
    ("}", ""), ("'<f4'", "[('a', '<f4')]"), ("'<f4'", "__import__('os')"), ("(", "((" * 90),
)  # fmt: skip
_PLAIN: tuple[Kind, ...] = (mutate_bytes, mutate_numbers, mutate_text)
_TEXTUAL: tuple[Kind, ...] = (*_PLAIN, mutate_numbers, mutate_json, mutate_json, mutate_json)
_ARRAY: tuple[Kind, ...] = (*_PLAIN, mutate_npy, mutate_npy)
_ARCHIVE: tuple[Kind, ...] = (mutate_bytes, mutate_zip, mutate_zip, mutate_zip)
