"""The journal made real: in files, or in memory."""

from anabranch.services.journal.memory import MemoryJournal

__all__ = ["MemoryJournal"]
