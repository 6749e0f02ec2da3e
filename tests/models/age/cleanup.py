"""The steps of cleanup: two passes, as without a grace period; the claims of a pass; and the end of a pass."""
from explore import Violation
from .commands import finish
from .looks import confirm, note, refuse, step, then
from .world import CANDIDATE, DELETING, LIVE, ORPHAN, Claim, Row


def cleanup(model):
    one_pass = ('pass',) + ('sweep',) * model.batches + ('list blocks', 'orphans', 'end of pass')
    return (('look',) * ('first look' in model.rules) + ('lease', 'recover', 'unfinished claim')
            + ('list manifests', 'compare manifests') * ('manifests' in model.rules)
            + one_pass * 2
            + ('delete old marks',) + ('drop old marks',) * ('drop at once' in model.rules) + ('release',))


def young_cleanup(model):
    """A cleanup whose grace period has not passed for anything: it finds candidates, but claims nothing and makes no
    orphans."""
    return (('look',) * ('first look' in model.rules)
            + ('lease', 'recover', 'unfinished claim', 'pass', 'sweep young', 'end of young pass', 'release'))


@step('lease')
def lease(model, world, process):
    catalog = world.catalogs[process.side]
    if catalog.cleaner in world.alive(process.side):
        return []
    return [('tx: lease on cleanup', world.after(process, catalog._replace(cleaner=process.number)))]


@step('release')
def release(model, world, process):
    return [('tx: lease away', world.after(process, world.catalogs[process.side]._replace(cleaner=0)))]


@step('unfinished claim')
def unfinished_claim(model, world, process):
    claim = world.catalogs[process.side].claim
    if claim is None:
        return [('no claim is left', world.after(process))]
    return [('finishes a dead claim', world.after(then(process, *finish(model, claim))))]


# ---- versions that the catalog does not know: a check of its own, from before there were marks

@step('list manifests')
def list_manifests(model, world, process):
    return [('LIST manifests', world.after(process._replace(seen=world.storage.manifests)))]


@step('compare manifests')
def compare_manifests(model, world, process):
    catalog = world.catalogs[process.side]
    known = {version.number for version in catalog.versions} | {intent.version.number for intent in catalog.intents}
    unknown = frozenset(version for version in process.seen if version.number not in known)
    if not unknown:
        return [('all manifests are known', world.after(process._replace(seen=None, before=None)))]
    if not (process.before and unknown & process.before):
        return [('an unknown manifest: looks again',
                 world.after(then(process, 'list manifests', 'compare manifests', seen=None, before=unknown)))]
    return refuse(world, process, f'unknown manifests {sorted(version.number for version in unknown)}')


# ---- a pass

@step('pass')
def begin_pass(model, world, process):
    """What the pass goes by, read in one transaction: needed blocks, the oldest run, whether a dead run's intent
    stands."""
    catalog, alive = world.catalogs[process.side], world.alive(process.side)
    runs = [intent.version.number for intent in catalog.intents if intent.kind == 'publish']
    needed = frozenset(name for version in catalog.versions for name in version.blocks)
    dead = any(intent.kind == 'publish' and intent.owner not in alive for intent in catalog.intents)
    roots = (needed, min(runs, default=None), dead, catalog.failed)
    return [('reads versions and runs', world.after(process._replace(roots=roots, blocks=model.groups)))]


@step('sweep')
def sweep(model, world, process):
    """Moves the rows of one group along, in one transaction; what may go is claimed with a new mark."""
    catalog, (needed, oldest, dead, _) = world.catalogs[process.side], process.roots
    claimed = []
    for name in process.blocks[0]:
        row = catalog.row(name)
        if row is None:
            continue
        may_go = not dead and (oldest is None or row.since < oldest)
        if row.state in (CANDIDATE, ORPHAN) and name in needed:
            catalog = catalog.with_row(name, Row(LIVE, world.clock))
        elif row.state == LIVE and name not in needed:
            catalog = catalog.with_row(name, Row(CANDIDATE, world.clock))
        elif may_go and (row.state == CANDIDATE or row.state == ORPHAN and not world.runs(process.side)):
            claimed.append(name)
            catalog = catalog.with_row(name, Row(DELETING, world.clock))
    process = process._replace(blocks=process.blocks[1:])
    if not claimed:
        return [('tx: moves rows', world.after(process, catalog))]
    mark, over = 0, frozenset()
    if 'claim mark' in model.rules:
        mark, catalog, over = note(world, catalog)
    steps = (('claim: mark',) * bool(mark) + ('look',) * ('claim look' in model.rules)
             + tuple('claim: delete ' + name for name in claimed) + ('claim: done',))
    return [(f'tx: claims {claimed}' + (f', mark {mark} is pending' if mark else ''),
             world.after(then(process, *steps), catalog._replace(claim=Claim(mark, over, tuple(claimed))),
                         next=world.next + 1))]


