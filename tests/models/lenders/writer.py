"""The steps of a backup that stores one block. Each is one transaction of the catalog or one request to the storage."""
from .reading import choose, closure, is_sound, is_usable, lends, loans_of, own_of
from .steps import add_version, mark_passed, step, then
from .world import CANDIDATE, DELETING, DELTA, LIVE, ORPHAN, OWN, WHOLE, Object, Row, Version


def backup(model):
    return ('recover', 'begin', 'look up', 'manifest', 'publish')


@step('begin')
def begin(model, world, process):
    """One successor for each base: none, or one version of each block. The base cannot be removed while the run
    lives."""
    run, catalog = world.clock + 1, world.catalog
    bases = {version.block: version for version in sorted(catalog.versions)}
    found = []
    for base in [None, *bases.values()]:
        row = base and catalog.row(base.block)
        may_lend = row is not None and not row.invalid
        found.append((f'tx: begins from {base.block if base else None}, version {run}',
                      world.after(process._replace(run=run, base=base, may_lend=may_lend),
                                  catalog._replace(intents=catalog.intents | {(run, process.block)}), clock=run)))
    return found


@step('look up')
def look_up(model, world, process):
    """Finds a block that is known and sound, and takes it out of cleanup's reach; else it is stored, whole if it may
    lie there."""
    block, base, catalog = process.block, process.base, world.catalog
    if base and base.block == block and process.may_lend:
        return [(f'{block} is unchanged', world.after(process))]
    row = catalog.row(block)
    if row is None:
        if base and process.may_lend and process.owners is None:
            return [(f'{block} is new', world.after(then(process, 'plan', row=None)))]
        return [(f'{block} is new, whole', world.after(then(process, 'put whole', row=None)))]
    if row.state == DELETING:
        return wait_or_finish(model, world, process)
    if row.state == ORPHAN:
        catalog = catalog.with_rows({block: None})
        return [(f'tx: the orphan row of {block} away', world.after(then(process, 'put whole', row=None), catalog))]
    sound = is_sound(model.rules, catalog, row)
    names = closure(model.rules, catalog, block) if sound else [block]
    # As today, only the direct lenders are looked at before that: what they borrow from was made live with them.
    doubtful = {name for name in names if is_doubtful(catalog, name)}
    if any(catalog.row(name).state == CANDIDATE for name in names[:1] + row.lenders if catalog.row(name)):
        catalog = catalog.with_rows({name: catalog.row(name)._replace(state=LIVE, since=world.clock) for name in names
                                     if catalog.row(name).state in (LIVE, CANDIDATE)})
    row = catalog.row(block)
    if not sound:
        return [(f'{block} is not sound', world.after(then(process, 'put whole', row=row), catalog))]
    if doubtful and 'look for doubtful' in model.rules:
        looked = tuple(sorted(doubtful & {block, *row.lenders}))
        return [(f'{block} is looked for', world.after(then(process, 'find', row=row, todo=looked), catalog))]
    return [(f'deduplicates {block}', world.after(process, catalog))]


def is_doubtful(catalog, block):
    row = catalog.row(block)
    return row.state == CANDIDATE or catalog.doubt is not None and row.since >= catalog.doubt


def wait_or_finish(model, world, process):
    """Waits for the cleanup that deletes the block; when that is dead, finishes its deletions."""
    catalog = world.catalog
    if catalog.cleaner in {other.number for other in world.processes}:
        return []
    claimed = [name for name, row in catalog.rows if row.state == DELETING]
    steps = [f'delete {form} {name}' for name in claimed for form in (WHOLE, DELTA)]
    return [('tx: takes over the lease on cleanup',
             world.after(then(process, *steps, 'rows away', 'release', 'look up'),
                         catalog._replace(cleaner=process.number)))]


@step('find')
def find(model, world, process):
    """Looks for the objects of rows that are in doubt. Of a delta it reads the header: another one may lie under its
    name."""
    for name in process.todo:
        row = world.catalog.row(name)
        stored = row and world.object(name, row.form)
        if not stored or 'read doubtful headers' in model.rules and loans_of(stored.owners) != row.loans:
            return [(f'HEAD {name}: not there', world.after(then(process, 'put whole', todo=())))]
    return [(f'HEAD {process.todo}: there', world.after(process._replace(todo=())))]


# ---- a delta

@step('plan')
def plan(model, world, process):
    """Reads the table of the base's object, the whole one where there are two, and chooses what to borrow."""
    base = process.base.block
    table = world.object(base, WHOLE) or world.object(base, DELTA)
    owners = table and choose(model.contents, process.block, base, table.owners)
    if not owners:
        return [('the base does not lend', world.after(then(process, 'put whole')))]
    strays = ('look for strays',) * ('strays' in model.rules and world.catalog.strays)
    steps = strays + ('reserve', 'put delta', 'record delta') if 'reserve' in model.rules else \
        ('check lenders', 'put delta', 'record delta')
    return [(f'plans {show(owners)}', world.after(then(process, *steps, owners=owners)))]


