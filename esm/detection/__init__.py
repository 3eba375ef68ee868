"""Detection: what a parcel's timeline, its promises and the clock say is wrong. Pure."""
