"""What the model of lenders consists of: blocks of frames, their objects in one storage, one catalog, and commands
under way.

A version is one block. The time is the number of the run that began last; a run, its version and its reservations carry
that number.
"""
from typing import NamedTuple, Optional

LIVE, CANDIDATE, DELETING, ORPHAN = 'live', 'candidate', 'deleting', 'orphan'
WHOLE, DELTA = 'whole', 'delta'
OWN = None                              # the owner of a frame that the object holds itself

# Blocks by name, each a text with a letter for each frame. In 'star' every block can borrow frame 0 from every other
# one. In 'chain' X borrows frame 1 from L, L frame 0 from M, and N has the frame that M lends. In 'three' L as a delta
# of X owns frame 2, as a delta of Z frame 0, and K can borrow frame 2 from it.
CONTENTS = {
    'star': {'L': 'ab', 'X': 'ax', 'Y': 'ay'},
    'chain': {'M': 'am', 'L': 'ab', 'X': 'xb', 'N': 'an'},
    'three': {'L': 'abc', 'X': 'abx', 'Z': 'zbc', 'K': 'kbc'},
}


class Object(NamedTuple):
    """A sealed block: the owner of each frame, whether its frames are damaged (its header still opens), when it was
    put."""
    owners: tuple
    damaged: bool
    at: int

    def owns(self, frame):
        return self.owners[frame] is OWN


class Row(NamedTuple):
    """A block in the catalog. `loans` are pairs of a lender and the frames borrowed from it; `own` are the frames that
    the object holds itself, None when it is whole."""
    state: str
    form: str
    loans: tuple
    own: Optional[frozenset]
    invalid: bool
    since: int

    @property
    def lenders(self):
        return [lender for lender, _ in self.loans]


class Version(NamedTuple):
    number: int
    block: str
    valid: bool


class Catalog(NamedTuple):
    rows: tuple = ()                    # of (block, Row), sorted
    versions: frozenset = frozenset()
    intents: frozenset = frozenset()    # of (number of the run, block)
    reservations: tuple = ()            # of (block, number of the run), sorted
    doubt: Optional[int] = None
    strays: bool = False
    failed: int = 0
    cleaner: int = 0

    def row(self, block):
        return next((row for name, row in self.rows if name == block), None)

    def with_rows(self, changes):
        rows = {**dict(self.rows), **changes}
        return self._replace(rows=tuple(sorted((name, row) for name, row in rows.items() if row is not None)))

    def reserved(self, block):
        return next((run for name, run in self.reservations if name == block), None)

    def without_reservation(self, block):
        return self._replace(reservations=tuple(pair for pair in self.reservations if pair[0] != block))

    def borrowers(self, lenders):
        return frozenset(name for name, row in self.rows if not lenders.isdisjoint(row.lenders))


class Process(NamedTuple):
    """A command under way: what it still has to do, and what it keeps in mind."""
    number: int
    kind: str
    program: tuple
    block: Optional[str] = None         # what a backup stores, what a scrub reads
    base: Optional[Version] = None      # the version that a backup starts from
    may_lend: bool = False
    run: int = 0                        # the time at which a backup began, the number of its version
    row: Optional[Row] = None           # the row as it was seen
    owners: Optional[tuple] = None      # the plan of a delta
    roots: object = None                # what a pass of cleanup or a scrub goes by
    todo: tuple = ()
    alone: bool = False                 # nothing else has run or happened since it began

    @property
    def name(self):
        return f'{self.kind} {self.number}'


class Budget(NamedTuple):
    """How much may still happen."""
    backups: int = 0
    removals: int = 0
    cleanups: int = 0
    young: int = 0                      # cleanups whose grace period has not passed for anything
    scrubs: int = 0
    kills: int = 0
    damages: int = 0
    losses: int = 0                     # of an object
    rebuilds: int = 0
    rollbacks: int = 0                  # of the catalog, as long as no mark has come since
    replacements: int = 0               # of the storage by a copy, likewise
    foreign: int = 0                    # deltas that another catalog's run puts before it is refused


class World(NamedTuple):
    catalog: Catalog
    objects: tuple                      # of ((block, form), Object), sorted
    budget: Budget
    manifests: frozenset = frozenset()  # of Version
    processes: tuple = ()
    hurt: tuple = ()                    # of ((block, form), Object as it was before it was damaged or lost)
    reported: frozenset = frozenset()   # of (block, form): what a scrub or rebuild has found, and marked to the end
    copy: Optional[Catalog] = None      # a copy of the catalog that the marks cannot tell from it
    image: Optional[tuple] = None       # the same of the storage: objects and manifests
    clock: int = 0
    next: int = 1
    faulted: bool = False               # an object was damaged or lost, or a half was rolled back

    def object(self, block, form):
        return next((found for key, found in self.objects if key == (block, form)), None)

    def spend(self, what, **changes):
        """The state in which one of a budget is used up, and other things are as given."""
        left = getattr(self.budget, what) - 1
        return self._replace(budget=self.budget._replace(**{what: left}), **changes)

    def after(self, process, catalog=None, **changes):
        processes = tuple(process if old.number == process.number else old
                          for old in self.processes if old.number != process.number or process.program)
        return self._replace(processes=processes, catalog=catalog or self.catalog, **changes)

    def put(self, block, form, stored):
        """The objects after one was put. A new object is sound, whatever became of the one before."""
        key = (block, form)
        return {'objects': tuple(sorted({**dict(self.objects), key: stored}.items(), key=lambda item: item[0])),
                'hurt': tuple(pair for pair in self.hurt if pair[0] != key), 'reported': self.reported - {key}}

    def delete(self, block, form):
        key = (block, form)
        return {'objects': tuple(pair for pair in self.objects if pair[0] != key),
                'hurt': tuple(pair for pair in self.hurt if pair[0] != key), 'reported': self.reported - {key}}

    def living_runs(self):
        return {process.run for process in self.processes if process.run}
