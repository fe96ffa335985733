"""Says what is in a picture: size, the colour of the upper left corner, how many colours, and the share of the commonest.

Usage: pixels.py FILE.png

Reads 8-bit RGB and RGBA that are not interlaced, as Chromium writes them.
"""

import collections
import json
import struct
import sys
import zlib

data = open(sys.argv[1], "rb").read()
assert data[:8] == b"\x89PNG\r\n\x1a\n"
at, packed = 8, b""
while at < len(data):
    length, kind = struct.unpack(">I4s", data[at : at + 8])
    body = data[at + 8 : at + 8 + length]
    if kind == b"IHDR":
        width, height, depth, colour, _, _, interlaced = struct.unpack(">IIBBBBB", body)
        assert depth == 8 and colour in (2, 6) and not interlaced
    if kind == b"IDAT":
        packed += body
    at += 12 + length
size = 3 if colour == 2 else 4
raw, stride = zlib.decompress(packed), width * size
before, counts, corner = bytearray(stride), collections.Counter(), None
for y in range(height):
    start = y * (stride + 1)
    how, row = raw[start], bytearray(raw[start + 1 : start + 1 + stride])
    if how == 1:
        for x in range(size, stride):
            row[x] = (row[x] + row[x - size]) & 255
    elif how == 2:
        row = bytearray((a + b) & 255 for a, b in zip(row, before))
    elif how == 3:
        for x in range(stride):
            left = row[x - size] if x >= size else 0
            row[x] = (row[x] + (left + before[x]) // 2) & 255
    elif how == 4:
        for x in range(stride):
            left, above, corner_ = (row[x - size], before[x], before[x - size]) if x >= size else (0, before[x], 0)
            guess = left + above - corner_
            distances = (abs(guess - left), abs(guess - above), abs(guess - corner_))
            row[x] = (row[x] + (left, above, corner_)[distances.index(min(distances))]) & 255
    before = row
    counts.update(zip(row[0::size], row[1::size], row[2::size]))
    corner = corner or tuple(row[:3])


def name(pixel):
    return "#%02x%02x%02x" % tuple(pixel)


common = {name(pixel): round(count * 1000 / (width * height), 3) for pixel, count in counts.most_common(200)}
print(json.dumps({"width": width, "height": height, "corner": name(corner), "colours": len(counts), "permille": common}))
