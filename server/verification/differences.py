"""How two lists of legs differ, said in the fewest words that explain it."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from server.verification.rules import Leg


class Difference(NamedTuple):
    """A kind of finding and what exactly differs."""

    kind: str
    words: str


def differences(expected: Sequence[Leg], found: Sequence[Leg]) -> Iterator[Difference]:
    """Why ``found`` is not ``expected``; each leg is blamed once, for its nearest mistake."""
    if list(expected) == list(found):
        return
    missing = list((Counter(expected) - Counter(found)).elements())
    added = list((Counter(found) - Counter(expected)).elements())
    if not missing and not added:
        yield Difference("legs_shuffled", "the legs stand in another order")
        return
    for kind, like, says in _NEAREST:
        for want in list(missing):
            got = next((leg for leg in added if like(want, leg)), None)
            if got is not None:
                missing.remove(want)
                added.remove(got)
                yield Difference(kind, says(want, got))
    for leg in missing:
        yield Difference("leg_dropped", f"{_show(leg)} is not there")
    for leg in added:
        yield Difference("leg_added", f"{_show(leg)} should not be there")


def _show(leg: Leg) -> str:
    side = "debit" if leg.moved > 0 else "credit"
    return f"{side} {abs(leg.moved)} on {leg.account}"


def _flipped(want: Leg, got: Leg) -> bool:
    return got == want._replace(moved=-want.moved)


def _other_account(want: Leg, got: Leg) -> bool:
    return got == want._replace(account=got.account)


def _other_amount(want: Leg, got: Leg) -> bool:
    return got == want._replace(moved=got.moved) and (want.moved > 0) == (got.moved > 0)


def _other_tag(want: Leg, got: Leg) -> bool:
    return (want.account, want.moved) == (got.account, got.moved)


def _tags(want: Leg, got: Leg) -> str:
    unequal = (
        f"{name} {theirs!r} instead of {ours!r}"
        for name, ours, theirs in zip(Leg._fields, want, got, strict=True)
        if ours != theirs
    )
    return f"{_show(want)} has {', '.join(unequal)}"


_NEAREST: tuple[
    tuple[str, Callable[[Leg, Leg], bool], Callable[[Leg, Leg], str]],
    ...,
] = (
    ("sign_flipped", _flipped, lambda want, got: f"{_show(got)} should be {_show(want)}"),
    ("wrong_account", _other_account, lambda want, got: f"{_show(got)} should be {_show(want)}"),
    ("wrong_amount", _other_amount, lambda want, got: f"{_show(got)} should be {_show(want)}"),
    ("wrong_tag", _other_tag, _tags),
)
"""From the mistake that leaves most of a leg alone to the one that leaves least."""
