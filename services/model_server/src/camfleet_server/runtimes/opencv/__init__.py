"""OpenCV DNN: Caffe, Darknet, Torch and what else its importers read."""
