"""What the model of age marks consists of: catalogs, one storage, commands under way, and what may still go wrong.

Blocks are 'x' and 'y', always whole. A version's number is the time at which its run began; marks and commands are
numbered as they come.
"""
from typing import NamedTuple, Optional

PENDING, REQUIRED, RETIRED = 'pending', 'required', 'retired'
LIVE, CANDIDATE, DELETING, ORPHAN = 'live', 'candidate', 'deleting', 'orphan'


class Row(NamedTuple):
    """A block in a catalog: where it stands between use and deletion, and since when."""
    state: str
    since: int


class Version(NamedTuple):
    number: int
    blocks: tuple


class Intent(NamedTuple):
    """What a command is about to publish or remove; `owner` is the command, or the one that finishes it."""
    kind: str
    version: Version
    owner: int
    mark: Optional[int]
    over: frozenset


class Claim(NamedTuple):
    """The one batch of rows in deleting, with its mark and the marks that were required when it was recorded."""
    mark: int
    over: frozenset
    blocks: tuple


class Catalog(NamedTuple):
    rows: tuple = ()                    # of (block, Row), sorted
    versions: frozenset = frozenset()
    intents: tuple = ()
    marks: tuple = ()                   # of (mark, state), sorted: every mark that is known
    doubt: Optional[int] = None         # rows since then are looked for in the storage before they are used
    strays: bool = False                # an object without a row may be there
    failed: int = 0                     # how many runs were forgotten
    claim: Optional[Claim] = None
    cleaner: int = 0                    # the command that holds the lease on cleanup
    unclaimed: bool = False             # made from a storage that could not be written: it serves readers only

    def row(self, block):
        return dict(self.rows).get(block)

    def with_row(self, block, row):
        rows = {**dict(self.rows), block: row}
        return self._replace(rows=tuple(sorted((key, value) for key, value in rows.items() if value is not None)))

    def marks_in(self, *states):
        return frozenset(mark for mark, state in self.marks if state in states)

    def with_marks(self, marks, state):
        return self._replace(marks=tuple(sorted({**dict(self.marks), **{mark: state for mark in marks}}.items())))

    def without_intent(self, number):
        return self._replace(intents=tuple(intent for intent in self.intents if intent.version.number != number))

    def intent(self, number):
        return next((intent for intent in self.intents if intent.version.number == number), None)


class Storage(NamedTuple):
    blocks: frozenset = frozenset()
    manifests: frozenset = frozenset()  # of Version
    marks: frozenset = frozenset()


class Process(NamedTuple):
    """A command under way: what it still has to do, and what it keeps in mind."""
    number: int
    side: int                           # whose catalog: 0 is A, 1 is B
    kind: str
    program: tuple                      # names of steps
    blocks: tuple = ()                  # what a backup has yet to store
    version: Optional[Version] = None
    mark: Optional[int] = None
    seen: object = None                 # the last listing
    before: object = None               # what differed in the look before
    undo: tuple = ()                    # steps that a refusal takes
    intent: Optional[Intent] = None     # what is being finished
    roots: object = None                # what a pass of cleanup goes by

    @property
    def name(self):
        return f'{self.kind} {self.number}@{"AB"[self.side]}'


class Budget(NamedTuple):
    """How much may still happen."""
    commands: int = 0
    kills: int = 0
    copies: int = 0                     # of catalog A
    rollbacks: int = 0                  # of catalog A to its copy
    forks: int = 0                      # the copy is put to work as B
    images: int = 0                     # copies of the storage
    replacements: int = 0               # of the storage by its copy
    rebuilds: int = 0                   # into B
    readonly_rebuilds: int = 0          # into B, of a storage that cannot be written meanwhile


class World(NamedTuple):
    catalogs: tuple                     # A and B; None for one that does not exist
    storage: Storage
    budget: Budget
    processes: tuple = ()
    done: frozenset = frozenset()       # versions that were reported as done and that nobody removed
    removed: frozenset = frozenset()    # versions that a command removed to the end
    copy: Optional[Catalog] = None
    image: Optional[Storage] = None
    clock: int = 1                      # the time: the number of the run that began last
    next: int = 10                      # the next number of a mark or a command
    faulted: bool = False               # something was rolled back, copied into use, forked or rebuilt

    def spend(self, what, **changes):
        """The state in which one of a budget is used up, and other things are as given."""
        left = getattr(self.budget, what) - 1
        return self._replace(budget=self.budget._replace(**{what: left}), **changes)

    def after(self, process, catalog=None, storage=None, **changes):
        """The state in which a command is as given; one without steps left has ended."""
        processes = tuple(process if old.number == process.number else old
                          for old in self.processes if old.number != process.number or process.program)
        catalogs = self.catalogs
        if catalog is not None:
            catalogs = tuple(catalog if side == process.side else old for side, old in enumerate(self.catalogs))
        return self._replace(processes=processes, catalogs=catalogs, storage=storage or self.storage, **changes)

    def alive(self, side):
        return {process.number for process in self.processes if process.side == side}

    def runs(self, side):
        """The times at which the living backups of a catalog began."""
        alive = self.alive(side)
        return [intent.version.number for intent in self.catalogs[side].intents
                if intent.kind == 'publish' and intent.owner in alive]

    def missing(self, blocks):
        return sorted(set(blocks) - self.storage.blocks)
