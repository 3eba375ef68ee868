"""The watch over an order or a parcel: which rules are muted there, and until when."""
