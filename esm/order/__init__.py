"""The order: the money side, which bounds what we may decide to pay."""
