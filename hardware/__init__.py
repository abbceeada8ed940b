"""Adapters for real cameras and the real train, with the interfaces of `brakepoint.ports`, as in `stubs`.

Importing this package loads none of the adapters' libraries; each adapter is loaded when its URI is used.
"""
