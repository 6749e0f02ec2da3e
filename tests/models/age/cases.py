"""The cases of age marks: beginnings and faults under which the protocol must hold, and what each of its rules is
for."""
from cases import Case
from .model import RULES, VARIANTS, Model
from .world import Budget


def settings(commands, together=2, kinds=None, begin='used', holes=False, batches=1, **budget):
    kinds = {'commands': tuple(kinds.split(', '))} if kinds else {}
    return lambda rules: Model(rules, Budget(commands=commands, **budget), together, begin, holes=holes,
                               batches=batches, **kinds)


def holds(name, rules=RULES, **how):
    return Case('age: ' + name, settings(**how), rules)


HOLDING = [
    holds('no fault', commands=4, kills=1),
    holds('no fault, three at once', commands=6, kills=2, together=3),
    holds('no fault, batches of one block', commands=4, kills=1, batches=2, begin='removed'),
    holds('no fault, young objects', commands=4, kills=1, kinds='backup x, backup y, rm, cleanup, young cleanup'),
    holds('no fault, deleted marks are forgotten at once', RULES | VARIANTS, commands=4, kills=1),
    holds('nothing published', commands=4, kills=1, begin='fresh'),
    holds('two catalogs bind at once', commands=4, kills=1, begin='two'),
    holds('a fork of an empty catalog', commands=4, kills=1, copies=1, forks=1, begin='fresh'),
    holds('an empty catalog rolled back', commands=4, kills=1, copies=1, rollbacks=1, begin='fresh'),
    holds('an older storage, nothing published', commands=4, kills=1, images=1, replacements=1, begin='fresh'),
    holds('an older catalog', commands=4, kills=1, copies=1, rollbacks=1),
    holds('an older storage', commands=4, kills=1, images=1, replacements=1),
    holds('an older storage, young objects', commands=4, kills=1, images=1, replacements=1,
          kinds='backup x, backup y, rm, cleanup, young cleanup'),
    holds('a fork', commands=4, kills=1, copies=1, forks=1),
    holds('a fork, something to clean up', commands=4, kills=1, copies=1, forks=1, begin='removed'),
    holds('a rebuild beside the first catalog', commands=4, kills=1, rebuilds=1),
    holds('a rebuild of a storage that cannot be written', commands=4, kills=1, readonly_rebuilds=1),
    holds('everything together', commands=7, kills=2, copies=2, rollbacks=1, forks=1, images=2, replacements=1,
          rebuilds=1, readonly_rebuilds=1, together=3),
]


def loses(rules, expected, *script, seed=1, name=None, **how):
    left_out = frozenset(rules.split(', ')) if rules else frozenset()
    return Case('age: ' + (name or 'without ' + ', '.join(sorted(left_out))), settings(**how), RULES, left_out,
                expected, script, seed)


COPY = ('COPY of the storage: marks', 'COPY of the storage: manifests', 'COPY of the storage: blocks')
STORAGE = dict(images=1, replacements=1)
FORK = dict(copies=1, forks=1)

