"""The variables that name a store. Who sets them copies and pastes, or makes Secrets with `echo`."""

import os

ENDPOINT_VARIABLE = "AWS_S3_ENDPOINT"
BESIDE_VARIABLE = "BRAKEPOINT_STORE"
"""URL of a store in the same pod, as a workspace has one; a data connection outweighs it."""
ADDRESSING_VARIABLE = "AWS_S3_ADDRESSING_STYLE"
"""Where a request names the bucket: in its path, which most stores know, or in the host's name."""
CA_VARIABLES = ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE")
"""Either names a file with the authorities whose certificates are trusted."""
QUOTES = "\"'"
UNSEEN = "\ufeff\u200b"
"""A byte order mark and a space without width: both come along from files and web pages."""


def setting(name: str) -> str:
    """A variable without the blanks, line ends and quotation marks around it; empty if it is not set."""
    value = os.environ.get(name, "").strip().strip(UNSEEN).strip()
    if len(value) > 1 and value[0] == value[-1] and value[0] in QUOTES:
        value = value[1:-1].strip()
    return value
