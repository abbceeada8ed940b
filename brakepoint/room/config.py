"""The file that describes a room, `room.yaml`, and the names of everything that belongs to the room."""

from itertools import count, islice
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from brakepoint.course import Track
from brakepoint.errors import UserError
from brakepoint.files import load_yaml, read_utf8
from brakepoint.validation import first_fault

ROOMS_DIR = Path("runs/room")
SHARED = "shared"
"""Suffix of the bucket that everyone can read and no one can write; no attendee can have this name."""
ATTENDEES_MAX = 200
PORT = 9100
LIMIT_MB, LIMIT_MIN_MB = 500, 100
"""Default and minimum of an attendee's storage. The kit's data and the largest submission take 60 MB."""
HANDLE_IN_REPOSITORY = "{handle}"

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,20}[a-z0-9]$")]
"""A name that is valid for buckets, namespaces and accounts."""


def _with_a_port(address: str) -> str:
    """Returns a URL if its port is valid."""
    if urlsplit(address).port == 0:
        raise ValueError("Port out of range 1-65535")
    return address


URL = r"https?://([A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\])(:[0-9]{1,5})?"
"""The URL of a server: nothing but scheme, host and port."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class EmbeddedSettings(_Part):
    """The kit's own object store: one server for the whole room.

    Attributes:
        kind: Always `embedded`.
        host: This machine's address, on which the server listens.
        port: Port on which the server listens.
        limit_mb: How much one attendee may store.
    """

    kind: Literal["embedded"] = "embedded"
    host: str = "127.0.0.1"
    port: int = Field(default=PORT, ge=1024, le=65535)
    limit_mb: int = Field(default=LIMIT_MB, ge=LIMIT_MIN_MB)


class MinioSettings(_Part):
    """A MinIO server. The administrator's key is read from the environment, never from this file.

    Attributes:
        kind: Always `minio`.
        endpoint: URL at which this machine and the attendees' laptops reach the server.
        inside: URL at which the attendees' workspaces reach the server, if different.
        limit_mb: How much one attendee may store; a change applies to keys granted afterwards.
    """

    kind: Literal["minio"]
    endpoint: Annotated[str, Field(pattern=f"^{URL}$"), AfterValidator(_with_a_port)]
    inside: Annotated[str, Field(pattern=f"^({URL})?$"), AfterValidator(_with_a_port)] = ""
    limit_mb: int = Field(default=LIMIT_MB, ge=LIMIT_MIN_MB)


class Quota(_Part):
    """The cluster resources that one attendee may use.

    Attributes:
        cpu: Cores that the limits may add up to; the requests get half.
        memory_gib: Memory that the limits may add up to; the requests get half.
        storage_gib: Total size of all volumes.
        gpus: Whole GPUs.
        pods: Number of pods at the same time.
    """

    cpu: int = Field(default=24, ge=1)
    memory_gib: int = Field(default=48, ge=2)
    storage_gib: int = Field(default=20, ge=1)
    gpus: int = Field(default=0, ge=0)
    pods: int = Field(default=30, ge=1)


class Room(_Part):
    """A room.

    Attributes:
        name: Name of the room, with which the name of each bucket and namespace begins.
        attendees: Number of attendees.
        handles: Names of attendees; the others are named after their seat.
        url: Where an attendee starts, for the handout.
        repository: Each attendee's git repository, with `{handle}` in it; Argo CD deploys from this
            repository. Empty without Argo CD.
        store: The object store.
        quota: What each attendee may use of the cluster.
        pipeline_image: Image in which step 4's components run on the cluster, with a pipeline server for each
            attendee; empty if they run in the workspace.
        serving_image: Image that serves an attendee's model on the cluster, pictures in and boxes out; or
            empty.
        openvino_image: Image of the platform's OpenVINO Model Server, which serves the same model, tensors in
            and out; or empty.
        hidden_feed: An mp4 with its ground truth beside it, on which the instructor's machine scores
            submissions.
        final_feed: A different hidden feed, on which each attendee's best submission is scored at the end.
        map50_min: The mAP50 that a model must reach on the hidden feed, 0 to 1, before it may drive that
            feed.
        tries: Number of submissions of one attendee that are scored.
        track: How much of the course the room covers: `core`, two hours including set-up and login, or
            `full`.
    """

    name: Name
    attendees: int = Field(ge=1, le=ATTENDEES_MAX)
    handles: tuple[Name, ...] = ()
    url: str = ""
    repository: str = Field(default="", pattern=r"^(https://.*\{handle\}.*)?$")
    store: EmbeddedSettings | MinioSettings = Field(default=EmbeddedSettings(), discriminator="kind")
    quota: Quota = Quota()
    pipeline_image: str = ""
    serving_image: str = ""
    openvino_image: str = ""
    hidden_feed: Path | None = None
    final_feed: Path | None = None
    map50_min: float = Field(default=0.3, ge=0, le=1)
    tries: int = Field(default=20, ge=1)
    track: Track = Track.FULL

    @model_validator(mode="after")
    def _names_are_unique(self) -> Self:
        if len(set(self.handles)) < len(self.handles) or SHARED in self.handles:
            raise ValueError(f"handles: each only once, and none “{SHARED}”")
        return self

    @property
    def everybody(self) -> tuple[str, ...]:
        """A handle for each attendee.

        Seats without a name have their own numbering, which does not change when a name is added.
        """
        named = self.handles[: self.attendees]
        seats = (f"seat-{number:02}" for number in count(1))
        unnamed = (seat for seat in seats if seat not in named)
        return named + tuple(islice(unnamed, self.attendees - len(named)))

    @property
    def folder(self) -> Path:
        """The folder that contains accounts, manifests, handouts, submissions and scores."""
        return ROOMS_DIR / self.name

    @property
    def shared_bucket(self) -> str:
        """The bucket that everyone can read and no one can write."""
        return f"{self.name}-{SHARED}"

    def place_of(self, handle: str) -> str:
        """Name of an attendee's bucket, namespace and access key."""
        return f"{self.name}-{handle}"

    @property
    def images(self) -> tuple[str, ...]:
        """All images that the room names."""
        return tuple(filter(None, (self.pipeline_image, self.serving_image, self.openvino_image)))

    @property
    def inside(self) -> str:
        """URL at which the attendees' workspaces and pipelines reach the store."""
        if isinstance(self.store, MinioSettings):
            return self.store.inside or self.store.endpoint
        return self.outside

    @property
    def outside(self) -> str:
        """URL at which the attendees' laptops reach the store."""
        if isinstance(self.store, MinioSettings):
            return self.store.endpoint
        return f"http://{self.store.host}:{self.store.port}"

    def repository_of(self, handle: str) -> str:
        """URL of an attendee's own repository; empty without Argo CD."""
        return self.repository.replace(HANDLE_IN_REPOSITORY, handle)


