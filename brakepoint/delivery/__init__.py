"""Step 7: renders manifests, and runs what they describe as processes on one machine."""