@step('sweep young')
def sweep_young(model, world, process):
    catalog, needed = world.catalogs[process.side], process.roots[0]
    for name, row in catalog.rows:
        if row.state in (CANDIDATE, ORPHAN) and name in needed:
            catalog = catalog.with_row(name, Row(LIVE, world.clock))
        elif row.state == LIVE and name not in needed:
            catalog = catalog.with_row(name, Row(CANDIDATE, world.clock))
    return [('tx: moves rows', world.after(process._replace(blocks=()), catalog))]


@step('list blocks')
def list_blocks(model, world, process):
    return [('LIST blocks', world.after(process._replace(seen=world.storage.blocks)))]


@step('orphans')
def orphans(model, world, process):
    catalog = world.catalogs[process.side]
    for name in sorted(process.seen):
        if catalog.row(name) is None:
            catalog = catalog.with_row(name, Row(ORPHAN, world.clock))
    return [('tx: orphans', world.after(process._replace(seen=None), catalog))]


@step('end of pass')
def end_of_pass(model, world, process):
    return [('tx: the pass is complete', end(model, world, process, listed=True))]


@step('end of young pass')
def end_of_young_pass(model, world, process):
    return [('tx: the pass is complete', end(model, world, process, listed=False))]


def end(model, world, process, listed):
    """Ends the doubt about what runs left that were over when the pass began."""
    catalog, (_, oldest, _, failed) = world.catalogs[process.side], process.roots
    process = process._replace(roots=None)
    if oldest is not None:
        later = catalog.doubt is not None and oldest > catalog.doubt
        return world.after(process, catalog._replace(doubt=oldest) if later else catalog)
    if 'count failures' in model.rules and catalog.failed != failed:
        return world.after(process)
    catalog = catalog._replace(doubt=None)
    if listed or 'listed whole' not in model.rules:
        catalog = catalog._replace(strays=False)
        owned = {name for intent in catalog.intents if intent.kind == 'publish' for name in intent.version.blocks}
        left = sorted(name for name in world.storage.blocks - owned if catalog.row(name) is None)
        if left and not world.faulted:
            return Violation(f'STRAYS: the catalog says that nothing lies in the storage without a row, but {left} do')
    return world.after(process, catalog)


# ---- a claim

@step('claim: mark')
def claim_mark(model, world, process):
    return put_claimed_mark(world, process, ('take claimed mark back',))


@step('claim: mark again')
def claim_mark_again(model, world, process):
    """Puts the mark of a dead command's claim. Something may have been deleted under it: a refusal must not take it
    back."""
    return put_claimed_mark(world, process, () if 'keep claimed mark' in model.rules else ('take claimed mark back',))


def put_claimed_mark(world, process, undo):
    storage, mark = world.storage, world.catalogs[process.side].claim.mark
    return [(f'PUT mark {mark}', world.after(process._replace(undo=process.undo + undo),
                                             storage=storage._replace(marks=storage.marks | {mark})))]


@step('take claimed mark back')
def take_claimed_mark_back(model, world, process):
    storage, mark = world.storage, world.catalogs[process.side].claim.mark
    return [(f'DELETE its mark {mark}', world.after(process, storage=storage._replace(marks=storage.marks - {mark})))]


def delete(model, world, process, name):
    for version in world.done:
        if name in version.blocks:
            known = ', which its catalog knows' if version in world.catalogs[process.side].versions else ''
            return [(f'DELETE {name}',
                     Violation(f'LOSS: {process.name} deletes {name} of version {version.number}{known}'))]
    storage = world.storage._replace(blocks=world.storage.blocks - {name})
    return [(f'DELETE {name}', world.after(process._replace(undo=()), storage=storage))]


for block_name in 'xy':
    step('claim: delete ' + block_name)(
        lambda model, world, process, name=block_name: delete(model, world, process, name))


@step('claim: done')
def claim_done(model, world, process):
    catalog = world.catalogs[process.side]
    claim = catalog.claim
    for name in claim.blocks:
        catalog = catalog.with_row(name, None)
    catalog = confirm(model, catalog, claim.mark, claim.over)._replace(claim=None)
    return [('tx: their rows away', world.after(process._replace(undo=()), catalog))]
