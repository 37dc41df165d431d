from __future__ import annotations

import os
from pathlib import Path

from anabranch.services.git.helpers import Helper
from anabranch.services.git.runner import Git
from tests.services.processes.survivors import all_dead


def test_a_process_that_ended_while_nobody_asked_is_started_anew(tmp_path: Path) -> None:
    program = tmp_path / "git"
    program.write_text("#!/bin/sh\nread question; echo $$\n")
    program.chmod(0o755)
    helper = Helper(Git(directory=str(tmp_path), environ=os.environ, program=str(program)), ())
    answers: list[int] = []
    for _ in range(3):
        helper.ask(b"who are you?\n")
        answers.append(int(helper.until(b"\n")))
        assert all_dead({answers[-1]})
    assert 3 == len(set(answers))
    helper.close()
