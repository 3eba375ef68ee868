"""Goes through the log and the books side by side."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from uuid import UUID, uuid5

from server.journal import JournalEntry, LoggedEvent, Turnover
from server.verification.books import Books
from server.verification.differences import Difference, differences
from server.verification.findings import Finding
from server.verification.made import Made, booked, facts_of, made_by, shown
from server.verification.mirrors import Mirrors, mirrored
from server.verification.numbering import Numbering
from server.verification.rules import PUBLISHED, RuleBook, Unusable

DETECTED = "exception.detected.v1"
CASE_PREFIX = "exception."


def audit(
    read_events: Callable[[], Iterable[LoggedEvent]],
    entries: Iterable[JournalEntry],
    turnovers: Iterable[Turnover] = (),
) -> Iterator[Finding]:
    """Everything that does not hold; nothing when the books are what the log makes.

    ``read_events`` gives the events of one tenant in log order and is called twice: first to
    learn which entries are ever mirrored, for only their legs are kept. ``entries`` are the
    tenant's, in log order; ``turnovers`` the trial balances of its ledgers, when asked for. All
    of them must end at the same position: cut them there while commands come in.
    """
    auditor = _Auditor(Mirrors(mirrored(read_events())), entries)
    for event in read_events():
        yield from auditor.hear(event)
    yield from auditor.close(turnovers)


class _Auditor:
    """What an audit keeps on its way: rules, orders of the cases, numbers, mirrored entries."""

    def __init__(self, mirrors: Mirrors, entries: Iterable[JournalEntry]) -> None:
        self._rules = RuleBook()
        self._mirrors = mirrors
        self._orders: dict[str, str] = {}
        self._numbers = Numbering()
        self._totals: defaultdict[tuple[str, str, str], list[int]] = defaultdict(lambda: [0, 0])
        self._books = Books(self._counted(entries))

    def hear(self, event: LoggedEvent) -> Iterator[Finding]:
        """Judge one event, and the entry of the books that it makes."""
        if str(uuid5(UUID(event.aggregate_id), str(event.version))) != event.event_id:
            yield _of_event(event, "event_altered", "its id is not that of its case and version")
        try:
            facts = facts_of(event)
            if event.topic == PUBLISHED:
                problem = self._rules.publish(facts)
                if problem:
                    yield _of_event(event, "rules_altered", problem)
            elif event.topic == DETECTED:
                subject = facts["subject"]
                self._orders[event.aggregate_id] = subject.get("order_id", "")
            made = made_by(event, facts, self._rules)
        except (Unusable, KeyError, TypeError, ValueError) as problem:
            yield _of_event(event, "event_unreadable", f"{type(problem).__name__}: {problem}")
            self._pass_over(event)
            return
        if made is not None:
            yield from self._judge(made)

    def close(self, turnovers: Iterable[Turnover]) -> Iterator[Finding]:
        """What is left in the books, and whether the trial balance is the sum of the entries."""
        for entry, copy in self._books.rest():
            if copy:
                yield _of_entry(entry, "entry_doubled", "its event has an entry before")
            else:
                yield _of_entry(entry, "entry_unfounded", "no event of the log makes it")
        stated = {(t.ledger, t.account, t.currency): [t.debit, t.credit] for t in turnovers}
        if not stated:
            return
        for key in sorted(stated.keys() | self._totals.keys()):
            told, counted = stated.get(key, [0, 0]), self._totals.get(key, [0, 0])
            if told != counted:
                ledger, account, currency = key
                words = (
                    f"account {account} in {currency}: the trial balance has debit {told[0]} and "
                    f"credit {told[1]}, the entries {counted[0]} and {counted[1]}"
                )
                yield Finding("wrong_total", "", ledger, "", words)

    def _counted(self, entries: Iterable[JournalEntry]) -> Iterator[JournalEntry]:
        for entry in entries:
            for line in entry.lines:
                total = self._totals[entry.ledger, line.account, line.currency]
                total[0] += line.debit
                total[1] += line.credit
            yield entry

    def _judge(self, made: Made) -> Iterator[Finding]:
        event = made.event
        if made.mirrors:
            made = replace(made, derived=self._mirrors.derive(made))
        yield from _grouped(self._event_differences(made), event, "")
        self._mirrors.keep(made)
        number = self._numbers.make(event.tenant, made.ledger, made.year)
        met = self._books.meet(event.event_id)
        for copy in met.copies:
            yield _of_entry(copy, "entry_doubled", "its event has an entry before")
            self._numbers.see_doubled(event.tenant, copy.ledger, copy.year, copy.number)
        entry = met.entry
        if entry is None:
            words = f"number {number} of {made.ledger} {made.year} should be its entry"
            yield _of_event(event, "entry_missing", words)
            return
        if met.misplaced:
            yield _of_entry(entry, "entry_misplaced", "entries of later events stand before it")
        order = self._orders.get(event.aggregate_id, made.order_id)
        yield from _grouped(_entry_differences(made, entry, order), event, _number(entry))
        wrong = self._numbers.see(event.tenant, made.ledger, made.year, entry.number)
        if wrong:
            yield _of_entry(entry, wrong, f"the log makes it number {number}")

    def _pass_over(self, event: LoggedEvent) -> None:
        """Let the books have the entry of an event that cannot be read, unjudged."""
        entry = self._books.meet(event.event_id).entry
        if entry is not None:
            self._numbers.make(event.tenant, entry.ledger, entry.year)
            self._numbers.see(event.tenant, entry.ledger, entry.year, entry.number)

    def _event_differences(self, made: Made) -> Iterator[Difference]:
        """What is wrong with an event's entry before any book is opened."""
        order = self._orders.get(made.event.aggregate_id)
        if order is not None and order != made.order_id:
            yield Difference("wrong_order", f"order {made.order_id!r}, its case has {order!r}")
        if made.event.topic.startswith(CASE_PREFIX) and (
            made.exception_id != made.event.aggregate_id
        ):
            yield Difference("wrong_tag", "the entry names another case than its event's")
        rules = self._rules.postings.get(made.rules)
        if rules is None:
            yield Difference("rules_unpublished", f"no rules {made.rules} before it in the log")
        found = list(self._leg_differences(made))
        yield from found
        if found:
            return
        memo_accounts = set() if rules is None else rules.memo_accounts()
        for memo in (False, True):
            rest = sum(leg.moved for leg in made.written if (leg.account in memo_accounts) == memo)
            if rest:
                yield Difference("unbalanced", f"debits less credits is {rest}")

    def _leg_differences(self, made: Made) -> Iterator[Difference]:
        if made.mirrors:
            yield from self._mirrors.check(made)
            rules = self._rules.postings.get(made.rules)
            if rules is not None and not all(rules.mirrors(leg.row) for leg in made.written):
                yield Difference("wrong_tag", "a leg names a row that does not mirror")
        elif made.effective != made.date:
            yield Difference("wrong_date", f"effective {made.effective}, it happened {made.date}")
        if made.derived is not None:
            yield from differences(made.derived, made.written)


