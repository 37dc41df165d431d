from __future__ import annotations

from tests.cli.terminal import Terminal

GOOD = "name: small\nmode: mapreduce\nmap: {input: items.json, agent_template: [make]}\n"
BAD = "name: small\nmode: mapreduce\nmap:\n  input: items.json\n  max_paralel: 0\n"


def test_a_valid_file_is_told_to_be_one(terminal: Terminal) -> None:
    terminal.write("flow.yml", GOOD)
    codes = [terminal.type(f"anabranch validate flow.yml{a}") for a in ("", " --json")]
    assert [0, 0] == codes
    terminal.matches("validate-good")


def test_what_is_wrong_with_a_file_is_told_all_at_once(terminal: Terminal) -> None:
    terminal.write("flow.yml", BAD)
    terminal.write("one.yml", GOOD.replace("mapreduce", "mapredcue"))
    terminal.write("tab.yml", GOOD.replace("{", "\n\t"))
    files = ["flow.yml", "one.yml", "tab.yml", "flow.yml --json"]
    assert {2} == {terminal.type(f"anabranch validate {file}") for file in files}
    terminal.matches("validate-bad")


def test_a_file_that_cannot_be_read_is_told_in_one_message(terminal: Terminal) -> None:
    terminal.write("flow.yml", GOOD)
    (terminal.directory / "binary.yml").write_bytes(b"\x80\x81")
    (terminal.directory / "large.yml").write_bytes(b"#" * 1_000_001)
    (terminal.directory / "flows").mkdir()
    files = ["flwo.yml", "nowhere/flow.yml", "flows", "binary.yml", "large.yml"]
    assert {2} == {terminal.type(f"anabranch validate {file}") for file in files}
    terminal.matches("validate-unreadable")
