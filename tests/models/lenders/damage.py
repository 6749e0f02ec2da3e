"""What goes wrong, and who finds it: damaged and lost objects, scrubs, rebuild, kills, and halves that are rolled
back."""
from functools import partial

from explore import Move
from .reading import closure, is_sound, lends, loans_of, needed, own_of, read
from .steps import forget, mark_passed, step
from .world import DELTA, LIVE, OWN, WHOLE, Catalog, Object, Row, Version


# ---- a deep scrub of one version

def scrub(model):
    first, then = ('mark', 'find borrowers') if 'mark first' in model.rules else ('find borrowers', 'mark')
    return ('recover', 'begin scrub', 'read', first, then, 'mark borrowers', 'mark versions', 'revalidate')


@step('begin scrub')
def begin_scrub(model, world, process):
    """One successor for each version. It remembers what was marked before it read."""
    marked = frozenset((name, row.since) for name, row in world.catalog.rows if row.invalid)
    found = [(f'tx: scrubs {version.number}',
              world.after(process._replace(base=version, block=version.block, roots=marked)))
             for version in sorted(world.catalog.versions)]
    return found or [('nothing to scrub', world.after(process._replace(program=())))]


@step('read')
def read_version(model, world, process):
    """Reads the block. Without the rule damage names only the block that was read, not the object that failed."""
    found, failed = read(model.rules, dict(world.objects), process.block, model.frames)
    named = set(failed) if 'name what failed' in model.rules else set()
    named |= set() if found else {process.block}
    seen = frozenset(key for key, _ in world.hurt if key[0] in failed)
    return [(f'reads {process.block}: ' + ('sound' if found else 'damaged') + f', marks {sorted(named)}',
             world.after(process._replace(todo=(frozenset(named), frozenset(named), seen, found))))]


@step('mark')
def mark(model, world, process):
    named = process.todo[0]
    return [(f'tx: marks {sorted(named)}', marking(model, world, named).after(process))]


def marking(model, world, names):
    """Marks rows. A mark has its time, so that a second one can be told from the first."""
    if 'a mark is new' not in model.rules:
        return world._replace(catalog=set_invalid(world.catalog, names))
    clock = world.clock + 1
    return world._replace(catalog=set_invalid(world.catalog, names, clock), clock=clock)


def set_invalid(catalog, names, clock=None):
    return catalog.with_rows({name: row._replace(invalid=True, since=row.since if clock is None else clock)
                              for name, row in catalog.rows if name in names})


@step('find borrowers')
def find_borrowers(model, world, process):
    named, _, seen, found = process.todo
    affected = named | world.catalog.borrowers(named)
    return [(f'who borrows from {sorted(named)}: {sorted(affected - named)}',
             world.after(process._replace(todo=(named, affected, seen, found))))]


@step('mark borrowers')
def mark_borrowers(model, world, process):
    affected = process.todo[1]
    return [(f'tx: marks {sorted(affected)}', marking(model, world, affected - process.todo[0]).after(process))]


@step('mark versions')
def mark_versions(model, world, process):
    """The versions that use what was marked; from here on the damage counts as reported."""
    _, affected, seen, _ = process.todo
    there = {key for key, _ in world.hurt}
    return [('tx: marks versions', set_versions(world, lambda version: version.valid and version.block not in affected)
             .after(process, reported=world.reported | seen & there))]


def set_versions(world, valid):
    changed = {version: version._replace(valid=valid(version)) for version in world.catalog.versions}
    return world._replace(catalog=world.catalog._replace(versions=frozenset(changed.values())),
                          manifests=frozenset(changed.get(version, version) for version in world.manifests))


@step('revalidate')
def revalidate(model, world, process):
    """What was marked before and was read without a failure is sound again, and so is the version."""
    named, _, _, found = process.todo
    catalog, block, marked = world.catalog, process.block, process.roots
    row = catalog.row(block)
    before = row is not None and (block, row.since) in marked
    if not found or row and row.invalid and not before and 'revalidate looks again' in model.rules:
        return [('stays as it is', world.after(process))]
    if before and block not in named:
        world = world._replace(catalog=catalog.with_rows({block: row._replace(invalid=False)}))
    number = process.base.number
    return [(f'tx: version {number} is valid', set_versions(
        world, lambda version: version.valid or version.number == number).after(process))]


# ---- rebuild: a new catalog from the objects alone; it says that no other command may run

