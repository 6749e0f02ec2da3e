"""whole_units.py FILE BASE NEW SYNCED: each 4 KiB of FILE is that of BASE or that of NEW, and of NEW before SYNCED."""
import sys

UNIT = 4096
path, base_path, new_path, synced = *sys.argv[1:4], int(sys.argv[4])
with open(path, "rb") as file, open(base_path, "rb") as base, open(new_path, "rb") as new:
    offset = 0
    while unit := file.read(UNIT):
        old, changed = base.read(UNIT), new.read(UNIT)
        if unit != changed and (unit != old or offset < synced):
            sys.exit(f"{path}: the 4 KiB at {offset} are neither of {base_path} nor of {new_path}, or were lost")
        offset += len(unit)