LOSING = [
    loses('last look', 'LOSS',
          'COPY of catalog', 'FORK', 'start cleanup 10@B', 'start backup x 11@A', '10@B: >> reads versions',
          '11@A: >> agree', '10@B: >> tx: claims', '10@B: >> DELETE x', '11@A: >> tx: publishes', commands=2,
          begin='removed', kinds='backup x, cleanup', **FORK),
    loses('claim look', 'LOSS',
          'COPY of catalog', 'FORK', 'start cleanup 10@A', '10@A: >> are known', 'start backup x 11@B', '11@B: >> DONE',
          '10@A: >> DELETE x', commands=2, begin='removed', kinds='backup x, cleanup', **FORK),
    loses('claim mark', 'LOSS',
          'COPY of catalog', 'FORK', 'start cleanup 10@A', '10@A: >> lease away', 'start backup x 12@B',
          '12@B: >> tx: publishes', commands=2, begin='removed', kinds='backup x, cleanup', **FORK),
    loses('keep claimed mark', 'LOSS',
          'COPY of catalog', 'FORK', 'start backup x 10@B', '10@B: >> agree', 'start cleanup 11@A', '11@A: >> DELETE x',
          '11@A: killed', 'start backup x 13@A', '13@A: >> PUT mark', '10@B: >> PUT mark', '13@A: >> forgets',
          '10@B: >> tx: publishes', commands=3, kills=1, begin='removed', kinds='backup x, cleanup', **FORK),
    loses('recovery look', 'LOSS',
          'COPY of catalog', 'FORK', 'start backup y 10@A', '10@A: >> tx: row of y', 'start cleanup 11@B',
          '11@B: >> orphans', '10@A: >> PUT manifest', '10@A: killed', 'start rm 13@A', '13@A: >> agree',
          '11@B: >> DELETE y', '13@A: >> tx: adds', commands=3, kills=1, **FORK),
    loses('publish mark', 'UNNOTICED', *COPY, 'start backup y 10@A', '10@A: >> DONE', 'REPLACE', commands=1, **STORAGE),
    loses('recovery mark', 'FALSE ALARM',
          'start backup y 10@A', '10@A: >> PUT manifest', '10@A: killed', 'start backup x 12@A', '12@A: >> tx: adds',
          '12@A: >> is refused', commands=2, kills=1),
    loses('rm mark', 'UNNOTICED',
          'COPY of catalog', 'start rm 10@A', '10@A: >> is gone', '10@A: DELETE', 'ROLL BACK', 'start backup x 12@A',
          '12@A: >> agree', commands=2, copies=1, rollbacks=1),
    loses('second look', 'FALSE ALARM',
          'start backup x 10@A', 'start backup x 11@A', '10@A: >> PUT manifest', '11@A: LIST', '10@A: >> DONE',
          '11@A: is refused', commands=2),
    loses('only what it replaces', 'UNNOTICED',
          'start backup y 10@A', 'start backup x 11@A', '10@A: >> begins', '11@A: >> PUT mark', *COPY, '10@A: >> DONE',
          '11@A: >> DONE', 'REPLACE', commands=2, **STORAGE),
    loses('doubt', 'LOSS', *COPY, 'start backup y 10@A', '10@A: >> row of y', 'REPLACE', 'start backup y 11@A',
          '11@A: >> tx: publishes', commands=2, **STORAGE),
    loses('doubt when taken', 'LOSS', *COPY, 'start backup y 10@A', '10@A: >> row of y', 'REPLACE', 'start rm 11@A',
          '11@A: >> tx: recovers', 'start backup y 12@A', '12@A: >> tx: publishes', commands=3, **STORAGE),
    loses('find candidates', 'LOSS', *COPY, 'start cleanup 10@A', '10@A: >> reads versions', 'start backup y 11@A',
          '11@A: >> row of y', '10@A: tx: moves rows', 'REPLACE', 'start backup y 12@A', '12@A: >> tx: publishes',
          commands=3, **STORAGE),
    loses('count failures', 'LOSS', *COPY, 'start young cleanup 10@A', '10@A: >> moves rows', 'start backup y 11@A',
          '11@A: >> row of y', '11@A: fails', '11@A: >> forgets', '10@A: >> lease away', 'REPLACE',
          'start backup y 12@A', '12@A: >> tx: publishes', commands=3, kills=1, kinds='backup y, young cleanup',
          **STORAGE),
    loses('listed whole', 'STRAYS', 'start backup y 10@A', '10@A: >> PUT y', '10@A: killed', 'start young cleanup 11@A',
          '11@A: >> is complete', commands=2, kills=1, kinds='backup y, young cleanup'),
    loses('rebuild second mark', 'LOSS', 'start backup y 10@A', '10@A: >> agree', 'start rebuild 11@B',
          '11@B: PUT mark', *COPY, '10@A: >> PUT manifest', '11@B: >> DELETE marks', 'REPLACE', 'start backup y 14@B',
          '14@B: >> tx: publishes', commands=2, rebuilds=1, **STORAGE),
    loses('rebuild lists marks first', 'UNNOTICED', 'start rm 10@A', '10@A: >> nothing to recover',
          'start rebuild 11@B', '11@B: >> LIST blocks', '10@A: >> PUT mark', '11@B: >> DELETE marks',
          '10@A: >> DELETE old', 'start backup y 15@B', '15@B: >> agree', commands=2, rebuilds=1, kinds='backup y, rm'),
    loses('rebuild deletes what it listed', 'UNNOTICED', 'start rm 10@A', '10@A: >> nothing to recover',
          'start rebuild 11@B', '11@B: >> tx: catalog', '10@A: >> PUT mark', '11@B: DELETE marks',
          '10@A: >> DELETE old', 'start backup y 15@B', '15@B: >> agree', commands=2, rebuilds=1, kinds='backup y, rm'),
    loses('unclaimed serves readers', 'LOSS', *COPY, 'start backup y 10@A', '10@A: >> PUT manifest',
          'start readonly rebuild 12@B', '12@B: >> tx: catalog', 'REPLACE', 'start backup y 13@B',
          '13@B: >> tx: publishes', commands=2, readonly_rebuilds=1, **STORAGE),
    loses('copy marks first', 'UNNOTICED', 'COPY of the storage: manifests', 'COPY of the storage: blocks',
          'start backup y 10@A', '10@A: >> DONE', 'COPY of the storage: marks', 'REPLACE', commands=1, **STORAGE),
    loses('copy manifests before blocks', 'LOSS', 'COPY of the storage: marks', 'COPY of the storage: blocks',
          'start backup y 10@A', '10@A: >> PUT manifest', 'COPY of the storage: manifests', 'REPLACE',
          'start backup x 12@A', '12@A: >> tx: adds', commands=2, **STORAGE),
]

# What the protocol does not cover, and says so.
HOLES = [
    loses('', 'LOSS', 'start backup y 10@A', '10@A: >> is pending', 'COPY of catalog', 'FORK', 'start cleanup 12@B',
          '12@B: >> are known', '10@A: >> agree', '12@B: >> DELETE y', '10@A: tx: publishes',
          name='hole: a catalog copied while a mark is pending, at work while that run stands still', commands=2,
          holes=True, **FORK),
    loses('', 'LOSS', 'start cleanup 10@A', '10@A: >> tx: claims', '10@A: >> agree', 'start rebuild 12@B',
          '12@B: >> DELETE marks', 'start backup x 15@B', '15@B: >> DONE', '10@A: DELETE x',
          name='hole: a rebuild while the first catalog is inside a batch of DELETEs', commands=2, begin='removed',
          holes=True, rebuilds=1),
]

# Each guards what another rule guards too; leaving one out alone loses nothing within the bounds.
IN_DEPTH = ['first look', 'late mark', 'manifests']
