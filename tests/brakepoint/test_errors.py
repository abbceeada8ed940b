import pickle

import pytest

from brakepoint.errors import AdapterError, UserError


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_an_adapter_of_another_package_says_what_is_wrong_in_its_own_words(lang, monkeypatch):
    monkeypatch.setenv("BRAKEPOINT_LANG", lang)

    with pytest.raises(UserError, match=r"^The shelf {is} empty: put a train on it\.$"):
        raise AdapterError("The shelf {is} empty: put a train on it.")


def test_an_error_says_the_same_in_another_process():
    error = AdapterError("The shelf is empty.")

    assert str(pickle.loads(pickle.dumps(error))) == "The shelf is empty."
