"""The auditor against sound books, and against books and events with one planted fault each."""

import ast
import json
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

import server.verification
from esm import postings
from esm.catalog import Catalogue, load
from esm.events import ActionApproved, Entry, EntryReversed, Part
from server.journal import JournalEntry, LoggedEvent, Turnover
from server.verification import KINDS, Finding, audit
from tests.server.sound_books import CASE, OTHER_CASE, Books, Log, books_of, sound


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load()


def findings(
    events: Sequence[LoggedEvent], books: Iterable[JournalEntry], turnovers: Iterable[Turnover] = ()
) -> list[Finding]:
    return list(audit(lambda: events, books, turnovers))


def kinds(events: Sequence[LoggedEvent], books: Iterable[JournalEntry]) -> list[str]:
    return [finding.kind for finding in findings(events, books)]


def relined(entry: JournalEntry, place: int, **changes: Any) -> JournalEntry:
    lines = list(entry.lines)
    lines[place] = replace(lines[place], **changes)
    return replace(entry, lines=tuple(lines))


def test_sound_books_have_no_findings(catalogue: Catalogue) -> None:
    events = sound(catalogue)
    books = books_of(events)
    assert len(books) == 7
    assert findings(events, books) == []


def drop_leg(books: Books) -> None:
    books[1] = replace(books[1], lines=books[1].lines[:-1])


def drop_first_leg(books: Books) -> None:
    lines = books[1].lines[1:]
    books[1] = replace(books[1], lines=tuple(replace(li, index=i) for i, li in enumerate(lines)))


def flip_sign(books: Books) -> None:
    line = books[0].lines[0]
    books[0] = relined(books[0], 0, debit=line.credit, credit=line.debit)


def double_adjacent(books: Books) -> None:
    books.insert(2, books[1])


def double_with_next_number(books: Books) -> None:
    later = [replace(entry, number=entry.number + 1) for entry in books[2:]]
    books[2:] = [replace(books[1], number=books[1].number + 1), *later]


def double_at_the_end(books: Books) -> None:
    books.append(replace(books[0], number=books[-1].number + 1))


def move_account(books: Books) -> None:
    books[3] = relined(books[3], 0, account="1110")


def move_order(books: Books) -> None:
    lines = tuple(replace(line, order_id="O-9") for line in books[4].lines)
    books[4] = replace(books[4], order_id="O-9", lines=lines)


def move_order_of_one_line(books: Books) -> None:
    books[4] = relined(books[4], 1, order_id="O-9")


def swap_entries(books: Books) -> None:
    books[1], books[2] = books[2], books[1]


def skip_number(books: Books) -> None:
    books[3:] = [replace(entry, number=entry.number + 1) for entry in books[3:]]


def skip_one_number(books: Books) -> None:
    books[3] = replace(books[3], number=77)


def repeat_number(books: Books) -> None:
    books[3] = replace(books[3], number=2)


def drop_entry(books: Books) -> None:
    del books[2]


def drop_entry_and_close_up(books: Books) -> None:
    books[2:] = [replace(entry, number=entry.number - 1) for entry in books[3:]]


def invent_entry(books: Books) -> None:
    books.append(replace(books[0], event_id=str(UUID(int=77)), number=books[-1].number + 1))


def change_amount(books: Books) -> None:
    books[0] = relined(books[0], 1, debit=201)


def change_row(books: Books) -> None:
    books[0] = relined(books[0], 1, row="R2")


def change_date(books: Books) -> None:
    books[0] = replace(books[0], effective="2026-01-01")


def change_actor(books: Books) -> None:
    books[0] = replace(books[0], actor="eve")


def shuffle_legs(books: Books) -> None:
    lines = books[0].lines[::-1]
    books[0] = replace(books[0], lines=tuple(replace(li, index=i) for i, li in enumerate(lines)))


BOOK_FAULTS: list[tuple[Callable[[Books], None], str]] = [
    (drop_leg, "leg_dropped"),
    (drop_first_leg, "leg_dropped"),
    (flip_sign, "sign_flipped"),
    (double_adjacent, "entry_doubled"),
    (double_with_next_number, "entry_doubled"),
    (double_at_the_end, "entry_doubled"),
    (move_account, "wrong_account"),
    (move_order, "wrong_order"),
    (move_order_of_one_line, "wrong_order"),
    (swap_entries, "entry_misplaced"),
    (skip_number, "number_gap"),
    (skip_one_number, "number_gap"),
    (repeat_number, "number_repeated"),
    (drop_entry, "entry_missing"),
    (drop_entry_and_close_up, "entry_missing"),
    (invent_entry, "entry_unfounded"),
    (change_amount, "wrong_amount"),
    (change_row, "wrong_tag"),
    (change_date, "wrong_date"),
    (change_actor, "wrong_head"),
    (shuffle_legs, "legs_shuffled"),
]


