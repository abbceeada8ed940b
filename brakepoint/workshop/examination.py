"""Runs the checks of one step on one file, in a process that an attendee's code may crash.

`python -m brakepoint.workshop.examination STEP FILE VERDICTS SECONDS` writes one verdict per line.
"""

import ast
import importlib
import importlib.util
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

from brakepoint.course import Step, find_step
from brakepoint.errors import UserError
from brakepoint.workshop.labs import gap_functions, lab_text, untouched
from brakepoint.workshop.verdicts import Verdict, Wrong

Lab = ModuleType | Path
"""The object of a check: the attendee's module, or the folder of a step that isn't a module."""
Check = Callable[[Lab], None]

FINISHED = "finished"
"""The last line of the verdicts: if it is missing, the process did not finish."""
USED_UP = 75
"""Exit status of the process when its time is used up."""
LOOK_EVERY_S = 0.2


def load(path: Path, step: Step) -> Lab:
    """Imports a step that is a file; returns the path of a step that is a folder.

    Raises:
        FileNotFoundError: The file does not exist.
    """
    if not step.files:
        return load_module(path)
    if not path.is_dir():
        raise FileNotFoundError(path)
    return path


def load_module(path: Path) -> ModuleType:
    """Imports a file as a module, from any location.

    Raises:
        FileNotFoundError: The file does not exist.
    """
    spec = importlib.util.spec_from_file_location(f"lab_{path.stem}", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def examine(step: Step, path: Path) -> Iterator[Verdict]:
    """Checks the exercises of a step in order, up to the first wrong one."""
    try:
        module = load(path, step)
    except SyntaxError as error:
        yield _not_python(error)
        return
    except (FileNotFoundError, IsADirectoryError) as error:
        if path.is_file():  # The attendee's code cannot find another file.
            yield _crash("", step, path, error)
        else:
            yield _verdict("", "check.missing_file", name=path.name, number=step.number)
        return
    except SystemExit:
        yield _verdict("", "check.exited")
        return
    except ModuleNotFoundError as error:
        yield _verdict("", "check.no_module", module=str(error.name))
        return
    except Exception as error:
        yield _crash("", step, path, error)
        return
    waiting = untouched(step, path)
    for exercise in step.exercises:
        if exercise in waiting:
            yield _not_written(exercise)
            return
        verdict = examine_exercise(exercise, module, step, path)
        if not verdict.passed:
            verdict = _defined_twice(verdict.exercise, step, path) or verdict
        yield verdict
        if not verdict.passed:
            return


def examine_exercise(exercise: str, module: Lab, step: Step, path: Path) -> Verdict:
    """Checks one exercise.

    Args:
        exercise: Name of the exercise.
        module: The result of `load`.
        step: The step that the exercise belongs to.
        path: Path of the file, for messages.
    """
    checks = importlib.import_module(f"brakepoint.workshop.checks.{step.name}")
    check: Check = getattr(checks, f"check_{exercise}")
    try:
        check(module)
    except Wrong as wrong:
        return Verdict(exercise=wrong.exercise or exercise, key=wrong.key, values=wrong.values)
    except NotImplementedError:
        return _not_written(exercise)
    except SystemExit as error:
        return _verdict(_owner(exercise, step, path, error), "check.exited")
    except AttributeError as error:
        if error.obj is module:
            return _verdict(exercise, "check.function_missing", function=error.name, file=path.name)
        return _crash(exercise, step, path, error)
    except UserError as error:
        if isinstance(error.__cause__, Exception):  # The loop raises this when an autopilot fails.
            return _crash(exercise, step, path, error.__cause__)
        return _verdict(exercise, "check.said", message=str(error))
    except Exception as error:
        return _crash(exercise, step, path, error)
    return Verdict(exercise=exercise, passed=True)


def _not_python(error: SyntaxError) -> Verdict:
    """Names the line that is wrong, unless the file as a whole is not text that Python can read."""
    if not error.lineno:
        return _verdict("", "check.not_text", why=error.msg)
    return _verdict("", "check.syntax", line=error.lineno, why=error.msg, code=(error.text or "").strip())


def _not_written(exercise: str) -> Verdict:
    return _verdict(exercise, "check.not_written", name=exercise)


def _defined_twice(exercise: str, step: Step, path: Path) -> Verdict | None:
    """Names the second definition of an exercise's function, which makes Python forget the first."""
    if step.files:
        return None
    names = {function for function, gap in gap_functions(step).items() if gap == exercise}
    for parent in ast.walk(ast.parse(path.read_bytes())):
        body = getattr(parent, "body", None)
        defined = [
            node
            for node in (body if isinstance(body, list) else ())
            if isinstance(node, ast.FunctionDef) and node.name in names
        ]
        if len(defined) > 1:
            first, *_, last = defined
            values = {"function": last.name, "first": first.lineno, "line": last.lineno}
            return _verdict(exercise, "check.twice", **values)
    return None


def _verdict(exercise: str, key: str, **values: object) -> Verdict:
    return Verdict(exercise=exercise, key=key, values=values)


def _crash(exercise: str, step: Step, path: Path, error: Exception) -> Verdict:
    """Names the innermost line of the attendee's code in the traceback of an exception."""
    given = {line.strip() for line in lab_text(step).splitlines()}
    frames = [f for f in traceback.extract_tb(error.__traceback__) if Path(f.filename) == path]
    own = [frame for frame in frames if frame.line not in given] or frames
    what = f"{type(error).__name__}: {error}"
    if not own:
        return _verdict(exercise, "check.crashed_elsewhere", what=what)
    exercise = _owner(exercise, step, path, error)
    return _verdict(exercise, "check.crashed", line=own[-1].lineno or 0, code=own[-1].line or "", what=what)


def _owner(exercise: str, step: Step, path: Path, error: BaseException) -> str:
    """The exercise that caused an exception: the one in the innermost function with a gap.

    Earlier exercises have already passed: if the exercise being checked calls one of these, the exercise
    being checked is named.
    """
    exercises = gap_functions(step)
    frames = [f for f in traceback.extract_tb(error.__traceback__) if Path(f.filename) == path]
    owners = [exercises[frame.name] for frame in reversed(frames) if frame.name in exercises]
    if not exercise or not owners:
        return exercise
    is_earlier = step.exercises.index(owners[0]) < step.exercises.index(exercise)
    return exercise if is_earlier and exercise in owners else owners[0]


def main() -> None:
    """Checks the file named on the command line."""
    name, path, verdicts, limit_s = sys.argv[1:]
    threading.Thread(target=_end_after, args=(float(limit_s),), daemon=True).start()
    with Path(verdicts).open("w", encoding="utf-8") as file:
        for verdict in examine(find_step(name), Path(path)):
            file.write(verdict.model_dump_json() + "\n")
            file.flush()
        file.write(FINISHED)


def _end_after(limit_s: float) -> None:
    """Ends this process when its code has run for this long, both by processor time and by the clock.

    On a busy machine, the clock alone would blame the attendee's code; with many cores, libraries use up
    the processor time within seconds.
    """
    began = time.monotonic()
    while min(time.process_time(), time.monotonic() - began) < limit_s:
        time.sleep(LOOK_EVERY_S)
    sys.stdout.flush()  # What a loop has printed shows where it is.
    os._exit(USED_UP)


if __name__ == "__main__":
    main()
