"""The rows of "bench mount": the mount beside the same bytes served by a C program, and beside restic's mount."""
import json
import os
import random
import signal
import subprocess
import time

from measure import Failed, run, warm
from sides import Restic

PAGE = os.sysconf("SC_PAGE_SIZE")
TICKS = os.sysconf("SC_CLK_TCK")
SMALL_READS = 1 << 17  # some 80 ticks
STREAM_PASSES = 4
COLD_READS = 400
DEADLINE = 60
VERSIONS = 10_000


def cpu_of(process):
    """User and system seconds of a process so far, all its threads included: proc_pid_stat(5)."""
    with open(f"/proc/{process}/stat", encoding="ascii") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def wait_until(what, condition, process=None):
    limit = time.monotonic() + DEADLINE
    while not condition():
        if time.monotonic() > limit or (process and process.poll() is not None):
            raise Failed(f"{what}: it did not happen")
        time.sleep(0.005)


def drop_caches():
    subprocess.run(["sync"], check=True)
    with open("/proc/sys/vm/drop_caches", "w", encoding="ascii") as file:
        file.write("3\n")


class Served:
    """A program that serves a mount in the foreground; ended and unmounted at the end of a with block."""

    def __init__(self, command, mount_point, environment, log, probe):
        self.mount_point, self.log = mount_point, log
        os.makedirs(mount_point, exist_ok=True)
        self.started = time.monotonic()
        self.process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.file = os.path.join(mount_point, probe)

    def __enter__(self):
        wait_until(f"mount of {self.mount_point}", lambda: os.path.exists(self.file), self.process)
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        with open("/proc/mounts", encoding="utf-8") as mounts:
            if f" {self.mount_point} " in mounts.read():  # restic leaves it when it could not end in order
                subprocess.run(["umount", "-l", self.mount_point], check=True)

    @property
    def cpu(self):
        return cpu_of(self.process.pid)


