"""Runs commands and says what they cost: CPU seconds of the whole process, its peak memory, its time."""
import os
import subprocess
import time
from dataclasses import dataclass


@dataclass
class Cost:
    cpu: float  # user and system, start-up included
    seconds: float
    mebibytes: float  # peak resident memory


class Failed(Exception):
    """A command ended with an error."""


def run(command, environment, log, output=None):
    """Runs a command to its end and returns its cost; standard output goes to a file, messages to the log."""
    log.write(f"$ {' '.join(command)}\n")
    log.flush()
    with open(output or os.devnull, "wb") as out:
        started = time.monotonic()
        child = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=log)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        raise Failed(f"exit code {child.returncode}: {' '.join(command)}")
    return Cost(usage.ru_utime + usage.ru_stime, time.monotonic() - started, usage.ru_maxrss / 1024)


def warm(*paths):
    """Reads files, or all files below directories, so that both sides find them in the page cache."""
    for path in paths:
        files = [path] if os.path.isfile(path) else [
            os.path.join(folder, name) for folder, _, names in os.walk(path) for name in names]
        for file in files:
            with open(file, "rb", buffering=0) as content:
                while content.read(1 << 20):
                    pass


def stored_bytes(directory):
    return sum(os.lstat(os.path.join(folder, name)).st_size
               for folder, _, names in os.walk(directory) for name in names)
