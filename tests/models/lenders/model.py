"""The model of lenders: its rules, its beginnings, what must always hold, and what may follow a state."""
from functools import partial

from explore import Move, Violation
from . import cleanup, damage, reading, writer
from .steps import STEPS
from .world import CONTENTS, DELTA, LIVE, OWN, WHOLE, Budget, Catalog, Object, Process, Row, Version, World

# What is new. Each can be left out; run.py knows what comes of that.
RULES = frozenset([
    'own',                          # who borrows compares the frames with those that the lender's object holds itself
    'reserve',                      # a delta's id is reserved before its object is put
    'look again',                   # recording looks at the lenders again, in its own transaction
    'as seen',                      # and does not write over a row that has changed since the run looked
    'closure',                      # a candidate is made live with its lenders, and theirs
    'order',                        # cleanup deletes borrowers before lenders
    'strays',                       # while unknown objects may lie there, a delta is put only where none does
    'look for doubtful',            # candidates, and rows of runs that made no version, are looked for before use
    'read doubtful headers',        # and of deltas the lenders are compared
    'count failures',               # a pass ends nothing that a run forgotten since has begun
    'listed whole',                 # nor what it left alone for its age
    'fallback',                     # a reader tries the delta where the whole object is damaged
    'name what failed',             # damage marks the block whose object failed, not only the one that was read
    'mark first',                   # then looks for who borrows from it
    'a mark is new',                # marking a block that is marked already can be told from the first time
    'revalidate looks again',       # a scrub does not make valid what another one has marked meanwhile
    'publication',                  # a version that uses a block marked meanwhile is published as invalid
    'rebuild keeps lost lenders',   # as invalid rows
    'rebuild marks borrowers',      # of lenders that are invalid or do not own the frames
])
TODAY = frozenset(['look for doubtful'])
VARIANTS = frozenset(['never over'])

PROGRAMS = {'backup': writer.backup, 'cleanup': cleanup.cleanup, 'young cleanup': cleanup.young_cleanup,
            'scrub': damage.scrub}


class Model:
    """Rules, a universe of blocks (see CONTENTS), a budget, and a beginning: blocks that are published, each whole or
    as a delta of another (`X/L`), and blocks of versions that are removed already (`-X/L`)."""

    def __init__(self, rules=RULES, universe='star', budget=Budget(backups=2), together=2, begin=()):
        self.rules, self.contents, self.budget = rules, CONTENTS[universe], budget
        self.together, self.begin = together, begin
        self.frames = len(next(iter(self.contents.values())))

    def choose(self, block, base, owners):
        return reading.choose(self.contents, block, base, owners)

    def initial(self):
        objects, rows, versions = {}, {}, set()
        for number, text in enumerate(self.begin, 1):
            block, _, base = text.strip('-').partition('/')
            form, owners = WHOLE, (OWN,) * self.frames
            if base:
                form, owners = DELTA, self.choose(block, base, self.owners_of(objects, base))
            objects[block, form] = Object(owners, False, 0)
            rows[block] = Row(LIVE, form, reading.loans_of(owners), reading.own_of(owners), False, 0)
            versions |= set() if text.startswith('-') else {Version(number, block, True)}
        catalog = Catalog(versions=frozenset(versions)).with_rows(rows)
        return World(catalog, tuple(sorted(objects.items())), self.budget, frozenset(versions), clock=len(self.begin))

    @staticmethod
    def owners_of(objects, block):
        return next(objects[block, form].owners for form in (WHOLE, DELTA) if (block, form) in objects)

    def successors(self, world):
        moves = [Move('step', f'{process.name}: {text}', partial(self.checked, world, lambda after=after: after))
                 for process in world.processes for text, after in self.steps(world, process)]
        if world.processes and not moves:
            return [Move('step', 'nobody can go on', lambda: Violation('STUCK: nobody can go on'))]
        return moves + [move._replace(make=partial(self.checked, world, move.make))
                        for move in self.starts(world) + damage.faults(self, world)]

    def steps(self, world, process):
        return STEPS[process.program[0]](self, world, process._replace(program=process.program[1:]))

    def starts(self, world):
        moves, budget = [], world.budget
        if len(world.processes) < self.together:
            if budget.backups:
                moves += [self.start(world, 'backup', 'backups', block) for block in self.contents]
            cleaning = any(process.kind.endswith('cleanup') for process in world.processes)
            for kind, what in (('cleanup', 'cleanups'), ('young cleanup', 'young'), ('scrub', 'scrubs')):
                if getattr(budget, what) and not (cleaning and kind != 'scrub'):
                    moves.append(self.start(world, kind, what))
        return moves + (self.removals(world) if budget.removals else [])

    def start(self, world, kind, what, block=None):
        alone = not world.processes and not world.faulted
        process = Process(world.next, kind, PROGRAMS[kind](self), block, alone=alone)
        return Move('start', f'start {process.name}' + (f' of {block}' if block else ''), lambda: world.spend(
            what, processes=disturbed(world) + (process,), next=world.next + 1))

    @staticmethod
    def removals(world):
        """Removals in one step. A version that a run starts from, or a scrub reads, stays."""
        held = {process.base.number for process in world.processes if process.base}
        return [Move('start', f'rm {version.number}', lambda version=version: world.spend(
            'removals', processes=disturbed(world), manifests=world.manifests - {version}, copy=None, image=None,
            catalog=world.catalog._replace(versions=world.catalog.versions - {version})))
            for version in sorted(world.catalog.versions) if version.number not in held]

    def checked(self, before, make):
        """What a move leads to, or what it breaks."""
        world = make()
        if isinstance(world, Violation) or (world.objects is before.objects and world.reported is before.reported
                                            and world.catalog.versions is before.catalog.versions):
            return world
        objects = dict(world.objects)
        sound = {key: stored for key, stored in world.objects if not stored.damaged}
        unknown = {**objects, **{key: stored for key, stored in world.hurt if key not in world.reported}}
        for version in sorted(world.catalog.versions):
            if not version.valid:
                if not world.faulted:
                    return Violation(f'FALSE ALARM: version {version.number} is invalid without damage')
            elif not self.can_read(unknown, version):
                return Violation(
                    f'LOSS: version {version.number} is valid, and its block {version.block} cannot be read')
            elif self.can_read(sound, version) and not self.can_read(objects, version):
                return Violation(f'HIDDEN: block {version.block} could be read if a damaged object did not lie there')
        return world

    def can_read(self, objects, version):
        return reading.read(self.rules, objects, version.block, self.frames)[0]


def disturbed(world):
    """The commands under way, which something else has happened beside."""
    return tuple(process._replace(alone=False) for process in world.processes)
