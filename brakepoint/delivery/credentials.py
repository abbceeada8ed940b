"""The Secrets of the manifests: generated randomly where the system is deployed, and never in git."""

import base64
import hashlib
import secrets

import yaml

BROKER_USERS = ("capture", "detector", "autopilot", "controller", "monitor")
"""Each service on the broker has its own user; `deploy/base/acl` defines the rights of each."""
BROKER_SECRET, PASSWORDS_KEY = "brakepoint-broker", "passwords"
MONITOR_SECRET, TOKEN_KEY = "brakepoint-monitor", "token"
BROKER_ADDRESS = "broker:1883"
"""The Service of the broker, in deploy/base/broker.yaml."""
RANDOM_BYTES = 18
ITERATIONS, SALT_BYTES = 101, 12
"""The values of `mosquitto_passwd`. So few iterations are safe: no one can guess 18 random bytes."""

Secrets = dict[str, dict[str, str]]
"""The keys and values of each Secret, by its name."""


def make_secrets() -> Secrets:
    """Generates new passwords for every user of the broker, and a new token for the page."""
    passwords = {user: secrets.token_urlsafe(RANDOM_BYTES) for user in BROKER_USERS}
    lines = "".join(f"{user}:{_hashed(password)}\n" for user, password in passwords.items())
    urls = {user: f"mqtt://{user}:{password}@{BROKER_ADDRESS}" for user, password in passwords.items()}
    return {
        BROKER_SECRET: {PASSWORDS_KEY: lines, **urls},
        MONITOR_SECRET: {TOKEN_KEY: secrets.token_urlsafe(RANDOM_BYTES)},
    }


def as_manifests(made: Secrets) -> str:
    """The Secrets as YAML for `kubectl create --filename -`.

    The Secrets are immutable, and can only be deleted and created again: overwriting a Secret restarts
    nothing, and services that start later would have different passwords from the running broker.
    """
    return yaml.safe_dump_all(
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": name},
            "immutable": True,
            "stringData": content,
        }
        for name, content in made.items()
    )


def _hashed(password: str) -> str:
    """A password in Mosquitto 2's format: PBKDF2 with SHA-512."""
    salt = secrets.token_bytes(SALT_BYTES)
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, ITERATIONS)
    return f"$7${ITERATIONS}${base64.b64encode(salt).decode()}${base64.b64encode(digest).decode()}"
