"""The steps of backup and rm. Each is one transaction of the catalog or one request to the storage."""
from explore import Violation
from .looks import confirm, forget, note, step, then
from .world import CANDIDATE, DELETING, LIVE, ORPHAN, Intent, Row, Version


def backup(model, blocks):
    """The program of a backup of one block, or of several."""
    late = 'late mark' in model.rules
    publish_mark = ('note mark',) if 'publish mark' in model.rules else ()
    return (('look',) * ('first look' in model.rules) + ('recover', 'begin') + (publish_mark if not late else ())
            + ('block',) * len(blocks) + (publish_mark if late else ()) + ('manifest',)
            + ('mark',) * len(publish_mark) + ('look',) * ('last look' in model.rules)
            + ('publish', 'delete old marks'))


def rm(model):
    return (('look',) * ('first look' in model.rules) + ('recover', 'begin removal', 'delete manifest')
            + ('mark',) * ('rm mark' in model.rules) + ('removed', 'delete old marks'))


# ---- backup

@step('begin')
def begin(model, world, process):
    version = Version(world.clock + 1, process.blocks)
    intent = Intent('publish', version, process.number, None, frozenset())
    catalog = world.catalogs[process.side]
    return [(f'tx: begins version {version.number}',
             world.after(process._replace(version=version), catalog._replace(intents=catalog.intents + (intent,)),
                         clock=version.number))]


@step('block')
def block(model, world, process):
    name, catalog = process.blocks[0], world.catalogs[process.side]
    row, doubt = catalog.row(name), catalog.doubt
    if row is None:
        return [(f'{name} is new', world.after(then(process, 'put', 'record')))]
    if row.state == DELETING:
        return wait_or_finish(model, world, process)
    if row.state == ORPHAN:
        return [(f'tx: the orphan row of {name} away',
                 world.after(then(process, 'put', 'record'), catalog.with_row(name, None)))]
    if row.state == CANDIDATE:
        looks = ('find',) if 'find candidates' in model.rules else ()
        return [(f'tx: candidate {name} is live again',
                 world.after(then(process, *looks) if looks else used(process),
                             catalog.with_row(name, Row(LIVE, world.clock))))]
    if doubt is not None and row.since >= doubt:
        return [(f'{name} is in doubt', world.after(then(process, 'find')))]
    return [(f'deduplicates {name}', world.after(used(process)))]


def used(process):
    return process._replace(blocks=process.blocks[1:])


def wait_or_finish(model, world, process):
    """Waits for the cleanup that deletes the block; when that is dead, finishes its whole claim."""
    catalog = world.catalogs[process.side]
    if catalog.cleaner in world.alive(process.side):
        return []
    return [('tx: takes over the lease on cleanup',
             world.after(then(process, *finish(model, catalog.claim), 'release', 'block'),
                         catalog._replace(cleaner=process.number)))]


def finish(model, claim):
    """The steps that finish a claim that a dead command left."""
    return (('claim: mark again',) * ('claim mark' in model.rules) + ('look',) * ('claim look' in model.rules)
            + tuple('claim: delete ' + name for name in claim.blocks) + ('claim: done',))


@step('find')
def find(model, world, process):
    name = process.blocks[0]
    if name in world.storage.blocks:
        return [(f'HEAD {name}: there', world.after(used(process)))]
    return [(f'HEAD {name}: not there', world.after(then(process, 'put', 'record')))]


@step('put')
def put(model, world, process):
    name, storage = process.blocks[0], world.storage
    return [(f'PUT {name}', world.after(process, storage=storage._replace(blocks=storage.blocks | {name})))]


@step('record')
def record(model, world, process):
    catalog = world.catalogs[process.side].with_row(process.blocks[0], Row(LIVE, world.clock))
    return [(f'tx: row of {process.blocks[0]}', world.after(used(process), catalog))]


@step('note mark')
def note_mark(model, world, process):
    catalog = world.catalogs[process.side]
    mark, catalog, over = note(world, catalog)
    intents = tuple(intent._replace(mark=mark, over=over) if intent.owner == process.number and intent.kind == 'publish'
                    else intent for intent in catalog.intents)
    return [(f'tx: mark {mark} is pending', world.after(process._replace(mark=mark), catalog._replace(intents=intents),
                                                         next=world.next + 1))]


@step('manifest')
def manifest(model, world, process):
    storage = world.storage
    return [(f'PUT manifest {process.version.number}',
             world.after(process._replace(undo=process.undo + ('take manifest back',)),
                         storage=storage._replace(manifests=storage.manifests | {process.version})))]


@step('publish')
def publish(model, world, process):
    version = process.version
    missing = world.missing(version.blocks)
    if missing:
        return [('tx: publishes',
                 Violation(f'LOSS: {process.name} reports version {version.number} as done without {missing}'))]
    catalog = world.catalogs[process.side]
    intent = catalog.intent(version.number)
    catalog = confirm(model, catalog.without_intent(version.number), intent.mark, intent.over)
    return [(f'tx: publishes {version.number}, DONE',
             world.after(process._replace(undo=()), catalog._replace(versions=catalog.versions | {version}),
                         done=world.done | {version}))]


@step('fail')
def fail(model, world, process):
    catalog = world.catalogs[process.side]
    intent = catalog.intent(process.version.number)
    return [(f'tx: forgets version {process.version.number}', world.after(process, forget(model, catalog, intent)))]


# ---- rm

@step('begin removal')
def begin_removal(model, world, process):
    """One successor for each version that could be removed."""
    found = []
    for version in sorted(world.catalogs[process.side].versions):
        catalog = world.catalogs[process.side]
        if catalog.intent(version.number) is not None:
            continue
        mark, over = None, frozenset()
        if 'rm mark' in model.rules:
            mark, catalog, over = note(world, catalog)
        intent = Intent('remove', version, process.number, mark, over)
        found.append((f'tx: begins to remove {version.number}' + (f', mark {mark} is pending' if mark else ''),
                      world.after(process._replace(version=version, mark=mark),
                                  catalog._replace(intents=catalog.intents + (intent,)),
                                  done=world.done - {version}, next=world.next + 1)))
    return found or [('nothing to remove', world.after(process._replace(program=())))]


@step('delete manifest')
def delete_manifest(model, world, process):
    storage = world.storage
    return [(f'DELETE manifest {process.version.number}',
             world.after(process, storage=storage._replace(manifests=storage.manifests - {process.version})))]


@step('removed')
def removed(model, world, process):
    catalog = world.catalogs[process.side]
    intent = catalog.intent(process.version.number)
    catalog = confirm(model, catalog.without_intent(process.version.number), intent.mark, intent.over)
    return [(f'tx: version {process.version.number} is gone',
             world.after(process._replace(undo=()), catalog._replace(versions=catalog.versions - {process.version}),
                         removed=world.removed | {process.version}))]
