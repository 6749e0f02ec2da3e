"""The model of age marks: its rules, its beginnings, and what may follow a state."""
from explore import Move, Violation
from . import cleanup, commands, rebuild
from .faults import faults
from .looks import STEPS
from .world import LIVE, REQUIRED, Budget, Catalog, Process, Row, Storage, Version, World

# Everything that the protocol does. Each can be left out; run.py knows what comes of that.
RULES = frozenset([
    'first look',                   # a command begins with a look
    'last look',                    # a backup looks after its manifest and its mark, before it publishes
    'claim look',                   # a cleanup looks between its mark and its first DELETE
    'recovery look',                # whoever publishes a dead run's version looks before
    'second look',                  # what differs in one look only is a race
    'publish mark', 'rm mark', 'claim mark', 'recovery mark',
    'late mark',                    # a backup notes its mark after its rows, not at its beginning
    'only what it replaces',        # CONFIRM retires what was required when the mark was noted, nothing else
    'keep claimed mark',            # whoever finishes a dead claim leaves its mark where it is when refused
    'doubt',                        # rows that a run without a version left are looked up before use
    'doubt when taken',             # from the transaction on in which somebody takes the dead run's intent over
    'find candidates',              # and candidates always
    'count failures',               # a pass ends no doubt when a run was forgotten since it began
    'listed whole',                 # nor the suspicion of strays when it left young objects alone
    'manifests',                    # a cleanup compares manifests with the catalog
    'rebuild second mark',          # a rebuild requires a mark that it put after it listed everything
    'rebuild lists marks first',    # and lists again when another mark has come since its first listing
    'rebuild deletes what it listed',   # of the marks, not all but its own
    'unclaimed serves readers',     # a catalog made from a storage that could not be written refuses to write
    'copy marks first',             # whoever copies a storage copies the marks first
    'copy manifests before blocks',
])
# Left out of the protocol: it changes only how long retired marks stay known.
VARIANTS = frozenset(['drop at once'])

PROGRAMS = {'cleanup': cleanup.cleanup, 'young cleanup': cleanup.young_cleanup, 'rm': commands.rm,
            'rebuild': rebuild.rebuild, 'readonly rebuild': rebuild.readonly_rebuild}
COMMANDS = ('backup x', 'backup y', 'rm', 'cleanup')


class Model:
    """Rules, a budget of commands and faults, and a beginning: 'used', 'removed' (its version is gone, its block is
    not), 'fresh' (bound, nothing published) or 'two' (two catalogs that bound an empty storage at once)."""

    def __init__(self, rules=RULES, budget=Budget(commands=4, kills=1), together=2, begin='used', commands=COMMANDS,
                 holes=False, batches=1):
        self.rules, self.budget, self.together, self.begin, self.commands = rules, budget, together, begin, commands
        self.holes, self.batches = holes, batches
        self.groups = (('x', 'y'),) if batches == 1 else (('x',), ('y',))

    def initial(self):
        if self.begin in ('used', 'removed'):
            versions = frozenset([Version(1, ('x',))] if self.begin == 'used' else [])
            catalog = Catalog(rows=(('x', Row(LIVE, 1)),), versions=versions).with_marks([1], REQUIRED)
            return World((catalog, None), Storage(frozenset('x'), versions, frozenset([1])), self.budget, done=versions)
        second = Catalog() if self.begin == 'two' else None
        return World((Catalog(), second), Storage(), self.budget, faulted=self.begin == 'two')

    def successors(self, world):
        moves = [Move('step', f'{process.name}: {text}', lambda after=after: after)
                 for process in world.processes for text, after in self.steps(world, process)]
        if world.processes and not moves and not self.waits(world):
            return [Move('step', 'nobody can go on', lambda: Violation('STUCK: nobody can go on'))]
        return moves + self.starts(world) + faults(self, world)

    def steps(self, world, process):
        return STEPS[process.program[0]](self, world, process._replace(program=process.program[1:]))

    def waits(self, world):
        """A rebuild that waits for the other catalog's cleanup stands for a rule that the model does not break."""
        return any(process.kind.endswith('rebuild') for process in world.processes)

    def starts(self, world):
        moves, budget = [], world.budget
        if budget.commands and len(world.processes) < self.together:
            moves += [self.start(world, side, kind, 'commands')
                      for side in (0, 1) for kind in self.commands if self.may_start(world, side, kind)]
        if world.catalogs[1] is None and not any(process.side for process in world.processes):
            moves += [self.start(world._replace(faulted=True), 1, kind, what)
                      for kind, what in (('rebuild', 'rebuilds'), ('readonly rebuild', 'readonly_rebuilds'))
                      if getattr(budget, what)]
        return moves

    @staticmethod
    def may_start(world, side, kind):
        catalog = world.catalogs[side]
        if catalog is None or kind == 'rm' and not catalog.versions:
            return False
        return not (kind.endswith('cleanup') and any(process.kind.endswith('cleanup') and process.side == side
                                                     for process in world.processes))

    def start(self, world, side, kind, what):
        blocks = tuple(kind.split()[1]) if kind.startswith('backup') else ()
        program = commands.backup(self, blocks) if blocks else PROGRAMS[kind](self)
        process = Process(world.next, side, kind, program, blocks)
        return Move('start', f'start {process.name}', lambda: world.spend(
            what, processes=world.processes + (process,), next=world.next + 1))
