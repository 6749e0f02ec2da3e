#!/usr/bin/python3
"""Measures benji beside restic, interleaved, in one run.

usage: bench.py [--json] [--repetitions N] [--size SIZE] [NAME...]

NAME is a row: initial unchanged bound day2 scattered clone restore deep-scrub memory ls volume-1 volume-10 cleanup
mount. The last one is the table of the mount: beside a C program that serves the same bytes from memory, and beside
restic's mount; it needs root. Without a name all rows are measured. The image is made by tests/images/mkimage.py, 2G unless --size says otherwise.
The exit code is 0 when everything ran, whether a bar was reached or not.
"""
import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import defaultdict

sys.dont_write_bytecode = True
from measure import Failed, run, warm  # noqa: E402: no cache directory may appear beside the sources
from mounts import measure_mounts  # noqa: E402
from rows import HEADING, rows_of  # noqa: E402
from sides import Benji, Restic  # noqa: E402

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
PROGRAM = os.path.join(ROOT, "artifacts", "benji")
HOST = os.path.join(ROOT, "artifacts", "bench-host", "Benji.Bench")
DATA_ROWS = ["initial", "unchanged", "bound", "day2", "scattered", "clone", "restore", "deep-scrub", "memory"]
COMPARED_ROWS = {"initial", "unchanged", "restore", "deep-scrub"}
OTHER_ROWS = ["ls", "volume-1", "volume-10", "cleanup", "mount"]
VERSIONS = 10_000


