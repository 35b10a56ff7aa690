"""Parquet files: a column of texts in, rows of states out. The only importer of pyarrow."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

import numpy as np

from lstm.arrays import Floats
from lstm.errors import MissingExtraError
from weights.atomic import replacing
from weights.corpus.rows import Rows, Wanted
from weights.errors import UnreadableFileError

if TYPE_CHECKING:
    from numpy.typing import NDArray

_READ_AT_ONCE = 4096
# What a row is known by; it is written compressed and as a dictionary, the numbers as they are:
# they hardly get smaller, and an estimate of the space they take is exact.
_KEYS = ("sequence", "step", "token", "id", "layer", "direction")


class Written(NamedTuple):
    """What became of a part: rows and tokens in it, and the file's size and hash."""

    rows: int
    tokens: int
    bytes: int
    sha256: str


def version() -> str:
    """Return pyarrow's version: the same rows are the same bytes in one version only.

    Raises:
        MissingExtraError: it is not installed.
    """
    return str(_pyarrow("lstm extract").__version__)


def _pyarrow(needed_for: str) -> Any:
    try:
        import pyarrow.parquet
    except ImportError:
        raise MissingExtraError("pyarrow", "corpus", needed_for) from None
    return pyarrow


def read_column(path: Path, column: str) -> Iterator[tuple[Any, float]]:
    """Yield each value of a column, and which share of the rows has been read with it.

    Raises:
        UnreadableFileError: it is no Parquet file, or has no such column.
        MissingExtraError: pyarrow is not installed.
    """
    arrow = _pyarrow("a .parquet file")
    try:
        with arrow.parquet.ParquetFile(path) as file:
            names = file.schema_arrow.names
            if column not in names:
                raise UnreadableFileError(
                    f"expected a column {column!r}, found {', '.join(names)}. Choose with --column."
                )
            read, total = 0, file.metadata.num_rows
            for batch in file.iter_batches(_READ_AT_ONCE, columns=[column]):
                for read, value in enumerate(batch.column(0).to_pylist(), start=read + 1):  # noqa: B020
                    yield value, read / total
    except arrow.ArrowInvalid as error:
        raise UnreadableFileError(f"not a valid Parquet file: {error}.") from None


def one_row(column: str, data: bytes) -> Any:
    """Make a table of one row, as which Ray passes things on."""
    return _pyarrow("--cluster").table({column: [data]})


class _Measured:
    """A file that counts and hashes what is written to it."""

    closed = False

    def __init__(self, file: BinaryIO) -> None:
        self.file, self.digest, self.size = file, sha256(), 0

    def write(self, data: Any) -> int:
        self.digest.update(data)
        self.size += len(data)
        return self.file.write(data)

    def tell(self) -> int:
        return self.size

    def flush(self) -> None:
        self.file.flush()

    def close(self) -> None:
        """Whoever opened the file closes it."""


def write_part(path: Path, blocks: Iterable[Rows], wanted: Wanted) -> Written:
    """Write a part: whole, flushed to disk, or not at all.

    Raises:
        OSError: it cannot be written; the message names the part.
    """
    arrow = _pyarrow("lstm extract")
    schema = _schema(arrow, wanted)
    num_rows = num_tokens = 0
    try:
        with replacing(path) as file:
            measured = _Measured(file)
            with arrow.parquet.ParquetWriter(
                measured,
                schema,
                compression=dict.fromkeys(_KEYS, "zstd"),
                use_dictionary=list(_KEYS),
                write_statistics=list(_KEYS),
            ) as writer:
                for rows in blocks:
                    table = _table(arrow, schema, rows, wanted)
                    writer.write_table(table, row_group_size=max(1, table.num_rows))
                    num_rows += table.num_rows
                    num_tokens += rows.num_tokens
    except OSError as error:
        raise OSError(error.errno, error.strerror or str(error), str(path)) from None
    return Written(num_rows, num_tokens, measured.size, measured.digest.hexdigest())


def _schema(arrow: Any, wanted: Wanted) -> Any:
    number = arrow.from_numpy_dtype(np.dtype(wanted.dtype))
    return arrow.schema(
        [
            ("sequence", arrow.int64()),
            ("step", arrow.int32()),
            ("token", arrow.dictionary(arrow.int32(), arrow.string())),
            ("id", arrow.int32()),
            ("layer", arrow.int16()),
            ("direction", arrow.dictionary(arrow.int8(), arrow.string())),
            *((name, arrow.list_(number, _fixed_width(wanted, name))) for name in wanted.show),
        ]
    )


def _fixed_width(wanted: Wanted, name: str) -> int:
    """The length of the lists, -1 where it differs between layers."""
    widths = {cell.widths[name] for cell in wanted.cells}
    return widths.pop() if len(widths) == 1 else -1


def _table(arrow: Any, schema: Any, rows: Rows, wanted: Wanted) -> Any:
    """Lay each step out as K rows, one for each layer and direction."""
    count, steps = len(wanted.cells), len(rows.step)
    directions = tuple(dict.fromkeys(cell.direction for cell in wanted.cells))
    places = [directions.index(cell.direction) for cell in wanted.cells]
    columns = [
        _numbers(arrow, np.repeat(rows.sequence, count)),
        _numbers(arrow, np.repeat(rows.step, count)),
        arrow.DictionaryArray.from_arrays(
            _numbers(arrow, np.repeat(rows.word, count)), _texts(arrow, rows.words)
        ),
        _numbers(arrow, np.repeat(rows.id, count)),
        _numbers(arrow, np.tile(np.array([cell.layer for cell in wanted.cells], np.int16), steps)),
        arrow.DictionaryArray.from_arrays(
            _numbers(arrow, np.tile(np.array(places, np.int8), steps)), _texts(arrow, directions)
        ),
        *(_lists(arrow, rows.values[name], wanted, name) for name in wanted.show),
    ]
    return arrow.Table.from_arrays(columns, schema=schema)


def _lists(arrow: Any, values: Floats, wanted: Wanted, name: str) -> Any:
    """The numbers as lists, without a copy: side by side they are in the order of the rows."""
    numbers = _numbers(arrow, values.reshape(-1))
    width = _fixed_width(wanted, name)
    if width >= 0:
        return arrow.FixedSizeListArray.from_arrays(numbers, width)
    widths = [cell.widths[name] for cell in wanted.cells]
    ends = np.cumsum([0, *np.tile(widths, len(values))], dtype=np.int32)
    return arrow.ListArray.from_arrays(_numbers(arrow, ends), numbers)


# `pyarrow.array` would import pandas where it is installed: 50 MB, and a fifth of a second.
def _numbers(arrow: Any, values: NDArray[Any]) -> Any:
    """An array's own memory, as a column."""
    kind = arrow.from_numpy_dtype(values.dtype)
    return arrow.Array.from_buffers(kind, len(values), [None, arrow.py_buffer(values)])


def _texts(arrow: Any, texts: Sequence[str]) -> Any:
    data = [text.encode() for text in texts]
    ends = np.cumsum([0, *map(len, data)], dtype=np.int32)
    buffers = [None, arrow.py_buffer(ends), arrow.py_buffer(b"".join(data))]
    return arrow.Array.from_buffers(arrow.string(), len(data), buffers)
