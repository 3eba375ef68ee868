"""Two servers on one store, one of them killed in mid-detection: one case each, none missing."""

import random
import threading

from tests.kill.servers import kill, served
from tests.kill.watching import Parcel, Teller, now, parcels, register, settled

ROUNDS = 10
PLANTED_ROUNDS_MAX = 3
KILL_SECONDS = (0.05, 0.9)
"""The kill comes at a random moment between these, counted from the first fact that is told."""

SERVER = "server.cli"
BY_PAYLOAD = "tests.kill.dedupe_by_payload"


def play(module: str, options: tuple[str, ...], rounds: int) -> list[str]:
    """Rounds of telling and killing; what is wrong at the end of the first round that is."""
    chance = random.Random(1105)
    teller = Teller(chance)
    told: list[Parcel] = []
    for round_ in range(rounds):
        new = parcels(round_, now())
        told += new
        facts = [fact for parcel in new for fact in parcel.facts]
        with (
            served(module, *options) as (first, one),
            served(module, *options) as (second, other),
        ):
            register(first, new)
            victim, survivor = chance.choice([(one, second), (other, first)])
            timer = threading.Timer(chance.uniform(*KILL_SECONDS), victim.kill)
            timer.start()
            teller.tell((first, second), facts)
            timer.join()
            kill(victim)
            # Whoever told it does not know what was taken, and tells all of it again.
            teller.tell((survivor,), facts)
            if wrong := settled(survivor, told):
                return wrong
        assert teller.refused == []
    return []


def test_ten_kills_between_two_servers_double_no_case_and_lose_none(
    postgres_dsn: str, postgres_schema: str
) -> None:
    """A15, A29."""
    options = ("--dsn", postgres_dsn, "--schema", postgres_schema)
    assert play(SERVER, options, ROUNDS) == []


def test_facts_told_apart_by_their_words_instead_of_their_ids_are_found_out(
    postgres_dsn: str, postgres_schema: str
) -> None:
    options = ("--dsn", postgres_dsn, "--schema", postgres_schema)
    assert play(BY_PAYLOAD, options, PLANTED_ROUNDS_MAX) != []
