"""The pytest plugin: fixtures `sim`, `mock_env` and `git_repo`, a marker, two options.

pytest loads it for everybody who has anabranch installed, whether they test pipelines or not. So
it stands outside of `anabranch.testing`, and imports that when a fixture is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from anabranch.testing import MockEnvironment
    from anabranch.testing.repositories import ScratchRepository
    from anabranch.testing.simulation.front import Sim

_MARKER = (
    "anabranch(schedules, seed, kills, pairs): how the fixture `sim` runs what this test gives it"
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the two options."""
    group = parser.getgroup("anabranch")
    group.addoption(
        "--anabranch-schedules",
        type=int,
        metavar="N",
        help="how many schedules each simulation tries, whatever its marker says",
    )
    group.addoption(
        "--anabranch-seed",
        type=int,
        metavar="S",
        help="the seed of the first schedule of each simulation, whatever its marker says",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker."""
    config.addinivalue_line("markers", _MARKER)


@pytest.fixture
def sim(request: pytest.FixtureRequest) -> Sim:
    """Simulate effects and workflows: `sim(effect, environment, check=…)`.

    How many schedules, and from which seed, is said by the command line, or else by the marker
    `anabranch`.
    """
    from anabranch.testing.simulation.front import Sim

    given: dict[str, Any] = {}
    for marker in reversed(list(request.node.iter_markers("anabranch"))):
        given.update(marker.kwargs)
    for name in ("schedules", "seed"):
        option: int | None = request.config.getoption(f"anabranch_{name}")
        if option is not None:
            given[name] = option
    return Sim(**given)


@pytest.fixture
def mock_env(request: pytest.FixtureRequest) -> Generator[Callable[..., MockEnvironment]]:
    """`anabranch.testing.mock_env`; scripts that were not used up fail the test at its end."""
    from anabranch.testing import mock_env

    made: list[MockEnvironment] = []

    def make(**arguments: Any) -> MockEnvironment:
        made.append(mock_env(**arguments))
        return made[-1]

    failed_before = request.session.testsfailed
    yield make
    if request.session.testsfailed == failed_before:
        for env in made:
            env.check()


@pytest.fixture
def git_repo(tmp_path: Path) -> ScratchRepository:
    """A real git repository with one commit, independent of the machine's settings."""
    from anabranch.testing.repositories import git_repo

    return git_repo(tmp_path / "repository")
