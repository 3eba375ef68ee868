"""Whatever is told of parcels and whatever stops: in the end the cases say what stands.

What stands is what the rules find in the timeline at the end, asked once; what the cases say is
read from the log. How the one came to the other, look by look, is no part of the answer.
"""

import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from random import Random
from typing import Final, NamedTuple

import pytest

from esm import lifecycle
from esm.commands import MuteRule
from esm.detection.model import Finding
from esm.detection.outlook import Detection
from esm.events import Detected
from esm.exception.standing import standing
from esm.exception.state import AT_RISK, Case
from esm.times import instant
from server.clock import Clock
from server.settings import Settings
from server.storage.records import LogFilter, LogRow
from server.store import Store
from server.tracking.inputs import TrackingCheckpoint
from server.tracking.store import REFUSED, Key, Watched
from tests.esm.story import CATALOGUE
from tests.properties.histories_of_parcels import (
    BEGIN,
    FEED,
    TENANT,
    Hand,
    Play,
    Telling,
    history,
    server_on,
)
from tests.serving import postgres_settings, sqlite_settings

SEEDS: Final = {"one": (3, 4, 5, 6, 7, 8), "two": (601, 602)}
PARCELS: Final = {"one": 25, "two": 12}
STOPS_MIN: Final = 3
CODES_MIN: Final = 4
LOG_ROWS_MAX: Final = 100_000

DETECTION: Final = Detection(CATALOGUE)


class State(NamedTuple):
    """How a parcel stands at a moment (``now``, microseconds UTC) at which all was looked after.

    What was told of it, its row, what was found, ended or not, and its cases by their ids.
    """

    code: str
    now: int
    told: Sequence[Telling]
    row: Watched
    findings: Sequence[Finding]
    cases: Mapping[str, Case]

    def named(self, finding: Finding) -> list[tuple[Case, str]]:
        """The cases and source ids under which a finding was said, the first time and again."""
        name = f"{self.code}/{finding.key}"
        again = f"{name}@"
        return [(c, each) for c, each in self.sources() if each == name or each.startswith(again)]

    def sources(self) -> list[tuple[Case, str]]:
        """Every source of every case."""
        return [(case, each.source_id) for case in self.cases.values() for each in case.sources]

    def was_muted(self, rule: str) -> bool:
        """Whether a rule was muted once."""
        return any(isinstance(each.what, MuteRule) and each.what.rule == rule for each in self.told)

    def is_muted(self, rule: str) -> bool:
        """Whether a rule is muted now."""
        return any(
            isinstance(each.what, MuteRule)
            and each.what.rule == rule
            and each.what.until > instant(self.now)
            for each in self.told
        )


@pytest.mark.parametrize("seed", SEEDS["one"])
@pytest.mark.parametrize("clock", ["wall", "feed"])
def test_wherever_one_server_stops_its_cases_say_in_the_end_what_stands(
    tmp_path: Path, clock: str, seed: int
) -> None:
    """A15, A29."""
    settings = sqlite_settings(tmp_path / "data", clock=clock)
    asyncio.run(play([settings], seed, PARCELS["one"]))


@pytest.mark.parametrize("seed", SEEDS["two"])
@pytest.mark.parametrize("clock", ["wall", "feed"])
def test_whatever_two_servers_are_told_while_they_look_their_cases_say_what_stands(
    postgres_dsn: str, postgres_schema: str, clock: str, seed: int
) -> None:
    """A15, A29."""
    settings = postgres_settings(postgres_dsn, postgres_schema, clock=clock)
    asyncio.run(play([settings, settings], seed, PARCELS["two"]))


async def play(settings: Sequence[Settings], seed: int, parcels: int) -> None:
    """One seed on a server for each of the settings, which name the same store."""
    chance = Random(seed)
    hand = Hand(BEGIN) if settings[0].clock == "wall" else None
    told = [each for number in range(parcels) for each in history(chance, f"P{number}")]
    codes: set[str] = set()
    async with AsyncExitStack() as stack:
        servers = [
            await stack.enter_async_context(server_on(each, hand or Clock())) for each in settings
        ]
        of_play = Play(servers, hand, chance)
        async for now, so_far in of_play.through(told):
            stands = list(of_each(servers[0].store, now, so_far))
            wrong = [f"{each.code}: {wrong}" for each in stands for wrong in wrongs(each)]
            wrong += [f"{code}: was looked at ahead of the clock" for code in of_play.ahead]
            assert wrong == [], f"seed {seed} of {parcels} parcels, at {instant(now)}"
            codes |= {case.code for each in stands for case in each.cases.values()}
    assert len(codes) >= CODES_MIN, f"seed {seed} says too little: {codes}"
    assert of_play.stopped >= STOPS_MIN, f"seed {seed} says too little: hardly a look was stopped"


