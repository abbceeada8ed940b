"""Ports that are chosen now and used a little later."""

import socket

from brakepoint.sockets import LOCALHOST, answers, free_port, is_free


def test_a_port_at_which_someone_listens_answers_and_is_not_free():
    with socket.create_server((LOCALHOST, 0)) as taken:
        address = taken.getsockname()
        assert not is_free(*address)
        assert answers(*address)
    assert is_free(*address)
    assert not answers(*address)


def test_no_port_is_given_out_twice():
    chosen = [free_port() for _ in range(100)]

    assert len(set(chosen)) == len(chosen)
    assert all(is_free(LOCALHOST, port) for port in chosen)


def test_nobody_who_asks_the_system_for_any_port_gets_one_that_was_given_out():
    by_the_system = []
    for _ in range(100):
        with socket.create_server((LOCALHOST, 0)) as server:
            by_the_system.append(server.getsockname()[1])

    assert max(free_port() for _ in range(100)) < min(by_the_system)
