"""The tool that tries the tests: what it breaks, what it leaves alone, and what it reports."""

import json
import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

import mutants.__main__ as tool
from mutants.changes import Change, Finder
from mutants.reach import Reach
from mutants.sample import KeptOut, draw
from mutants.trials import Verdict, nearest

NOTHING = KeptOut((), (), {})


def changes(source: str) -> list[Change]:
    return list(Finder("brakepoint/x.py", textwrap.dedent(source).encode()).find())


def becomes(source: str) -> set[str]:
    """The line that changes, as each change leaves it."""
    return {change.after for change in changes(source)}


@pytest.mark.parametrize(
    ("line", "broken"),
    [
        ("x = a < b", {"x = a <= b", "x = a >= b"}),
        ("x = a not in b", {"x = a in b"}),
        ("x = a is None", {"x = a is not None"}),
        ("x = a + b", {"x = a - b"}),
        ("x //= b", {"x *= b"}),
        ("x = a and b", {"x = a or b", "x = True and b", "x = a and True"}),
        ("x = not a", {"x = a"}),
        ("x = 3", {"x = 4"}),
        ("x = 0.5", {"x = 1.0"}),
        ("x = True", {"x = False"}),
        ("x = a if b else c", {"x = c if b else a"}),
        ("x = f(a, b)", {"x = f(b, a)"}),
        ("f(a)", {"pass"}),
        ("raise a", {"pass"}),
        ("if a: pass", {"if True: pass", "if False: pass"}),
        ("def f(): return a", {"def f(): return None"}),
    ],
)
def test_each_thing_is_broken_in_its_way_and_the_rest_of_the_line_is_as_it_was(line, broken):
    assert becomes(line) == broken


@pytest.mark.parametrize(
    "source",
    [
        '"""A text with 3 words."""',
        "x: Literal[3]",
        'x = "a" + b',
        'x = f"{a + 1}"',
        "x = run(timeout=3)",
        "TIMEOUT_S = 3.0",
        'log.info("seen", 3)',
        "x = min(a, b)",
        "def f(): return None",
        'if __name__ == "__main__": main(3)',
        "class X:\n    def __repr__(self): return self.x + 3",
    ],
)
def test_what_nobody_need_notice_is_left_alone(source):
    assert becomes(source) == set()


def test_of_two_times_that_are_never_equal_only_the_order_counts():
    assert becomes("x = time.monotonic() < a") == {"x = time.monotonic() >= a"}


