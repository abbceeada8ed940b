"""A substitute for a MinIO server: its administration of users and policies, with its encryption.

The object store beside it is the embedded one.
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from typing import Any
from urllib.parse import parse_qs, urlsplit

from minio.crypto import decrypt, encrypt
from urllib3.response import HTTPResponse

ADMIN = ("administrator", "administrators-secret")


class StandIn(ThreadingHTTPServer):
    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.users: dict[str, dict[str, str]] = {}
        self.policies: dict[str, Any] = {}
        self.quotas: dict[str, Any] = {}


class _Handler(BaseHTTPRequestHandler):
    server: StandIn

    def _answer(self, status: int, body: bytes = b"") -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _asked(self) -> tuple[str, dict[str, str], bytes]:
        url = urlsplit(self.path)
        assert "Signature=" in self.headers["Authorization"]
        options = {name: values[0] for name, values in parse_qs(url.query).items()}
        return url.path.rpartition("/")[2], options, self.rfile.read(int(self.headers["Content-Length"] or 0))

    def do_GET(self) -> None:
        command, _, _ = self._asked()
        assert command == "list-users"
        users = {
            name: {"status": "enabled", "policyName": user["policy"]}
            for name, user in self.server.users.items()
        }
        self._answer(200, encrypt(json.dumps(users).encode(), ADMIN[1]))

    def do_PUT(self) -> None:
        command, options, body = self._asked()
        if command == "add-user":
            plain = json.loads(decrypt(HTTPResponse(BytesIO(body), preload_content=False), ADMIN[1]))
            self.server.users[options["accessKey"]] = {"secret": plain["secretKey"], "policy": ""}
        elif command == "add-canned-policy":
            self.server.policies[options["name"]] = json.loads(body)
        elif command == "set-bucket-quota":
            self.server.quotas[options["bucket"]] = json.loads(body)
        else:
            assert command == "set-user-or-group-policy"
            self.server.users[options["userOrGroup"]]["policy"] = options["policyName"]
        self._answer(200)

    def do_DELETE(self) -> None:
        command, options, _ = self._asked()
        there, name = {
            "remove-user": (self.server.users, "accessKey"),
            "remove-canned-policy": (self.server.policies, "name"),
        }[command]
        self._answer(200 if there.pop(options[name], None) else 404)

    def log_message(self, *args: object) -> None:
        """Logs nothing."""


@contextmanager
def stand_in() -> Iterator[StandIn]:
    server = StandIn()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
