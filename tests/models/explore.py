"""Searches the states of a model: all of them up to a bound, at random, or along one history.

A model has `initial()`, which returns a state, and `successors(state)`, which returns a list of Move. A state is
hashable and never changed. A successor that must not exist is a Violation in place of a state; the search ends there
and says how it got there.
"""
import random
import time
from collections import deque
from typing import Any, Callable, NamedTuple, Optional

# How often a random walk takes each kind of move, so that commands get to their end and faults stay rare.
WEIGHTS = {'step': 1.0, 'start': 0.35, 'kill': 0.05, 'fault': 0.12}
WALK_LENGTH = 240
# How much likelier a walk lets the same command go on than another one: drawn for each walk, so that some change at
# every step and others run commands almost whole.
PATIENCE = (1, 6, 40)


class Violation(NamedTuple):
    """What must never happen, in words."""
    text: str


class Move(NamedTuple):
    """One step of a command, or one fault: its kind (see WEIGHTS), what it does in words, and a function that makes the
    state after it, or a Violation."""
    kind: str
    text: str
    make: Callable[[], Any]


class Result(NamedTuple):
    """What a search saw: states (or steps of a walk), how deep, whether that was everything, and the violation with its
    history."""
    count: int
    depth: int
    complete: bool
    violation: Optional[str]
    trace: list


def search(model, states_max, seconds):
    """Breadth first, so that the first history found is a shortest one. Keeps a hash of each state, not the state."""
    start = model.initial()
    seen, queue, depth = {hash(start)}, deque([(start, None, 0)]), 0
    end = time.monotonic() + seconds
    while queue:
        state, path, depth = queue.popleft()
        for _, text, make in model.successors(state):
            after = make()
            if isinstance(after, Violation):
                return Result(len(seen), depth + 1, False, after.text, history((text, path)))
            key = hash(after)
            if key not in seen:
                seen.add(key)
                queue.append((after, (text, path), depth + 1))
        if len(seen) >= states_max or time.monotonic() > end:
            return Result(len(seen), depth, False, None, [])
    return Result(len(seen), depth, True, None, [])


def walk(model, steps_max, seconds, seed):
    """Random walks from the beginning, each of at most WALK_LENGTH steps, until one violates or the bound is reached.

    The same seed takes the same walks in every run: moves are drawn in the order of their texts."""
    draw = random.Random(seed)
    steps, deepest, end = 0, 0, time.monotonic() + seconds
    while steps < steps_max and time.monotonic() < end:
        state, path, actor, patience = model.initial(), None, None, draw.choice(PATIENCE)
        for depth in range(WALK_LENGTH):
            moves = sorted(model.successors(state), key=lambda move: move.text)
            if not moves:
                break
            weights = [WEIGHTS[kind] * (patience if kind == 'step' and actor_of(text) == actor else 1)
                       for kind, text, _ in moves]
            _, text, make = draw.choices(moves, weights)[0]
            state, actor = make(), actor_of(text)
            path, steps, deepest = (text, path), steps + 1, max(deepest, depth + 1)
            if isinstance(state, Violation):
                return Result(steps, depth + 1, False, state.text, history(path))
    return Result(steps, deepest, False, None, [])


def history(path):
    """The events of a linked path, the first one first."""
    events = []
    while path is not None:
        text, path = path
        events.append(text)
    return events[::-1]


def actor_of(text):
    return text.partition(':')[0]


def follow(model, script):
    """Takes the moves that a script names: 'a' is the first move whose text contains a; 'a >> b' moves that contain a,
    until one that contains b."""
    state, events = model.initial(), []
    for line in script:
        wanted, _, last = line.partition(' >> ')
        while True:
            move = next((move for move in model.successors(state) if wanted in move.text), None)
            if move is None:
                raise LookupError(f'No move contains {wanted!r} after {events[-3:]}: '
                                  f'{[move.text for move in model.successors(state)]}')
            events.append(move.text)
            state = move.make()
            if isinstance(state, Violation):
                return Result(len(events), len(events), False, state.text, events)
            if last in move.text:
                break
    return Result(len(events), len(events), False, None, events)