def test_a_change_knows_its_function_and_its_place():
    source = 'é = "é"\nclass X:\n    def f(self):\n        return a < b\n'
    found = changes(source)[0]

    assert (found.function, found.line) == ("X.f", 4)
    assert all(change.makes_python(source.encode()) for change in changes(source))


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small project in git, whose tests hold one half of its module."""
    root = tmp_path / "project"
    (root / "brakepoint").mkdir(parents=True)
    (root / "tests" / "brakepoint").mkdir(parents=True)
    (root / "brakepoint" / "__init__.py").touch()
    (root / "brakepoint" / "brake.py").write_text(
        "def held(speed):\n    return speed > 0\n\n\ndef loose(speed):\n    return speed > 0\n"
    )
    (root / "tests" / "brakepoint" / "test_brake.py").write_text(
        "from brakepoint.brake import held, loose\n\n\n"
        "def test_held():\n    assert held(1) and not held(0)\n\n\n"
        "def test_loose():\n    assert loose(1) in (True, False, None)\n"
    )
    for command in ("init", "add .", "-c user.name=x -c user.email=x commit -m x"):
        subprocess.run(["git", "-C", str(root), *command.split()], check=True, capture_output=True)
    monkeypatch.setattr(tool, "ROOT", root)
    monkeypatch.setattr(tool, "KEPT", root / "runs")
    monkeypatch.setattr(KeptOut, "load", lambda: NOTHING)
    return root


def call(*arguments: str) -> tuple[int, str]:
    """The exit status and the output."""
    command = tool.typer.Typer()
    command.command()(tool.main)
    result = CliRunner().invoke(command, arguments)
    return result.exit_code, result.output


def test_a_sample_is_drawn_by_its_seed(project):
    assert draw(project, 1, 2, NOTHING) == draw(project, 1, 2, NOTHING)
    assert {change.function for change in draw(project, 1, 9, NOTHING)} == {"held", "loose"}


def test_what_no_test_notices_is_reported_and_the_working_tree_is_as_it_was(project, monkeypatch):
    monkeypatch.setattr(tool, "console", tool.Console(width=200))
    before = {path: path.read_bytes() for path in project.rglob("*.py")}

    status, _ = call("--seed", "1", "--count", "2")

    trials = {trial.change.function: trial for trial in tool.read(project / "runs" / "seed-1.jsonl")}
    assert status == 1
    assert trials["held"].verdict is Verdict.CAUGHT
    assert trials["held"].why == "tests/brakepoint/test_brake.py::test_held"
    assert trials["loose"].verdict is Verdict.SURVIVED
    assert {path: path.read_bytes() for path in project.rglob("*.py")} == before

    listed = {
        tuple(getattr(trials["loose"].change, name) for name in ("path", "function", "before", "after")): "x"
    }
    monkeypatch.setattr(KeptOut, "load", lambda: replace(NOTHING, equivalent=listed))
    assert call("--seed", "1", "--count", "2")[0] == 0, (
        "a change that makes no difference is not held against them"
    )


def test_a_trial_that_does_not_end_is_ended_and_counts_as_noticed(project, monkeypatch):
    from mutants import trials
    from mutants.copies import copy_of

    monkeypatch.setattr(trials, "LIMIT_MORE_S", 1)
    source = (project / "brakepoint" / "brake.py").read_text()
    endless = Change(
        "brakepoint/brake.py", "held", 2, "jump", source.index("return"), 30, "while True: pass #"
    )
    with copy_of(project) as copy:
        trial = trials.attempt(endless, ["tests/brakepoint/test_brake.py::test_held"], 0.5, copy)
        assert (copy / "brakepoint" / "brake.py").read_text() == source

    assert (trial.verdict, trial.why) == (Verdict.CAUGHT, "it did not end")


def test_the_tests_that_lie_nearest_are_asked_first_and_no_more_than_there_is_time_for():
    reach = Reach({"tests/a/test_x.py::far": 1, "tests/brakepoint/room/test_y.py::near": 80})
    reach.seconds["tests/brakepoint/room/test_x.py::named"] = 5
    for test in reach.seconds:
        reach.lines["brakepoint/room/x.py"][3].add(test)
    reach.seconds["tests/test_z.py::elsewhere"] = 1400
    change = Change("brakepoint/room/x.py", "f", 3, "flag", 0, 0, "")

    assert [test.partition("::")[2] for test in nearest(change, reach)] == ["named", "near", "far"]
    reach.seconds["tests/brakepoint/room/test_x.py::named"] = 20
    assert [test.partition("::")[2] for test in nearest(change, reach)] == ["named"]
    assert nearest(replace(change, path="brakepoint/y.py"), reach) == []


def test_where_few_tests_run_a_line_others_that_run_its_module_are_asked_as_well():
    reach = Reach({"tests/test_x.py::imports": 1, "tests/test_x.py::other": 7, "tests/test_x.py::slow": 3})
    reach.seconds["tests/test_z.py::elsewhere"] = 989
    reach.lines["x.py"] |= {3: {"tests/test_x.py::imports"}, 5: {"tests/test_x.py::other"}}
    reach.lines["x.py"][7] = {"tests/test_x.py::slow"}
    change = Change("x.py", "f", 3, "flag", 0, 0, "")

    assert [test.partition("::")[2] for test in nearest(change, reach)] == ["imports", "slow"]
    reach.seconds["tests/test_x.py::imports"] = 11
    assert [test.partition("::")[2] for test in nearest(change, reach)] == ["imports"]


def test_a_constant_is_tried_with_all_tests_of_the_files_that_are_named_like_its_module():
    reach = Reach({"tests/test_x.py::runs": 2, "tests/test_x.py::compares": 1, "tests/test_z.py::other": 100})
    reach.lines["brakepoint/x.py"][3].add("tests/test_x.py::runs")
    change = Change("brakepoint/x.py", "", 1, "number", 0, 0, "")

    assert [test.partition("::")[2] for test in nearest(change, reach)] == ["compares", "runs"]
    in_a_class = replace(change, function="_Record", line=3)
    assert nearest(in_a_class, reach) == nearest(change, reach)
    inside = replace(change, function="f", line=3)
    assert [test.partition("::")[2] for test in nearest(inside, reach)] == ["runs"]


def test_a_copy_is_lent_to_one_at_a_time(tmp_path):
    from mutants.copies import Copies

    copies = Copies([tmp_path / "one", tmp_path / "two"])
    with copies.lent() as first, copies.lent() as second:
        assert {first, second} == {tmp_path / "one", tmp_path / "two"}
    with copies.lent() as again:
        assert again == second


def test_a_line_of_a_module_that_changed_or_that_runs_on_import_is_asked_of_all_that_run_the_module():
    reach = Reach({"tests/test_x.py::one": 2, "tests/test_x.py::other": 1})
    reach.lines["x.py"] |= {3: {"tests/test_x.py::one"}, 5: {"tests/test_x.py::other"}}

    assert reach.tests_of("x.py", 3) == ["tests/test_x.py::one"]
    assert reach.tests_of("x.py", 0) == ["tests/test_x.py::other", "tests/test_x.py::one"]
    reach.changed.add("x.py")
    assert len(reach.tests_of("x.py", 3)) == 2


def test_measured_again_are_the_tests_that_changed_and_no_others(project):
    from mutants.reach import Measurements, blobs

    now = blobs(project)
    measurements = Measurements(project / "runs" / "reach", ("brakepoint",))
    (project / "runs" / "reach" / "1.json").write_text(
        json.dumps({"tests": ["tests/brakepoint/test_brake.py"], "blobs": now, "seconds": {}})
    )
    changed = {path: "other" for path in now if path.startswith("tests/brakepoint/")}

    assert measurements.reach(now)[1] == []
    assert measurements.reach(now | changed)[1] == ["tests/brakepoint/test_brake.py"]
    assert measurements.reach(now | {"brakepoint/new.py": "1"})[1] == []
    assert measurements.reach(now | {"brakepoint/brake.py": "other"})[1] == []


def test_nothing_is_kept_of_tests_that_do_not_run(project, tmp_path):
    from mutants.reach import Measurements, blobs

    (project / "tests" / "brakepoint" / "test_brake.py").write_text("import nothing_like_it\n")
    measurements = Measurements(tmp_path / "reach", ("brakepoint",))

    with pytest.raises(RuntimeError, match="test_brake"):
        measurements.measure(project, ["tests/brakepoint/test_brake.py"], blobs(project))
    assert not any((tmp_path / "reach").iterdir())


def test_what_is_kept_out_names_what_there_is_and_why():
    import tomllib

    from mutants.sample import KEPT_OUT

    said, root = tomllib.loads(KEPT_OUT.read_text(encoding="utf-8")), Path(__file__).parents[2]
    assert [
        entry for entry in said["elsewhere"] + said["drawing"] if not list(root.glob(entry["modules"]))
    ] == []
    for entry in said.get("equivalent", []):
        assert entry["reason"]
        now = Finder(entry["path"], (root / entry["path"]).read_bytes()).find()
        there = {(change.function, change.before, change.after) for change in now}
        assert (entry["function"], entry["before"], entry["after"]) in there, "it is not there any more"


def test_the_way_in_is_a_module():
    told = subprocess.run(
        [sys.executable, "-m", "mutants", "--help"],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[1],
    )
    assert told.returncode == 0
    assert "--seed" in told.stdout
