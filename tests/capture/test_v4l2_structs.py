"""The service's idea of the kernel's structures is the header's."""

import shutil
import subprocess
from pathlib import Path

import pytest

from camfleet_capture.sources.v4l2 import structs

SIZES = {
    "v4l2_capability": structs.CAPABILITY,
    "v4l2_fmtdesc": structs.FORMAT_DESCRIPTION,
    "v4l2_frmsizeenum": structs.FRAME_SIZE,
    "v4l2_frmivalenum": structs.FRAME_INTERVAL,
    "v4l2_format": structs.FORMAT,
    "v4l2_streamparm": structs.STREAM_PARAMETERS,
    "v4l2_requestbuffers": structs.REQUEST_BUFFERS,
    "v4l2_buffer": structs.BUFFER,
}
REQUESTS = {
    "VIDIOC_QUERYCAP": structs.QUERYCAP,
    "VIDIOC_ENUM_FMT": structs.ENUM_FMT,
    "VIDIOC_ENUM_FRAMESIZES": structs.ENUM_FRAMESIZES,
    "VIDIOC_ENUM_FRAMEINTERVALS": structs.ENUM_FRAMEINTERVALS,
    "VIDIOC_S_FMT": structs.S_FMT,
    "VIDIOC_S_PARM": structs.S_PARM,
    "VIDIOC_REQBUFS": structs.REQBUFS,
    "VIDIOC_QUERYBUF": structs.QUERYBUF,
    "VIDIOC_QBUF": structs.QBUF,
    "VIDIOC_DQBUF": structs.DQBUF,
    "VIDIOC_STREAMON": structs.STREAMON,
    "VIDIOC_STREAMOFF": structs.STREAMOFF,
    "V4L2_CAP_VIDEO_CAPTURE": structs.CAP_VIDEO_CAPTURE,
    "V4L2_CAP_STREAMING": structs.CAP_STREAMING,
    "V4L2_CAP_DEVICE_CAPS": structs.CAP_DEVICE_CAPS,
    "V4L2_BUF_FLAG_ERROR": structs.BUFFER_IS_BROKEN,
    "V4L2_BUF_FLAG_TIMESTAMP_MASK": structs.BUFFER_STAMP_MASK,
    "V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC": structs.BUFFER_STAMP_MONOTONIC,
    "V4L2_BUF_TYPE_VIDEO_CAPTURE": structs.BUFFER_TYPE_CAPTURE,
    "V4L2_MEMORY_MMAP": structs.MEMORY_MMAP,
}
# Where each field lies: a value is put into the structure in C and must come out of ours.
FIELDS = """
    struct v4l2_buffer b = {.index = 1, .type = 2, .bytesused = 3, .flags = 4, .field = 5,
        .timestamp = {6, 7}, .sequence = 8, .memory = 9, .m.offset = 10, .length = 11};
    struct v4l2_format f = {.type = 1, .fmt.pix = {.width = 2, .height = 3, .pixelformat = 4,
        .field = 5, .bytesperline = 6}};
    struct v4l2_streamparm p = {.type = 1, .parm.capture = {.capability = 2, .capturemode = 3,
        .timeperframe = {4, 5}}};
    struct v4l2_frmivalenum i = {.index = 1, .pixel_format = 2, .width = 3, .height = 4, .type = 5,
        .discrete = {6, 7}};
    fwrite(&b, sizeof b, 1, stdout); fwrite(&f, sizeof f, 1, stdout);
    fwrite(&p, sizeof p, 1, stdout); fwrite(&i, sizeof i, 1, stdout);
"""


def run_c(folder: Path, body: str) -> bytes:
    compiler = shutil.which("gcc") or shutil.which("cc")
    if not compiler or not Path("/usr/include/linux/videodev2.h").exists():
        pytest.skip("no C compiler with linux/videodev2.h")
    source = folder / "ask.c"
    source.write_text(
        f"#include <stdio.h>\n#include <linux/videodev2.h>\nint main(void) {{\n{body}\nreturn 0; }}"
    )
    subprocess.run([compiler, "-o", folder / "ask", source], check=True)
    return subprocess.run([folder / "ask"], check=True, capture_output=True).stdout


def test_sizes_and_numbers_are_those_of_the_header(tmp_path: Path) -> None:
    asked = [f"sizeof(struct {name})" for name in SIZES] + [
        f"(unsigned)({name})" for name in REQUESTS
    ]
    body = "\n".join(f'printf("%u\\n", (unsigned)({what}));' for what in asked)
    told = [int(line) for line in run_c(tmp_path, body).split()]
    assert told == [packed.size for packed in SIZES.values()] + list(REQUESTS.values())


def test_fields_lie_where_the_header_puts_them(tmp_path: Path) -> None:
    raw = run_c(tmp_path, FIELDS)
    parts = (structs.BUFFER, structs.FORMAT, structs.STREAM_PARAMETERS, structs.FRAME_INTERVAL)
    for part in parts:
        values = [value for value in part.unpack(raw[: part.size]) if value]
        assert values == list(range(1, len(values) + 1))
        raw = raw[part.size :]
    assert not raw


def test_pixel_formats_are_four_letters() -> None:
    assert structs.fourcc("YUYV") == 0x56595559
    assert structs.fourcc_text(0x47504A4D) == "MJPG"
