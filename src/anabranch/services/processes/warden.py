"""Starts commands for their owner, and ends them with it. A script of the standard library alone.

    owner ──▶ keeper ──forks──▶ warden ──spawns──▶ command ──▶ whatever it starts
      └────────── a socket of its own ──┘

The owner starts one *keeper*, and asks it for a *warden* for each command that runs at the same
time; a warden whose command has left nothing behind serves the next one. A warden is a *child
subreaper* (`PR_SET_CHILD_SUBREAPER`): a descendant that loses its parent becomes the warden's
own child, whatever session it fled to and however often it forked. So "all of it has ended" is
`ECHILD`, and nothing else's exit status is ever taken, since these processes have no other
children. When the owner's end of the socket closes or the owner dies, however it dies, the
warden kills what it holds. The keeper is a subreaper too, for what a killed warden leaves.

Where a cgroup can be made, each warden stands in one, and so does all it starts: `cgroup.kill`
then ends at once what forks faster than it can be swept, and what runs as another user.

With its socket a warden gets the ends to read from of two pipes, which its owner has, too. A
command writes into them through ends that are opened for it alone, so what comes out belongs to
this command until the pipe says that it is at its end; a pipe that does not say so has served its
time. Most commands print little or nothing before they end: what they printed comes with the news
of their end, in one packet. Otherwise the owner is told to read the pipes itself.

Messages of a warden, one packet each:

    R request              run (see `parse`); a descriptor with it is its stdin
    F                      the same; the first descriptor is a file that holds the request
    T · K                  ask all of it to end · kill all of it
    E errno                it could not be started; N errno: nor could a warden, says the keeper
    O                      it prints: read its outputs
    X …                    the command itself has ended (see `Warden.farewell`)
    G                      it had left something alive; now nothing is
"""

# Importing `pathlib` would double the time that this script takes to start.
# ruff: noqa: PTH102, PTH106, PTH110, PTH120, PTH123, PTH208

from __future__ import annotations

import contextlib
import ctypes
import errno
import functools
import gc
import os
import select
import signal
import socket
import sys
import time
from array import array
from collections.abc import Callable, Collection, Iterator, Mapping

PR_SET_NAME = 15
PR_SET_CHILD_SUBREAPER = 36
PATIENCE = 8.0
PACKET = 1 << 15
_PRINTED = 1 << 12
_WINDOW_SECONDS = 0.002
_TURN_SECONDS = 0.02
_HANDLED = (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT)


def processes() -> Iterator[tuple[int, int, int, int, bool]]:
    """Pid, parent, process group and session of every process, and whether it is dead."""
    with contextlib.suppress(OSError):
        for name in filter(str.isdigit, os.listdir("/proc")):
            with contextlib.suppress(OSError), open(f"/proc/{name}/stat", "rb") as stat:
                # Its name, in parentheses, may hold anything, parentheses and spaces included.
                state, *rest = stat.read().rpartition(b")")[2].split()
                parent, group, session = map(int, rest[:3])
                # If only its first thread has ended, it looks like a zombie, and is none.
                dead = state in b"ZXx" and rest[16] in {b"0", b"1"}
                yield int(name), parent, group, session, dead


def descendants(root: int, spared: Collection[int]) -> dict[int, int]:
    """All that descends from a process, but for those spared and their own; each with its group.

    The dead are among them until they are collected, for others of their group may live.
    """
    offspring: dict[int, dict[int, int]] = {}
    for pid, parent, group, _, _ in processes():
        if pid not in spared:
            offspring.setdefault(parent, {})[pid] = group
    found: dict[int, int] = {}
    parents = [root]
    while parents:
        more = offspring.pop(parents.pop(), {})
        found |= more
        parents += more
    return found


def children() -> dict[int, int]:
    """The children of this thread, each with its group, where the kernel has a list of them.

    While one looks at all processes instead, one that does nothing but fork is gone again.
    """
    with contextlib.suppress(OSError), open("/proc/thread-self/children", "rb") as pids:
        return {pid: os.getpgid(pid) for pid in map(int, pids.read().split())}
    return {}


# --- cgroups -----------------------------------------------------------------------------------