def show(owners):
    return ' '.join(owner or 'own' for owner in owners)


@step('look for strays')
def look_for_strays(model, world, process):
    if world.object(process.block, WHOLE) or world.object(process.block, DELTA):
        return [('HEAD both objects: one is there', world.after(whole_instead(process)))]
    return [('HEAD both objects: none', world.after(process))]


def whole_instead(process):
    """Without the steps of the delta."""
    rest = process.program[process.program.index('record delta') + 1:]
    return process._replace(program=('put whole',) + rest)


def all_lend(model, catalog, owners):
    return all(catalog.row(lender) is not None and catalog.row(lender).state == LIVE
               and lends(model.rules, catalog, lender, frames) for lender, frames in loans_of(owners))


@step('check lenders')
def check_lenders(model, world, process):
    if all_lend(model, world.catalog, process.owners):
        return [('the lenders are sound', world.after(process))]
    return [('a lender is not sound', world.after(whole_instead(process)))]


@step('reserve')
def reserve(model, world, process):
    """One run at a time may put the delta of an id, and never where a row says that an object is there."""
    catalog, block = world.catalog, process.block
    if catalog.row(block) or catalog.reserved(block) or not all_lend(model, catalog, process.owners):
        rest = process.program[process.program.index('record delta') + 1:]
        return [(f'tx: {block} cannot be reserved', world.after(process._replace(program=('look up',) + rest)))]
    return [(f'tx: reserves {block}', world.after(process, catalog._replace(
        reservations=tuple(sorted(catalog.reservations + ((block, process.run),))))))]


@step('put delta')
def put_delta(model, world, process):
    stored = Object(process.owners, False, world.clock)
    return [(f'PUT {process.block} as a delta, {show(process.owners)}',
             world.after(process, **world.put(process.block, DELTA, stored)))]


@step('record delta')
def record_delta(model, world, process):
    catalog, block, rules = world.catalog, process.block, model.rules
    known, loans = catalog.row(block), loans_of(process.owners)
    kept = 'reserve' not in rules or catalog.reserved(block) == process.run
    lent = 'look again' not in rules or all(lends(rules, catalog, lender, frames) for lender, frames in loans)
    if not (kept and lent and is_as_seen(model, process, known)):
        return [(f'tx: {block} cannot be recorded', world.after(then(process, 'look up')))]
    if 'reserve' in rules:
        catalog = catalog.without_reservation(block)
    elif known and known.state == LIVE and not known.invalid and known.form == WHOLE:
        return [(f'tx: {block} is recorded as whole', world.after(process))]
    row = Row(LIVE, DELTA, loans, own_of(process.owners), False, world.clock)
    return [(f'tx: row of {block}, delta', world.after(process, catalog.with_rows({block: row})))]


def is_as_seen(model, process, known):
    """A row that another one wrote, or a scrub marked, since the run looked is not written over."""
    if 'as seen' not in model.rules:
        return True
    seen = process.row
    if seen is None or known is None:
        return seen is known
    return (seen.form, seen.loans, seen.own, seen.invalid) == (known.form, known.loans, known.own, known.invalid) \
        and (not seen.invalid or seen.since == known.since)


# ---- a whole object

@step('put whole')
def put_whole(model, world, process):
    stored = Object((OWN,) * model.frames, False, world.clock)
    return [(f'PUT {process.block} whole', world.after(then(process, 'record whole', owners=()),
                                                        **world.put(process.block, WHOLE, stored)))]


@step('record whole')
def record_whole(model, world, process):
    catalog, block = world.catalog, process.block
    if not is_as_seen(model, process, catalog.row(block)):
        return [(f'tx: {block} has changed', world.after(then(process, 'look up')))]
    catalog = catalog.with_rows({block: Row(LIVE, WHOLE, (), None, False, world.clock)})
    if catalog.reserved(block) == process.run:
        catalog = catalog.without_reservation(block)
    return [(f'tx: row of {block}, whole', world.after(process, catalog))]


# ---- the version

@step('manifest')
def manifest(model, world, process):
    version = Version(process.run, process.block, True)
    return [(f'PUT manifest {process.run}',
             world.after(process, manifests=world.manifests | {version}, **mark_passed()))]


@step('publish')
def publish(model, world, process):
    return [(f'tx: publishes {process.run}', add_version(model, world, process.run, process.block).after(process))]
