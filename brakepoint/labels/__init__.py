"""Labelled pictures: Label Studio, YOLO, COCO and Pascal VOC, read into one form."""
