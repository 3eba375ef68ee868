"""What readers see: read models that are projected from the log and may be deleted at any time."""
