"""Writes and reads safetensors with nothing but struct and json, from the format's description; for the tests.

Usage: safetensorsFile.py write FILE < {"name": {"dtype", "shape", "values"}}
       safetensorsFile.py read FILE   prints the same
"""
import json
import struct
import sys

CODES = {"F64": "d", "F32": "f", "F16": "e", "I64": "q"}


def packed(dtype, values):
    if dtype != "BF16":
        return struct.pack(f"<{len(values)}{CODES[dtype]}", *values)
    words = []
    for value in values:
        (bits,) = struct.unpack("<I", struct.pack("<f", value))
        # To the nearest, ties to even.
        words.append((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16)
    return struct.pack(f"<{len(words)}H", *words)


def write(path, tensors):
    # As the format's own library orders them: wide elements first, then by name.
    widths = {"F64": 8, "I64": 8, "F32": 4, "F16": 2, "BF16": 2}
    names = sorted(tensors, key=lambda name: (-widths[tensors[name]["dtype"]], name))
    header, body = {"__metadata__": {"format": "pt"}}, b""
    for name in names:
        dtype, shape, values = (tensors[name][key] for key in ("dtype", "shape", "values"))
        content = packed(dtype, values)
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(body), len(body) + len(content)]}
        body += content
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + body)


def read(path):
    with open(path, "rb") as file:
        content = file.read()
    (length,) = struct.unpack_from("<Q", content)
    header = json.loads(content[8 : 8 + length])
    header.pop("__metadata__", None)
    body, end = content[8 + length :], 0
    for name, entry in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
        begin, stop = entry["data_offsets"]
        assert begin == end, f"a gap before {name}"
        end = stop
        code = CODES[entry["dtype"]]
        entry["values"] = struct.unpack(f"<{(stop - begin) // struct.calcsize(code)}{code}", body[begin:stop])
        del entry["data_offsets"]
    assert end == len(body), "bytes after the last tensor"
    return header


if sys.argv[1] == "write":
    write(sys.argv[2], json.load(sys.stdin))
else:
    json.dump(read(sys.argv[2]), sys.stdout)
