"""The command line is light, supports both languages, and reports errors in one line."""

import io
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest
import typer
from pseudo_language import keys_said
from rich.text import Text
from typer.testing import CliRunner

from brakepoint.__main__ import main
from brakepoint.cli import COMMANDS, GROUPS, build_app, run
from brakepoint.texts import catalogue, languages

HEAVY = ("av", "bpy", "cv2", "onnxruntime", "openvino", "torch", "ultralytics")


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BRAKEPOINT_LANG", "en")


def test_help_loads_nothing_heavy():
    code = f"""
import sys
from brakepoint.cli import run
status = run(["mission", "--help"])
sys.exit(status or " ".join(set(sys.modules) & set({HEAVY})) or 0)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")


def test_a_command_loads_no_other():
    code = """
import sys
from brakepoint.cli import run
status = run(["doctor", "--help"])
loaded = {name for name in sys.modules if name.startswith("brakepoint.cli.")}
sys.exit(status or " ".join(loaded - {"brakepoint.cli.doctor", "brakepoint.cli.usage"}) or 0)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")


def test_a_command_that_is_not_loaded_is_listed_as_the_others_are():
    listed, loaded = (
        CliRunner().invoke(app, ["--help"]).output for app in (build_app("--help"), build_app())
    )

    assert listed == loaded


@pytest.mark.parametrize("group", GROUPS)
def test_a_group_without_a_command_shows_its_help_and_no_error(group: str, capsys) -> None:
    assert run([group]) == 0
    alone = capsys.readouterr()
    run([group, "--help"])

    assert (alone.out, alone.err) == (capsys.readouterr().out, "")


TYPED = [name.replace("_", "-") for name in COMMANDS]


@pytest.mark.parametrize(
    "arguments", [[], ["--help"], *([name, "--help"] for name in TYPED), ["footage", "--help"]]
)
def test_help_is_there_for_everything(arguments: list[str], capsys: pytest.CaptureFixture[str]):
    assert run(arguments) == 0
    assert "Usage: brakepoint" in capsys.readouterr().out


