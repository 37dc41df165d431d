"""Mock environments: ports with functions inside, scripts for them, and what they were asked."""

from anabranch.testing.mocks.clock import MockClock
from anabranch.testing.mocks.commands import Answer, MockCommands
from anabranch.testing.mocks.environment import MockEnvironment, mock_env
from anabranch.testing.mocks.files import MockFiles
from anabranch.testing.mocks.git import MockMerges, MockWorktrees
from anabranch.testing.mocks.journal import MockJournal
from anabranch.testing.mocks.matchers import fits, like
from anabranch.testing.mocks.replies import conflict, printed, prompt_of, said, text_of
from anabranch.testing.mocks.scripts import (
    After,
    InOrder,
    NotUsedUp,
    Script,
    Unexpected,
    after,
    in_order,
)

__all__ = [
    "After",
    "Answer",
    "InOrder",
    "MockClock",
    "MockCommands",
    "MockEnvironment",
    "MockFiles",
    "MockJournal",
    "MockMerges",
    "MockWorktrees",
    "NotUsedUp",
    "Script",
    "Unexpected",
    "after",
    "conflict",
    "fits",
    "in_order",
    "like",
    "mock_env",
    "printed",
    "prompt_of",
    "said",
    "text_of",
]
