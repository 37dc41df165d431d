"""Telling another process to end in order, and waiting until it has."""

from __future__ import annotations

import os
import signal

from anyio import wait_readable

from anabranch.services.owners import Life, Owner, life_of
from anabranch.values import HostError


async def end_in_order(owner: Owner) -> bool:
    """Send SIGTERM to a process, and wait until it has ended.

    What is signalled is the very process that was named: one that has its number now is not.

    Args:
        owner: the process.

    Returns:
        Whether it was alive.

    Raises:
        HostError: it belongs to somebody else, or processes cannot be held here.
    """
    try:
        process = os.pidfd_open(owner.pid)
    except ProcessLookupError:
        return False
    except (AttributeError, OSError) as refused:
        raise _refused(owner, refused) from refused
    try:
        # From here on the number is that of the process that was opened, whatever ends meanwhile.
        if life_of(owner) is not Life.ALIVE:
            return False
        signal.pidfd_send_signal(process, signal.SIGTERM)
        await wait_readable(process)
    except ProcessLookupError:
        return True
    except PermissionError as refused:
        raise _refused(owner, refused) from refused
    finally:
        os.close(process)
    return True


def _refused(owner: Owner, why: Exception) -> HostError:
    message = f"the process cannot be told to end: {why}"
    hint = f"kill -TERM {owner.pid}, as the user who started it"
    return HostError.of("process-not-told", message, value=str(owner), hint=hint)
