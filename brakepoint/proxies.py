"""Proxies in the environment, which local addresses must bypass."""

import os

LOOPBACK = ("127.0.0.1", "localhost", "::1")
EXCEPTIONS = ("no_proxy", "NO_PROXY")
"""Some libraries read the first variable, others the second, so both get the same value."""
PROXIES = ("http_proxy", "https_proxy", "all_proxy", "grpc_proxy", "mqtt_proxy")
"""Variables that name a proxy, in lower or upper case."""


def proxies_set() -> list[str]:
    """The variables that name a proxy, as spelt in the environment."""
    return sorted(name for name, value in os.environ.items() if name.lower() in PROXIES and value.strip())


def spare_loopback() -> None:
    """Bypasses proxies for this machine's own addresses, in this process and all its children.

    Store, endpoints, broker and pages all listen on these addresses, and a proxy on another machine cannot
    reach them. Few libraries bypass proxies for local addresses by default.
    """
    if not proxies_set():
        return
    named = (name.strip() for variable in EXCEPTIONS for name in os.environ.get(variable, "").split(","))
    spared = dict.fromkeys([*filter(None, named), *LOOPBACK])
    os.environ.update(dict.fromkeys(EXCEPTIONS, "*" if "*" in spared else ",".join(spared)))
