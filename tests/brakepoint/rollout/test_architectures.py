"""Another architecture's programs, by a rule that the kernel takes."""

from pathlib import Path

import pytest

from brakepoint.errors import UserError
from brakepoint.rollout.architectures import emulate

RULE = ":qemu-aarch64:M::magic:mask:/usr/bin/emulator:OPF\n"


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "qemu-aarch64.conf").write_text(RULE)
    return tmp_path / "rules"


@pytest.fixture
def kernel(tmp_path: Path) -> Path:
    (tmp_path / "kernel").mkdir()
    (tmp_path / "kernel" / "register").touch()
    return tmp_path / "kernel"


def test_without_the_package_its_name_is_shown(tmp_path: Path, kernel: Path) -> None:
    with pytest.raises(UserError, match="qemu-user-static"):
        emulate("arm64", tmp_path, kernel)


def test_the_rule_of_the_package_is_given_to_the_kernel(rules: Path, kernel: Path) -> None:
    with pytest.raises(UserError):  # This kernel takes nothing.
        emulate("arm64", rules, kernel)
    assert (kernel / "register").read_text() == RULE


def test_a_rule_that_the_kernel_follows_already_is_left_alone(rules: Path, kernel: Path) -> None:
    (kernel / "qemu-aarch64").write_text("enabled\ninterpreter /usr/bin/emulator\nflags: OPF\noffset 0\n")
    emulate("arm64", rules, kernel)
    assert (kernel / "register").read_text() == ""


@pytest.mark.parametrize(
    "said", ("disabled\ninterpreter x\nflags: F\n", "enabled\ninterpreter x\nflags: \noffset 0\n")
)
def test_a_rule_that_would_not_work_in_an_image_is_refused(rules: Path, kernel: Path, said: str) -> None:
    (kernel / "qemu-aarch64").write_text(said)
    with pytest.raises(UserError, match="arm64"):
        emulate("arm64", rules, kernel)
