"""The command line ``esm``: one module for each group of commands."""


def main() -> None:
    """What the script ``esm`` runs."""
    from server.cli.root import app  # noqa: PLC0415 # before grpc reads its log level

    app()


__all__ = ["main"]
