"""Planted bugs, each hunted by the simulator: how many simulated runs it takes to find one.

    python -m benchmarks.mutants            all of them
    python -m benchmarks.mutants retry race those whose name has one of these words

Each bug is planted into a copy of the source tree, and hunted there by another process.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from benchmarks._mutants import MUTANTS, Mutant

ROOT: Final = Path(__file__).parents[1]
SEEDS: Final = 150
CRASHED: Final = 4
"""How often each workflow that is made to crash does so for each seed."""
PATIENCE_SECONDS: Final = 300

_AS_IT_IS: Final = "from __future__ import annotations"
NOTHING: Final = Mutant(
    "nothing is planted", "interpreters/machine.py", old=_AS_IT_IS, new=_AS_IT_IS
)
"""What is found here is no planted bug."""


def planted(mutant: Mutant, place: Path) -> Path | None:
    """A copy of the source tree with the bug in it; `None` if there is no one place for it."""
    copy = place / "src"
    shutil.copytree(ROOT / "src", copy, ignore=shutil.ignore_patterns("__pycache__"))
    file = copy / "anabranch" / mutant.file
    text = file.read_text(encoding="utf-8")
    if text.count(mutant.old) != 1:
        return None
    file.write_text(text.replace(mutant.old, mutant.new), encoding="utf-8")
    return copy


def hunted(mutant: Mutant) -> tuple[int | None, str]:
    """How many simulated runs it took to find it (`None`: not found), and what was found."""
    with tempfile.TemporaryDirectory(prefix="mutant-") as place:
        copy = planted(mutant, Path(place))
        if copy is None:
            return None, f"its text does not stand once in {mutant.file}"
        environ = {**os.environ, "PYTHONPATH": f"{copy}:{ROOT}"}
        command = [sys.executable, "-m", "benchmarks.mutants", "--hunt"]
        try:
            done = subprocess.run(
                command,
                cwd=ROOT,
                env=environ,
                capture_output=True,
                text=True,
                check=False,
                timeout=PATIENCE_SECONDS,
            )
        except subprocess.TimeoutExpired:
            return None, "it never came to an end"
    if done.returncode != 0:
        return None, done.stderr[-300:]
    runs, message = json.loads(done.stdout.splitlines()[-1])
    return runs, message


def hunt(seeds: int = SEEDS) -> tuple[int | None, str]:
    """Go through all hunts, seed by seed, until one fails."""
    from anabranch.testing.simulation.chance import Chance, seeded
    from anabranch.testing.simulation.running import examine
    from anabranch.testing.simulation.simulate import staged
    from benchmarks._crashes import CRASHES
    from benchmarks._hunts import HUNTS, killed_at

    scenes = [
        staged(hunt.what, hunt.where, hunt.checks, runners=hunt.runners, max_turns=100_000)
        for hunt in HUNTS
    ]
    runs = 0
    for seed in range(seeds):
        killed = [killed_at(2 * seed), killed_at(2 * seed + 1)]
        killed += [crash.at(CRASHED * seed + n) for n in range(CRASHED) for crash in CRASHES]
        for number, (scenario, checks) in enumerate([*scenes, *killed]):
            runs += 1
            chance = Chance(seeded(seed)) if number < len(scenes) else Chance()
            try:
                _, fault = examine(scenario, checks, chance)
            except Exception as error:  # noqa: BLE001 (a bug may break anything)
                return runs, f"{type(error).__name__}: {error}"
            if fault is not None:
                return runs, f"{fault.kind}: {fault.message}"
    return None, f"{runs} runs are well"


def main(words: Sequence[str]) -> int:
    """Plant and hunt; 1 if one was not found, or if something is found where nothing is planted."""
    runs, message = hunted(NOTHING)
    print(f"{NOTHING.name:<66} {runs or 'well':>9}  {message[:70]}", flush=True)
    if runs is not None or not message.endswith("runs are well"):
        return 1
    chosen = [m for m in MUTANTS if not words or any(word in m.name for word in words)]
    found: list[int] = []
    for mutant in chosen:
        runs, message = hunted(mutant)
        if runs is not None:
            found.append(runs)
        first = message.splitlines()[0] if message else ""
        print(f"{mutant.name:<66} {runs or 'NOT FOUND':>9}  {first[:70]}", flush=True)
    middle = statistics.median(found) if found else 0
    print(
        f"found {len(found)} of {len(chosen)}; median {middle:g} runs, most {max(found, default=0)}"
    )
    return int(len(found) < len(chosen))


if __name__ == "__main__":
    if sys.argv[1:] == ["--hunt"]:
        print(json.dumps(hunt()))
    else:
        sys.exit(main(sys.argv[1:]))
