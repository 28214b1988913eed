"""Runs the command line: `python -m huying VERB …`; refuses nothing of its own."""

from huying.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
