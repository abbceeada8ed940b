"""The scene from which feeds and sign cut-outs are rendered; only needed at build time."""
