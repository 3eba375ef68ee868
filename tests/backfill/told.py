"""Histories sent as a user sends them, and what ListEvents says of them afterwards."""

import base64
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from server.client import Client, connect
from server.settings import Settings
from tests.serving import serving

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
PAGE = {"page_size": 500}


class Found(NamedTuple):
    """A deviation that went into a case: by which rule and stage, and when."""

    rule: str
    stage: str
    at: str
    order_id: str
    shipment_code: str
    piece: str
    case: str


@dataclass(frozen=True)
class Told:
    """A server that was told a history. ``events`` are all that it recorded."""

    client: Client
    address: str
    mapping: str
    files: tuple[Path, ...]

    def events(self) -> list[dict[str, Any]]:
        """Everything in the log of the tenant, payloads decoded."""
        events = list(self.client.pages("ListEvents", PAGE, "events"))
        for event in events:
            event["fact"] = json.loads(base64.b64decode(event["payload"]))
        return events

    def found(self) -> list[Found]:
        """Every deviation, in the order of the log."""
        subjects: dict[str, dict[str, str]] = {}
        found = []
        for event in self.events():
            fact, case = event["fact"], event["aggregate_id"]
            if event["topic"] == "exception.detected.v1":
                subjects[case] = fact["subject"]
            alert = fact.get("source", {}).get("alert")
            if alert is None:
                continue
            subject = subjects[case]
            # The moment of a rule is when it happened, whatever else was told by then.
            assert event["occurred"][:19] == alert["at"][:19]
            found.append(
                Found(
                    alert["rule"],
                    alert["stage"],
                    alert["at"],
                    subject["order_id"],
                    subject["shipment_code"],
                    subject.get("piece", ""),
                    case,
                )
            )
        assert len(set(found)) == len(found)
        return found

    def tell(self) -> subprocess.CompletedProcess[str]:
        """Send the files, as a user does."""
        mapping = EXAMPLES / "mappings" / self.mapping
        command = (sys.executable, "-m", "server.cli", "backfill", "--mapping", str(mapping))
        return subprocess.run(
            [*command, "--address", self.address, *map(str, self.files)],
            check=False,
            capture_output=True,
            text=True,
        )


@contextmanager
def told(settings: Settings, mapping: str, *files: Path) -> Iterator[Told]:
    """A server on these settings that was told files by a mapping of the examples; all went in."""
    with serving(settings) as server, connect(server.address) as client:
        history = Told(client, server.address, mapping, files)
        done = history.tell()
        assert done.returncode == 0, done.stderr
        yield history