@pytest.mark.parametrize(("plant", "kind"), BOOK_FAULTS, ids=lambda v: getattr(v, "__name__", v))
def test_a_fault_planted_in_the_books_is_the_one_finding(
    catalogue: Catalogue, plant: Callable[[Books], None], kind: str
) -> None:
    events = sound(catalogue)
    books = books_of(events)
    plant(books)
    assert kinds(events, books) == [kind]


def test_a_finding_names_event_number_and_position(catalogue: Catalogue) -> None:
    events = sound(catalogue)
    books = books_of(events)
    drop_leg(books)
    (finding,) = findings(events, books)
    assert (finding.event_id, finding.position) == (books[1].event_id, books[1].position)
    assert finding.number == "default/2026/2"
    assert finding.words == "credit 90 on 2040 is not there"


def tampered(event: LoggedEvent, change: Callable[[dict[str, Any]], None]) -> LoggedEvent:
    facts = json.loads(event.payload)
    change(facts)
    return replace(event, payload=json.dumps(facts).encode())


def lose_leg(facts: dict[str, Any]) -> None:
    del facts["entry"]["legs"][0]


def swap_side(facts: dict[str, Any]) -> None:
    leg = facts["entry"]["legs"][0]
    leg["debit"], leg["credit"] = leg.get("credit", 0), leg.get("debit", 0)


def other_account(facts: dict[str, Any]) -> None:
    facts["entry"]["legs"][0]["account"] = "4120"


def other_order(facts: dict[str, Any]) -> None:
    facts["entry"]["order_id"] = "O-2"


def other_row(facts: dict[str, Any]) -> None:
    for leg in facts["entry"]["legs"]:
        leg["row"] = "R2"


def other_item(facts: dict[str, Any]) -> None:
    facts["entry"]["legs"][0]["item"] = "action:A7"


def other_case(facts: dict[str, Any]) -> None:
    facts["entry"]["exception_id"] = str(OTHER_CASE)


def other_facts(facts: dict[str, Any]) -> None:
    facts["entry"]["parts"][0]["amounts"]["shipping"] = 201


def other_date(facts: dict[str, Any]) -> None:
    facts["entry"]["effective"] = "2026-02-03"


def fraction(facts: dict[str, Any]) -> None:
    facts["entry"]["parts"][0]["amounts"]["shipping"] = 200.5


def unknown_row(facts: dict[str, Any]) -> None:
    facts["entry"]["parts"][0]["row"] = "R99"


EVENT_FAULTS: list[tuple[Callable[[dict[str, Any]], None], str]] = [
    (lose_leg, "leg_dropped"),
    (swap_side, "sign_flipped"),
    (other_account, "wrong_account"),
    (other_order, "wrong_order"),
    (other_item, "wrong_tag"),
    (other_case, "wrong_tag"),
    (other_facts, "wrong_amount"),
    (other_date, "wrong_date"),
    (fraction, "event_unreadable"),
    (unknown_row, "event_unreadable"),
]


@pytest.mark.parametrize(("change", "kind"), EVENT_FAULTS, ids=lambda v: getattr(v, "__name__", v))
def test_a_fault_planted_in_an_event_and_followed_by_the_books_is_the_one_finding(
    catalogue: Catalogue, change: Callable[[dict[str, Any]], None], kind: str
) -> None:
    events = sound(catalogue)
    # The mirrors of the first refund would rightly complain too.
    events = [event for event in events if event.topic != EntryReversed.TOPIC]
    events[3] = tampered(events[3], change)
    assert kinds(events, books_of(events)) == [kind]


@pytest.mark.parametrize("change", [lose_leg, swap_side, other_account, other_order])
def test_a_fault_planted_in_an_event_alone_is_the_one_finding(
    catalogue: Catalogue, change: Callable[[dict[str, Any]], None]
) -> None:
    events = [event for event in sound(catalogue) if event.topic != EntryReversed.TOPIC]
    books = books_of(events)
    events[3] = tampered(events[3], change)
    assert kinds(events, books) == [dict(EVENT_FAULTS)[change]]


def one_refund(catalogue: Catalogue) -> tuple[Log, Entry, str]:
    log = Log(catalogue)
    entry = log.entry(CASE, Part(row="R2", amounts={"gross": 500}, item="action:A1"))
    return log, entry, log.add(CASE, ActionApproved(action_id="A1", by="bo", entry=entry))


def test_mirrors_that_undo_more_than_their_original_are_found(catalogue: Catalogue) -> None:
    log, entry, event_id = one_refund(catalogue)
    log.mirror(CASE, entry, event_id, 300, 300)
    log.mirror(CASE, entry, event_id, 201, 201)
    assert kinds(log.events, books_of(log.events)) == ["mirror_exceeds"]


def test_a_mirror_of_a_mirror_is_found(catalogue: Catalogue) -> None:
    log, entry, event_id = one_refund(catalogue)
    mirror_id = log.mirror(CASE, entry, event_id, 300, 300)
    undone = postings.mirror(
        log.catalogue, entry, "X1", (300, 300), event_id=event_id, effective=entry.effective
    )
    log.mirror(CASE, undone, mirror_id, 300, 300)
    assert kinds(log.events, books_of(log.events)) == ["mirror_of_mirror"]