def _entry_differences(made: Made, entry: JournalEntry, order: str) -> Iterator[Difference]:
    """How an entry of the books differs from what its event holds and its facts make."""
    if entry.order_id not in (made.order_id, order):
        yield Difference("wrong_order", f"order {entry.order_id!r}, its case has {order!r}")
    yield from _head_differences(made, entry)
    written, found = shown(made, made.written), booked(entry)
    derived = written if made.derived is None else shown(made, made.derived)
    # Books that follow altered facts to the letter are no second mistake, nor are those
    # that still hold what the facts said before.
    if found not in (written, derived):
        yield from differences(derived, found)
    for place, line in enumerate(entry.lines):
        if line.order_id != entry.order_id:
            yield Difference("wrong_order", f"line {place} names order {line.order_id!r}")
        if line.episode != entry.episode:
            yield Difference("wrong_tag", f"line {place} names episode {line.episode}")
        if line.currency != entry.currency:
            yield Difference("wrong_head", f"line {place} is in {line.currency}")
        if min(line.debit, line.credit) != 0:
            yield Difference("wrong_amount", f"line {place} has a debit and a credit")
        if line.index != place:
            yield Difference("legs_shuffled", f"line {place} has index {line.index}")


def _head_differences(made: Made, entry: JournalEntry) -> Iterator[Difference]:
    event = made.event
    for kind, name, want in (
        ("wrong_tag", "exception_id", made.exception_id),
        ("wrong_tag", "episode", made.episode),
        ("wrong_tag", "mirrors", made.mirrors),
        ("wrong_head", "rules", made.rules),
        ("wrong_head", "ledger", made.ledger),
        ("wrong_head", "currency", made.currency),
        ("wrong_head", "topic", event.topic),
        ("wrong_head", "actor", event.actor),
        ("wrong_head", "position", event.position),
        ("wrong_date", "effective", made.effective),
        ("wrong_date", "year", made.year),
        ("wrong_date", "occurred", event.occurred),
        ("wrong_date", "recorded", event.recorded),
    ):
        got = getattr(entry, name)
        if got != want:
            yield Difference(kind, f"{name} is {got!r}, the event has {want!r}")


def _grouped(found: Iterable[Difference], event: LoggedEvent, number: str) -> Iterator[Finding]:
    """One finding for each kind, so that a tag wrong on five lines is one mistake."""
    words: dict[str, list[str]] = {}
    for difference in found:
        words.setdefault(difference.kind, []).append(difference.words)
    for kind, said in words.items():
        yield Finding(kind, event.event_id, number, event.position, "; ".join(said))


def _of_event(event: LoggedEvent, kind: str, words: str) -> Finding:
    return Finding(kind, event.event_id, "", event.position, words)


def _of_entry(entry: JournalEntry, kind: str, words: str) -> Finding:
    return Finding(kind, entry.event_id, _number(entry), entry.position, words)


def _number(entry: JournalEntry) -> str:
    return f"{entry.ledger}/{entry.year}/{entry.number}"
