"""The fact that a catalogue was published to a log."""

from esm.events.base import Event


class CataloguePublished(Event):
    """The whole rules behind a digest, written before the first fact that names it."""

    TOPIC = "catalogue.published.v1"
    digest: str
    postings_digest: str
    content: str