def rebuilt(model, world):
    contents = dict(world.objects)
    published = {version.block for version in world.manifests}
    rows, edge, found = {}, published, set()
    while edge:
        found |= edge
        for block in edge:
            form = WHOLE if (block, WHOLE) in contents else DELTA
            stored = contents.get((block, form))
            if stored is not None:
                rows[block] = Row(LIVE, form, loans_of(stored.owners), own_of(stored.owners), False, world.clock)
            elif 'rebuild keeps lost lenders' in model.rules or block in published:
                rows[block] = Row(LIVE, WHOLE, (), None, True, world.clock)
        edge = {lender for name in edge if name in rows for lender in rows[name].lenders} - found
    catalog = Catalog(versions=world.manifests, strays=True).with_rows(rows)
    for version in world.manifests:
        if not version.valid:           # its manifest does not say which block is damaged: they are read
            sound, failed = read(model.rules, contents, version.block, model.frames)
            names = (failed if 'name what failed' in model.rules else set()) | (set() if sound else {version.block})
            catalog = set_invalid(catalog, names)
    broken = {name for name, row in catalog.rows if not is_sound(model.rules, catalog, row)}
    if 'rebuild marks borrowers' in model.rules:
        catalog = set_invalid(catalog, broken)
    lost = frozenset(key for key, _ in world.hurt if key not in contents and key[0] in found)
    world = world._replace(catalog=catalog, processes=(), reported=world.reported | lost, **mark_passed())
    return set_versions(world, lambda version: version.valid and version.block not in broken)


# ---- faults

def faults(model, world):
    moves, budget = [], world.budget
    for process in world.processes if budget.kills else ():
        moves.append(Move('kill', f'{process.name}: killed', partial(kill, world, process)))
    for key, stored in world.objects:
        if budget.damages and not stored.damaged:
            moves.append(Move('fault', f'DAMAGE to {key[0]} {key[1]}', partial(damage, world, key, stored)))
        if budget.losses:
            moves.append(Move('fault', f'LOSS of {key[0]} {key[1]}', partial(lose, world, key, stored)))
    if budget.rebuilds:
        moves.append(Move('fault', 'REBUILD; all commands are dead', lambda: rebuilt(model, world.spend('rebuilds'))))
    return moves + copies(world) + foreign_deltas(model, world)


def kill(world, process):
    return world.spend('kills').after(process._replace(program=()))


def damage(world, key, stored):
    objects = tuple((other, found._replace(damaged=True) if other == key else found) for other, found in world.objects)
    return hurt(world, key, stored).spend('damages', objects=objects)


def lose(world, key, stored):
    return hurt(world, key, stored).spend('losses', objects=tuple(pair for pair in world.objects if pair[0] != key))


def hurt(world, key, stored):
    known = dict(world.hurt)
    known.setdefault(key, stored)
    return world._replace(hurt=tuple(sorted(known.items(), key=lambda item: item[0])), faulted=True)


def copies(world):
    """An older half in place of the newer one, where no age mark has come in between that could tell them apart. An
    older catalog may have forgotten what a scrub had marked."""
    moves, budget = [], world.budget
    if budget.rollbacks and world.copy is None:
        moves.append(Move('fault', 'COPY of the catalog', lambda: world._replace(copy=world.catalog)))
    if budget.rollbacks and world.copy not in (None, world.catalog):
        moves.append(Move('fault', 'ROLL BACK the catalog; all commands are dead', lambda: world.spend(
            'rollbacks', catalog=world.copy, processes=(), reported=frozenset(), faulted=True)))
    now = (world.objects, world.manifests)
    if budget.replacements and world.image is None and not world.hurt:
        moves.append(Move('fault', 'COPY of the storage', lambda: world._replace(image=now)))
    if budget.replacements and world.image not in (None, now):
        objects, manifests = world.image
        moves.append(Move('fault', 'REPLACE the storage; all commands are dead', lambda: world.spend(
            'replacements', objects=objects, manifests=manifests, hurt=(), reported=frozenset(), processes=(),
            faulted=True)))
    return moves


def foreign_deltas(model, world):
    """A run of another catalog on this storage puts a delta before it is refused: the catalogs do not know each other's
    reservations. With the rule no put writes over a delta that is there."""
    moves, budget = [], world.budget
    for block in model.contents if budget.foreign else ():
        for (base, _), lender in world.objects:
            owners = model.choose(block, base, lender.owners) if base != block else None
            if owners and not any(owner == block for owner in owners) and not (
                    'never over' in model.rules and world.object(block, DELTA)):
                stored = Object(owners, False, world.clock)
                moves.append(Move('fault', f'FOREIGN PUT of {block} as a delta of {base}', partial(
                    world.spend, 'foreign', faulted=True, **world.put(block, DELTA, stored))))
    return moves
