"""What the log says of a shipment's cases, and a shipment that knows it. Pure."""

from collections.abc import Iterable, Mapping, Sequence

from msgspec.structs import replace

from server.tracking.store import OPENED, Noted, Told, Watched


def by_order(noted: Iterable[Noted]) -> dict[tuple[str, str], list[Noted]]:
    """What the log says of each order (tenant, order id), in its order."""
    found: dict[tuple[str, str], list[Noted]] = {}
    for each in noted:
        found.setdefault((each.tenant, each.order_id), []).append(each)
    return found


def knowing(watched: Watched, noted: Mapping[tuple[str, str], Sequence[Noted]]) -> Watched:
    """The shipment once it knows what the log says of its order's cases.

    What it knew already changes nothing, so that the log may be read again at any time.
    """
    for each in noted.get((watched.tenant, watched.shipment.order_id), ()):
        watched = _knowing(watched, each)
    return watched


def _knowing(watched: Watched, noted: Noted) -> Watched:
    told = {each.source_id: each for each in watched.told}
    cases = {each.case_id: each for each in watched.cases}
    if noted.shipment_code == watched.shipment.shipment_code and noted.case is not None:
        known_case = cases.get(noted.case_id, noted.case)
        # Who said it again after a stop does not know how old the case is.
        since = min(known_case.since, noted.case.since)
        cases[noted.case_id] = replace(known_case, since=since)
    if noted.source_id and noted.case_id in cases:
        said = told.get(noted.source_id)
        if said is None or said.outcome != OPENED:
            told[noted.source_id] = Told(
                source_id=noted.source_id, outcome=OPENED, case_id=noted.case_id
            )
    for source_id in noted.cleared:
        if source_id in told:
            told[source_id] = replace(told[source_id], cleared=True, until=0)
    known = replace(watched, told=tuple(told.values()), cases=tuple(cases.values()))
    return watched if (known.told, known.cases) == (watched.told, watched.cases) else known
