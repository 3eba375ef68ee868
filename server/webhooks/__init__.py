"""Webhooks: vendors send what carriers say, each with the signature that it signs with."""
