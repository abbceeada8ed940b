"""What a training session requires of its machine."""

import sys
from collections.abc import Callable
from types import SimpleNamespace

import pytest

from brakepoint.training import session


@pytest.mark.parametrize(("can_share", "workers"), [(True, 3), (False, 0)])
def test_pictures_are_loaded_by_other_processes_only_where_these_can_share_memory(
    monkeypatch, can_share, workers
):
    callbacks: dict[str, Callable[..., None]] = {}
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace())
    monkeypatch.setattr(session, "available_cores", lambda: 3)
    monkeypatch.setattr(session, "can_share", lambda: can_share)
    trainer = SimpleNamespace(args=SimpleNamespace(workers=8))
    session.use_all_cores(SimpleNamespace(add_callback=callbacks.__setitem__))
    callbacks["on_pretrain_routine_start"](trainer)

    assert trainer.args.workers == workers
