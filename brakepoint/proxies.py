"""Proxies that the environment names: what runs on this machine is reached without them."""

import os

LOOPBACK = ("127.0.0.1", "localhost", "::1")
EXCEPTIONS = ("no_proxy", "NO_PROXY")
"""Some libraries read the one and some the other, so both say the same."""
PROXIES = ("http_proxy", "https_proxy", "all_proxy", "grpc_proxy", "mqtt_proxy")
"""In small or capital letters."""


def proxies_set() -> list[str]:
    """The variables that name a proxy, as they are spelt in the environment."""
    return sorted(name for name, value in os.environ.items() if name.lower() in PROXIES and value.strip())


def spare_loopback() -> None:
    """Has this machine's own addresses reached without a proxy, here and in every process started here.

    Store, endpoints, broker and pages all listen there, and a proxy on another machine cannot reach them. Few
    libraries know that by themselves.
    """
    if not proxies_set():
        return
    named = (name.strip() for variable in EXCEPTIONS for name in os.environ.get(variable, "").split(","))
    spared = dict.fromkeys([*filter(None, named), *LOOPBACK])
    os.environ.update(dict.fromkeys(EXCEPTIONS, "*" if "*" in spared else ",".join(spared)))
