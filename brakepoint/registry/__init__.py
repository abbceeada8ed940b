"""The model registry: versions of the track's model in the bucket, and which of them is in production."""

from brakepoint.registry.bucket import MODEL_NAME, PREFIX, Registry
from brakepoint.registry.version import Production, Version

__all__ = ["MODEL_NAME", "PREFIX", "Production", "Registry", "Version"]
