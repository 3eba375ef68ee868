"""How many checkpoints a shipment takes."""

from typing import Final

from esm.detection.model import Checkpoint
from esm.detection.timeline import ENDS
from server.tracking.store import CHECKPOINTS_MAX, ENDS_MAX, PIECE_CHECKPOINTS_MAX, Watched


class Room:
    """What a shipment has room for, besides its timeline.

    Each of its pieces has room for PIECE_CHECKPOINTS_MAX of its own. What goes beyond, and what is
    told of the whole shipment, shares CHECKPOINTS_MAX. What ends its way, or that of a piece, is
    taken beyond that: ENDS_MAX, and as many as there are pieces.
    """

    __slots__ = ("_ends", "_left", "_shared")

    def __init__(self, watched: Watched) -> None:
        self._left = dict.fromkeys(watched.shipment.pieces, PIECE_CHECKPOINTS_MAX)
        self._ends: Final = ENDS_MAX + len(self._left)
        self._shared = 0
        if self._left:
            for each in watched.timeline:
                self._put(each.piece)
        else:
            self._shared = len(watched.timeline)

    def takes(self, checkpoint: Checkpoint, piece: str) -> bool:
        """Whether there is room for one more, about a piece or ""; if so it is taken."""
        most = CHECKPOINTS_MAX + (self._ends if checkpoint.status in ENDS else 0)
        if self._shared >= most and not self._left.get(piece):
            return False
        self._put(piece)
        return True

    def _put(self, piece: str) -> None:
        left = self._left.get(piece, 0)
        if left:
            self._left[piece] = left - 1
        else:
            self._shared += 1
