"""Labelled pictures: made from a model or from the demo, kept as COCO, scored with mAP."""
