from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from anabranch.planning.resources import Claim, Limits, RateLimit, claim_problems, merged_claims
from anabranch.values import ConfigError, Location, Severity

LIMITS = Limits(pools={"gpu": 2}, rates={"api": RateLimit(starts=3, per=timedelta(seconds=1))})


@pytest.mark.parametrize(
    "make",
    [
        lambda: Claim("a", amount=0),
        lambda: Limits(slots=0),
        lambda: Limits(pools={"gpu": 0}),
        lambda: RateLimit(starts=0, per=timedelta(seconds=1)),
        lambda: RateLimit(starts=1, per=timedelta()),
        lambda: Limits(pools={"api": 1}, rates=LIMITS.rates),
    ],
)
def test_a_limit_of_nothing_is_refused(make: Callable[[], object]) -> None:
    with pytest.raises(ConfigError):
        make()


def test_claims_on_one_resource_become_one() -> None:
    claims = [Claim("gpu"), Claim("db", shared=True), Claim("gpu", amount=2), Claim("db")]
    assert (Claim("db", amount=2), Claim("gpu", amount=3)) == merged_claims(claims)


@pytest.mark.parametrize(
    ("claim", "code"),
    [
        (Claim("gpu", amount=3), "claim-too-large"),
        (Claim("api", amount=4), "claim-too-large"),
        (Claim("gpu", shared=True), "shared-claim"),
        (Claim("db", amount=2), "lock-amount"),
        (Claim("gpus"), "unknown-pool"),
    ],
)
def test_a_claim_that_cannot_be_meant_is_reported_where_it_stands(claim: Claim, code: str) -> None:
    (problem,) = claim_problems(LIMITS, [claim], Location(path="steps[0]"))
    assert (code, "steps[0]") == (problem.code, problem.where.path)


def test_a_lock_whose_name_is_nearly_that_of_a_pool_is_a_warning_with_a_hint() -> None:
    (problem,) = claim_problems(LIMITS, [Claim("gpus")], Location())
    assert (Severity.WARNING, "did you mean `gpu`?") == (problem.severity, problem.hint)


def test_claims_that_can_be_met_are_no_problem() -> None:
    claims = [Claim("gpu", amount=2), Claim("api", amount=3), Claim("db", shared=True)]
    assert [] == claim_problems(LIMITS, claims, Location())
