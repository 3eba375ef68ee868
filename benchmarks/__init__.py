"""Yardsticks and figures of design §9; nothing here is part of the service."""
