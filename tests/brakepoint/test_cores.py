"""How many cores a container may use."""

import os

import pytest

from brakepoint.cores import available_cores


@pytest.fixture
def on_a_node_of_64(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(64)))


@pytest.mark.parametrize(
    ("limit", "cores"),
    [
        ("max 100000", 64),
        ("200000 100000", 2),
        ("170000 100000", 2),
        ("5000 100000", 1),
        ("9900000 100000", 64),
    ],
)
def test_a_container_counts_what_it_may_use(tmp_path, on_a_node_of_64, limit, cores):
    (tmp_path / "cpu.max").write_text(limit + "\n")

    assert available_cores(tmp_path / "cpu.max") == cores


def test_without_a_container_every_core_counts(tmp_path, on_a_node_of_64):
    assert available_cores(tmp_path / "nothing") == 64