def _put(path: str, text: str) -> bool:
    with contextlib.suppress(OSError):
        with open(path, "w") as file:
            file.write(text)
        return True
    return False


def _make_cgroup(path: str) -> str | None:
    """A new cgroup that this process may enter and kill, or none."""
    with contextlib.suppress(OSError):
        os.mkdir(path)
        if os.path.exists(f"{path}/cgroup.kill"):
            return path
        _drop_cgroup(path)
    return None


def _drop_cgroup(path: str | None) -> None:
    """Remove a cgroup and those in it, as far as nobody stands in them any more."""
    with contextlib.suppress(OSError):
        for folder, _, _ in os.walk(path or "", topdown=False):
            os.rmdir(folder)


def _end_cgroup(path: str | None) -> None:
    """Kill those in a cgroup, and remove it."""
    _put(f"{path}/cgroup.kill", "1")
    _drop_cgroup(path)


def born(pid: int) -> str | None:
    """When a process started, in ticks since boot: with its pid, its identity."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as stat:
            return stat.read().rpartition(b")")[2].split()[19].decode()
    except OSError:
        return None


def sweep_cgroups(base: str) -> None:
    """Kill and remove what keepers left that were killed together with all their wardens."""
    with contextlib.suppress(OSError):
        for name in os.listdir(base):
            kind, _, identity = name.partition("-")
            pid, _, start = identity.partition("-")
            if kind == "anabranch" and pid.isdigit() and born(int(pid)) != start:
                _end_cgroup(f"{base}/{name}")


# --- what keeper and warden share --------------------------------------------------------------


def receive(link: socket.socket) -> tuple[bytes, list[int]]:
    """A message and the descriptors that came with it, at most three, closed on `exec`.

    `socket.recv_fds` ignores its flags, and what it receives would leak into every command.
    """
    room = socket.CMSG_LEN(3 * array("i").itemsize)
    message, ancillary, _, _ = link.recvmsg(PACKET, room, socket.MSG_CMSG_CLOEXEC)
    fds = array("i")
    for _, _, data in ancillary:
        fds.frombytes(data[: len(data) - len(data) % fds.itemsize])
    return message, fds.tolist()


class Reaper:
    """A subreaper that wakes up for its socket, its owner's death, and its children's."""

    def __init__(self, link: socket.socket, owner: int) -> None:
        self.link = link
        self.owner = owner
        self.wake, alarm = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(alarm, warn_on_full_buffer=False)
        self.poll = select.poll()
        for fd in (link.fileno(), self.wake, owner):
            self.poll.register(fd, select.POLLIN)

    def wait(self, seconds: float | None) -> set[int]:
        """The descriptors that have news."""
        ready = {fd for fd, _ in self.poll.poll(None if seconds is None else seconds * 1000)}
        if self.wake in ready:
            os.read(self.wake, 4096)
        return ready

    def deafen(self) -> None:
        """Be woken by children alone."""
        self.poll.unregister(self.link.fileno())
        self.poll.unregister(self.owner)

    def slay_until(self, done: Callable[[], bool], spared: Collection[int]) -> None:
        """Kill all descendants again and again until it is done or patience is over."""
        pause, limit = 0.001, time.monotonic() + PATIENCE
        while not done() and time.monotonic() < limit:
            slay(spared)
            self.wait(pause)
            pause = min(2 * pause, 1.0)


def slay(spared: Collection[int] = ()) -> None:
    """Kill every descendant of this process; those first that come and go."""
    strike(signal.SIGKILL, {p: group for p, group in children().items() if p not in spared})
    strike(signal.SIGKILL, descendants(os.getpid(), spared))


def strike(number: int, found: Mapping[int, int]) -> None:
    """Send a signal to processes, which have groups, and to all others of these groups.

    None is born into a group unseen while that is signalled. It holds no strangers: all of it is
    in one session, and each session here but our own was founded by what descends from us.
    """
    own = os.getpgrp()
    for target in {pid if group == own else -group for pid, group in found.items()}:
        with contextlib.suppress(OSError):
            os.kill(target, number)


# --- the warden --------------------------------------------------------------------------------


def candidates(program: bytes, env: Mapping[bytes, bytes]) -> list[bytes]:
    """Where a program may be, in the order in which to look.

    >>> candidates(b"make", {b"PATH": b"/usr/local/bin:/bin"})
    [b'/usr/local/bin/make', b'/bin/make']
    """
    if b"/" in program:
        return [program]
    path = env.get(b"PATH", os.fsencode(os.defpath))
    return [place + b"/" + program if place else program for place in path.split(b":")]


def parse(request: bytes) -> tuple[bytes, list[bytes], dict[bytes, bytes], bytes]:
    """Directory, arguments, the environment's own part and the block that it inherits.

    A request is the directory, how many arguments and variables there are, these, and the block.
    """
    cwd, arguments, variables, rest = request.split(b"\0", 3)
    first, second = int(arguments), int(arguments) + int(variables)
    *parts, inherited = rest.split(b"\0", second)
    return cwd, parts[:first], dict(map(_pair, parts[first:])), inherited


def _pair(entry: bytes) -> tuple[bytes, bytes]:
    name, _, value = entry.partition(b"=")
    return name, value


@functools.lru_cache(maxsize=1)
def inherit(inherited: bytes) -> dict[bytes, bytes]:
    """What a block holds: the same for one command as for the next, as a rule."""
    return dict(map(_pair, inherited.split(b"\0"))) if inherited else {}


def spawn(request: bytes, stdin: int | None, outputs: list[int]) -> int:
    """Start a command, in a process group of its own; the pid.

    Raises:
        OSError: what the last directory of the path that was not simply wrong said.
    """
    cwd, argv, own, inherited = parse(request)
    env = {**inherit(inherited), **own}
    os.chdir(cwd)
    failure = OSError(errno.ENOENT, "not found")
    paths = candidates(argv[0], env)
    # To look first takes a hundredth of what `exec` takes to find out.
    for candidate in [path for path in paths if os.access(path, os.F_OK)] or paths:
        try:
            return os.posix_spawn(
                candidate,
                argv,
                env,
                file_actions=_stdio(stdin, outputs),
                setpgroup=0,
                setsigmask=[],
                setsigdef=[signal.SIGPIPE, signal.SIGXFSZ],
            )
        except OSError as error:
            if failure.errno in {errno.ENOENT, errno.ENOTDIR}:
                failure = error
    raise failure


def _stdio(stdin: int | None, outputs: list[int]) -> list[tuple[object, ...]]:
    empty = (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0)
    given = empty if stdin is None else (os.POSIX_SPAWN_DUP2, stdin, 0)
    return [given, *((os.POSIX_SPAWN_DUP2, fd, number) for number, fd in enumerate(outputs, 1))]


def writing_end(pipe: int) -> int:
    """A new end to write to of a pipe that is open for reading, closed on `exec`."""
    return os.open(f"/proc/self/fd/{pipe}", os.O_WRONLY | os.O_CLOEXEC)


def drain(pipe: int) -> tuple[bytes, bool]:
    """What is in a pipe, unless it is much, and whether nobody can write to it any more."""
    printed = b""
    with contextlib.suppress(BlockingIOError):
        while len(printed) < _PRINTED:
            data = os.read(pipe, _PRINTED)
            if not data:
                return printed, True
            printed += data
    return printed, False


class Warden(Reaper):
    """Serves one command at a time; kills what it holds when its owner is gone.

    Attributes:
        pipes: where the outputs of its commands come out.
        ends: their other ends, held open until the command has ended, so that its end is told
            before that of its outputs.
        listened: whether the pipes wake it up, until the command has printed.
        due: whether the command has printed, which its owner is not told yet.
    """

    def __init__(
        self, link: socket.socket, pipes: list[int], owner: int, cgroup: str | None
    ) -> None:
        super().__init__(link, owner)
        self.pipes = pipes
        self.ends: list[int] = []
        self.listened = False
        self.due = False
        self.cgroup = cgroup
        self.outside = True
        self.command = 0
        self.left = False
        self.pause: float | None = None

    def serve(self) -> None:
        """Do as told until the owner is gone; then end everything."""
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            while self.turn():
                pass
        self.deafen()
        self.listen(wanted=False)
        self.kill()
        self.slay_until(lambda: not self.reap()[0], ())

    def turn(self) -> bool:
        """Wait for news; whether to go on."""
        ready = self.wait(_WINDOW_SECONDS if self.due and self.pause is None else self.pause)
        if self.owner in ready or (self.link.fileno() in ready and not self.obey()):
            return False
        self.report()
        self.hear(ready)
        if self.pause is not None:
            slay()
            self.pause = min(2 * self.pause, 1.0)
        return True

    def obey(self) -> bool:
        """Do what the next message says; whether there was one."""
        message, fds = receive(self.link)
        match message[:1]:
            case b"R":
                self.start(message[1:], fds)
            case b"F":
                with open(fds.pop(0), "rb") as request:
                    self.start(request.read(), fds)
            case b"T":
                for number in (signal.SIGTERM, signal.SIGCONT):
                    strike(number, descendants(os.getpid(), ()))
            case b"K":
                self.pause = 0.001
                self.kill()
            case _:
                return False
        return True

    def start(self, request: bytes, stdin: list[int]) -> None:
        """Start a command; if that goes wrong, say how."""
        self.enter()
        try:
            for pipe in self.pipes:
                self.ends.append(writing_end(pipe))
            self.command = spawn(request, stdin[0] if stdin else None, self.ends)
            self.listen(wanted=True)
        except OSError as error:
            self.close_ends()
            self.link.send(b"E %d" % (error.errno or 0))
        for fd in stdin:
            os.close(fd)

    def close_ends(self) -> None:
        """Let the outputs come to their end. Twice is once."""
        while self.ends:
            os.close(self.ends.pop())

    def listen(self, *, wanted: bool) -> None:
        """Wake up when the command prints, or no longer."""
        if self.listened is not wanted:
            self.listened = wanted
            for pipe in self.pipes:
                self.poll.register(pipe, select.POLLIN) if wanted else self.poll.unregister(pipe)

    def hear(self, ready: set[int]) -> None:
        """Have the owner read what is printed, but not at once: the command may just be ending."""
        if self.due:
            self.due = False
            self.link.send(b"O")
        elif self.listened and not ready.isdisjoint(self.pipes):
            self.listen(wanted=False)
            self.due = True

    def farewell(self, ended: bytes, *, alive: bool) -> bytes:
        """How the command ended, and the last that it printed.

        Status, user time, system time, memory; whether something is alive; whether its outputs
        are over; how much of what follows is stdout, the rest being stderr.
        """
        self.close_ends()
        unheard, self.due = self.listened or self.due, False
        self.listen(wanted=False)
        (out, closed), (err, too) = map(drain, self.pipes) if unheard else [(b"", False)] * 2
        return ended + b" %d %d %d\n" % (alive, closed and too, len(out)) + out + err

    def enter(self) -> None:
        """Step into the cgroup."""
        if self.cgroup is not None and self.outside:
            self.outside = not _put(f"{self.cgroup}/cgroup.procs", "0")

    def kill(self) -> None:
        """Step out of the cgroup and kill what is in it."""
        if self.cgroup is None or self.outside:
            return
        self.outside = _put(f"{os.path.dirname(self.cgroup)}/cgroup.procs", "0")
        if self.outside:
            _put(f"{self.cgroup}/cgroup.kill", "1")

    def report(self) -> None:
        """Tell the owner how the command ended, and when nothing is left of it."""
        alive, ended = self.reap()
        if ended is not None:
            self.link.send(self.farewell(ended, alive=alive))
            self.left = alive
            while alive and self.pipes:
                os.close(self.pipes.pop())  # this was the last command
        elif self.left and not alive:
            self.link.send(b"G")
            self.left = False
        if not alive:
            self.pause = None

    def reap(self) -> tuple[bool, bytes | None]:
        """Collect the dead; whether anyone lives, and how the command ended if it did just now."""
        ended = None
        try:
            while True:
                pid, status, used = os.wait4(-1, os.WNOHANG)
                if pid == 0:
                    return True, ended
                if pid == self.command:
                    code = os.waitstatus_to_exitcode(status)
                    ended = b"X %d %f %f %d" % (code, used.ru_utime, used.ru_stime, used.ru_maxrss)
        except ChildProcessError:
            return False, ended


# --- the keeper --------------------------------------------------------------------------------


class Keeper(Reaper):
    """Forks wardens as they are asked for."""

    def __init__(self, link: socket.socket, owner: int, base: str | None) -> None:
        super().__init__(link, owner)
        self.base = base
        self.wardens: dict[int, str | None] = {}
        self.hired = 0

    def serve(self) -> None:
        """Do as told until the owner is gone; then see all wardens to their end."""
        self.link.send(b"ok cgroup" if self.base else b"ok reaper")
        while self.turn():
            self.reap()
        self.deafen()
        while self.reap() and self.wait(_TURN_SECONDS):
            pass  # they end by themselves
        self.slay_until(lambda: not self.reap(), self.wardens.keys())
        _drop_cgroup(self.base)

    def turn(self) -> bool:
        """Wait for news; whether to go on."""
        ready = self.wait(None)
        if self.owner in ready or self.link.fileno() not in ready:
            return self.owner not in ready
        _, fds = receive(self.link)
        if fds:
            self.hire(socket.socket(fileno=fds[0]), fds[1:])
        return bool(fds)

    def hire(self, link: socket.socket, pipes: list[int]) -> None:
        """Fork a warden that serves a socket; if that goes wrong, answer in its place."""
        self.hired += 1
        cgroup = _make_cgroup(f"{self.base}/{self.hired}") if self.base else None
        try:
            pid = os.fork()
            if pid == 0:
                work(link, pipes, self, cgroup)
            self.wardens[pid] = cgroup
        except OSError as error:
            _drop_cgroup(cgroup)
            pipes = pipes + receive(link)[1]
            link.send(b"N %d" % (error.errno or 0))
        for end in (link.detach(), *pipes):
            os.close(end)

    def reap(self) -> bool:
        """Collect the dead; whether any warden lives. What a killed warden held is killed."""
        orphans = False
        with contextlib.suppress(ChildProcessError):
            while (found := os.waitpid(-1, os.WNOHANG)) != (0, 0):
                orphans |= found[0] not in self.wardens or found[1] != 0
                _end_cgroup(self.wardens.pop(found[0], None))
        if orphans:
            slay(self.wardens.keys())
        return bool(self.wardens)


def work(link: socket.socket, pipes: list[int], keeper: Keeper, cgroup: str | None) -> None:
    """Be a warden, in a process that was just forked."""
    status = 1
    try:
        keeper.link.close()
        os.setsid()
        prepare(b"anabranch-ward")
        Warden(link, pipes, keeper.owner, cgroup).serve()
        status = 0
    finally:
        os._exit(status)


def prepare(name: bytes) -> None:
    """Become a subreaper with a name of its own."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(PR_SET_NAME, name, 0, 0, 0)
    if libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "no child subreaper")


