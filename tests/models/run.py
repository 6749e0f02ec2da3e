#!/usr/bin/env python3
"""Checks the models of age marks and of lenders.

  run.py --quick                   every history that must lose something does, and a short look at what must not
  run.py --minutes M [--seed S]    random walks through all that must hold, one seed after another
  run.py --table                   what each rule is for, as a table
  run.py NAME [--seed S]           the cases whose names contain NAME, with their histories; with a seed the walk of
         [--states N]              that seed, with a number of states a search of all, breadth first
"""
import argparse
import random
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.dont_write_bytecode = True

from age import cases as age
from lenders import cases as lenders

HOLDING = age.HOLDING + lenders.HOLDING
LOSING = age.LOSING + age.HOLES + lenders.TODAY_LOSES + lenders.LOSING + lenders.HOLES
QUICK_STEPS = 500
SLICE_SECONDS = (1, 20)                 # of a case, at least and at most
FOREVER = 1 << 60


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('name', nargs='?')
    parser.add_argument('--quick', action='store_true')
    parser.add_argument('--table', action='store_true')
    parser.add_argument('--minutes', type=float)
    parser.add_argument('--seed', type=int)
    parser.add_argument('--states', type=int)
    options = parser.parse_args()
    if options.quick:
        sound = all([check_loss(case) for case in LOSING] + [check_hold(case, 1, QUICK_STEPS, 60) for case in HOLDING])
        print('ok' if sound else 'FAILED')
    elif options.minutes:
        sound = soak(options.minutes, options.seed if options.seed is not None else random.randrange(1 << 30))
    elif options.table:
        sound = table()
    elif options.name:
        sound = show(options)
    else:
        parser.print_help()
        return 64
    return 0 if sound else 1


def check_loss(case):
    """A history that must break the invariant does, and only because of what was left out."""
    result = case.find(FOREVER, 60)
    sound = (result.violation or '').startswith(case.expected) and case.is_needed()
    if not sound:
        print(f'{case.name}: expected {case.expected}, found {result.violation}')
    return sound


def check_hold(case, seed, steps_max, seconds):
    result = case.walk(steps_max, seconds, seed)
    if result.violation:
        print(*result.trace, sep='\n')
        print(f"{case.name}: {result.violation}\nReplay with: tests/models/run.py '{case.name}' --seed {seed}")
    return result.violation is None


def soak(minutes, seed):
    end, first = time.monotonic() + minutes * 60, seed
    slice_seconds = max(SLICE_SECONDS[0], min(SLICE_SECONDS[1], minutes * 60 / len(HOLDING)))
    if not all([check_loss(case) for case in LOSING]):
        return False
    while time.monotonic() < end:
        for case in HOLDING:
            left = end - time.monotonic()
            if left > 0 and not check_hold(case, seed, FOREVER, min(left, slice_seconds)):
                return False
        seed += 1
    print(f'Nothing was found in {minutes:g} minutes, seeds {first} to {seed - 1}.')
    return True


def table():
    print('| | found | steps |\n|---|---|---|')
    for case in LOSING:
        result = case.find(FOREVER, 60)
        print(f'| {case.name} | {result.violation} | {len(result.trace)} |')
    for name, rules in (('age', age.IN_DEPTH), ('lenders', lenders.IN_DEPTH)):
        for rule in rules:
            print(f'| {name}: without {rule} | nothing: another rule guards the same | |')
    return True


def show(options):
    found, sound = [case for case in HOLDING + LOSING if options.name in case.name], True
    for case in found:
        begin = time.monotonic()
        if options.states:
            result = case.search(options.states, 3600)
        elif options.seed is not None or not case.expected:
            result = case.walk(100_000, 3600, options.seed if options.seed is not None else case.seed)
        else:
            result = case.find(FOREVER, 60)
        print(*result.trace, sep='\n')
        what = 'states' if options.states else 'steps'
        print(f'{case.name}: {result.count} {what}, depth {result.depth}' + (', all' if result.complete else '')
              + f', {time.monotonic() - begin:.0f} s: {result.violation or "nothing found"}')
        sound &= bool(result.violation) == bool(case.expected)
    return bool(found) and sound


if __name__ == '__main__':
    sys.exit(main())
