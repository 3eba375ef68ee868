"""Folding what was reported to a case, and what became of it, into the case's state."""

from collections.abc import Collection, Iterable

from msgspec.structs import replace

from esm import events as e
from esm.catalog.rules import STAGES
from esm.events import Alert, Source
from esm.exception.state import Case, Movement


def source_joined(case: Case, event: e.SourceJoined, _: int) -> Case:
    """One more source."""
    return replace(
        case,
        sources=(*case.sources, event.source),
        source_codes=(*case.source_codes, event.code),
        stage=_stage_after(case.stage, (event.source,)),
        checkpoint=event.checkpoint or case.checkpoint,
    )


def signal_cleared(case: Case, event: e.SignalCleared, _: int) -> Case:
    """What was reported ended, or never was; what had ended may turn out never to have been."""
    return replace(
        case,
        cleared=_with(case.cleared, event.source_ids),
        undone=_with(case.undone, event.source_ids) if event.undone else case.undone,
        checkpoint=event.checkpoint or case.checkpoint,
    )


def movement_recorded(case: Case, event: e.MovementRecorded, _: int) -> Case:
    """The parcel was seen after a remedy."""
    moved = Movement(
        checkpoint=event.checkpoint,
        delivered=event.delivered,
        episode=case.episode,
        state=case.state,
    )
    return replace(case, movements=(*case.movements, moved), checkpoint=event.checkpoint)


def merge_received(case: Case, event: e.MergeReceived, _: int) -> Case:
    """The sources of a duplicate, with what is known of them."""
    merged = replace(
        case,
        merged_from=(*case.merged_from, event.merged_id),
        sources=case.sources + event.sources,
        source_codes=case.source_codes + ("",) * len(event.sources),
        cleared=_with(case.cleared, event.cleared),
        undone=_with(case.undone, event.undone),
    )
    return replace(merged, stage=max(case.stage, standing_stage(merged), key=_severity))


def standing_stage(case: Case) -> str:
    """The worst stage that still stands: of each rule its newest word, unless that was cleared.

    A word that a duplicate handed on counts where the case knows no later one of its rule.
    """
    told = list(zip(case.sources, case.source_codes, strict=True))
    own = {source.alert.rule: source for source, code in told if source.alert and code}
    handed_on = (source for source, code in told if not code)
    latest = latest_words((*own.values(), *handed_on), case.cleared)
    return _stage_after("", (source for source, _ in latest))


def latest_words(
    sources: Iterable[Source], cleared: Collection[str]
) -> Iterable[tuple[Source, Alert]]:
    """What rules say by the sources that stand: of each rule the latest; ``cleared`` are ids."""
    said = [(s, s.alert) for s in sources if s.alert and s.source_id not in cleared]
    said.sort(key=lambda each: each[1].at)
    return {alert.rule: (source, alert) for source, alert in said}.values()


def _stage_after(stage: str, sources: Iterable[Source]) -> str:
    """The worst stage that a rule reported: ``stage``, or one of these sources."""
    return max((stage, *(s.alert.stage for s in sources if s.alert)), key=_severity)


def _severity(stage: str) -> int:
    return STAGES.index(stage) if stage in STAGES else -1


def _with(known: tuple[str, ...], more: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*known, *more)))
