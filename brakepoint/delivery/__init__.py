"""Step 7: renders manifests, and runs their containers as processes on one machine."""
