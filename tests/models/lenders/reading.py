"""How blocks are read, and which rows may be relied on."""
from .world import CANDIDATE, DELTA, LIVE, OWN, WHOLE


def read(rules, objects, block, frames):
    """Reads a block as every reader does: by its objects alone.

    Returns whether every frame was found, and the set of blocks whose objects failed on the way."""
    failed, found = set(), True
    for frame in range(frames):
        found &= read_frame(rules, objects, block, frame, failed)
    return found, failed


def read_frame(rules, objects, block, frame, failed):
    there = [form for form in (WHOLE, DELTA) if (block, form) in objects]
    if not there:
        failed.add(block)
    for form in there if 'fallback' in rules else there[:1]:
        stored = objects[block, form]
        if stored.damaged:
            failed.add(block)
        elif stored.owns(frame) or read_lent(rules, objects, stored.owners[frame], frame, failed):
            return True
    return False


def read_lent(rules, objects, lender, frame, failed):
    there = [form for form in (WHOLE, DELTA) if (lender, form) in objects]
    if not there:
        failed.add(lender)
    for form in there if 'fallback' in rules else there[:1]:
        stored = objects[lender, form]
        if stored.damaged:
            failed.add(lender)
        elif stored.owns(frame):
            return True
    return False


def is_usable(row):
    return row is not None and not row.invalid and row.state in (LIVE, CANDIDATE)


def lends(rules, catalog, lender, frames):
    """Whether the catalog allows to borrow these frames from this block."""
    row = catalog.row(lender)
    return is_usable(row) and ('own' not in rules or row.own is None or frames <= row.own)


def is_sound(rules, catalog, row):
    """Whether a block can be used as it is recorded."""
    return is_usable(row) and all(lends(rules, catalog, lender, frames) for lender, frames in row.loans)


def closure(rules, catalog, block):
    """A block with its lenders and, by the rule, theirs, to the end: those that have rows."""
    found, edge = [block], [block]
    while edge:
        lenders = [lender for name in edge for lender in catalog.row(name).lenders
                   if lender not in found and catalog.row(lender) is not None]
        found += lenders
        edge = lenders if 'closure' in rules else []
    return list(dict.fromkeys(found))


def needed(catalog, versions):
    """The blocks of versions, their lenders, and the lenders of those."""
    found, edge = set(), {version.block for version in versions}
    while edge:
        found |= edge
        edge = {lender for name in edge if catalog.row(name) for lender in catalog.row(name).lenders} - found
    return frozenset(found)


def loans_of(owners):
    """The loans of a plan: for each lender the frames that it lends."""
    return tuple((lender, frozenset(frame for frame, owner in enumerate(owners) if owner == lender))
                 for lender in sorted({owner for owner in owners if owner is not OWN}))


def own_of(owners):
    """The frames that the object holds itself; None when it is whole."""
    own = frozenset(frame for frame, owner in enumerate(owners) if owner is OWN)
    return None if len(own) == len(owners) else own


def choose(contents, block, base, table):
    """The plan of a delta by the base's table, or None when the block is to be whole: docs/format.md, "Delta block"."""
    frames = zip(contents[block], contents[base], table)
    owners = tuple((base if owner is OWN else owner) if new == old else OWN for new, old, owner in frames)
    own = sum(owner is OWN for owner in owners)
    return None if 2 * own > len(owners) or own == len(owners) else owners
