"""What a room is called, and what it may ask for."""

import pytest
from pydantic import ValidationError

from brakepoint.errors import UserError
from brakepoint.room.config import (
    ATTENDEES_MAX,
    EmbeddedSettings,
    MinioSettings,
    Quota,
    Room,
    require_attendee,
)

ROOM = Room(name="spring", attendees=3, handles=("anna",))


def test_who_has_no_handle_is_called_by_seat() -> None:
    assert ROOM.everybody == ("anna", "seat-02", "seat-03")


def test_of_more_handles_than_seats_the_first_are_seated() -> None:
    assert Room(name="spring", attendees=1, handles=("anna", "bela")).everybody == ("anna",)


def test_an_attendee_is_known_by_handle_and_nobody_else_is() -> None:
    assert require_attendee(ROOM, "seat-02") == "seat-02"
    with pytest.raises(UserError, match="zoe"):
        require_attendee(ROOM, "zoe")


def test_everything_is_named_by_the_room_and_the_attendee() -> None:
    assert ROOM.place_of("anna") == "spring-anna"
    assert ROOM.shared_bucket == "spring-shared"
    assert ROOM.folder.name == "spring"


@pytest.mark.parametrize("attendees", [1, ATTENDEES_MAX])
def test_a_room_has_as_many_seats_as_it_says(attendees) -> None:
    assert len(Room(name="spring", attendees=attendees).everybody) == attendees


@pytest.mark.parametrize("attendees", [0, ATTENDEES_MAX + 1])
def test_a_room_that_is_empty_or_too_large_is_refused(attendees) -> None:
    with pytest.raises(ValidationError):
        Room(name="spring", attendees=attendees)


@pytest.mark.parametrize(
    "wanted", [{"cpu": 1}, {"memory_gib": 2}, {"storage_gib": 1}, {"pods": 1}, {"gpus": 0}]
)
def test_a_quota_may_be_small_but_must_hold_a_workspace(wanted) -> None:
    ((name, least),) = wanted.items()

    assert getattr(Quota(**wanted), name) == least
    with pytest.raises(ValidationError):
        Quota(**{name: least - 1})


def test_a_room_seats_two_hundred_and_its_stores_begin_at_port_9100() -> None:
    assert (ATTENDEES_MAX, EmbeddedSettings().first_port) == (200, 9100)


def test_a_quota_is_enough_for_the_course_unless_the_room_says_otherwise() -> None:
    assert Quota() == Quota(cpu=24, memory_gib=48, storage_gib=20, gpus=0, pods=30)


def test_nobody_is_given_a_gpu_unless_the_room_says_so() -> None:
    assert Quota().gpus == 0


def test_the_ports_of_all_attendees_must_be_ports_that_anybody_may_open() -> None:
    highest = 65535 - ATTENDEES_MAX
    for port in (1024, highest):
        assert EmbeddedSettings(first_port=port).first_port == port
    for port in (1023, highest + 1):
        with pytest.raises(ValidationError):
            EmbeddedSettings(first_port=port)


@pytest.mark.parametrize("endpoint", ["minio.example.org", "ftp://minio.example.org", "https://minio/bucket"])
def test_a_minio_is_named_by_its_url_alone(endpoint) -> None:
    with pytest.raises(ValidationError):
        MinioSettings(kind="minio", endpoint=endpoint)


def test_what_a_room_file_says_beyond_is_refused() -> None:
    with pytest.raises(ValidationError):
        Room.model_validate({"name": "spring", "attendees": 1, "colour": "red"})


def test_a_room_is_not_changed_once_it_was_read() -> None:
    with pytest.raises(ValidationError):
        ROOM.attendees = 4  # type: ignore[misc]
