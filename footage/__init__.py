"""The scene that feeds and sign cut-outs are rendered from; needed at build time only."""
