#!/usr/bin/python3
"""Reads a version from a Benji storage directory. Written from docs/format.md alone, without Benji's code.

usage: read_store.py [KEY] STORAGE VOLUME/VERSION OUT     writes the version's bytes to OUT, which is made anew
       read_store.py [KEY] STORAGE --list                 prints the versions, one a line

KEY is --key-file FILE (32 bytes, as base64 or as 64 hexadecimal digits) or --password-file FILE; an encrypted
store needs it. It needs Python 3.9, python3-cryptography and python3-zstandard.
Exit codes: 0, 64 usage, 65 damaged or refused, 66 not found.
"""
import base64
import binascii
import hashlib
import json
import os
import re
import struct
import sys

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

sys.dont_write_bytecode = True
from sealed_object import (  # noqa: E402: no cache directory may appear beside the sources
    BLOCK, BORROWED, COMPRESSED, FRAME, HOLE, MANIFEST, PAGE, RAW, ZEROS, Refused, Sealed, keyed, must)

FAN, PAGE_BYTES = 256, 8_192
MANIFEST_MAX, STORE_FILE_MAX = 1_048_576, 65_536
# More than the largest object: the header and 1,024 frames that did not compress.
OBJECT_MAX = 1024 * (FRAME + 16) + 65_536
BLOCK_SIZES = [1 << n for n in range(16, 27)]
PART = r"(?!.*\.img$)[A-Za-z0-9_][A-Za-z0-9_.:+-]{0,99}"
DATE = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z"


def parse_object(text, what):
    try:
        value = json.loads(text)
    except ValueError as error:
        raise Refused(f"{what}: {error}") from None
    must(isinstance(value, dict), f"{what}: not a JSON object")
    return value


def is_text(value, pattern):
    return isinstance(value, str) and re.fullmatch(pattern, value) is not None


def is_count(value, low=0, high=2**63 - 1):
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


