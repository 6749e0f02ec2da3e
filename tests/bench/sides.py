"""The two programs that are compared, each with a fresh encrypted store in a directory of its own."""
import os
import shutil

from measure import run, stored_bytes


class Benji:
    """This program, with zstd and AES-256-GCM."""

    name = "benji"

    def __init__(self, program, directory, log):
        self.program, self.directory, self.log = program, directory, log
        self.peak = 0.0  # the most memory that any of its commands used, in MiB
        os.makedirs(directory)
        key = os.path.join(directory, "key")
        self.environment = dict(os.environ, BENJI_HOME=os.path.join(directory, "home"), BENJI_KEY_FILE=key)
        for name in ("BENJI_CONFIG", "BENJI_PASSWORD_FILE", "BENJI_PASSWORD_COMMAND"):
            self.environment.pop(name, None)
        run([program, "key", "new", key], self.environment, log)

    def command(self, *arguments, output=None):
        cost = run([self.program, *arguments], self.environment, self.log, output)
        self.peak = max(self.peak, cost.mebibytes)
        return cost

    def backup(self, image, version, *options):
        volume, name = version.split("/")
        return self.command("backup", "-u", name, *options, image, volume)

    def restore(self, version, target):
        return self.command("restore", version, target)

    def check(self, version):
        return self.command("deep-scrub", version)

    @property
    def storage(self):
        return os.path.join(self.directory, "home", "storage")

    def stored(self):
        return stored_bytes(self.storage)


class Restic:
    """Debian's restic: encrypted and compressed; --force, so that it reads the file as it would read a device."""

    name = "restic"

    def __init__(self, directory, log):
        self.directory, self.log = directory, log
        self.storage = os.path.join(directory, "repository")
        self.source = os.path.join(directory, "disk.img")
        os.makedirs(directory)
        self.environment = dict(
            os.environ, RESTIC_REPOSITORY=self.storage, RESTIC_PASSWORD="bench",
            RESTIC_CACHE_DIR=os.path.join(directory, "cache"))
        self.command("init")

    def command(self, *arguments):
        return run(["restic", "--quiet", *arguments], self.environment, self.log)

    def backup(self, image):
        """Backs an image up under one path, so that it is the next state of the same file."""
        if os.path.exists(self.source):
            os.unlink(self.source)
        os.link(image, self.source)
        return self.command("backup", "--force", self.source)

    def restore(self):
        """Restores the newest state; what it wrote is removed."""
        target = os.path.join(self.directory, "restored")
        try:
            return self.command("restore", "latest", "--target", target)
        finally:
            shutil.rmtree(target, ignore_errors=True)

    def check(self):
        return self.command("check", "--read-data")

    def stored(self):
        return stored_bytes(self.storage)
