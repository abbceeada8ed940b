"""What the pages share."""

import re

import pytest

from brakepoint.look import SIGN_COLOURS
from brakepoint.messages import SignClass
from brakepoint.web import LOCAL_HOSTS, new_token, style


@pytest.mark.parametrize("sign_class", SignClass)
def test_a_sign_has_the_same_colour_on_pages_as_on_pictures(sign_class: SignClass) -> None:
    assert re.findall(rf"--{sign_class}: (.*);", style()) == [SIGN_COLOURS[sign_class]]


@pytest.mark.parametrize("host", LOCAL_HOSTS)
def test_a_page_that_only_this_machine_reaches_needs_no_token(host: str) -> None:
    assert new_token(host) == ""


def test_a_page_that_others_reach_has_a_token_that_nobody_guesses() -> None:
    tokens = {new_token("0.0.0.0") for _ in range(100)}

    assert len(tokens) == 100
    assert all(len(token) >= 12 for token in tokens)