def detach() -> socket.socket:
    """Take the socket that stands in for stdin, and let go of all that was inherited."""
    link = socket.socket(fileno=os.dup(0))
    null = os.open(os.devnull, os.O_RDWR)
    for fd in range(3):
        os.dup2(null, fd)
    os.chdir("/")
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    for number in _HANDLED:
        if number == signal.SIGCHLD or signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _nothing)
    return link


def _nothing(*_: object) -> None:
    """Wake up, no more: what is started has the default handling, unlike with `SIG_IGN`."""


def open_base(parent: str) -> str | None:
    """A cgroup for this keeper's wardens, if one can be made under the given one."""
    if not parent:
        return None
    sweep_cgroups(parent)
    base = _make_cgroup(f"{parent}/anabranch-{os.getpid()}-{born(os.getpid())}")
    if base is None or (_put(f"{base}/cgroup.procs", "0") and _put(f"{parent}/cgroup.procs", "0")):
        return base
    _drop_cgroup(base)
    return None


def main(owner: int, parent: str) -> None:
    """Keep wardens for a process until it ends."""
    link = detach()
    try:
        prepare(b"anabranch-keep")
        pipe = os.pipe()
        for fd in (writing_end(pipe[0]), *pipe):
            os.close(fd)
        watch = os.pidfd_open(owner)
    except (OSError, AttributeError) as error:
        link.send(str(error).encode())
        return
    if os.getppid() == owner:
        gc.disable()
        gc.freeze()
        Keeper(link, watch, open_base(parent)).serve()


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
    os._exit(0)  # nothing is left to be tidied up
