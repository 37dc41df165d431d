"""The journal made real: in files, or in memory."""

from anabranch.services.journal.disk import SEGMENT_BYTES, Disk
from anabranch.services.journal.files import LOCK, FileJournal, open_journal
from anabranch.services.journal.following import Tail, follow
from anabranch.services.journal.masked import MaskedJournal
from anabranch.services.journal.memory import MemoryJournal
from anabranch.services.journal.segments import ACTIVE, History, read_segments
from anabranch.services.journal.views import read_summary, write_views

__all__ = [
    "ACTIVE",
    "LOCK",
    "SEGMENT_BYTES",
    "Disk",
    "FileJournal",
    "History",
    "MaskedJournal",
    "MemoryJournal",
    "Tail",
    "follow",
    "open_journal",
    "read_segments",
    "read_summary",
    "write_views",
]
