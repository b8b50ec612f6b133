"""Payloads of DUMP and whole RDB files, byte by byte, as RedisAI wrote them or worse.

Fields of a module's value are Python values: int (an unsigned or signed number), bytes (a string).
"""

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
MODULE_VALUE = b"\x07"  # RDB_TYPE_MODULE_2
HEADER = 10  # of a DUMP payload: the kind, then the type's name and version


def _crc_table():
    # Jones polynomial, reflected
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = (byte >> 1) ^ (0x95AC9329AC4BC9B5 if byte & 1 else 0)
        table.append(byte)
    return table


CRC_TABLE = _crc_table()


def crc64(data):
    """The checksum at the end of DUMP payloads and RDB files."""
    crc = 0
    for byte in data:
        crc = CRC_TABLE[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    return crc


def length(value):
    """A number in the RDB's own encoding."""
    if value < 1 << 6:
        return bytes([value])
    if value < 1 << 14:
        return bytes([0x40 | value >> 8, value & 0xFF])
    if value < 1 << 32:
        return b"\x80" + value.to_bytes(4, "big")
    return b"\x81" + value.to_bytes(8, "big")


def module_value(type_name, version, fields):
    """A value of the type (nine letters of six bits, then ten bits of version) without key and footer."""
    module_id = 0
    for letter in type_name:
        module_id = module_id << 6 | LETTERS.index(letter)
    out = b"\x81" + (module_id << 10 | version).to_bytes(8, "big")
    for field in fields:
        if isinstance(field, bytes):
            out += b"\x05" + length(len(field)) + field
        else:
            out += b"\x02" + length(field % (1 << 64))
    return out + b"\x00"


def sealed(body, rdb_version):
    """A DUMP payload of a body (kind and value), with the footer that RESTORE checks."""
    body += rdb_version
    return body + crc64(body).to_bytes(8, "little")


def taken_apart(payload):
    """(body, RDB version) of a DUMP payload."""
    assert crc64(payload[:-8]).to_bytes(8, "little") == payload[-8:]
    return payload[:-10], payload[-10:-8]


def rdb_file(values):
    """A file of version 9, as Redis 6 wrote it, with module values by key in database 0."""
    out = b"REDIS0009\xfe\x00"
    for key, value in values.items():
        out += MODULE_VALUE + length(len(key)) + key + value
    out += b"\xff"
    return out + crc64(out).to_bytes(8, "little")
