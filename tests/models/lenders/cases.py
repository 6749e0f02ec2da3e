"""The cases of lenders: what is lost by the rules of today, what the new rules must keep, and what each of them is
for."""
from cases import Case
from .model import RULES, TODAY, VARIANTS, Model
from .world import Budget


def settings(universe='star', begin='', together=2, **budget):
    return lambda rules: Model(rules, universe, Budget(**budget), together, tuple(begin.split()))


def holds(name, rules=RULES, **how):
    return Case('lenders: ' + name, settings(**how), rules)


HOLDING = [
    holds('a cleanup beside backups', begin='L X/L Y', backups=3, removals=2, cleanups=1, kills=1),
    holds('a cleanup beside backups, everything removed', begin='-L -X/L Y', backups=3, cleanups=2, kills=1),
    holds('two bases', begin='X Y', backups=3, removals=2, cleanups=1, kills=1, together=3),
    holds('two bases, three frames', universe='three', begin='X Z', backups=3, removals=1, cleanups=1, kills=1,
          together=3),
    holds('lenders of lenders', universe='chain', begin='-M -L/M -X/L N', backups=3, cleanups=2, kills=1),
    holds('lenders of lenders, published', universe='chain', begin='M L/M X/L N', backups=3, removals=3, cleanups=1,
          kills=1),
    holds('damage', begin='L X/L', backups=2, damages=1, scrubs=2, kills=1, together=3),
    holds('damage and cleanup', begin='L X/L Y', backups=3, removals=1, cleanups=1, damages=1, scrubs=1, kills=1),
    holds('damage twice', universe='chain', begin='M L/M X/L', backups=2, damages=2, scrubs=2, kills=1),
    holds('a loss and a rebuild', begin='-L X/L Y', backups=3, cleanups=1, losses=1, rebuilds=1, kills=1),
    holds('damage, a loss and a rebuild', universe='chain', begin='M L/M X/L N', backups=3, removals=1, cleanups=1,
          damages=1, losses=1, scrubs=1, rebuilds=1),
    holds('an older catalog', begin='X Y', backups=3, removals=1, cleanups=1, kills=1, rollbacks=1),
    holds('an older storage', begin='X Y', backups=3, removals=1, cleanups=1, kills=1, replacements=1),
    holds('an older storage, young objects', begin='X Y', backups=3, removals=1, cleanups=1, young=1, kills=1,
          replacements=1),
    holds('everything together', begin='L X/L Y', backups=5, removals=2, cleanups=2, young=1, damages=1, losses=1,
          scrubs=2, rebuilds=1, kills=2, rollbacks=1, replacements=1, together=3),
    holds('a fork, and no put writes over a delta', RULES | VARIANTS, begin='X Y', backups=2, removals=1, cleanups=1,
          foreign=1),
]


def backup(number, block, base, last='publishes'):
    """A backup from its start to a step."""
    return (f'start backup {number} of {block}', f'backup {number}: recovers',
            f'backup {number}: tx: begins from {base},', f'backup {number}: >> {last}')


def loses(name, expected, *script, rules=RULES, without='', **how):
    left_out = frozenset(without.split(', ')) if without else frozenset()
    lines = [line for part in script for line in ([part] if isinstance(part, str) else part)]
    return Case('lenders: ' + (name or 'without ' + ', '.join(sorted(left_out))), settings(**how), rules, left_out,
                expected, tuple(lines))


KILLED_CLEANUP = ('start cleanup 1', 'cleanup 1: >> claims L', 'cleanup 1: >> rows away', 'cleanup 1: killed',
                  backup(2, 'L', 'Y'), backup(3, 'X', 'None'))
BESIDE_CLEANUP = ('start cleanup 1', 'cleanup 1: >> claims L', 'cleanup 1: >> rows away',
                  backup(2, 'L', 'Y'), backup(3, 'X', 'None'))
CLOSURE = ('start cleanup 1', 'cleanup 1: >> moves rows', backup(2, 'X', 'None', 'HEAD'), 'cleanup 1: >> claims M',
           'cleanup 1: >> rows away', 'backup 2: >> publishes', backup(3, 'M', 'N'), backup(4, 'L', 'None'))
