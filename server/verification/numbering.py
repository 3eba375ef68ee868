"""Numbers without gaps per ledger and year, judged so that one mistake is named once."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class _Series:
    """One ledger's year: entries that the log makes so far, and numbers that may come next."""

    made: int = 0
    next_numbers: set[int] = field(default_factory=lambda: {1})


class Numbering:
    """Follows the numbers of every ledger and year; memory is one counter for each."""

    def __init__(self) -> None:
        self._series: dict[tuple[str, str, int], _Series] = {}

    def make(self, tenant: str, ledger: str, year: int) -> int:
        """The log makes one more entry; the number that it must have."""
        series = self._of(tenant, ledger, year)
        series.made += 1
        return series.made

    def see(self, tenant: str, ledger: str, year: int, number: int) -> str:
        """The books have the entry under ``number``; the kind of finding, or nothing.

        After a mistake the books may go on as the log counts or as they themselves count: both
        are right, for the mistake has been named.
        """
        series = self._of(tenant, ledger, year)
        allowed = series.next_numbers | {series.made}
        series.next_numbers = {number + 1}
        if number in allowed:
            return ""
        return "number_gap" if number > min(allowed) else "number_repeated"

    def see_doubled(self, tenant: str, ledger: str, year: int, number: int) -> None:
        """A copy of an entry has a number too; the books may or may not count it."""
        self._of(tenant, ledger, year).next_numbers.add(number + 1)

    def _of(self, tenant: str, ledger: str, year: int) -> _Series:
        return self._series.setdefault((tenant, ledger, year), _Series())
