"""mapped_frames.py FILE CONTENT: qemu-img maps FILE as data exactly where a 64 KiB frame of CONTENT has a byte that is not 0."""
import json
import subprocess
import sys

FRAME = 65536
path, content_path = sys.argv[1:3]
expected, offset = [], 0
with open(content_path, "rb") as content:
    while frame := content.read(FRAME):
        is_data = any(frame)
        if expected and expected[-1][2] == is_data:
            expected[-1][1] = offset + len(frame)
        else:
            expected.append([offset, offset + len(frame), is_data])
        offset += len(frame)

output = subprocess.run(
    ["qemu-img", "map", "--output=json", "-f", "raw", path], check=True, stdout=subprocess.PIPE, timeout=60).stdout
found = []
for entry in json.loads(output):
    if entry["data"] == entry["zero"]:
        sys.exit(f"{path}: {entry} is neither data nor a hole")
    found.append([entry["start"], entry["start"] + entry["length"], entry["data"]])
if found != expected:
    sys.exit(f"{path} is mapped as {found}, expected {expected}")
if len({kind for _, _, kind in found}) != 2:
    sys.exit(f"{path} has no hole or no data: nothing was compared")