def test_a_mirror_of_nothing_is_found(catalogue: Catalogue) -> None:
    log, entry, _ = one_refund(catalogue)
    log.mirror(CASE, entry, str(UUID(int=5)), 300, 300)
    assert kinds(log.events, books_of(log.events)) == ["mirror_unfounded"]


@pytest.mark.parametrize(("change", "kind"), [*EVENT_FAULTS[:4], (other_row, "wrong_tag")])
def test_a_fault_planted_in_a_mirror_is_found(
    catalogue: Catalogue, change: Callable[[dict[str, Any]], None], kind: str
) -> None:
    log, entry, event_id = one_refund(catalogue)
    log.mirror(CASE, entry, event_id, 300, 300)
    log.events[-1] = tampered(log.events[-1], change)
    assert kinds(log.events, books_of(log.events)) == [kind]


def test_rules_that_were_never_published_are_found(catalogue: Catalogue) -> None:
    log, _, _ = one_refund(catalogue)
    events = log.events[1:]
    assert kinds(events, books_of(events)) == ["rules_unpublished"]


def test_published_rules_that_were_altered_are_found(catalogue: Catalogue) -> None:
    log, _, _ = one_refund(catalogue)

    def retitle(facts: dict[str, Any]) -> None:
        facts["content"] = facts["content"].replace("Customer refunds payable", "Something else")

    log.events[0] = tampered(log.events[0], retitle)
    assert kinds(log.events, books_of(log.events)) == ["rules_altered"]


def test_an_event_under_an_id_that_is_not_its_own_is_found(catalogue: Catalogue) -> None:
    log, _, _ = one_refund(catalogue)
    log.events[-1] = replace(log.events[-1], event_id=str(UUID(int=6)))
    assert kinds(log.events, books_of(log.events)) == ["event_altered"]


def test_bytes_that_are_no_json_are_found(catalogue: Catalogue) -> None:
    log, _, _ = one_refund(catalogue)
    books = books_of(log.events)
    log.events[-1] = replace(log.events[-1], payload=b"{")
    assert kinds(log.events, books) == ["event_unreadable"]


def test_rules_that_do_not_balance_are_found(catalogue: Catalogue) -> None:
    log, _, _ = one_refund(catalogue)

    def lopsided(facts: dict[str, Any]) -> None:
        entry = facts["entry"]
        entry["parts"] = [{"row": "P2", "amounts": {"net": 10, "gross": 11}}]
        entry["legs"] = [
            {"account": "4120", "debit": 10, "amount": "net", "row": "P2"},
            {"account": "2030", "credit": 11, "amount": "gross", "row": "P2", "party": "customer"},
        ]

    log.events[-1] = tampered(log.events[-1], lopsided)
    assert kinds(log.events, books_of(log.events)) == ["unbalanced"]


def test_a_trial_balance_that_is_not_the_sum_of_the_entries_is_found(catalogue: Catalogue) -> None:
    log, _, _ = one_refund(catalogue)
    books = books_of(log.events)
    right = [
        Turnover("default", "2010", "USD", 0, 500),
        Turnover("default", "2090", "USD", 500, 0),
    ]
    assert findings(log.events, books, right) == []
    wrong = [right[0], replace(right[1], debit=501)]
    (finding,) = findings(log.events, books, wrong)
    assert finding.kind == "wrong_total"
    assert "2090" in finding.words


def test_numbers_start_again_for_each_ledger_and_year(catalogue: Catalogue) -> None:
    log = Log(catalogue)
    for day in range(120):
        entry = log.entry(CASE, Part(row="R2", amounts={"gross": 500 + day}))
        log.add(CASE, ActionApproved(action_id="A1", by="bo", entry=entry))
    books = books_of(log.events)
    assert {entry.year for entry in books} == {2026, 2027}
    assert findings(log.events, books) == []


def test_every_kind_that_the_auditor_names_is_explained() -> None:
    folder = Path(server.verification.__file__).parent
    texts = {
        node.value
        for path in folder.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    assert set(KINDS) <= texts
    page = (folder.parents[1] / "docs" / "verify.md").read_text(encoding="utf-8")
    for kind, meaning in KINDS.items():
        assert f"| `{kind}` | {meaning} |" in page
    tested = {kind for _, kind in (*BOOK_FAULTS, *EVENT_FAULTS)}
    assert tested <= set(KINDS)


def test_the_auditor_imports_nothing_of_what_it_audits() -> None:
    for path in Path(server.verification.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            modules = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            if isinstance(node, ast.Import):
                modules = [alias.name for alias in node.names]
            for module in modules:
                ours = module.startswith(("server.verification", "server.journal"))
                assert ours or module.split(".")[0] in sys.stdlib_module_names, path
