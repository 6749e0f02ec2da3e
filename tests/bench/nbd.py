#!/usr/bin/python3
"""Measures benji nbd beside qemu-nbd and nbdkit, interleaved, in one run.

usage: nbd.py [--json] [--repetitions N] [--size SIZE] [NAME...]

NAME is a row: sequential random latency connections first cold promote. Without a name all rows are measured. The disk
has SIZE random bytes, 2G unless said otherwise; qemu-nbd and nbdkit serve it as a raw file from the page cache.
The exit code is 0 when everything ran, whether a bar was reached or not.
"""
import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import defaultdict

sys.dont_write_bytecode = True
from measure import Failed, run, warm  # noqa: E402: no cache directory may appear beside the sources
from rows import Row  # noqa: E402

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
PROGRAM = os.path.join(ROOT, "artifacts", "benji")
HOST = os.path.join(ROOT, "artifacts", "bench-host", "Benji.Bench")
ROWS = ["sequential", "random", "latency", "connections", "first", "cold", "promote"]
TICK = os.sysconf("SC_CLK_TCK")
SECONDS = 5
HEADING = ("| Row | What | benji: median [range] | qemu-nbd | nbdkit | Value | Bar | |\n"
           "|---|---|---|---|---|---|---|---|")


class Server:
    """A server as a process, on a unix socket, with one export."""

    def __init__(self, name, command, socket, export, environment, log):
        self.name, self.uri = name, f"nbd+unix:///{export}?socket={socket}"
        log.write(f"$ {' '.join(command)}\n")
        log.flush()
        self.process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        deadline = time.monotonic() + 60
        while subprocess.run(["nbdinfo", "--size", self.uri], stdout=log, stderr=log, check=False).returncode:
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise Failed(f"{name} does not serve")
            time.sleep(0.05)

    @property
    def cpu(self):
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as stat:
            fields = stat.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICK

    def stop(self):
        self.process.terminate()
        self.process.wait()


