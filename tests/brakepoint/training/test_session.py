"""What a training session requires of its machine."""

import sys
from collections.abc import Callable
from types import SimpleNamespace

import pytest

from brakepoint.errors import UserError
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


@pytest.mark.parametrize(
    ("device", "is_supported", "is_used"), [("cpu", True, True), ("cpu", False, False), ("cuda", True, False)]
)
def test_bfloat16_is_used_on_processors_that_support_it_and_float16_never(
    monkeypatch, device, is_supported, is_used
):
    callbacks: dict[str, Callable[..., None]] = {}
    torch = SimpleNamespace(
        cpu=SimpleNamespace(_is_avx512_bf16_supported=lambda: is_supported), channels_last="channels last"
    )
    monkeypatch.setitem(sys.modules, "torch", torch)
    session.compute_in_bfloat16(SimpleNamespace(add_callback=callbacks.__setitem__))
    network = SimpleNamespace(to=lambda memory_format: None)
    trainer = SimpleNamespace(device=SimpleNamespace(type=device), model=network, amp=None)
    callbacks["on_train_start"](trainer)

    assert trainer.amp is is_used


@pytest.mark.parametrize(
    ("loaded", "why"),
    [(EOFError("Ran out of input"), "Ran out of input"), (EOFError(), "EOFError"), ({}, "optimizer")],
)
def test_a_damaged_checkpoint_of_an_interrupted_run_is_named_with_what_to_do(
    monkeypatch, tmp_path, loaded, why
):
    def load(path, **_):
        if isinstance(loaded, Exception):
            raise loaded
        return loaded

    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(load=load))
    monkeypatch.setattr(session, "prepare_ultralytics", lambda: None)
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / "last.pt").touch()

    with pytest.raises(UserError, match=rf"last\.pt.*{why}.*{tmp_path}") as refused:
        session.unfinished(tmp_path)
    assert refused.value.key == "training.run_broken"
