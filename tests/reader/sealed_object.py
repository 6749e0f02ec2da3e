"""Opens one sealed object as docs/format.md, "Sealed object", says; a part of read_store.py."""
import hashlib
import struct

import zstandard
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap

FRAME, TAG, LENDERS_MAX = 65_536, 16, 4
BLOCK_MAX = 1 << 26
HEADER_BYTES, ENTRY_BYTES = 112, 40
BLOCK, PAGE, MANIFEST = 1, 2, 3
HOLE, COMPRESSED, RAW, BORROWED = 0, 1, 2, 3
ZEROS = bytes(32)


class Refused(Exception):
    """The storage does not hold what the format promises."""


def must(condition, message):
    if not condition:
        raise Refused(message)


def keyed(key, *parts):
    digest = hashlib.blake2b(key=key, digest_size=32)
    for part in parts:
        digest.update(part)
    return digest.digest()


class Sealed:
    """One object: its header, checked, and its own frames on demand. Steps in the order of the page."""

    def __init__(self, store, name, content, kind, object_name):
        self.store, self.name, self.content = store, name, content
        long_enough = len(content) >= HEADER_BYTES + ENTRY_BYTES + 32
        must(long_enough and content[:4] == b"BNJI", f"{name}: too short, or no magic")
        (self.kind, version, first, second, key_id, self.object_name, self.length, frame_size, header_length, wrapped,
         lenders, self.level, reserved) = struct.unpack_from("<4xBBBB8s32sQII40sBB6s", content)
        must((self.kind, version) == (kind, 1), f"{name}: kind {self.kind}, version {version}")
        must((first, second) in ((0, 0), (1, 0), (2, 0), (1, 2)), f"{name}: transforms {first}, {second}")
        must(1 <= self.length <= BLOCK_MAX and frame_size == FRAME, f"{name}: length or frame size")
        must(lenders <= (LENDERS_MAX if kind == BLOCK else 0), f"{name}: {lenders} lenders")
        must(reserved == bytes(6), f"{name}: reserved bytes")
        must(kind == PAGE or self.level == 0, f"{name}: a level on what is no page")
        self.zstd, self.aes = first == 1, 2 in (first, second)
        frames = -(-self.length // FRAME)
        table_end = HEADER_BYTES + frames * ENTRY_BYTES
        must(header_length == table_end + 32 * lenders + 32 <= len(content), f"{name}: header length")
        check = keyed(store.keys["header"], store.id, content[:header_length - 32])
        must(check == content[header_length - 32:header_length], f"{name}: the header's check is wrong")
        must(object_name in (None, self.object_name), f"{name}: holds another object")
        must(self.aes == store.encrypted, f"{name}: encrypted or not, unlike the store")
        must(key_id == store.key_id, f"{name}: sealed with another key")
        must(self.aes or wrapped == bytes(40), f"{name}: an object key without encryption")
        self.lenders = [content[at:at + 32] for at in range(table_end, header_length - 32, 32)]
        must(len(set(self.lenders)) == lenders, f"{name}: a lender twice")
        self.table = [self._entry(index) for index in range(frames)]
        must(any(entry[0] != HOLE for entry in self.table), f"{name}: nothing but holes")
        self.offsets = [header_length]
        for entry in self.table:
            self.offsets.append(self.offsets[-1] + entry[2])
        must(self.offsets[-1] == len(content), f"{name}: {len(content)} bytes, expected {self.offsets[-1]}")
        try:
            self.gcm = AESGCM(aes_key_unwrap(store.keys["key-wrap"], wrapped)) if self.aes else None
        except InvalidUnwrap:
            raise Refused(f"{name}: the object key does not unwrap") from None

    def _entry(self, index):
        """The table entry (kind, lender, stored bytes, hash) of a frame."""
        kind, lender, reserved, stored, digest = struct.unpack_from(
            "<BBHI32s", self.content, HEADER_BYTES + index * ENTRY_BYTES)
        room, tag = self._frame_length(index), TAG * self.aes
        sound = {
            HOLE: stored == 0 and digest == ZEROS,
            COMPRESSED: self.zstd and tag < stored < room + tag,
            RAW: stored == room + tag,
            BORROWED: stored == 0 and lender < len(self.lenders),
        }.get(kind, False)
        must(sound and reserved == 0 and (kind == BORROWED or lender == 0), f"{self.name}: table entry {index}")
        must((kind == HOLE) == (digest == ZEROS), f"{self.name}: table entry {index}: kind and hash do not agree")
        return kind, lender, stored, digest

    def _frame_length(self, index):
        return min(FRAME, self.length - index * FRAME)

    def frame(self, index):
        """Opens a frame: decrypt, decompress to exactly its length, compare its hash."""
        kind, _, _, digest = self.table[index]
        what = f"{self.name}: frame {index}"
        data, length = self.content[self.offsets[index]:self.offsets[index + 1]], self._frame_length(index)
        if kind == HOLE:
            return bytes(length)
        must(kind != BORROWED, f"{what} is not its own")
        if self.aes:
            bound = self.store.id + bytes([self.kind]) + self.object_name + struct.pack("<I", index)
            try:
                data = self.gcm.decrypt(struct.pack("<I8x", index), data, bound)
            except InvalidTag:
                raise Refused(f"{what} does not authenticate") from None
        if kind == COMPRESSED:
            try:
                must(zstandard.frame_content_size(data) == length, f"{what} states another length than {length}")
                unpack = zstandard.ZstdDecompressor().decompressobj()
                data, rest = unpack.decompress(data), unpack.unused_data
            except zstandard.ZstdError as error:
                raise Refused(f"{what}: {error}") from None
            must(rest == b"", f"{what}: bytes behind the compressed frame")
        must(len(data) == length and keyed(self.store.keys["frame"], data) == digest, f"{what}: wrong length or hash")
        must(data.count(0) != length, f"{what}: zeros are a hole")
        return data