class Bench:
    def __init__(self, directory, names, log):
        self.directory, self.names, self.log = directory, names, log
        self.figures = defaultdict(list)
        self.environment = dict(os.environ, BENJI_HOME=os.path.join(directory, "home"))
        self.environment["BENJI_KEY_FILE"] = os.path.join(directory, "key")
        for name in ("BENJI_CONFIG", "BENJI_PASSWORD_FILE", "BENJI_PASSWORD_COMMAND"):
            self.environment.pop(name, None)
        self.image = os.path.join(directory, "disk.img")
        self.servers = []

    def keep(self, server, row, value):
        self.figures[server, row].append(value)
        print(f"  {server:8} {row:12} {value:10.4f}", file=sys.stderr, flush=True)

    def run(self, *command, output=None, environment=None):
        return run(list(command), environment or self.environment, self.log, output)

    def path(self, name):
        return os.path.join(self.directory, name)

    def benji(self, socket, export, cache, environment=None):
        command = [PROGRAM, "nbd", "--socket", self.path(socket), "--cache", cache]
        return self.start(Server("benji", command, self.path(socket), export, environment or self.environment, self.log))

    def start(self, server):
        self.servers.append(server)
        return server

    def stop(self):
        for server in self.servers:
            server.stop()
        self.servers.clear()

    def make(self, size):
        self.run("dd", "if=/dev/urandom", f"of={self.image}", "bs=1M", f"count={size >> 20}")
        self.run(PROGRAM, "key", "new", self.environment["BENJI_KEY_FILE"])
        self.run(PROGRAM, "backup", "-u", "one", self.image, "disk")

    def compared(self, size):
        """The three servers, all with the disk in memory."""
        warm(self.image)
        qemu, kit = self.path("qemu"), self.path("nbdkit")
        sides = [
            self.benji("benji", "disk/one", f"{2 * size >> 20}M"),
            self.start(Server("qemu-nbd", ["qemu-nbd", "-r", "-t", "-e", "8", "-f", "raw", "-k", qemu, self.image], qemu, "",
                              self.environment, self.log)),
            self.start(Server("nbdkit", ["nbdkit", "-f", "-r", "-U", kit, "file", self.image], kit, "",
                              self.environment, self.log)),
        ]
        for side in sides:  # what is measured afterwards finds everything in memory, and code that is compiled
            for _ in range(2):
                self.run("nbdcopy", "-C", "1", side.uri, "null:")
            self.fio(side, 64, 2)
        return sides

    def fio(self, server, depth, seconds=SECONDS, size=None):
        output = self.path("fio.json")
        self.run("fio", "--name=r", "--ioengine=nbd", f"--uri={server.uri}", "--rw=randread", "--bs=4k", f"--iodepth={depth}",
                 "--randrepeat=0", "--norandommap", "--output-format=json", f"--output={output}",
                 *([f"--io_size={size}"] if size else ["--time_based", f"--runtime={seconds}"]))
        with open(output, encoding="utf-8") as file:
            text = file.read()
        return json.loads(text[text.index("{"):])["jobs"][0]["read"]

    def repetition(self, number, sides, size):
        print(f"Repetition {number + 1}", file=sys.stderr, flush=True)
        for side in sides if number % 2 == 0 else sides[::-1]:
            if "sequential" in self.names or "connections" in self.names:
                self.copy(side, size)
            if "random" in self.names:
                before = side.cpu
                read = self.fio(side, 64)
                self.keep(side.name, "random", 1e6 * (side.cpu - before) / read["total_ios"])
            if "latency" in self.names:
                self.keep(side.name, "latency", self.fio(side, 1)["clat_ns"]["percentile"]["50.000000"] / 1000)

    def copy(self, side, size):
        before = side.cpu
        one = self.run("nbdcopy", "-C", "1", side.uri, "null:").seconds
        self.keep(side.name, "sequential", (side.cpu - before) / (size / (1 << 30)))
        if "connections" in self.names:
            four = self.run("nbdcopy", "-C", "4", side.uri, "null:").seconds
            self.keep(side.name, "one", size / one / 1e6)
            self.keep(side.name, "four", size / four / 1e6)

    def cold(self):
        server = self.benji("cold", "disk/one", "16M")
        read = self.fio(server, 1, size="8M")
        self.keep("benji", "cold", read["clat_ns"]["percentile"]["50.000000"] / 1e6)
        self.stop()

    def simulated(self, repetitions):
        """Large versions of which only the map is real, in a store without encryption."""
        environment = dict(self.environment, BENJI_HOME=self.path("simulated"))
        del environment["BENJI_KEY_FILE"]
        with open(self.path("block"), "wb") as file:
            file.write(os.urandom(4 << 20))
        self.run(PROGRAM, "backup", "-u", "one", self.path("block"), "real", environment=environment)
        if "first" in self.names:
            print("Making a version of 16 TiB", file=sys.stderr, flush=True)
            self.run(HOST, "map", environment["BENJI_HOME"], "16", "real", environment=environment)
            for _ in range(repetitions):
                self.first(environment)
        if "promote" in self.names:
            self.run(HOST, "map", environment["BENJI_HOME"], "1", "real", environment=environment)
            for number in range(repetitions):
                self.promote(environment, number)

    def first(self, environment):
        """From the connection to the first byte; the first of two connections has the code compiled, on a small version."""
        server = self.benji("first", "real/one", "64M", environment)
        output = self.path("first.txt")
        script = ("import nbd, sys, time\nfor uri, at in ((sys.argv[1], 0), (sys.argv[2], int(sys.argv[3]))):\n"
                  "  h = nbd.NBD(); t = time.monotonic(); h.connect_uri(uri); d = h.pread(1, at); t = time.monotonic() - t\n"
                  "print(1000 * t)")
        block = (9_000_000_000_000 >> 32 << 32) + (512 << 22)
        self.run("/usr/bin/python3", "-c", script, server.uri, server.uri.replace("real/one", "simulated/16/map"), str(block),
                 output=output)
        with open(output, encoding="ascii") as file:
            self.keep("benji", "first", float(file.read()))
        self.stop()

    def promote(self, environment, number):
        server = self.benji("promote", "real/one", "64M", environment)
        name = f"simulated/1/map@run{number}"
        writes = [word for place in range(64) for word in ("-c", f"write -P {number * 64 + place + 1 & 255} {place << 32} 1M")]
        self.run("qemu-io", "-f", "raw", *writes, "-c", "flush", server.uri.replace("real/one", name))
        self.stop()
        self.keep("benji", "promote", self.run(PROGRAM, "promote", name, environment=environment).seconds)

    def measure(self, repetitions, size):
        if self.names - {"first", "promote"}:
            self.make(size)
        if self.names & {"sequential", "random", "latency", "connections"}:
            sides = self.compared(size)
            for number in range(repetitions):
                self.repetition(number, sides, size)
            self.stop()
        if "cold" in self.names:
            for _ in range(repetitions):
                self.cold()
        if self.names & {"first", "promote"}:
            self.simulated(repetitions)

    def rows(self):
        f = self.figures
        made = [
            ("sequential", "sequential read from memory, server CPU s per GiB", 0.8, "s", False),
            ("random", "random 4 KiB, depth 64, server CPU µs per request", 0.7, "µs", False),
            ("latency", "random 4 KiB, depth 1, median latency, µs", 1.2, "µs", False),
        ]
        rows = [(Row(n, what, bar, unit, f["benji", n], f["qemu-nbd", n], least), f["nbdkit", n])
                for n, what, bar, unit, least in made]
        rows += [
            (Row("connections", "4 connections against 1, MB/s", 1.5, "×", f["benji", "four"], f["benji", "one"], True),
             f["nbdkit", "four"]),
            (Row("connections", "4 connections against qemu-nbd's 4, MB/s", 1.5, "×", f["benji", "four"],
                 f["qemu-nbd", "four"], True), f["nbdkit", "four"]),
            (Row("first", "first byte after connect, version of 16 TiB, ms", 300, "ms", f["benji", "first"]), []),
            (Row("cold", "cold random 4 KiB, median, zstd and AES, ms", 1, "ms", f["benji", "cold"]), []),
            (Row("promote", "promote of 64 MiB dirty in 1 TiB, whole command, s", 2, "s", f["benji", "promote"]), []),
        ]
        return [(row, kit) for row, kit in rows if row.ours and row.name in self.names]


