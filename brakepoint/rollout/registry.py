"""A registry for this machine only: Debian's `docker-registry`, with TLS and a password as in a cluster."""

import json
import subprocess
import time
from base64 import b64encode
from pathlib import Path
from secrets import token_urlsafe
from typing import Self

import yaml

from brakepoint.errors import UserError
from brakepoint.files import write_whole
from brakepoint.sockets import LOCALHOST, free_port, is_free

USER = "serviceaccount"
"""The user who pushes, as named in the tasks' scripts."""
STARTS_WITHIN_S, STOP_WITHIN_S = 20.0, 5.0


class Registry:
    """Serves the images below a folder for the duration of a `with` block.

    Args:
        folder: Storage for the pushed images.

    Attributes:
        address: Host and port.
        account: Folder with the credentials of a pod's service account: certificate and token.

    Raises:
        UserError: The registry fails to start.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.address = f"{LOCALHOST}:{_port(folder / 'port')}"
        self.account = folder / "account"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.account.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o700)
        token = token_urlsafe(24)
        for name, words in {"token": token, "namespace": "brakepoint-images"}.items():
            (self.account / name).write_text(words, encoding="utf-8")
        self._make_certificate()
        self._write("htpasswd", _run("htpasswd", "-Bbn", USER, token))
        auth = b64encode(f"{USER}:{token}".encode()).decode()
        self._write("auth.json", json.dumps({"auths": {self.address: {"auth": auth}}}))
        self._write("config.yaml", yaml.safe_dump(self._config()))
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def login(self) -> list[str]:
        """The options with which this machine's buildah and skopeo log in."""
        return ["--authfile", str(self.folder / "auth.json"), "--cert-dir", str(self.account)]

    def start(self) -> None:
        """Starts the registry; after a stop, at the same address. After a failure, nothing keeps running."""
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                ["docker-registry", "serve", str(self.folder / "config.yaml")], stdout=log, stderr=log
            )
        try:
            self._wait()
        except BaseException:
            self.stop()
            raise

    def _wait(self) -> None:
        """Waits until the registry answers."""
        assert self._process is not None
        until = time.monotonic() + STARTS_WITHIN_S
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > until:
                raise UserError("rollout.error.registry", log=self.folder / "log")
            time.sleep(0.1)

    def stop(self) -> None:
        """Stops the registry; pushed images are kept."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(STOP_WITHIN_S)

    def tags(self, repository: str) -> list[str]:
        """The tags of a repository; empty if nothing was pushed to it.

        Args:
            repository: The repository's name, without the registry.
        """
        place = self.folder / "images" / "docker/registry/v2/repositories" / repository / "_manifests/tags"
        return sorted(path.name for path in place.iterdir()) if place.is_dir() else []

    def _answers(self) -> bool:
        done = subprocess.run(
            ["openssl", "s_client", "-connect", self.address, "-CAfile", str(self.account / "ca.crt")],
            stdin=subprocess.DEVNULL, capture_output=True, check=False,
        )  # fmt: skip
        return done.returncode == 0

    def _make_certificate(self) -> None:
        """Creates a certificate for this address only; clients must have it in their certificate folder."""
        _run(
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"),
            *("-nodes", "-days", "2", "-subj", "/CN=brakepoint-registry"),
            *("-addext", f"subjectAltName=IP:{LOCALHOST}"),
            *("-keyout", self.folder / "key.pem", "-out", self.account / "ca.crt"),
        )

    def _write(self, name: str, words: str) -> None:
        path = self.folder / name
        path.touch(mode=0o600)
        path.write_text(words, encoding="utf-8")

    def _config(self) -> dict[str, object]:
        tls = {"certificate": str(self.account / "ca.crt"), "key": str(self.folder / "key.pem")}
        access = {"realm": "brakepoint", "path": str(self.folder / "htpasswd")}
        return {
            "version": 0.1,
            "log": {"level": "warn", "accesslog": {"disabled": True}},
            "storage": {
                "filesystem": {"rootdirectory": str(self.folder / "images")},
                "delete": {"enabled": True},
            },
            "auth": {"htpasswd": access},
            "http": {"addr": self.address, "tls": tls},
        }


def _run(*words: object) -> str:
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise UserError("rollout.error.tool", tool=words[0], why=done.stderr.strip()[-300:])
    return done.stdout


def _port(kept: Path) -> int:
    """The previous port, to which the overlay's earlier commits refer, unless that port is in use."""
    port = int(kept.read_text("utf-8")) if kept.is_file() else free_port()
    port = port if is_free(LOCALHOST, port) else free_port()
    kept.parent.mkdir(parents=True, exist_ok=True)
    write_whole(kept, str(port).encode())
    return port
