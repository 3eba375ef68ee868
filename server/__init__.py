"""Everything that touches the world: gRPC, storage, workers and the command line."""
