"""What the pages share."""

from urllib.parse import parse_qs, urlsplit

import pytest

from brakepoint.web import LOCAL_HOSTS, new_token, page_url


@pytest.mark.parametrize("host", LOCAL_HOSTS)
def test_a_page_that_only_this_machine_reaches_needs_no_token(host: str) -> None:
    assert new_token(host) == ""


def test_a_page_that_others_reach_has_a_token_that_nobody_guesses() -> None:
    tokens = {new_token("0.0.0.0") for _ in range(100)}

    assert len(tokens) == 100
    assert all(len(token) >= 12 for token in tokens)


def test_the_address_of_a_page_holds_a_token_of_ones_own_whatever_its_characters() -> None:
    token = "a+b&c%20d#é"

    assert parse_qs(urlsplit(page_url("train.local:8000", token)).fragment)["token"] == [token]
