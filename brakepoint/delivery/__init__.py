"""Step 7: manifests are rendered, and what they describe runs as processes on one machine."""
