"""The filter of system calls, run as the kernel would run it."""

import errno

import pytest

from brakepoint.room.system_calls import (
    ALLOW,
    ANY_BIT,
    AT_LEAST,
    CLONE_THREAD,
    EQUAL,
    INSTRUCTION,
    KILL,
    LOAD,
    MACHINES,
    REFUSE,
    RETURN,
    filter_program,
)

READ = {"x86_64": 0, "aarch64": 63}
EXECVE = {"x86_64": 59, "aarch64": 221}


def verdict(machine: str, number: int, flags: int = 0, audit: int | None = None) -> int:
    """The verdict that the kernel gets for a call."""
    data = {0: number, 4: MACHINES[machine].audit if audit is None else audit, 16: flags}
    program = list(INSTRUCTION.iter_unpack(filter_program(machine)))
    loaded = at = 0
    while True:
        code, if_true, if_false, constant = program[at]
        at += 1
        if code == RETURN:
            return constant
        if code == LOAD:
            loaded = data[constant]
            continue
        holds = {
            EQUAL: loaded == constant,
            AT_LEAST: loaded >= constant,
            ANY_BIT: bool(loaded & constant),
        }[code]
        at += if_true if holds else if_false


@pytest.fixture(params=MACHINES)
def machine(request) -> str:
    return request.param


def test_each_call_of_the_list_is_refused_and_ends_nothing(machine) -> None:
    special = {"clone3": errno.ENOSYS, "fork": errno.EAGAIN, "vfork": errno.EAGAIN}
    for name, number in MACHINES[machine].refused.items():
        assert verdict(machine, number) == REFUSE | special.get(name, errno.EPERM), name


def test_what_python_needs_is_allowed(machine) -> None:
    assert {verdict(machine, READ[machine]), verdict(machine, EXECVE[machine])} == {ALLOW}


def test_a_thread_is_allowed_and_another_process_is_not(machine) -> None:
    clone = MACHINES[machine].clone

    assert verdict(machine, clone, CLONE_THREAD | 0x100) == ALLOW
    assert verdict(machine, clone, 17) == verdict(machine, clone, 0) == REFUSE | errno.EAGAIN


def test_calls_in_the_way_of_another_machine_end_the_process(machine) -> None:
    for audit in (0x40000003, 0, *(other.audit for name, other in MACHINES.items() if name != machine)):
        assert verdict(machine, READ[machine], audit=audit) == KILL


def test_the_other_numbers_of_x86_are_refused(machine) -> None:
    assert verdict(machine, 0x40000000) == verdict(machine, 0x40000000 + 319) == REFUSE | errno.EPERM
    assert verdict(machine, 0x3FFFFFFF) == ALLOW


def test_no_number_stands_for_two_calls(machine) -> None:
    numbers = [*MACHINES[machine].refused.values(), MACHINES[machine].clone]

    assert len(set(numbers)) == len(numbers)


def test_the_memory_that_no_limit_counts_and_the_network_are_on_both_lists() -> None:
    for name in (
        "memfd_create",
        "memfd_secret",
        "shmget",
        "shmat",
        "mq_open",
        "socket",
        "socketpair",
        "ptrace",
    ):
        assert all(name in calls.refused for calls in MACHINES.values()), name


def test_a_machine_whose_numbers_are_not_known_has_no_filter() -> None:
    assert filter_program("riscv64") == b""
    assert filter_program("x86_64") != filter_program("aarch64")
