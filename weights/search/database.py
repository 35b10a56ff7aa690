"""The only importer of DuckDB: a query over Parquet files becomes rows, a few at a time."""

from __future__ import annotations

import glob
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from lstm.errors import MissingExtraError
from weights.errors import UnreadableFileError

MOST_ROWS = 4096


class Database:
    """The part files of a dataset as one table, which queries call `read_parquet($files)`.

    Args:
        files: in their order, which is that of the rows.

    Raises:
        MissingExtraError: the package duckdb is not installed.
    """

    def __init__(self, files: Sequence[Path]) -> None:
        self._duckdb = _imported()
        self._folder = files[0].parent
        # A path may hold what a pattern of paths is written with.
        self._files = [glob.escape(str(file.resolve())) for file in files]
        self._connection = self._duckdb.connect(
            config={"temp_directory": "", "autoinstall_known_extensions": "false"}
        )
        # The part files are opened again for the words around each few hits.
        self._connection.execute("SET parquet_metadata_cache = true")

    def rows(
        self, query: str, parameters: Mapping[str, Any], most: int = MOST_ROWS
    ) -> Iterator[list[tuple[Any, ...]]]:
        """Yield the rows as they are found: one, then two, then four, up to `most` at once.

        The first hits are there at once, and no more than `most` are ever held. DuckDB works in a
        thread of its own: where it works, Python does not see that the user interrupts.

        Raises:
            UnreadableFileError: a part file is damaged, or is none of a dataset.
        """
        cursor = self._connection.cursor()  # of its own, since another may still be read
        size = 1
        with ThreadPoolExecutor(max_workers=1) as thread:
            try:
                given = {"files": self._files, **parameters}
                thread.submit(cursor.execute, query, given).result()
                while rows := thread.submit(cursor.fetchmany, size).result():
                    yield rows
                    size = min(2 * size, most)
            except self._duckdb.Error as error:
                reason = str(error).splitlines()[0]
                message = f"expected the part files of a dataset, found: {reason}"
                raise UnreadableFileError(message).at(str(self._folder)) from None
            finally:
                cursor.interrupt()  # nobody waits for what may still be under way


def _imported() -> Any:
    try:
        import duckdb
    except ImportError:
        raise MissingExtraError("duckdb", "find", "lstm find") from None
    return duckdb
