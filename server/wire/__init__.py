"""Between the domain's structs and protobuf messages, and nothing else."""