class Mounts:
    """Measures the rows; figures are kept under the names of rows.py."""

    def __init__(self, bench, benji, image):
        self.bench, self.benji, self.image = bench, benji, image
        self.directory = os.path.join(bench.directory, "mounts")
        os.makedirs(self.directory)
        self.size = os.path.getsize(image)
        self.reference_program = os.path.join(self.directory, "fuse_memory")

    def build_reference(self, root):
        flags = subprocess.run(["pkg-config", "--cflags", "--libs", "fuse3"], check=True, capture_output=True, text=True)
        source = os.path.join(root, "tests", "reference", "fuse_memory.c")
        run(["gcc", "-O2", "-Wall", "-Wextra", "-o", self.reference_program, source, *flags.stdout.split()],
            dict(os.environ), self.bench.log)

    def ours(self, name="ours", cache="2G", environment=None, probe="disk/base.img"):
        point = os.path.join(self.directory, name)
        command = [self.benji.program, "mount", "--foreground", "-o", f"cache={cache}", point]
        return Served(command, point, environment or self.benji.environment, self.bench.log, probe)

    def reference(self):
        point = os.path.join(self.directory, "reference")
        return Served([self.reference_program, self.image, point], point, dict(os.environ), self.bench.log, "image")

    def fio(self, file, *options):
        run(["fio", "--name=r", f"--filename={file}", "--readonly", "--output-format=json", *options],
            dict(os.environ), self.bench.log, os.path.join(self.directory, "fio.json"))
        with open(os.path.join(self.directory, "fio.json"), encoding="utf-8") as result:
            return json.load(result)["jobs"]

    def cached(self, rounds):
        """Both servers at once, the same reads in turns, all from memory; the best round of each counts."""
        with self.ours() as ours, self.reference() as theirs:
            for server in ours, theirs:
                self.stream(server)  # into the memory of the server
            for _ in range(rounds):
                for jobs in 1, 4:
                    for side, server in (("benji", ours), ("reference", theirs)):
                        self.keep(side, f"cached-random-{jobs}", self.small_reads(server, jobs))
                for side, server in (("benji", ours), ("reference", theirs)):
                    self.keep(side, "cached-stream", self.stream(server, STREAM_PASSES))

    def keep(self, side, step, value):
        self.bench.figures[side, step].append(value)
        self.bench.say(f"  {side:9} {step:16} {value:8.3f}")

    def small_reads(self, server, jobs):
        before = server.cpu
        self.fio(server.file, "--rw=randread", "--direct=1", "--bs=4k", "--ioengine=psync", f"--numjobs={jobs}",
                 f"--io_size={SMALL_READS // jobs * 4096}")
        return 1e6 * (server.cpu - before) / SMALL_READS

    def stream(self, server, passes=1):
        before = server.cpu
        for _ in range(passes):
            self.fio(server.file, "--rw=read", "--direct=1", "--bs=1M", "--ioengine=psync")
        return (server.cpu - before) / (passes * self.size / (1 << 30))

    def cold_stream(self, restic, swapped):
        sides = [("benji", self.cold_ours), ("restic", lambda: self.cold_restic(restic))]
        for side, work in reversed(sides) if swapped else sides:
            cpu, rate = work()
            self.keep(side, "cold-cpu", cpu)
            self.keep(side, "cold-rate", rate)

    def cold_ours(self):
        drop_caches()
        with self.ours("cold") as server:
            return self.read_whole(server, server.file)

    def cold_restic(self, restic):
        point = os.path.join(self.directory, "restic")
        drop_caches()
        with Served(["restic", "mount", point], point, restic.environment, self.bench.log, "snapshots/latest") as server:
            return self.read_whole(server, f"{point}/snapshots/latest{restic.source}")

    def read_whole(self, server, file):
        """CPU of the server and MiB/s of one pass; the server has just started, so its start is no part of it."""
        before, started = server.cpu, time.monotonic()
        run(["dd", f"if={file}", "of=/dev/null", "bs=1M"], dict(os.environ), self.bench.log)
        seconds = time.monotonic() - started
        return server.cpu - before, self.size / (1 << 20) / seconds

    def cold_random(self):
        """Single reads of 4 KiB at places that nothing has read before; milliseconds of the middle one."""
        chooser = random.Random(7)
        blocks = self.size // (4 << 20)
        places = [(i % blocks) * (4 << 20) + chooser.randrange(1024) * 4096 for i in range(min(COLD_READS, blocks))]
        chooser.shuffle(places)
        drop_caches()
        taken = []
        with self.ours("random", cache="16M") as server:
            file = os.open(server.file, os.O_RDONLY)
            os.posix_fadvise(file, 0, 0, os.POSIX_FADV_RANDOM)
            for place in places:
                started = time.monotonic()
                os.pread(file, 4096, place)
                taken.append(1000 * (time.monotonic() - started))
            os.close(file)
        self.keep("benji", "cold-random", sorted(taken)[len(taken) // 2])

    def start(self, environment, many):
        """From the command to the first byte, in the background as people mount; and from its return."""
        point = os.path.join(self.directory, "start")
        os.makedirs(point, exist_ok=True)
        started = time.monotonic()
        run([self.benji.program, "mount", point], environment, self.bench.log)
        returned = time.monotonic()
        with open(self.first_image(point), "rb", buffering=0) as content:
            content.read(1)
        now = time.monotonic()
        name = "many-first" if many else "first"
        self.keep("benji", f"{name}-byte", now - started)
        self.keep("benji", f"{name}-returned", 1000 * (now - returned))
        if many:
            self.list_tree(point)
        run([self.benji.program, "umount", point], environment, self.bench.log)

    @staticmethod
    def first_image(directory):
        for folder, _, names in os.walk(directory):
            for name in sorted(names):
                if name != "latest.img":
                    return os.path.join(folder, name)
        raise Failed(f"no image below {directory}")

    def list_tree(self, point):
        for step in "list-cold", "list-warm":
            output = os.path.join(self.directory, "list.txt")
            cost = run(["ls", "-lR", point], dict(os.environ), self.bench.log, output)
            with open(output, encoding="utf-8") as file:
                listed = sum(1 for line in file if line.startswith("-"))
            if listed < VERSIONS:
                raise Failed(f"ls -lR showed {listed} of {VERSIONS} versions")
            self.keep("benji", step, cost.seconds)


def measure_mounts(bench, benji, root, repetitions):
    """All rows of the mount; the image is backed up to a store of each program first."""
    if os.geteuid() != 0:
        raise Failed("bench mount needs root: it mounts, and drops the page cache for cold reads")
    image = bench.image("base")
    benji.backup(image, "disk/base")
    restic = Restic(os.path.join(bench.directory, "mount-restic"), bench.log)
    restic.backup(image)
    mounts = Mounts(bench, benji, image)
    mounts.build_reference(root)
    bench.say("The mount, cached")
    mounts.cached(max(3, repetitions))
    bench.say("The mount, cold")
    for number in range(repetitions):
        mounts.cold_stream(restic, number % 2 == 1)
        mounts.cold_random()
        mounts.start(benji.environment, many=False)
    bench.say(f"The mount with {VERSIONS} versions")
    home = os.path.join(bench.directory, "mount-many")
    bench.host("versions", home, str(VERSIONS))
    environment = dict(benji.environment, BENJI_HOME=home)
    del environment["BENJI_KEY_FILE"]
    for _ in range(repetitions):
        drop_caches()
        mounts.start(environment, many=True)
