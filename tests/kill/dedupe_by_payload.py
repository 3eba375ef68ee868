"""A server with a planted fault: it tells checkpoints apart by what they say, not by their ids."""

from hashlib import sha256

import msgspec

from server.cli import main
from server.tracking import inputs, intake

_checked = inputs.checked


def _checked_by_payload(item: inputs.TrackingCheckpoint) -> inputs.Checked:
    checked = _checked(item)
    said = msgspec.msgpack.encode(msgspec.structs.replace(item, source_id=""))
    return checked._replace(source_id=f"{item.feed}/{sha256(said).hexdigest()}")


if __name__ == "__main__":
    setattr(intake, "checked", _checked_by_payload)  # noqa: B010 # the planted fault
    main()
