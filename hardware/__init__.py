"""The real cameras and the real train: adapters with the interface of `brakepoint.ports`, as in `stubs`.

Importing this package loads none of their libraries; each adapter is loaded when its URI is used.
"""
