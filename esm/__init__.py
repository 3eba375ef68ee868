"""The domain: what is true of an exception and an order, and what may happen to them."""
