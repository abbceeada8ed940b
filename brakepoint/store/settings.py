"""The variables that name a store, which people set by copy and paste, or in Secrets created with `echo`."""

import os

ENDPOINT_VARIABLE = "AWS_S3_ENDPOINT"
BESIDE_VARIABLE = "BRAKEPOINT_STORE"
"""URL of a store in the same pod, as in a workspace; a data connection takes precedence."""
ADDRESSING_VARIABLE = "AWS_S3_ADDRESSING_STYLE"
"""Where a request names the bucket: in the path, which most stores support, or in the host name."""
CA_VARIABLES = ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE")
"""Variables for a file with the trusted certificate authorities."""
QUOTES = "\"'"
UNSEEN = "\ufeff\u200b"
"""A byte order mark and a zero-width space: both get copied from files and web pages."""


def setting(name: str) -> str:
    """A variable without surrounding whitespace and quotation marks; empty if it is not set."""
    value = os.environ.get(name, "").strip().strip(UNSEEN).strip()
    if len(value) > 1 and value[0] == value[-1] and value[0] in QUOTES:
        value = value[1:-1].strip()
    return value