def load_room(path: Path, attendees: int | None = None) -> Room:
    """Reads a room's file.

    Args:
        path: A YAML file.
        attendees: Number of attendees, overriding the file.

    Raises:
        UserError: The file is missing or invalid.
    """
    try:
        content = read_utf8(path)
    except OSError as error:
        raise UserError("room.error.no_file", path=path) from error
    return parse_room(content, path, attendees)


def parse_room(content: str, path: Path, attendees: int | None = None) -> Room:
    """Reads a room from the text of its file.

    Args:
        content: A YAML document.
        path: The file, for messages.
        attendees: Number of attendees, overriding the file.

    Raises:
        UserError: The text does not describe a room.
    """
    try:
        written = load_yaml(content)
        if attendees is not None and isinstance(written, dict):
            written["attendees"] = attendees
        return Room.model_validate(written)
    except ValidationError as error:
        raise UserError("room.error.invalid", path=path, why=first_fault(error)) from error
    except yaml.YAMLError as error:
        raise UserError("room.error.invalid", path=path, why=" ".join(str(error).split())) from error


def require_attendee(room: Room, handle: str) -> str:
    """Returns the handle if an attendee has it.

    Raises:
        UserError: No attendee has it.
    """
    if handle not in room.everybody:
        raise UserError("room.error.nobody", handle=handle, room=room.name)
    return handle
