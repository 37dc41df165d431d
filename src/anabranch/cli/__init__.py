"""The command line: thin. It reads arguments, calls the floors below and prints."""

from anabranch.cli.entry import main

__all__ = ["main"]
