"""Step 7: renders manifests, and runs the described containers as processes on one machine."""
