"""The clock of a store that follows a feed: it stands where it was advanced to, forward only."""