def line(row, kit):
    cells = row.line().split(" | ")
    return " | ".join([*cells[:4], f"{sorted(kit)[len(kit) // 2]:.2f}" if kit else "", *cells[4:]])


def main():
    parser = argparse.ArgumentParser(usage=__doc__, add_help=False)
    parser.add_argument("-h", "--help", action="store_true")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--size", default="2G")
    parser.add_argument("names", nargs="*")
    arguments = parser.parse_args()
    unknown = set(arguments.names) - set(ROWS)
    if arguments.help or unknown:
        print(__doc__, file=sys.stderr if unknown else sys.stdout)
        return 64 if unknown else 0
    size = int(arguments.size.rstrip("GM")) << (30 if arguments.size.endswith("G") else 20)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(130))
    with tempfile.TemporaryDirectory(prefix="bench-", dir=os.path.join(ROOT, "artifacts")) as directory:
        with open(os.path.join(directory, "log"), "w+", encoding="utf-8") as log:
            bench = Bench(directory, set(arguments.names or ROWS), log)
            try:
                bench.measure(arguments.repetitions, size)
            except (Failed, OSError, subprocess.SubprocessError) as failure:
                log.seek(0)
                print(log.read()[-4000:], file=sys.stderr)
                print(f"bench: {failure}", file=sys.stderr)
                return 1
            finally:
                bench.stop()
    rows = bench.rows()
    if arguments.json:
        print(json.dumps([dict(row.as_dict(), nbdkit=kit) for row, kit in rows], indent=2))
    else:
        print("\n".join([HEADING, *(line(row, kit) for row, kit in rows)]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
