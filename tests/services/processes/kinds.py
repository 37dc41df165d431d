"""Eight kinds of descendants, each asleep under one name; prints `ready` and sleeps itself.

Run as `python -I -S kinds.py SECONDS`: the number of seconds is the mark they are found by.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys

SLEEP = ["sleep", *sys.argv[1:]]
QUIET = subprocess.DEVNULL


def daemon(*, quiet: bool, env: dict[str, str] | None = None) -> None:
    """Fork, lead a session, fork again: the usual way to be nobody's child."""
    if os.fork():
        os.wait()
        return
    os.setsid()
    if os.fork() == 0:
        if quiet:
            null = os.open(os.devnull, os.O_RDWR)
            os.dup2(null, 1)
            os.dup2(null, 2)
        os.execvpe("sleep", SLEEP, dict(os.environ) if env is None else env)
    os._exit(0)


def main() -> None:
    """Start them all."""
    same_group = subprocess.Popen(SLEEP, stdout=QUIET)
    subprocess.Popen(SLEEP, stdout=QUIET, process_group=0)
    subprocess.Popen(SLEEP, stdout=QUIET, start_new_session=True)
    daemon(quiet=True)
    subprocess.Popen(["nohup", *SLEEP], stdout=QUIET, stderr=QUIET)
    daemon(quiet=True, env={"PATH": os.defpath})
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    subprocess.Popen(SLEEP, stdout=QUIET)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    daemon(quiet=False)
    os.write(1, b"ready\n")
    same_group.wait()


if __name__ == "__main__":
    main()
