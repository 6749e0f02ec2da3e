"""The steps of cleanup: two passes, as without a grace period, each with its claims, orphans and end."""
from explore import Violation
from .reading import needed
from .steps import mark_passed, step, then
from .world import CANDIDATE, CONTENTS, DELETING, DELTA, LIVE, ORPHAN, WHOLE, Row


def cleanup(model):
    one_pass = ('pass', 'sweep', 'order', 'claim', 'list', 'orphans', 'end of pass')
    return ('lease', 'recover', 'finish claimed') + one_pass * 2 + ('release',)


def young_cleanup(model):
    """A cleanup whose grace period has not passed for anything: it finds candidates, claims nothing, and makes no
    orphans."""
    return ('lease', 'recover', 'finish claimed', 'pass', 'sweep', 'end of young pass', 'release')


@step('lease')
def lease(model, world, process):
    if world.catalog.cleaner in {other.number for other in world.processes}:
        return []
    return [('tx: lease on cleanup', world.after(process, world.catalog._replace(cleaner=process.number)))]


@step('release')
def release(model, world, process):
    after = world.after(process, world.catalog._replace(cleaner=0))
    if process.kind == 'cleanup' and process.alone and not world.faulted:
        left = {block for block, _ in dict(after.objects)} - needed(after.catalog, after.catalog.versions)
        left |= {name for name, _ in after.catalog.rows} - needed(after.catalog, after.catalog.versions)
        if left:
            after = Violation(f'LEFT: {sorted(left)} are not referenced, and nothing disturbed the cleanup')
    return [('tx: lease away', after)]


@step('finish claimed')
def finish_claimed(model, world, process):
    claimed = [name for name, row in world.catalog.rows if row.state == DELETING]
    steps = [f'delete {form} {name}' for name in claimed for form in (WHOLE, DELTA)]
    return [(f'finishes {claimed}', world.after(then(process, *steps, *['rows away'] * bool(claimed))))]


@step('pass')
def begin_pass(model, world, process):
    """What the pass goes by, read in one transaction."""
    catalog, living = world.catalog, world.living_runs()
    runs = [number for number, _ in catalog.intents]
    oldest, dead = min(runs, default=None), not living >= set(runs)
    wanted = needed(catalog, catalog.versions)
    may_go = frozenset() if dead else frozenset(
        (name, row) for name, row in catalog.rows
        if row.state in (CANDIDATE, ORPHAN) and name not in wanted and (oldest is None or row.since < oldest))
    return [('reads versions and runs', world.after(process._replace(
        roots=(wanted, oldest, may_go, catalog.failed, world.clock))))]


@step('sweep')
def sweep(model, world, process):
    wanted, catalog = process.roots[0], world.catalog
    changes = {}
    for name, row in catalog.rows:
        if row.state in (CANDIDATE, ORPHAN) and name in wanted:
            changes[name] = row._replace(state=LIVE, since=world.clock)
        elif row.state == LIVE and name not in wanted:
            changes[name] = row._replace(state=CANDIDATE, since=world.clock)
    return [('tx: moves rows', world.after(process, catalog.with_rows(changes)))]


@step('order')
def order(model, world, process):
    """Reads who borrows from what may go; it is claimed after they are gone."""
    may_go = process.roots[2]
    todo = tuple((name, row, world.catalog.borrowers({name}) - {name})
                 for name, row in sorted(may_go, key=lambda pair: pair[0]))
    return [('reads borrowers', world.after(process._replace(todo=todo)))]


@step('claim')
def claim(model, world, process):
    """One successor for each batch (of one row) that may be next. A row that has changed since the pass began is left
    alone."""
    catalog, found = world.catalog, []
    for item in process.todo:
        name, row, borrowers = item
        if borrowers and 'order' in model.rules:
            continue
        rest = tuple(other for other in process.todo if other != item)
        replaceable = row.state == ORPHAN or row.invalid
        if catalog.row(name) != row or replaceable and world.living_runs():
            found.append((f'{name} has changed', world.after(then(process, 'claim', todo=rest))))
            continue
        gone = tuple((other, kept, names - {name}) for other, kept, names in rest)
        steps = (f'delete {WHOLE} {name}', f'delete {DELTA} {name}', 'rows away', 'claim')
        found.append((f'tx: claims {name}', world.after(
            then(process, *steps, todo=gone),
            catalog.with_rows({name: row._replace(state=DELETING)}), **mark_passed())))
    return found or [('claims nothing more', world.after(process._replace(todo=())))]


def delete(model, world, process, block, form):
    return [(f'DELETE {block} {form}', world.after(process, **world.delete(block, form)))]


for _block in sorted({name for blocks in CONTENTS.values() for name in blocks}):
    for _form in (WHOLE, DELTA):
        step(f'delete {_form} {_block}')(
            lambda model, world, process, block=_block, form=_form: delete(model, world, process, block, form))


@step('rows away')
def rows_away(model, world, process):
    rows = {name: None for name, row in world.catalog.rows if row.state == DELETING}
    return [('tx: rows away', world.after(process, world.catalog.with_rows(rows)))]


# ---- what lies there without a row

@step('list')
def list_objects(model, world, process):
    """Objects that a living run may have yet to record are left alone."""
    _, oldest, _, _, began = process.roots
    settled = tuple(key for key, found in world.objects
                    if found.at <= began and (oldest is None or found.at < oldest))
    return [('LIST blocks', world.after(process._replace(todo=settled)))]


@step('orphans')
def orphans(model, world, process):
    catalog, changes, superseded = world.catalog, {}, []
    for block, form in process.todo:
        row = catalog.row(block)
        if row is None:
            changes[block] = Row(ORPHAN, form, (), None, False, world.clock)
        elif form == DELTA and row.form == WHOLE and not row.invalid and row.state in (LIVE, CANDIDATE):
            superseded.append(block)
    steps = [] if world.living_runs() else [f'delete {DELTA} {block}' for block in superseded]
    return [(f'tx: orphans {sorted(changes)}', world.after(then(process, *steps, todo=()), catalog.with_rows(changes)))]


@step('end of pass')
def end_of_pass(model, world, process):
    return [('tx: the pass is complete', end(model, world, process, listed=True))]


@step('end of young pass')
def end_of_young_pass(model, world, process):
    return [('tx: the pass is complete', end(model, world, process, listed=False))]


def end(model, world, process, listed):
    """Ends what was said of runs that were over when the pass began: the doubt, the strays, their reservations."""
    catalog, (_, oldest, _, failed, began) = world.catalog, process.roots
    undisturbed = catalog.failed == failed or 'count failures' not in model.rules
    listed = listed or 'listed whole' not in model.rules
    if oldest is not None:
        later = catalog.doubt is not None and oldest > catalog.doubt
        catalog = catalog._replace(doubt=oldest) if later else catalog
    elif undisturbed:
        catalog = catalog._replace(doubt=None, strays=catalog.strays and not listed)
    if listed:
        living = world.living_runs()
        over = (lambda run: run <= began and run not in living) if 'count failures' in model.rules else \
            (lambda run: run not in living)
        over_then = [pair for pair in catalog.reservations if over(pair[1]) and (oldest is None or pair[1] < oldest)]
        catalog = catalog._replace(reservations=tuple(pair for pair in catalog.reservations if pair not in over_then))
    return world.after(process._replace(roots=None), catalog)
