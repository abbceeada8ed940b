"""A room's names, and its limits."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from brakepoint.errors import UserError
from brakepoint.room.config import (
    ATTENDEES_MAX,
    SHARED,
    EmbeddedSettings,
    MinioSettings,
    Quota,
    Room,
    require_attendee,
)
from brakepoint.validation import first_fault

ROOM = Room(name="spring", attendees=3, handles=("anna",))


def test_who_has_no_handle_is_called_by_seat() -> None:
    assert ROOM.everybody == ("anna", "seat-01", "seat-02")


names = st.lists(st.from_regex(r"[a-z][a-z0-9-]{0,5}[a-z0-9]|seat-0[1-4]", fullmatch=True), unique=True)


@given(names.filter(lambda names: SHARED not in names), st.integers(0, 4), st.data())
def test_anyone_who_joins_moves_nobody_else(handles, unnamed, data) -> None:
    attendees = max(len(handles) + unnamed, 1)
    room = Room(name="spring", attendees=attendees, handles=tuple(handles))
    late = data.draw(st.sampled_from(["zoe", "seat-77"]).filter(lambda name: name not in handles))
    at = data.draw(st.integers(0, len(handles)))
    named = Room(name="spring", attendees=attendees + 1, handles=(*handles[:at], late, *handles[at:]))
    seated = Room(name="spring", attendees=attendees + 1, handles=tuple(handles))

    assert set(named.everybody) == {*room.everybody, late}
    assert len(seated.everybody) == attendees + 1 and set(room.everybody) < set(seated.everybody)


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


def test_a_room_seats_two_hundred_and_its_store_is_at_port_9100() -> None:
    assert (ATTENDEES_MAX, EmbeddedSettings().port) == (200, 9100)


@pytest.mark.parametrize(
    "settings", [EmbeddedSettings, lambda **of: MinioSettings(kind="minio", endpoint="https://minio", **of)]
)
def test_an_attendee_may_store_the_kits_data_and_a_hand_in_at_least(settings) -> None:
    assert settings().limit_mb == 500
    assert settings(limit_mb=100).limit_mb == 100
    with pytest.raises(ValidationError):
        settings(limit_mb=99)


def test_a_quota_is_enough_for_the_course_unless_the_room_says_otherwise() -> None:
    assert Quota() == Quota(cpu=24, memory_gib=48, storage_gib=20, gpus=0, pods=30)


def test_nobody_is_given_a_gpu_unless_the_room_asks_for_it() -> None:
    assert Quota().gpus == 0


def test_the_port_must_be_one_that_anybody_may_open() -> None:
    for port in (1024, 65535):
        assert EmbeddedSettings(port=port).port == port
    for port in (1023, 65536):
        with pytest.raises(ValidationError):
            EmbeddedSettings(port=port)


NO_ADDRESSES = (
    "minio.example.org",
    "ftp://minio.example.org",
    "https://minio/bucket",
    "https://minio:65536",
    "https://minio:0",
    "https://minio:port",
    "https://:9000",
    "https://my minio",
    "https://user:key@minio",
    "https://minio?a",
)


@pytest.mark.parametrize("url", NO_ADDRESSES)
@pytest.mark.parametrize("field", ["endpoint", "inside"])
def test_a_minio_is_named_by_its_url_alone(field, url) -> None:
    with pytest.raises(ValidationError) as refused:
        MinioSettings.model_validate({"kind": "minio", "endpoint": "https://minio", field: url})

    assert first_fault(refused.value).startswith(f"{field}: ")


@pytest.mark.parametrize(
    "url", ["http://a", "https://minio.example.org:65535", "http://10.0.0.1:1", "http://[::1]:9"]
)
def test_a_minio_may_be_at_any_address_and_port(url) -> None:
    assert MinioSettings(kind="minio", endpoint=url, inside=url).inside == url
    assert MinioSettings(kind="minio", endpoint=url, inside="").endpoint == url


def test_what_a_room_file_says_beyond_is_refused() -> None:
    with pytest.raises(ValidationError):
        Room.model_validate({"name": "spring", "attendees": 1, "colour": "red"})


def test_a_room_is_not_changed_once_it_was_read() -> None:
    with pytest.raises(ValidationError):
        ROOM.attendees = 4  # type: ignore[misc]
