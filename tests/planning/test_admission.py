from __future__ import annotations

from datetime import timedelta

from anabranch.planning.admission import Admission, Request, Usage, admit, ended, may_start, started
from anabranch.planning.resources import Claim, Limits, RateLimit

START = timedelta()
SECOND = timedelta(seconds=1)


def test_the_queue_is_read_no_further_than_slots_are_free() -> None:
    queue = iter([Request("a"), Request("b"), Request("c")])
    assert ("a", "b") == admit(Limits(slots=2), Usage(), queue, START).start
    assert [Request("c")] == list(queue)


def test_sharers_hold_a_lock_together_and_a_lone_holder_waits_for_them() -> None:
    sharer, holder = (Claim("db", shared=True),), (Claim("db"),)
    queue = [Request("r1", sharer), Request("r2", sharer), Request("w", holder)]
    assert Admission(start=("r1", "r2"), blocked={"w": ("db",)}) == admit(
        Limits(), Usage(), queue, START
    )


def test_a_sharer_does_not_overtake_a_holder_that_waits() -> None:
    running = Usage(running={"r1": (Claim("db", shared=True),)})
    queue = [Request("w", (Claim("db"),)), Request("r2", (Claim("db", shared=True),))]
    assert {"w": ("db",), "r2": ("db",)} == admit(Limits(), running, queue, START).blocked


def test_a_small_claim_does_not_take_the_units_that_a_large_one_waits_for() -> None:
    limits = Limits(pools={"gpu": 4})
    running = Usage(running={"a": (Claim("gpu", amount=2),)})
    queue = [Request("large", (Claim("gpu", amount=3),)), Request("small", (Claim("gpu"),))]
    assert () == admit(limits, running, queue, START).start


def test_a_step_that_waits_does_not_hold_up_one_that_wants_something_else() -> None:
    running = Usage(running={"a": (Claim("db"),)})
    queue = [Request("b", (Claim("db"),)), Request("c", (Claim("port"),)), Request("d")]
    assert ("c", "d") == admit(Limits(), running, queue, START).start


def test_a_rate_says_when_to_look_again() -> None:
    limits = Limits(rates={"api": RateLimit(starts=2, per=3 * SECOND)})
    queue = [Request(name, (Claim("api"),)) for name in "abc"]
    first = admit(limits, Usage(), queue, SECOND)
    assert (("a", "b"), 4 * SECOND) == (first.start, first.look_again)


def test_a_start_leaves_the_window_of_its_rate_when_the_window_is_over() -> None:
    limits = Limits(rates={"api": RateLimit(starts=1, per=3 * SECOND)})
    request = Request("a", (Claim("api"),))
    usage = ended(started(limits, Usage(), request, START), "a")
    assert not may_start(limits, usage, request.claims, timedelta(seconds=2.999999))
    assert may_start(limits, usage, request.claims, 3 * SECOND)


def test_moments_outside_the_window_are_forgotten() -> None:
    limits = Limits(rates={"api": RateLimit(starts=1, per=SECOND)})
    usage = Usage()
    for at in range(5):
        usage = started(limits, usage, Request("a", (Claim("api"),)), at * SECOND)
    assert (4 * SECOND,) == usage.starts["api"]


def test_a_claim_on_several_starts_needs_as_many() -> None:
    limits = Limits(rates={"api": RateLimit(starts=3, per=SECOND)})
    usage = started(limits, Usage(), Request("a", (Claim("api", amount=2),)), START)
    assert (START, START) == usage.starts["api"]
    assert not may_start(limits, usage, [Claim("api", amount=2)], START)
    assert may_start(limits, usage, [Claim("api")], START)


def test_ending_gives_everything_back() -> None:
    request = Request("a", (Claim("db"),))
    usage = ended(started(Limits(), Usage(), request, START), "a")
    assert may_start(Limits(), usage, request.claims, START)