class Store:
    """An opened storage: its keys, and its objects by name."""

    def __init__(self, directory, master_key, password):
        self.directory, self.opened = directory, {}
        text = self.read("store.json", STORE_FILE_MAX)
        must(text is not None, f"{directory}: no store.json")
        head = parse_object(text, "store.json")
        must((head.get("format"), head.get("version")) == ("benji-store", 1), "store.json: another format or version")
        sound = (is_text(head.get("id"), "[0-9a-f]{32}") and head.get("frame_size") == FRAME
                 and isinstance(head.get("encrypted"), bool) and is_text(head.get("created"), DATE))
        must(sound, "store.json: id, frame_size, encrypted or created")
        must(text.count(b"\n") == 1 and text.endswith(b"\n"), "store.json: line breaks")
        self.id, self.encrypted = bytes.fromhex(head["id"]), head["encrypted"]
        input_key = self._input_key(head, master_key, password)
        self.keys = {label: HKDF(hashes.SHA256(), 32, self.id, b"benji/1/" + label.encode()).derive(input_key)
                     for label in ("key-wrap", "frame", "block", "page", "header", "store", "key-id")}
        self.key_id = self.keys["key-id"][:8] if self.encrypted else bytes(8)
        check = re.search(rb'"check"\s*:\s*"([0-9a-f]{64})"\s*}\n$', text)
        must(check is not None, "store.json: check is not the last member")
        blank = text[:check.start(1)] + b"0" * 64 + text[check.end(1):]
        sound = keyed(self.keys["store"], blank).hex().encode() == check[1]
        must(sound, "store.json: wrong check, so a wrong key or password, or a changed file")

    def _input_key(self, head, master_key, password):
        must(("hash_key" in head) != self.encrypted, "store.json: hash_key")
        if not self.encrypted:
            must("kdf" not in head and is_text(head["hash_key"], "[0-9a-f]{64}"), "store.json: hash_key or kdf")
            must(master_key is None and password is None, "the store is not encrypted: it is read without a key")
            return bytes.fromhex(head["hash_key"])
        if "kdf" not in head:
            must(master_key is not None, "the store is encrypted with a master key: --key-file is needed")
            return master_key
        must(password is not None, "the store is encrypted with a password: --password-file is needed")
        kdf = head["kdf"]
        must(isinstance(kdf, dict) and is_count(kdf.get("iterations"), 1, 2**31 - 1), "store.json: kdf")
        try:
            salt = base64.b64decode(kdf["salt"], validate=True)
        except (KeyError, TypeError, binascii.Error):
            raise Refused("store.json: kdf salt") from None
        return hashlib.pbkdf2_hmac("sha512", password, salt, kdf["iterations"], 32)

    def read(self, name, limit):
        """The bytes of an object, or None."""
        try:
            with open(os.path.join(self.directory, name), "rb") as file:
                content = file.read(limit + 1)
        except FileNotFoundError:
            return None
        must(len(content) <= limit, f"{name}: more than {limit} bytes")
        return content

    def open_block(self, block_id, form):
        """One sealed object of a block, "" or ".d"; None when it is missing."""
        if (block_id, form) in self.opened:
            return self.opened[block_id, form]
        name = f"blocks/{block_id.hex()[:2]}/{block_id.hex()[2:4]}/{block_id.hex()}{form}"
        content = self.read(name, OBJECT_MAX)
        if content is None:
            return None
        sealed = Sealed(self, name, content, BLOCK, block_id)
        must(bool(sealed.lenders) == (form == ".d"), f"{sealed.name}: only a delta block has lenders")
        length = struct.pack("<Q", sealed.length)
        root = keyed(self.keys["block"], length, *(entry[3] for entry in sealed.table))
        must(root == block_id, f"{sealed.name}: the frame hashes do not make the block id")
        self.opened[block_id, form] = sealed
        return sealed

    def first_of(self, block_id, read):
        """What read makes of the whole object of a block or, where that is missing or refused, of its delta."""
        refusal = None
        for form in ("", ".d"):
            try:
                sealed = self.open_block(block_id, form)
                if sealed is not None:
                    return read(sealed)
            except Refused as error:
                refusal = refusal or error
        raise refusal or Refused(f"block {block_id.hex()}: missing")

    def read_block(self, block_id, length):
        """The plaintext of a block and how many of its bytes are no holes.

        Tried twice, as an object may be replaced meanwhile; then frame by frame, each from the object that has it."""
        for read in (self._read_block, self._read_block, self._read_frames):
            self.opened = {}
            try:
                return read(block_id, length)
            except Refused as error:
                refusal = error
        raise refusal

    def _read_block(self, block_id, length):
        return self.first_of(block_id, lambda sealed: self._plain(sealed, length, range(len(sealed.table))))

    def _read_frames(self, block_id, length):
        plain, allocated = bytearray(length), 0
        for index in range(-(-length // FRAME)):
            part, used = self.first_of(block_id, lambda sealed: self._plain(sealed, length, [index]))
            plain[index * FRAME:(index + 1) * FRAME] = part[index * FRAME:(index + 1) * FRAME]
            allocated += used
        return plain, allocated

    def _plain(self, sealed, length, indexes):
        """A block of which only some frames are filled, and how many of their bytes are no holes."""
        plain, allocated = bytearray(length), 0
        must(sealed.length == length, f"{sealed.name}: {sealed.length} bytes, expected {length}")
        for index in indexes:
            kind, lender, _, digest = sealed.table[index]
            if kind == HOLE:
                continue
            if kind == BORROWED:
                frame = self.first_of(sealed.lenders[lender], lambda owner: self._lent(owner, length, index, digest))
            else:
                frame = sealed.frame(index)
            plain[index * FRAME:index * FRAME + len(frame)] = frame
            allocated += len(frame)
        return plain, allocated

    @staticmethod
    def _lent(owner, length, index, digest):
        must(owner.length == length, f"{owner.name}: a lender of another length")
        must(owner.table[index][0] in (COMPRESSED, RAW), f"{owner.name}: does not own frame {index}")
        must(owner.table[index][3] == digest, f"{owner.name}: lends another frame {index}")
        return owner.frame(index)

    def read_page(self, page_id, level):
        """The 256 entries of a map page."""
        name = f"pages/{page_id.hex()[:2]}/{page_id.hex()[2:4]}/{page_id.hex()}"
        content = self.read(name, OBJECT_MAX)
        must(content is not None, f"{name}: missing")
        sealed = Sealed(self, name, content, PAGE, page_id)
        must(sealed.level == level and sealed.length == PAGE_BYTES, f"{name}: another level or length")
        plain = sealed.frame(0)
        must(keyed(self.keys["page"], bytes([level]), plain) == page_id, f"{name}: the entries do not make the page id")
        return [plain[at:at + 32] for at in range(0, PAGE_BYTES, 32)]

    def versions(self):
        """The names of all versions; objects under other names are passed over."""
        top = os.path.join(self.directory, "versions")
        for volume in sorted(os.listdir(top)) if os.path.isdir(top) else []:
            parts = volume.split("@")
            if len(volume) <= 200 and all(re.fullmatch(PART, part) for part in parts):
                for version in sorted(os.listdir(os.path.join(top, volume))):
                    if re.fullmatch(PART, version) and version != "latest":
                        yield "/".join(parts), version

    def manifest(self, volume, version):
        name = f"versions/{volume.replace('/', '@')}/{version}"
        content = self.read(name, OBJECT_MAX)
        if content is None:
            return None
        sealed = Sealed(self, name, content, MANIFEST, None)
        must(sealed.length <= MANIFEST_MAX, f"{name}: a manifest of {sealed.length} bytes")
        manifest = parse_object(b"".join(sealed.frame(index) for index in range(len(sealed.table))), name)
        sound = (
            manifest.get("manifest") == 1 and is_text(manifest.get("id"), "[0-9a-f]{32}")
            and bytes.fromhex(manifest["id"]) + bytes(16) == sealed.object_name
            and (manifest.get("volume"), manifest.get("version")) == (volume, version)
            and is_text(manifest.get("date"), DATE) and isinstance(manifest.get("snapshot"), str)
            and is_count(manifest.get("size"), 0, 2**53) and manifest.get("block_size") in BLOCK_SIZES
            and manifest.get("status") in ("valid", "invalid") and isinstance(manifest.get("protected"), bool)
            and isinstance(manifest.get("labels"), dict)
            and all(isinstance(label, str) for label in manifest["labels"].values())
            and isinstance(manifest.get("statistics", 0), (dict, type(None)))
            and is_text(manifest.get("root"), "[0-9a-f]{64}")
            and is_count(manifest.get("allocated"), 0, manifest["size"]) and is_count(manifest.get("revision"), 1))
        must(sound, f"{name}: not a manifest of version 1 that agrees with its name")
        return manifest


def blocks(store, root, manifest):
    """(index, block id) of every block of a version that is no hole."""
    count = -(-manifest["size"] // manifest["block_size"])
    levels = 1
    while FAN ** levels < count:
        levels += 1
    must(levels <= 5, f"a map of {levels} levels")

    def walk(page_id, level, first):
        if page_id == ZEROS:
            return
        span = FAN ** level
        for position, entry in enumerate(store.read_page(page_id, level)):
            index = first + position * span
            if entry != ZEROS:
                must(index < count, f"map page {page_id.hex()}: an entry behind the last block")
                yield from [(index, entry)] if level == 0 else walk(entry, level - 1, index)

    yield from walk(root, levels - 1, 0)


def restore(store, manifest, path):
    size, block_size, allocated = manifest["size"], manifest["block_size"], 0
    with open(path, "wb") as out:
        out.truncate(size)
        for index, block_id in blocks(store, bytes.fromhex(manifest["root"]), manifest):
            plain, used = store.read_block(block_id, min(block_size, size - index * block_size))
            out.seek(index * block_size)
            out.write(plain)
            allocated += used
    expected = manifest["allocated"]
    must(allocated == expected, f"{allocated} bytes are no holes, the manifest says {expected}")


def read_key(path):
    with open(path, "rb") as file:
        text = file.read().strip()
    key = bytes.fromhex(text.decode()) if re.fullmatch(rb"[0-9a-fA-F]{64}", text) else base64.b64decode(text)
    must(len(key) == 32, f"{path}: a key has 32 bytes, this one {len(key)}")
    return key


def main(arguments):
    if arguments[:1] in (["-h"], ["--help"]):
        print(__doc__)
        return 0
    master_key = password = None
    while len(arguments) > 1 and arguments[0] in ("--key-file", "--password-file"):
        if arguments[0] == "--key-file":
            master_key = read_key(arguments[1])
        else:
            with open(arguments[1], "rb") as file:
                password = file.read().rstrip(b"\r\n")
        arguments = arguments[2:]
    if arguments[1:] != ["--list"] and (len(arguments) != 3 or "/" not in arguments[1]):
        print(__doc__, file=sys.stderr)
        return 64
    store = Store(arguments[0], master_key, password)
    if arguments[1] == "--list":
        for volume, version in store.versions():
            manifest = store.manifest(volume, version)
            print(f"{volume}/{version} {manifest['date']} {manifest['size']} {manifest['status']}")
        return 0
    manifest = store.manifest(*arguments[1].rsplit("/", 1))
    if manifest is None:
        print(f"read_store.py: no version {arguments[1]}", file=sys.stderr)
        return 66
    restore(store, manifest, arguments[2])
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except Refused as refusal:
        print(f"read_store.py: {refusal}", file=sys.stderr)
        sys.exit(65)