def test_help_is_french_to_the_names_of_its_values(capsys: pytest.CaptureFixture[str]):
    assert run(["--lang", "fr", "--help"]) == 0
    assert "Utilisation : brakepoint [OPTIONS] COMMANDE [ARGUMENTS]…" in capsys.readouterr().out
    assert run(["--lang", "fr", "mission", "--help"]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "Utilisation : brakepoint mission [OPTIONS]" in out
    assert "--feed NOM|all Un flux" in out
    assert "--out DOSSIER Le dossier" in out
    assert "--hub URI Le hub" in out, "a word that is the same in every language"
    assert run(["--lang", "fr", "footage", "stills", "--help"]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "--out CHEMIN Dossier" in out, "a value that the command does not name"
    assert "--scenes N " in out


def test_a_flag_shows_no_value_and_an_argument_one_pair_of_brackets(capsys: pytest.CaptureFixture[str]):
    assert run(["check", "--help"]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "--explain Explain" in out
    assert "--help Show" in out
    assert "brakepoint check [OPTIONS] [STEP]" in out


@pytest.mark.parametrize(
    "arguments",
    [["--lang", "fr", "mission", "--help"], ["mission", "--lang=fr", "--help"], ["mission", "--help"]],
)
def test_the_language_may_be_said_anywhere_or_by_the_environment(
    arguments: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    if not any("--lang" in argument for argument in arguments):
        monkeypatch.setenv("BRAKEPOINT_LANG", "fr")

    assert run(arguments) == 0
    out = capsys.readouterr().out
    assert "Parcourir les flux enregistrés" in out
    assert "Afficher cette aide" in out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["fly"], "fly"),
        (["mission", "--bogus"], "--bogus"),
        (["mission", "--feed"], "--feed needs a value. See brakepoint mission --help."),
        (["room", "--help=1"], "--help takes no value. See brakepoint room --help."),
        (["mission", "--help=1"], "--help takes no value. See brakepoint mission --help."),
        (["mission", "--json=1"], "--json takes no value. See brakepoint mission --help."),
        (["evaluate"], "--images"),
        (["replay", "--speed", "fast"], "--speed, which takes a number."),
        (["--lang", "de", "mission"], "“de”"),
        (["--lang"], "language"),
    ],
)
def test_wrong_usage_is_one_line_and_status_2(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
):
    assert run(arguments) == 2

    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert said in err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["trian"], "La commande trian n’existe pas ; peut-être vouliez-vous dire train"),
        (["store", "sed"], "La commande sed n’existe pas ; peut-être vouliez-vous dire seed"),
        (["mission", "--fed"], "L’option --fed n’existe pas ; peut-être vouliez-vous dire --feed"),
        (["mission", "--feed"], "Il manque une valeur après --feed"),
        (["evaluate"], "Il manque --images"),
        (["progress", "pas", "ça"], "En trop : pas ça"),
        (["room", "plan", "salle.yaml", "ça"], "En trop : ça"),
        (
            ["base-model", "--epochs", "0"],
            "Cette valeur ne convient pas à --epochs, qui attend un nombre entier (1…)",
        ),
        (
            ["train", "--data", "x", "--val", "x", "--seed", "-1"],
            "Cette valeur ne convient pas à --seed, qui attend un nombre entier (0…)",
        ),
        (["synth", "--world", "x"], "Cette valeur ne convient pas à --world, qui attend <track|road>"),
    ],
)
def test_wrong_usage_is_reported_in_the_readers_language(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("BRAKEPOINT_LANG", "fr")

    run(arguments)

    assert capsys.readouterr().err.startswith(f"{said}. Voir brakepoint ")


def test_ctrl_c_is_said_in_one_line(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("brakepoint.cli.mission.publishing", interrupt)

    assert run(["mission"]) == 130
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith("Interrupted: nothing was left half done.") and "where it stopped" in last


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="Windows itself cannot repeat a signal")
@pytest.mark.parametrize(
    "moment",
    [
        "weakref.ref(Watched(), lambda _: signal.raise_signal(signal.SIGINT))",
        "type('Ending', (), {'__del__': lambda self: signal.raise_signal(signal.SIGINT)})()",
    ],
)
def test_ctrl_c_ends_a_command_even_where_python_ignores_it(moment: str) -> None:
    code = f"""
import signal, time, weakref
from brakepoint import __main__, cli

class Watched: pass

def run(arguments):
    {moment}
    time.sleep(10)

cli.run = run
__main__.main()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (130, "")


def commands_of(command: object, words: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every command line that has a help text."""
    yield words
    for name, below in getattr(command, "commands", {}).items():
        yield from commands_of(below, (*words, name))


COMMAND_LINES = [list(words) for words in commands_of(typer.main.get_command(build_app()))]


@pytest.mark.parametrize("words", COMMAND_LINES, ids=" ".join)
def test_one_process_prints_each_help_in_the_reader_s_language(
    words: list[str],
    pseudo_language: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
):
    def help_in(lang: str) -> str:
        assert run(["--lang", lang, *words, "--help"]) == 0
        return " ".join(capsys.readouterr().out.split())

    monkeypatch.setenv("COLUMNS", "1000")
    keys = keys_said(help_in(pseudo_language))

    assert {"cli.usage.help", ".".join(["cli", *words, "help"])} <= keys
    for lang in languages():
        shown = help_in(lang)
        assert not [key for key in keys if plain(catalogue()[key][lang]) not in shown]


def plain(marked_up: str) -> str:
    return " ".join(Text.from_markup(marked_up).plain.split())


def test_a_terminal_that_lacks_a_letter_shows_the_rest(monkeypatch):
    shown = io.BytesIO()
    monkeypatch.setattr(sys, "argv", ["brakepoint", "--lang", "fr", "--help"])
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(shown, "ascii", write_through=True))
    monkeypatch.setattr(sys, "unraisablehook", sys.unraisablehook)

    with pytest.raises(SystemExit) as left:
        main()

    assert left.value.code == 0 and b"brakepoint" in shown.getvalue()
