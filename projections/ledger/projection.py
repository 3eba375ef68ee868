"""How events become journal entries: each that carries an entry makes exactly one."""

from collections.abc import Sequence
from datetime import date
from functools import lru_cache

from esm.events import CataloguePublished, Entry, Recorded
from esm.ids import event_id
from projections.conditions import marks
from projections.engine import Held, Row
from projections.ledger.chart import Chart, check_entry, published_chart, read_chart
from projections.ledger.tables import ENTRIES, LINES, NUMBERS, RULES, SHARED
from projections.pump import Poison, Projection, Session, known

Series = tuple[str, str, int]
"""Tenant, ledger and year: what numbers are gapless in."""

CHARTS_MAX = 256
"""Charts that are kept in memory; one is a few kilobytes."""

DATES_MAX = 1_024
"""Dates whose year is remembered; entries of a batch share a few."""


class LedgerProjection(Projection):
    """The books. Stops at an event that it cannot book and says so; nothing is passed over."""

    NAME = "ledger"
    TABLES = (ENTRIES, LINES, SHARED, NUMBERS, RULES)
    HALTS = True

    def __init__(self) -> None:
        self._charts: dict[str, Chart] = {}

    def begin(self, held: Held, events: Sequence[Recorded]) -> Session:
        return _LedgerSession(held, events, self._charts)


class _LedgerSession(Session):
    def __init__(self, held: Held, events: Sequence[Recorded], parsed: dict[str, Chart]) -> None:
        self._held = held
        self._parsed = parsed
        entries = [(r.tenant, x) for r in events if (x := _entry(r)) is not None]
        self._charts = self._load_charts({(tenant, x.rules) for tenant, x in entries})
        self._last = self._load_numbers({tenant for tenant, _ in entries})
        self._numbered: set[Series] = set()
        self._entries: list[Row] = []
        self._lines: list[Row] = []
        self._shared: set[tuple[str, str, int]] = set()
        self._rules: dict[tuple[str, str], Row] = {}

    def apply(self, recorded: Recorded) -> None:
        entry = _entry(recorded)
        if entry is not None:
            self._book(recorded, entry)
            return
        event = known(recorded)
        if isinstance(event, CataloguePublished):
            self._publish(recorded, event)

    def write(self) -> None:
        held = self._held
        held.insert(ENTRIES, self._entries)
        held.insert(LINES, self._lines)
        held.insert(SHARED, sorted(self._shared))
        held.upsert(NUMBERS, [(*key, self._last[key]) for key in sorted(self._numbered)])
        held.upsert(RULES, list(self._rules.values()))

    def _publish(self, recorded: Recorded, event: CataloguePublished) -> None:
        accounts = published_chart(event.content)
        chart = read_chart(accounts)
        for digest in (event.digest, event.postings_digest):
            key = (recorded.tenant, digest)
            self._rules[key] = (recorded.tenant, digest, recorded.position, accounts)
            self._charts[key] = chart

    def _book(self, recorded: Recorded, entry: Entry) -> None:
        tenant = recorded.tenant
        chart = self._charts.get((tenant, entry.rules))
        if chart is None:
            raise Poison(f"rules {entry.rules!r} were never published")
        check_entry(entry, chart)
        effective = entry.effective
        year = _year(effective)
        series = (tenant, entry.ledger, year)
        number = self._last.get(series, 0) + 1
        self._last[series] = number
        self._numbered.add(series)
        position, at, order_id = recorded.position, recorded.recorded, entry.order_id
        self._entries.append(
            (
                tenant,
                position,
                event_id(recorded.aggregate_id, recorded.version),
                entry.ledger,
                year,
                number,
                entry.currency,
                effective,
                at,
                recorded.occurred,
                recorded.topic,
                recorded.actor,
                entry.rules,
                order_id,
                entry.exception_id,
                entry.episode,
                entry.mirrors,
            )
        )
        own, episode = entry.exception_id, entry.episode
        for index, leg in enumerate(entry.legs):
            case = leg.exception_id or own
            self._lines.append(
                (
                    tenant,
                    position,
                    index,
                    entry.ledger,
                    leg.account,
                    entry.currency,
                    effective,
                    at,
                    leg.debit,
                    leg.credit,
                    leg.row,
                    leg.party,
                    order_id,
                    leg.sale_line,
                    leg.logistics_line,
                    leg.shipment_code,
                    case,
                    episode,
                    leg.action_id,
                )
            )
            if case != own:
                self._shared.add((tenant, case, position))

    def _load_charts(self, keys: set[tuple[str, str]]) -> dict[tuple[str, str], Chart]:
        charts: dict[tuple[str, str], Chart] = {}
        for tenant, digest in sorted(keys):
            found = self._held.rows(
                "SELECT accounts FROM {ledger_rules} WHERE tenant = ? AND digest = ?",
                (tenant, digest),
            )
            if found:
                charts[tenant, digest] = self._parse(found[0][0])
        return charts

    def _parse(self, accounts: str) -> Chart:
        chart = self._parsed.get(accounts)
        if chart is None:
            if len(self._parsed) >= CHARTS_MAX:
                self._parsed.clear()
            chart = self._parsed[accounts] = read_chart(accounts)
        return chart

    def _load_numbers(self, tenants: set[str]) -> dict[Series, int]:
        if not tenants:
            return {}
        found = self._held.rows(
            "SELECT tenant, ledger, year, last_number FROM {ledger_numbers}"
            f" WHERE tenant IN ({marks(len(tenants))})",
            sorted(tenants),
        )
        return {(tenant, ledger, year): last for tenant, ledger, year, last in found}


@lru_cache(maxsize=DATES_MAX)
def _year(effective: str) -> int:
    day = date.fromisoformat(effective)
    if day.isoformat() != effective:
        raise Poison(f"effective date {effective!r} is not written YYYY-MM-DD")
    return day.year


def _entry(recorded: Recorded) -> Entry | None:
    """The entry that an event carries; most topics have none."""
    entry: Entry | None = getattr(recorded.event, "entry", None)
    return entry
