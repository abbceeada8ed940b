"""The model registry: versions of the track's model in the bucket, and which of them is in production.

`brakepoint.registry.bucket` contains the registry itself; that module needs boto3.
"""
