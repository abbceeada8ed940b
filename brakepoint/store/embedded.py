"""The kit's own S3 server: rclone on a folder, on this machine only, with its own secret."""

import os
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from brakepoint.errors import UserError
from brakepoint.sockets import LOCALHOST, answers, free_port, is_free

EMBEDDED_BUCKET = "brakepoint"
STORE_DIR = Path("runs/store")
"""The folder whose subfolders are the buckets."""
USUAL_PORT = 9000
FRESH = ("--dir-cache-time", "1s")
"""Delay until another server's changes to the folder are visible; with 0, rclone forgets its own files."""
START_TIMEOUT_S, STOP_TIMEOUT_S = 10.0, 5.0
LISTENS = b"Starting s3 server on"
"""rclone's message once the port is its own; an answer on the port could come from another server."""
GUARD = "import os, signal, sys; sys.stdin.read(); os.kill(int(sys.argv[1]), signal.SIGTERM)"
"""Ends a process when the pipe to its parent closes, which also happens if the parent is killed."""


@contextmanager
def serve_s3(folder: Path = STORE_DIR) -> Iterator[tuple[str, str, str]]:
    """Serves a folder over S3 for as long as the context lasts.

    Args:
        folder: Contains the buckets; created if missing.

    Yields:
        The endpoint, the access key and the secret key.

    Raises:
        UserError: rclone is not installed, or does not start.
    """
    folder.mkdir(parents=True, exist_ok=True)
    ports = [USUAL_PORT, free_port()] if is_free(LOCALHOST, USUAL_PORT) else [free_port()]
    access_key, secret_key = "brakepoint", secrets.token_hex(16)
    log_path = folder.parent / f"{folder.name}.log"
    with ExitStack() as stack:
        for port in ports:
            server = run_server(str(folder), (LOCALHOST, port), (access_key, secret_key), log_path)
            try:
                stack.enter_context(server)
            except UserError:  # Another kit on this machine may have taken the port in the meantime.
                if port == ports[-1]:
                    raise
            else:
                break
        yield f"http://{LOCALHOST}:{port}", access_key, secret_key


@contextmanager
def run_server(root: str, address: tuple[str, int], key: tuple[str, str], log_path: Path) -> Iterator[None]:
    """Runs one server for as long as the context lasts.

    Args:
        root: Folder whose subfolders are the buckets.
        address: Host and port to listen on.
        key: The access key and the secret key.
        log_path: Receives the server's output.

    Raises:
        UserError: rclone is not installed, or does not start.
    """
    # The secret is passed in the environment: everyone on the machine can read a command line.
    environment = {"RCLONE_AUTH_KEY": f'"{",".join(key)}"'}
    command = [rclone(), "serve", "s3", "--addr", f"{address[0]}:{address[1]}", *FRESH, root]
    log_path.write_bytes(b"")
    with running(command, environment, log_path) as process:
        wait_until_ready(process, address, log_path)
        yield


@contextmanager
def running(
    command: list[str],
    environment: dict[str, str],
    log_path: Path,
    folder: Path | None = None,
    pass_fds: tuple[int, ...] = (),
) -> Iterator[subprocess.Popen[bytes]]:
    """Runs rclone while the context lasts, and no longer than this process, even if this process is killed.

    Args:
        command: Program and arguments.
        environment: Additional variables.
        log_path: Receives the output.
        folder: The program's working folder; by default the one of this process.
        pass_fds: Open files that the program inherits.
    """
    # Both get their own session, because Ctrl-C is for the parent, which ends them in order.
    with log_path.open("ab") as log:
        process = subprocess.Popen(
            command,
            env={**os.environ, "RCLONE_CONFIG": "", **environment},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=folder,
            pass_fds=pass_fds,
            start_new_session=True,
        )
    guard_command = [sys.executable, "-c", GUARD, str(process.pid)]
    guard = subprocess.Popen(guard_command, stdin=subprocess.PIPE, start_new_session=True)
    try:
        yield process
    finally:
        guard.kill()
        guard.communicate()
        process.terminate()
        try:
            process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def rclone() -> str:
    """Path of the rclone that pip installed beside this Python, or else of another one."""
    beside = Path(sys.executable).with_name("rclone")
    found = str(beside) if beside.is_file() else shutil.which("rclone")
    if found is None:
        raise UserError("store.error.no_rclone")
    return found


def wait_until_ready(
    process: subprocess.Popen[bytes], address: tuple[str, int], log_path: Path, begins_at: int = 0
) -> None:
    """Waits until rclone reports that it is listening, and until it answers.

    Args:
        process: Process of rclone.
        address: Host and port on which rclone listens.
        log_path: Receives the output.
        begins_at: Offset in the log at which this process's output begins.

    Raises:
        UserError: rclone does not become ready in time, for example because it is too old.
    """
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline and process.poll() is None:
        if LISTENS in log_path.read_bytes()[begins_at:] and answers(*address):
            return
        time.sleep(0.05)
    raise UserError("store.error.not_started", log=log_path)