def of_each(store: Store, now: int, told: Sequence[Telling]) -> Iterator[State]:
    """How every parcel stands that is watched."""
    of_parcel: dict[str, list[Telling]] = {}
    for each in told:
        of_parcel.setdefault(each.what.shipment_code, []).append(each)
    cases: dict[str, dict[str, Case]] = {code: {} for code in of_parcel}
    where = LogFilter(topics=(Detected.TOPIC,))
    for row in store.application.events_log.select_log(0, LOG_ROWS_MAX, where=where):
        case = store.application.state_at(LogRow._make(row).aggregate_id)[1]
        assert isinstance(case, Case)
        cases[case.subject.shipment_code][str(case.id)] = case
    for watched in store.tracking.load([Key(TENANT, code) for code in of_parcel]):
        code = watched.shipment.shipment_code
        findings = DETECTION.outlook(watched.shipment, watched.timeline, now).findings
        yield State(code, now, of_parcel[code], watched, findings, cases[code])


def wrongs(parcel: State) -> Iterator[str]:
    """What is wrong with a parcel."""
    yield from wrong_row(parcel)
    for finding in parcel.findings:
        yield from wrong_finding(parcel, finding)
    yield from wrong_cases(parcel)


def wrong_row(parcel: State) -> Iterator[str]:
    """Facts that it lacks or has twice, a moment that was missed, and what a case refused."""
    row = parcel.row
    facts = {
        each.what.source_id for each in parcel.told if isinstance(each.what, TrackingCheckpoint)
    }
    known = sorted(each.source_id for each in row.timeline)
    if known != sorted(f"{FEED}/{each}" for each in facts):
        yield f"knows {known}, was told {sorted(facts)}"
    if 0 < row.due <= parcel.now:
        yield "is still due"
    yield from (f"{each.source_id} was refused" for each in row.told if each.outcome == REFUSED)


def wrong_finding(parcel: State, finding: Finding) -> Iterator[str]:
    """What stands is in one open case, what ended is cleared; what hangs on a fact was said."""
    said = parcel.named(finding)
    alive = [case for case, source_id in said if source_id not in case.cleared]
    if finding.ended:
        if alive:
            yield f"{finding.key} ended, and stands in {len(alive)} cases"
        if not said and not finding.stage and not parcel.was_muted(finding.rule):
            yield f"{finding.key} ended, and was never said"
    elif not alive and (unrecorded(parcel, finding) or parcel.is_muted(finding.rule)):
        return
    elif [case.state in lifecycle.OPEN_STATES for case in alive] != [True]:
        yield f"{finding.key} stands in {[case.state for case in alive]}"


def unrecorded(parcel: State, finding: Finding) -> bool:
    """Whether it was only answered: at risk does not bring back a case that was withdrawn."""
    name = f"{parcel.code}/{finding.key}"
    return (
        finding.stage == AT_RISK
        and any(each.source_id.startswith(name) for each in parcel.row.told)
        and any(
            case.family == CATALOGUE.type_of(finding.code).family
            and case.subject.piece == finding.piece
            and (case.state == lifecycle.WITHDRAWN or case.episode > 1)
            for case in parcel.cases.values()
        )
    )


def wrong_cases(parcel: State) -> Iterator[str]:
    """Sources that nobody finds, twice the same, cases of one trouble, cases in a wrong state."""
    found = {source_id for finding in parcel.findings for _, source_id in parcel.named(finding)}
    for case, source_id in parcel.sources():
        if source_id not in found and source_id not in case.cleared:
            yield f"{source_id} is not found, and stands in a case that is {case.state}"
    times = Counter(source_id for _, source_id in parcel.sources())
    yield from (f"{source_id} stands {n} times" for source_id, n in times.items() if n > 1)
    is_open = [case for case in parcel.cases.values() if case.state in lifecycle.OPEN_STATES]
    troubles = Counter((case.family, case.subject.piece) for case in is_open)
    yield from (f"{n} cases are open for {trouble}" for trouble, n in troubles.items() if n > 1)
    for case in parcel.cases.values():
        if bool(standing(case, CATALOGUE)) != (case in is_open):
            yield f"a case of {case.code} is {case.state}, with {standing(case, CATALOGUE)}"
