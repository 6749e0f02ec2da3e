#!/usr/bin/env python3
"""Makes disk images of which every byte follows from a seed, for benchmarks and large tests.

usage: mkimage.py SIZE SEED DIRECTORY [NAME...]      for example: mkimage.py 2G 42 images

  base.img    30 % never written, 10 % written zeros, 30 % text that compresses about 3 : 1 and 30 % random bytes,
              in shuffled extents of 64 KiB to 16 MiB at multiples of 64 KiB: they straddle blocks as files on a disk do
  day2.img    base with 1 % of its 4 MiB regions rewritten, half text and half random
  day2s.img   base with 512 random pages of 4 KiB written in scattered places, as a database does
  clone.img   base with 10 % of its 4 MiB regions rewritten
  day2.hints.json, day2s.hints.json    what changed since base, in the shape of "rbd diff --format json"

NAME chooses some of the variants (base is always made). Files that exist are made anew.
"""
import json
import os
import random
import sys

KIB, MIB = 1 << 10, 1 << 20
GRAIN, PAGE, REGION = 64 * KIB, 4 * KIB, 4 * MIB
SHARES = {"hole": 0.30, "zero": 0.10, "text": 0.30, "random": 0.30}
SCATTERED_PAGES = 512


class Text:
    """Text with few frequent and many rare words, numbers and line ends."""

    def __init__(self, seed):
        rng = random.Random(seed)
        words = ["".join(rng.choices("etaoinshrdlucmfwypvbgk", k=rng.randint(2, 10))) for _ in range(9000)]
        weights = [1 / (rank + 3) for rank in range(len(words))]
        self.phrases = [self._phrase(rng, words, weights) for _ in range(120_000)]
        self.mean = sum(map(len, self.phrases)) / len(self.phrases)

    @staticmethod
    def _phrase(rng, words, weights):
        parts = rng.choices(words, weights, k=rng.randint(1, 3))
        if rng.random() < 0.12:
            parts.append(str(rng.randrange(1_000_000)))
        if rng.random() < 0.08:
            parts.append("\n")
        return (" ".join(parts) + " ").encode()

    def take(self, rng, length):
        text = bytearray()
        while len(text) < length:
            text += b"".join(rng.choices(self.phrases, k=int((length - len(text)) / self.mean) + 8))
        return bytes(text[:length])


def write_at(fd, content, offset):
    view = memoryview(content)
    while view:
        written = os.pwrite(fd, view, offset)
        view, offset = view[written:], offset + written


def plan_extents(rng, size):
    """The extents of base.img in order: (kind, length)."""
    extents = []
    for kind, share in SHARES.items():
        left = int(size * share) // GRAIN * GRAIN
        while left:
            length = min(left, int(2 ** rng.uniform(16, 24)) // GRAIN * GRAIN)
            extents.append((kind, length))
            left -= length
    rng.shuffle(extents)
    return extents


def make_base(path, size, rng, text):
    content = {"zero": bytes, "random": rng.randbytes, "text": lambda length: text.take(rng, length)}
    with open(path, "wb") as image:
        image.truncate(size)
        offset = 0
        for kind, length in plan_extents(rng, size):
            if kind != "hole":
                write_at(image.fileno(), content[kind](length), offset)
            offset += length


def copy_sparse(source_path, target_path):
    """Copies holes as holes and written zeros as written zeros."""
    with open(source_path, "rb") as source, open(target_path, "wb") as target:
        size = os.fstat(source.fileno()).st_size
        target.truncate(size)
        hole = 0
        while hole < size:
            try:
                data = os.lseek(source.fileno(), hole, os.SEEK_DATA)
            except OSError:  # nothing but a hole is left
                break
            hole = os.lseek(source.fileno(), data, os.SEEK_HOLE)
            while data < hole:
                data += os.copy_file_range(source.fileno(), target.fileno(), hole - data, data, data)


def variant(directory, name, writes):
    """Makes NAME.img from base.img and (offset, content) writes, and the hints of what changed."""
    path = os.path.join(directory, name + ".img")
    copy_sparse(os.path.join(directory, "base.img"), path)
    hints = []
    with open(path, "r+b") as image:
        for offset, content in writes:
            write_at(image.fileno(), content, offset)
            hints.append({"offset": offset, "length": len(content), "exists": "true"})
    with open(os.path.join(directory, name + ".hints.json"), "w", encoding="ascii") as file:
        json.dump(hints, file)


def regions(rng, text, size, share):
    count = max(1, round(size // REGION * share))
    for index in sorted(rng.sample(range(size // REGION), count)):
        yield index * REGION, text.take(rng, REGION // 2) + rng.randbytes(REGION // 2)


def pages(rng, size):
    for index in sorted(rng.sample(range(size // PAGE), min(SCATTERED_PAGES, size // PAGE))):
        yield index * PAGE, rng.randbytes(PAGE)


def main():
    if len(sys.argv) < 4 or sys.argv[1] in ("-h", "--help"):
        print(__doc__)
        sys.exit(0 if "--help" in sys.argv or "-h" in sys.argv else 64)
    units = {"K": KIB, "M": MIB, "G": 1 << 30}
    size = int(float(sys.argv[1][:-1]) * units[sys.argv[1][-1]]) if sys.argv[1][-1] in units else int(sys.argv[1])
    seed, directory = int(sys.argv[2]), sys.argv[3]
    if size < REGION:
        sys.exit(f"mkimage.py: an image of {size} bytes has no region of {REGION} bytes to change")
    text = Text(seed + 1)
    os.makedirs(directory, exist_ok=True)
    make_base(os.path.join(directory, "base.img"), size, random.Random(seed), text)

    def rng(name):
        return random.Random(f"{seed}-{name}")
    makers = {
        "day2": lambda: regions(rng("day2"), text, size, 0.01),
        "day2s": lambda: pages(rng("day2s"), size),
        "clone": lambda: regions(rng("clone"), text, size, 0.10),
    }
    for name in sys.argv[4:] or makers:
        variant(directory, name, makers[name]())


if __name__ == "__main__":
    main()
