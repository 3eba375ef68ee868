"""Array literals for PostgreSQL, written by joins: the driver's own take most of a write's time.

psycopg dumps each value of an array in Python; a join does a whole column at once.
"""

from collections.abc import Iterable, Sequence

import psycopg

# PostgreSQL has no NUL in a text, so it can stand between the values of a column.
SEPARATOR = "\x00"


def texts(values: Sequence[str | None]) -> str:
    """A text[]. Raises psycopg's DataError for a value with a NUL, which no text may hold."""
    if not values:
        return "{}"
    if None in values:
        return "{" + ",".join(["NULL" if v is None else texts([v])[1:-1] for v in values]) + "}"
    joined = SEPARATOR.join(values)  # type: ignore[arg-type] # no None is left
    if joined.count(SEPARATOR) != len(values) - 1:
        raise psycopg.DataError("a text holds the character NUL")
    if "\\" in joined or '"' in joined:
        joined = joined.replace("\\", "\\\\").replace('"', '\\"')
    return '{"' + joined.replace(SEPARATOR, '","') + '"}'


def integers(values: Iterable[int | None]) -> str:
    """A bigint[]."""
    return "{" + ",".join(["NULL" if v is None else str(v) for v in values]) + "}"
