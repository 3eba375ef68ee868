"""Places what a feed says of a whole number, at the time of that number's newest checkpoint."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import structs

from server.tracking.reading import Reading, identified


def with_state(readings: Iterable[Reading], state: str) -> list[Reading]:
    """The readings of one number by time and content, with source ids; at the end is the state.

    The state is a reading of its own, without words, at the time of the newest: on a row it would
    change that row's id as soon as a newer one takes it over. Where the newest tells a code of its
    own, the state adds nothing. The order is one of content only, so that of two at one instant it
    is the same whatever order the feed tells them in.
    """
    found = identified(sorted(readings, key=lambda r: (r.occurred, structs.astuple(r))))
    if found and state and not found[-1].raw_code:
        found.append(_of_whole_number(found[-1], state))
    return found


def _of_whole_number(newest: Reading, state: str) -> Reading:
    """The state as a fact of number, time and code.

    The carrier does not enter the source id, since of two carriers that tell one event either may
    be the first to.
    """
    bare = Reading(
        number=newest.number, occurred=newest.occurred, zoned=newest.zoned, raw_code=state
    )
    (named,) = identified([bare])
    return structs.replace(named, carrier=newest.carrier)


def with_signer(readings: list[Reading], signer: str, delivered: str) -> list[Reading]:
    """The readings in the same order, with source ids; the delivery has the signer.

    It is the last of which the code begins with ``delivered``; without one, the last of all.
    """
    if not readings or not signer:
        return readings
    places = [at for at, each in enumerate(readings) if each.raw_code.startswith(delivered)]
    at = places[-1] if places else -1
    found = list(readings)
    found[at] = structs.replace(found[at], signer=signer)
    return found
