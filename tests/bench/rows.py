"""The rows of the table: what each compares, and its bar."""
from statistics import median


class Row:
    """One figure in several repetitions, beside its bar."""

    def __init__(self, name, what, bar, unit, ours, theirs=None, at_least=False):
        self.name, self.what, self.bar, self.unit, self.at_least = name, what, bar, unit, at_least
        self.ours, self.theirs = ours, theirs

    @property
    def value(self):
        """What is held against the bar: the ratio of the medians, or the median."""
        return median(self.ours) / median(self.theirs) if self.theirs else median(self.ours)

    @property
    def reached(self):
        return self.value >= self.bar if self.at_least else self.value <= self.bar

    def line(self):
        sign = "≥" if self.at_least else "≤"
        spread = f"{median(self.ours):.2f} [{min(self.ours):.2f}-{max(self.ours):.2f}]"
        theirs = f"{median(self.theirs):.2f}" if self.theirs else ""
        verdict = "reached" if self.reached else "MISSED"
        bar = f"{sign} {self.bar} ×" if self.theirs else f"{sign} {self.bar} {self.unit}"
        value = f"{self.value:.3f} ×" if self.theirs else f"{self.value:.2f} {self.unit}"
        return f"| {self.name} | {self.what} | {spread} | {theirs} | {value} | {bar} | {verdict} |"

    def as_dict(self):
        return {"name": self.name, "what": self.what, "ours": self.ours, "theirs": self.theirs, "value": self.value,
                "bar": self.bar, "unit": self.unit, "at_least": self.at_least, "reached": self.reached}


HEADING = ("| Row | What | benji: median [range] | restic | Value | Bar | |\n"
           "|---|---|---|---|---|---|---|")


def mount_rows(figures):
    """The rows of "bench mount"; beside each cached one stands the C program, beside each cold one restic."""
    def ours(step):
        return figures.get(("benji", step), [])

    def best(side, step):
        values = figures.get((side, step), [])
        return [min(values)] if values else []

    rows = [
        Row(f"mount-random-{jobs}", f"cached 4 KiB reads, {jobs} at once, best CPU µs a read, beside C", 1.3, "µs",
            best("benji", f"cached-random-{jobs}"), best("reference", f"cached-random-{jobs}"))
        for jobs in (1, 4)
    ]
    return rows + [
        Row("mount-stream", "cached sequential reads, best CPU s per GiB, beside C", 1.1, "s",
            best("benji", "cached-stream"), best("reference", "cached-stream")),
        Row("mount-cold-cpu", "cold sequential read of a version, CPU s", 0.5, "s",
            ours("cold-cpu"), figures.get(("restic", "cold-cpu"), [])),
        Row("mount-cold-rate", "cold sequential read of a version, MiB/s", 2, "MiB/s",
            ours("cold-rate"), figures.get(("restic", "cold-rate"), []), at_least=True),
        Row("mount-cold-random", "cold random 4 KiB, middle one, ms", 1, "ms", ours("cold-random")),
        Row("mount-first", "first byte after benji mount is started, s", 1, "s", ours("first-byte")),
        Row("mount-returned", "first byte after benji mount has returned, ms", 50, "ms", ours("first-returned")),
        Row("mount-first-many", "first byte after the start, 10,000 versions, s", 1, "s", ours("many-first-byte")),
        Row("mount-returned-many", "first byte after the return, 10,000 versions, ms", 50, "ms",
            ours("many-first-returned")),
        Row("mount-list-cold", "ls -lR of 10,000 versions, cold, s", 2, "s", ours("list-cold")),
        Row("mount-list-warm", "ls -lR of 10,000 versions, warm, s", 0.2, "s", ours("list-warm")),
    ]


def rows_of(figures, lanes):
    """The table out of lists of figures by name; rows without figures are left out."""
    def cpu(step):
        return [cost.cpu for cost in figures.get(("benji", step), [])]

    def restic(step):
        return [cost.cpu for cost in figures.get(("restic", step), [])]

    per_gib = figures.get("gib", 1)
    made = [
        Row("initial", "first backup, CPU s per GiB", 0.28, "s",
            [c / per_gib for c in cpu("initial")], [c / per_gib for c in restic("initial")]),
        Row("unchanged", f"unchanged, no hints, {lanes} lanes, CPU s per GiB", 0.15 if lanes == 8 else 0.25, "s",
            [c / per_gib for c in cpu("unchanged")], [c / per_gib for c in restic("unchanged")]),
        Row("bound", "share of the CPU bound reached by it, start-up excluded", 80, "%",
            figures.get("bound", []), at_least=True),
        Row("day2", "1 % changed, with hints, whole command, CPU s", 0.45, "s", cpu("day2")),
        Row("scattered", "512 scattered writes of 4 KiB, MB added", 20, "MB", figures.get("scattered", [])),
        Row("clone", "clone with 10 % replaced, MB added", 155, "MB", figures.get("clone", [])),
        Row("restore", "restore, CPU s", 0.35, "s", cpu("restore"), restic("restore")),
        Row("deep-scrub", "deep-scrub, check --read-data, CPU s per stored GB", 0.33, "s",
            figures.get("our-check", []), figures.get("their-check", [])),
        Row("memory", "most memory of any command, MiB", 150, "MiB", figures.get("memory", [])),
        Row("ls", "ls with 10,000 versions, CPU s", 1, "s", cpu("ls")),
        Row("volume-1", "simulated 1 TiB, 1 % changed: catalog and map work, CPU s", 1, "s",
            figures.get("volume-1", [])),
        Row("volume-10", "simulated 10 TiB, 1 % changed: catalog and map work, CPU s", 10, "s",
            figures.get("volume-10", [])),
        Row("cleanup", "cleanup of a simulated 10 TiB store, peak memory, MiB", 150, "MiB",
            [cost.mebibytes for cost in figures.get(("benji", "cleanup"), [])]),
        *mount_rows(figures),
    ]
    return [row for row in made if row.ours and (row.theirs is None or row.theirs)]
