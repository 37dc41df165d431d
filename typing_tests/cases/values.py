"""The shared values: optional fields, and arguments of the wrong kind."""

from typing import assert_type

from anabranch.values import Problem, parse_duration

assert_type(Problem(code="a", message="b").hint, str | None)

parse_duration(object())  # E: arg-type reportArgumentType
Problem(code="a")  # E: call-arg reportCallIssue