TWO_BASES = (backup(1, 'L', 'X', 'PUT L'), backup(2, 'L', 'Y', 'PUT L'), 'backup 2: >> publishes',
             'backup 1: >> publishes', 'rm 2', 'start cleanup 3', 'cleanup 3: >> DELETE Y')
OVER_A_LENDER = (backup(1, 'L', 'Z', 'sound'), backup(2, 'L', 'X'), backup(3, 'K', 'L'), 'backup 1: PUT L')
SCRUB_NAMES = ('DAMAGE to L whole', 'start scrub 1', 'scrub 1: recovers', 'scrub 1: tx: scrubs 2',
               'scrub 1: >> marks versions')
SCRUB_L = ('DAMAGE to L whole', 'start scrub 2', 'scrub 2: recovers', 'scrub 2: tx: scrubs 1')
MARKED_BEFORE_RECORD = (backup(1, 'X', 'L', 'PUT X'), SCRUB_L, 'scrub 2: >> marks versions', 'backup 1: >> publishes')
OVER_A_MARK = (backup(1, 'X', 'None', 'PUT X'), backup(2, 'X', 'None'), 'DAMAGE to X whole', 'start scrub 3',
               'scrub 3: recovers', 'scrub 3: tx: scrubs 3', 'scrub 3: >> marks versions', 'backup 1: >> publishes')
SCANNED_TOO_EARLY = (backup(1, 'X', 'L', 'PUT X'), SCRUB_L, 'scrub 2: >> who borrows', 'backup 1: >> publishes',
                     'scrub 2: >> marks versions')
PUBLISHED_MARKED = (backup(1, 'X', 'L', 'row of X'), SCRUB_L, 'scrub 2: >> marks versions', 'backup 1: >> publishes')
TWO_SCRUBS = ('start scrub 1', 'scrub 1: recovers', 'scrub 1: tx: scrubs 1', 'scrub 1: >> marks versions', SCRUB_L,
              'scrub 2: >> marks versions', 'scrub 1: tx: version 1')
MARKED_TWICE = ('DAMAGE to L whole', 'start scrub 1', 'scrub 1: recovers', 'scrub 1: tx: scrubs 1', 'scrub 1: >> stays',
                backup(2, 'L', 'None', 'PUT L'), 'DAMAGE to L whole', 'start scrub 3', 'scrub 3: recovers',
                'scrub 3: tx: scrubs 1', 'scrub 3: >> marks versions', 'backup 2: >> publishes')
REBUILT = ('LOSS of L whole', 'REBUILD', backup(1, 'X', 'X'))
HIDDEN = (backup(1, 'X', 'None', 'PUT X'), 'backup 1: killed', 'DAMAGE to X whole', backup(2, 'X', 'L'))

# Histories by the rules of today.
TODAY_LOSES = [
    loses('today: a killed cleanup leaves a borrower', 'LOSS', *KILLED_CLEANUP, rules=TODAY, begin='-L -X/L Y',
          backups=2, cleanups=1, kills=1),
    loses('today: a cleanup beside backups', 'LOSS', *BESIDE_CLEANUP, rules=TODAY, begin='-L -X/L Y', backups=2,
          cleanups=1),
    loses('today: lenders of lenders', 'LOSS', *CLOSURE, rules=TODAY, universe='chain', begin='-M -L/M -X/L N',
          backups=3, cleanups=1),
    loses('today: two runs, two bases', 'LOSS', *TWO_BASES, rules=TODAY,
          begin='X Y', backups=2, removals=1, cleanups=1),
    loses('today: a delta over a lender', 'LOSS', *OVER_A_LENDER, rules=TODAY, universe='three', begin='X Z',
          backups=3),
    loses('today: damage names the borrower only', 'LOSS', *SCRUB_NAMES, rules=TODAY, begin='L X/L', damages=1,
          scrubs=1),
    loses('today: a lender is marked before the row', 'LOSS', *MARKED_BEFORE_RECORD, rules=TODAY, begin='L', backups=1,
          damages=1, scrubs=1),
    loses('today: a row over a mark', 'LOSS', *OVER_A_MARK, rules=TODAY, begin='L', backups=2, damages=1, scrubs=1),
    loses('today: borrowers are looked for too early', 'LOSS', *SCANNED_TOO_EARLY, rules=TODAY, begin='L', backups=1,
          damages=1, scrubs=1),
    loses('today: a rebuild leaves the borrower sound', 'LOSS', *REBUILT, rules=TODAY, begin='-L X/L', backups=1,
          losses=1, rebuilds=1),
    loses('today: a damaged whole object hides a delta', 'HIDDEN', *HIDDEN, rules=TODAY, begin='L', backups=2,
          damages=1, kills=1),
]

