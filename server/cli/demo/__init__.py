"""The demo: a story of made-up parcels, told to a real server and read back from its books."""
