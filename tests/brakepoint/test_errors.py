import errno
import os
import pickle

import pytest

from brakepoint.errors import AdapterError, UserError, system_says


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_an_adapter_of_another_package_says_what_is_wrong_in_its_own_words(lang, monkeypatch):
    monkeypatch.setenv("BRAKEPOINT_LANG", lang)

    with pytest.raises(UserError, match=r"^The shelf {is} empty: put a train on it\.$"):
        raise AdapterError("The shelf {is} empty: put a train on it.")


def test_an_error_says_the_same_in_another_process():
    error = AdapterError("The shelf is empty.")

    assert str(pickle.loads(pickle.dumps(error))) == "The shelf is empty."


@pytest.mark.parametrize(
    ("number", "lang", "said"),
    [
        (errno.ENOENT, "en", "No such file or directory"),
        (errno.ENOENT, "fr", "fichier ou dossier introuvable"),
        (errno.EADDRINUSE, "fr", "adresse déjà utilisée"),
        (errno.EDOM, "fr", os.strerror(errno.EDOM)),
    ],
)
def test_the_system_speaks_the_reader_s_language_where_the_catalogue_can(number, lang, said, monkeypatch):
    monkeypatch.setenv("BRAKEPOINT_LANG", lang)

    assert system_says(OSError(number, os.strerror(number))) == said


def test_a_refusal_without_a_number_is_reported_by_its_kind():
    assert system_says(TimeoutError()) == "TimeoutError"
