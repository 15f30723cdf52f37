"""One decoder per model family: output tensors in, detections in frame pixels out."""

from camfleet.decoders.registry import Decoder, UnknownDecoder, decoder_names, get_decoder

__all__ = ["Decoder", "UnknownDecoder", "decoder_names", "get_decoder"]
