from __future__ import annotations

from attrs import evolve
from hypothesis import given

from anabranch.planning import FailurePolicy
from anabranch.testing.strategies.planning import failure_policies
from anabranch.workflow import load_workflow, map_phase, map_reduce, step, to_yaml


def as_a_file_can_say_it(policy: FailurePolicy) -> FailurePolicy:
    """With a retry that has no seed, and no classes of errors without a retry."""
    if policy.retry is None:
        return evolve(policy, retry_on=())
    return evolve(policy, retry=policy.retry.seeded(0))


@given(failure_policies().map(as_a_file_can_say_it))
def test_what_surrounds_steps_is_read_back_as_it_was_written(policy: FailurePolicy) -> None:
    made = step("make", retry=policy.retry, retry_on=policy.retry_on)
    flow = map_reduce("w", map=map_phase("i", [made], failure_policy=policy))
    assert flow == load_workflow(to_yaml(flow))