class Bench:
    def __init__(self, directory, names, log):
        self.directory, self.names, self.log = directory, names, log
        self.figures = defaultdict(list)
        self.images = os.path.join(directory, "images")
        self.lanes = 0

    def say(self, text):
        print(text, file=sys.stderr, flush=True)

    def host(self, *arguments):
        """Runs the bench host and returns the object that it prints."""
        output = os.path.join(self.directory, "host.json")
        run([HOST, *arguments], dict(os.environ), self.log, output)
        with open(output, encoding="ascii") as file:
            text = file.read()
        return json.loads(text) if text else None

    def image(self, name):
        path = os.path.join(self.images, name + ".img")
        warm(path)
        return path

    def keep(self, side, step, cost):
        self.figures[side.name, step].append(cost)
        self.say(f"  {side.name:6} {step:10} {cost.cpu:6.2f} CPU s {cost.seconds:6.2f} s {cost.mebibytes:4.0f} MiB")

    def both(self, step, ours, theirs, is_swapped):
        """Runs one step of each program, ours first in every other repetition."""
        order = [ours, theirs] if not is_swapped else [theirs, ours]
        for act in order:
            if act is not None:
                side, work = act
                self.keep(side, step, work())

    def repetition(self, number):
        self.say(f"Repetition {number + 1}")
        directory = os.path.join(self.directory, "repetition")
        benji = Benji(PROGRAM, os.path.join(directory, "benji"), self.log)
        restic = Restic(os.path.join(directory, "restic"), self.log) if COMPARED_ROWS & self.names else None
        try:
            self.steps(number % 2 == 1, benji, restic)
        finally:
            shutil.rmtree(directory)
        self.figures["memory"].append(benji.peak)

    def steps(self, swapped, benji, restic):
        def theirs(work):
            return (restic, work) if restic else None

        def added(name, work):
            before = benji.stored()
            self.keep(benji, name, work())
            self.figures[name].append((benji.stored() - before) / 1e6)

        hints = os.path.join(self.images, "day2.hints.json")
        for step, version in ("initial", "disk/base"), ("unchanged", "disk/again"):
            self.both(step, (benji, lambda: benji.backup(self.image("base"), version)),
                      theirs(lambda: restic.backup(self.image("base"))), swapped)
        if "bound" in self.names:
            self.bound(benji)
        if "deep-scrub" in self.names:
            warm(benji.storage, restic.storage)
            self.both("check", (benji, lambda: benji.check("disk/base")), theirs(restic.check), swapped)
            self.figures["our-check"].append(self.figures["benji", "check"][-1].cpu / (benji.stored() / 1e9))
            self.figures["their-check"].append(self.figures["restic", "check"][-1].cpu / (restic.stored() / 1e9))
        self.both(
            "day2",
            (benji, lambda: benji.backup(self.image("day2"), "disk/day2", "-f", "disk/again", "-r", hints)),
            theirs(lambda: restic.backup(self.image("day2"))),
            swapped)
        if "scattered" in self.names:
            added("scattered", lambda: benji.backup(self.image("day2s"), "disk/day2s", "-f", "disk/base"))
        if "clone" in self.names:
            added("clone", lambda: benji.backup(self.image("clone"), "clone/first"))
        if "restore" in self.names:
            self.restore(swapped, benji, restic)

    def restore(self, swapped, benji, restic):
        warm(benji.storage, restic.storage)
        target = os.path.join(self.directory, "restored.img")
        self.both("restore", (benji, lambda: benji.restore("disk/day2", target)), (restic, restic.restore), swapped)
        run(["cmp", target, self.image("day2")], dict(os.environ), self.log)
        os.unlink(target)

    def bound(self, benji):
        """What the stages of an unchanged backup cost alone, against what it costs beside start-up."""
        tiny = os.path.join(self.directory, "tiny.img")
        with open(tiny, "wb") as file:
            file.write(os.urandom(4096))
        benji.backup(tiny, "tiny/first")
        start = benji.backup(tiny, "tiny/again").cpu
        self.image("base")
        stages = self.host("stages", os.path.join(self.images, "base.img"))
        again = benji.backup(self.image("base"), "disk/third").cpu
        self.figures["bound"].append(100 * stages["bound"] / max(0.01, again - start))
        self.say(f"  start-up {start:.2f}, unchanged again {again:.2f}, bound {stages['bound']:.2f} CPU s")

    def list_versions(self, repetitions):
        self.say(f"ls with {VERSIONS} versions")
        benji = Benji(PROGRAM, os.path.join(self.directory, "ls"), self.log)
        del benji.environment["BENJI_KEY_FILE"]
        self.host("versions", benji.environment["BENJI_HOME"], str(VERSIONS))
        for _ in range(repetitions):
            self.keep(benji, "ls", benji.command("ls", output=os.path.join(self.directory, "ls.txt")))
        with open(os.path.join(self.directory, "ls.txt"), encoding="utf-8") as file:
            listed = sum(1 for _ in file)
        if listed < VERSIONS:
            raise Failed(f"ls printed {listed} lines for {VERSIONS} versions")

    def volume(self, tebibytes):
        self.say(f"A simulated volume of {tebibytes} TiB; this takes {tebibytes} minutes or so")
        benji = Benji(PROGRAM, os.path.join(self.directory, f"volume-{tebibytes}"), self.log)
        del benji.environment["BENJI_KEY_FILE"]
        home = benji.environment["BENJI_HOME"]
        self.host("fill", home, str(tebibytes))
        self.figures[f"volume-{tebibytes}"].append(self.host("change", home)["cpu"])
        if tebibytes == 10 and "cleanup" in self.names:
            benji.command("rm", "--force", "simulated/disk/base", "simulated/disk/change-1")
            for _ in range(2):  # the first finds what nothing needs, the second deletes it
                self.keep(benji, "cleanup", benji.command("cleanup", "--older-than", "0s"))
        shutil.rmtree(benji.directory)

    def measure(self, repetitions, size):
        if self.names & {*DATA_ROWS, "mount"}:
            self.say(f"Making the images of {size}")
            maker = os.path.join(ROOT, "tests", "images", "mkimage.py")
            run([maker, size, "42", self.images], dict(os.environ), self.log)
            self.figures["gib"] = os.path.getsize(os.path.join(self.images, "base.img")) / (1 << 30)
            self.lanes = self.host("lanes")["lanes"]
        if self.names & set(DATA_ROWS):
            for number in range(repetitions):
                self.repetition(number)
        if "ls" in self.names:
            self.list_versions(repetitions)
        if "volume-1" in self.names:
            self.volume(1)
        if {"volume-10", "cleanup"} & self.names:
            self.volume(10)
        if "mount" in self.names:
            measure_mounts(self, Benji(PROGRAM, os.path.join(self.directory, "mount"), self.log), ROOT, repetitions)


def main():
    parser = argparse.ArgumentParser(usage=__doc__, add_help=False)
    parser.add_argument("-h", "--help", action="store_true")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--size", default="2G")
    parser.add_argument("names", nargs="*")
    arguments = parser.parse_args()
    if arguments.help:
        print(__doc__)
        return 0
    names = set(arguments.names or DATA_ROWS + OTHER_ROWS)
    unknown = names - set(DATA_ROWS + OTHER_ROWS)
    if unknown:
        print(f"bench: no row {', '.join(sorted(unknown))}\n{__doc__}", file=sys.stderr)
        return 64
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(130))
    with tempfile.TemporaryDirectory(prefix="bench-", dir=os.path.join(ROOT, "artifacts")) as directory:
        with open(os.path.join(directory, "log"), "w+", encoding="utf-8") as log:
            bench = Bench(directory, names, log)
            try:
                bench.measure(arguments.repetitions, arguments.size)
            except (Failed, OSError, subprocess.SubprocessError) as failure:
                log.seek(0)
                print(log.read()[-4000:], file=sys.stderr)
                print(f"bench: {failure}", file=sys.stderr)
                return 1
    rows = [row for row in rows_of(bench.figures, bench.lanes) if row.name.split("-")[0] in names or row.name in names]
    if arguments.json:
        print(json.dumps([row.as_dict() for row in rows], indent=2))
    else:
        print("\n".join([HEADING, *(row.line() for row in rows)]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
