"""Lets ``python -m server.cli`` do what ``esm`` does."""

from server.cli import main

if __name__ == "__main__":
    main()