LOSING = [
    loses('', 'LOSS', backup(1, 'L', 'X', 'sound'), backup(2, 'L', 'Y', 'PUT L'), 'backup 1: PUT L',
          'backup 2: >> publishes', 'backup 1: >> publishes', 'rm 1', 'start cleanup 3', 'cleanup 3: >> DELETE X',
          without='reserve', begin='X Y', backups=2, removals=1, cleanups=1),
    loses('', 'LOSS', *MARKED_BEFORE_RECORD, without='look again', begin='L', backups=1, damages=1, scrubs=1),
    loses('', 'LOSS', *OVER_A_MARK, without='as seen', begin='L', backups=2, damages=1, scrubs=1),
    loses('', 'LOSS', *SCANNED_TOO_EARLY, without='mark first', begin='L', backups=1, damages=1, scrubs=1),
    loses('', 'LOSS', *PUBLISHED_MARKED, without='publication', begin='L', backups=1, damages=1, scrubs=1),
    loses('', 'LOSS', *SCRUB_NAMES, without='name what failed', begin='L X/L', damages=1, scrubs=1),
    loses('', 'LOSS', *TWO_SCRUBS, without='revalidate looks again', begin='L', damages=1, scrubs=2),
    loses('', 'LOSS', *MARKED_TWICE, without='a mark is new', begin='L', backups=1, damages=2, scrubs=2),
    loses('', 'LOSS', *REBUILT, without='rebuild marks borrowers', begin='-L X/L', backups=1, losses=1, rebuilds=1),
    loses('', 'HIDDEN', backup(1, 'X', 'L', 'reserves'), backup(2, 'X', 'L', 'PUT X'), 'backup 2: killed',
          'DAMAGE to X whole', 'backup 1: >> publishes', without='fallback', begin='L', backups=2, damages=1, kills=1),
    loses('', 'LOSS', 'COPY of the storage', backup(1, 'X', 'None', 'row of X'), 'REPLACE', backup(2, 'X', 'None'),
          without='look for doubtful', begin='L', backups=2, replacements=1),
    loses('', 'LOSS', 'COPY of the catalog', backup(1, 'L', 'X', 'row of L'), 'ROLL BACK', 'COPY of the storage',
          backup(2, 'L', 'Y', 'row of L'), 'REPLACE', backup(3, 'L', 'None'), 'rm 1', 'start cleanup 4',
          'cleanup 4: >> DELETE X', without='read doubtful headers', begin='X Y', backups=3, removals=1, cleanups=1,
          rollbacks=1, replacements=1),
    loses('', 'LOSS', *KILLED_CLEANUP, without='own, order', begin='-L -X/L Y', backups=2, cleanups=1, kills=1),
    loses('', 'LOSS', *CLOSURE, without='closure, order, own', universe='chain', begin='-M -L/M -X/L N', backups=3,
          cleanups=1),
]

HOLES = [
    loses('hole: a fork at once puts over a delta', 'LOSS', backup(1, 'L', 'X'), 'FOREIGN PUT of L as a delta of Y',
          'rm 2', 'start cleanup 2', 'cleanup 2: >> DELETE Y', begin='X Y', backups=1, removals=1, cleanups=1,
          foreign=1),
]
IN_DEPTH = []
