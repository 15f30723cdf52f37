"""JPEG pictures (ITU-T T.81): what RTP must know of them, and whether it can carry them."""

from dataclasses import dataclass, field

NAME = "mjpeg"
_SOI, _EOI, _SOS, _DQT, _DHT, _DRI = 0xD8, 0xD9, 0xDA, 0xDB, 0xC4, 0xDD
_BASELINE = 0xC0
_FRAMES = frozenset({0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF})
_TABLE_BYTES, _LONGEST_SIDE, _BLOCK = 64, 2040, 8
_SAMPLINGS: dict[tuple[int, ...], int] = {
    (0x21, 0x11, 0x11): 0,
    (0x22, 0x11, 0x11): 1,
}  # 4:2:2 and 4:2:0: types of RFC 2435
_CODES_USED = b"\x00\x11\x11"
_STANDARD_CODES = {  # T.81, annex K: by class and id, 16 counts and the values
    0x00: bytes.fromhex("00010501010101010100000000000000000102030405060708090a0b"),
    0x01: bytes.fromhex("00030101010101010101010000000000000102030405060708090a0b"),
    0x10: bytes.fromhex(
        "0002010303020403050504040000017d01020300041105122131410613516107227114328191a108"
        "2342b1c11552d1f02433627282090a161718191a25262728292a3435363738393a43444546474849"
        "4a535455565758595a636465666768696a737475767778797a838485868788898a92939495969798"
        "999aa2a3a4a5a6a7a8a9aab2b3b4b5b6b7b8b9bac2c3c4c5c6c7c8c9cad2d3d4d5d6d7d8d9dae1e2"
        "e3e4e5e6e7e8e9eaf1f2f3f4f5f6f7f8f9fa"
    ),
    0x11: bytes.fromhex(
        "00020102040403040705040400010277000102031104052131061241510761711322328108144291"
        "a1b1c109233352f0156272d10a162434e125f11718191a262728292a35363738393a434445464748"
        "494a535455565758595a636465666768696a737475767778797a82838485868788898a9293949596"
        "9798999aa2a3a4a5a6a7a8a9aab2b3b4b5b6b7b8b9bac2c3c4c5c6c7c8c9cad2d3d4d5d6d7d8d9da"
        "e2e3e4e5e6e7e8e9eaf2f3f4f5f6f7f8f9fa"
    ),
}


class BrokenJpeg(Exception):
    """The bytes are no complete JPEG picture."""


@dataclass(slots=True)
class JpegPicture:
    """The headers of a picture and its entropy-coded data.

    Attributes:
        kind: the type of RFC 2435, 0 for 4:2:2, 1 for 4:2:0; None for any other sampling.
        tables: quantisation tables of luma and chroma, as they stand in the picture.
        obstacle: why RFC 2435 cannot carry it; empty when it can.
    """

    width: int = 0
    height: int = 0
    kind: int | None = None
    restart_interval: int = 0
    tables: tuple[bytes, bytes] = (b"", b"")
    scan: memoryview = field(default_factory=lambda: memoryview(b""))
    obstacle: str = ""


def parse_jpeg(payload: bytes) -> JpegPicture:
    """Read the headers.

    Raises:
        BrokenJpeg: it is none, or it is cut off.
    """
    parser = _Parser(payload)
    try:
        return parser.parse()
    except IndexError as error:
        raise BrokenJpeg("the headers end too early") from error


class _Parser:
    def __init__(self, payload: bytes) -> None:
        self._payload = payload
        self._picture = JpegPicture()
        self._tables: dict[int, bytes] = {}
        self._used: tuple[int, ...] = ()

    def parse(self) -> JpegPicture:
        if self._payload[:2] != bytes((0xFF, _SOI)):
            raise BrokenJpeg("no start of a picture")
        position = 2
        while True:
            position, marker = self._next_marker(position)
            size = int.from_bytes(self._payload[position : position + 2])
            body = self._payload[position + 2 : position + size]
            if len(body) != size - 2:
                raise BrokenJpeg("the headers end too early")
            if marker == _SOS:
                return self._finish(body, position + size)
            self._read(marker, body)
            position += size

    def _next_marker(self, position: int) -> tuple[int, int]:
        if self._payload[position] != 0xFF:  # noqa: PLR2004 - the mark of T.81
            raise BrokenJpeg("no marker where one belongs")
        while self._payload[position] == 0xFF:  # noqa: PLR2004 - the same, padded
            position += 1
        return position + 1, self._payload[position]

    def _read(self, marker: int, body: bytes) -> None:
        if marker == _DQT:
            self._read_tables(body)
        elif marker == _DHT:
            self._check_codes(body)
        elif marker == _DRI:
            self._picture.restart_interval = int.from_bytes(body[:2])
        elif marker == _BASELINE:
            self._read_frame(body)
        elif marker in _FRAMES:
            self._object("not baseline")

    def _read_tables(self, body: bytes) -> None:
        while body:
            if body[0] >> 4:
                self._object("quantisation of 16 bits")
                return
            self._tables[body[0] & 15] = body[1 : 1 + _TABLE_BYTES]
            body = body[1 + _TABLE_BYTES :]

    def _check_codes(self, body: bytes) -> None:
        while body:
            size = 17 + sum(body[1:17])
            if body[1:size] != _STANDARD_CODES.get(body[0]):
                self._object("Huffman codes of its own")
                return
            body = body[size:]

    def _read_frame(self, body: bytes) -> None:
        picture = self._picture
        picture.height, picture.width = int.from_bytes(body[1:3]), int.from_bytes(body[3:5])
        components = [body[n : n + 3] for n in range(6, 6 + 3 * body[5], 3)]
        picture.kind = _SAMPLINGS.get(tuple(component[1] for component in components))
        self._used = tuple(component[2] for component in components)
        if picture.kind is None or body[0] != _BLOCK:
            self._object("its sampling is not 4:2:0 or 4:2:2 of 8 bits")
        if max(picture.width, picture.height) > _LONGEST_SIDE:
            self._object(f"a side is longer than {_LONGEST_SIDE}")
        if picture.width % _BLOCK or picture.height % _BLOCK:
            self._object(f"a side is not a multiple of {_BLOCK}")

    def _finish(self, scan_header: bytes, begins: int) -> JpegPicture:
        picture = self._picture
        if scan_header[2:7:2] != _CODES_USED:
            self._object("its components do not use the usual codes in one scan")
        if not picture.width:
            if not picture.obstacle:
                raise BrokenJpeg("no frame header")
            return picture
        ends = self._payload.rfind(bytes((0xFF, _EOI)))
        if ends < begins:
            raise BrokenJpeg("no end of the picture")
        picture.scan = memoryview(self._payload)[begins:ends]
        if not picture.obstacle:
            self._take_tables()
        return picture

    def _take_tables(self) -> None:
        try:
            luma, *chroma = (self._tables[number] for number in self._used)
        except KeyError as error:
            raise BrokenJpeg("a quantisation table is missing") from error
        if chroma[0] != chroma[1]:
            self._object("the two chroma tables differ")
        if {len(luma), len(chroma[0])} != {_TABLE_BYTES}:
            raise BrokenJpeg("a quantisation table is cut off")
        self._picture.tables = luma, chroma[0]

    def _object(self, obstacle: str) -> None:
        self._picture.obstacle = self._picture.obstacle or obstacle
