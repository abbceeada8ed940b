"""Labelled pictures: YOLO text and what Label Studio writes, read into one form."""
