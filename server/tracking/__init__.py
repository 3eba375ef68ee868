"""Tracking: what carriers say of parcels. Input data, not events."""
