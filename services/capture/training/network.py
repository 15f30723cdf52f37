"""A small anchor-free detector: residual backbone, features of three strides, light heads.

Its output is what the decoder family "yolox" expects: (1, cells, 5 + classes) with the offset of
the centre and the logarithm of the size in cells, then objectness and classes after the sigmoid.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

STRIDES = (4, 8, 16)


class Conv(nn.Sequential):
    """Convolution, batch normalisation, ReLU: what an old processor trains fastest."""

    def __init__(
        self, inputs: int, outputs: int, kernel: int = 3, stride: int = 1, groups: int = 1
    ) -> None:
        padding = (kernel - 1) // 2 if stride == 1 else (kernel - stride + 1) // 2
        super().__init__(
            nn.Conv2d(inputs, outputs, kernel, stride, padding, groups=groups, bias=False),
            nn.BatchNorm2d(outputs, eps=1e-3, momentum=0.05),
            nn.ReLU(inplace=True),
        )


class Residual(nn.Module):
    """Squeeze, look around, add."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(Conv(channels, channels // 2, 1), Conv(channels // 2, channels))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.body(x)


class Head(nn.Module):
    """Box, objectness and classes of every cell of one stride."""

    def __init__(self, channels: int, classes: int) -> None:
        super().__init__()
        self.shape = nn.Sequential(
            Conv(channels, channels, groups=channels), Conv(channels, channels, 1)
        )
        self.kind = nn.Sequential(
            Conv(channels, channels, groups=channels), Conv(channels, channels, 1)
        )
        self.box = nn.Conv2d(channels, 5, 1)
        self.classes = nn.Conv2d(channels, classes, 1)
        nn.init.constant_(self.box.bias[4:], -4.6)
        nn.init.constant_(self.classes.bias, -2.0)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat((self.box(self.shape(x)), self.classes(self.kind(x))), 1)


class StreetDetector(nn.Module):
    """Finds people, cars and bicycles; forward gives logits, export mode gives probabilities."""

    def __init__(self, classes: int = 3) -> None:
        super().__init__()
        self.exporting = False
        self.stride4 = nn.Sequential(Conv(3, 32, kernel=6, stride=4), Residual(32))
        self.stride8 = nn.Sequential(Conv(32, 64, stride=2), Residual(64), Residual(64))
        self.stride16 = nn.Sequential(
            Conv(64, 96, stride=2), Residual(96), Residual(96), Residual(96)
        )
        self.lateral16 = Conv(96, 64, 1)
        self.lateral8 = Conv(64, 64, 1)
        self.mix8 = Residual(64)
        self.narrow8 = Conv(64, 40, 1)
        self.lateral4 = Conv(32, 40, 1)
        self.up = nn.Upsample(scale_factor=2, mode="nearest")
        self.heads = nn.ModuleList([Head(40, classes), Head(64, classes), Head(64, classes)])

    def forward(self, images: Tensor) -> Tensor:
        """(B, cells, 5 + classes), the grids one after another in the order of STRIDES."""
        low = self.stride4(images)
        middle = self.stride8(low)
        high = self.lateral16(self.stride16(middle))
        middle = self.mix8(self.lateral8(middle) + self.up(high))
        low = self.lateral4(low) + self.up(self.narrow8(middle))
        grids = [
            head(x).flatten(2) for head, x in zip(self.heads, (low, middle, high), strict=True)
        ]
        raw = torch.cat(grids, 2).transpose(1, 2)
        if self.exporting:
            return torch.cat((raw[..., :4], raw[..., 4:].sigmoid()), -1)
        return raw
