"""The steps of `benji rebuild` into catalog B: it takes the storage over, or only reads one that cannot be written."""
from .looks import step, then
from .world import LIVE, REQUIRED, RETIRED, Catalog, Row


def rebuild(model):
    return ('rebuild: mark', 'rebuild: list', 'rebuild: compare', 'rebuild: catalog', 'rebuild: delete marks')


def readonly_rebuild(model):
    return ('rebuild: list', 'rebuild: compare', 'rebuild: catalog')


def is_readonly(process):
    return process.kind == 'readonly rebuild'


def in_batch(world, marked):
    """True while a cleanup of the other catalog is past the last look before its DELETEs; or past the PUT of its
    mark."""
    for process in world.processes:
        if process.side == 0 and 'claim: done' in process.program:
            looks = process.program[:process.program.index('claim: done')]
            if not {'look', 'compare'} & set(looks) or marked and not {'claim: mark', 'claim: mark again'} & set(looks):
                return True
    return False


@step('rebuild: mark')
def mark(model, world, process):
    if in_batch(world, marked=False) and not model.holes:
        return []                       # `rebuild --force` says that no other process may run
    storage = world.storage
    return [(f'PUT mark {world.next}',
             world.after(process._replace(mark=world.next),
                         storage=storage._replace(marks=storage.marks | {world.next}),
                         next=world.next + 1))]


@step('rebuild: list')
def list_everything(model, world, process):
    """Marks first, then manifests, then blocks; at the end a new mark, and the marks again."""
    first = ('rebuild: list marks',) if 'rebuild lists marks first' in model.rules else ('rebuild: no marks',)
    second = ('rebuild: mark',) * ('rebuild second mark' in model.rules and not is_readonly(process))
    program = first + ('rebuild: list manifests', 'rebuild: list blocks') + second + ('rebuild: list marks again',)
    return [('begins to list', world.after(then(process, *program, seen=())))]


def listed(world, process, what):
    return world.after(process._replace(seen=process.seen + (what,)))


@step('rebuild: list marks')
def list_marks(model, world, process):
    return [(f'LIST marks: {sorted(world.storage.marks)}', listed(world, process, world.storage.marks))]


@step('rebuild: no marks')
def no_marks(model, world, process):
    return [('does not list marks', listed(world, process, None))]


@step('rebuild: list manifests')
def list_manifests(model, world, process):
    return [(f'LIST manifests: {sorted(version.number for version in world.storage.manifests)}',
             listed(world, process, world.storage.manifests))]


@step('rebuild: list blocks')
def list_blocks(model, world, process):
    return [(f'LIST blocks: {sorted(world.storage.blocks)}', listed(world, process, world.storage.blocks))]


@step('rebuild: list marks again')
def list_marks_again(model, world, process):
    return [(f'LIST marks: {sorted(world.storage.marks)}', listed(world, process, world.storage.marks))]


@step('rebuild: compare')
def compare(model, world, process):
    first, _, _, second = process.seen
    if first is not None and second - first - {process.mark}:
        return [('another mark has come: lists again', world.after(then(process, 'rebuild: list', 'rebuild: compare')))]
    return [('no mark has come', world.after(process))]


@step('rebuild: catalog')
def make_catalog(model, world, process):
    if is_readonly(process) and in_batch(world, marked=True) and not model.holes:
        return []
    first, manifests, blocks, second = process.seen
    needed = {name for version in manifests for name in version.blocks}
    rows = tuple((name, Row(LIVE, world.clock)) for name in sorted(blocks & needed))
    catalog = Catalog(rows=rows, versions=manifests, strays=True)
    if is_readonly(process):
        catalog = catalog.with_marks(second, REQUIRED)._replace(unclaimed='unclaimed serves readers' in model.rules)
    else:
        catalog = catalog.with_marks(second | (first or frozenset()), RETIRED).with_marks([process.mark], REQUIRED)
    return [(f'tx: catalog of versions {sorted(version.number for version in manifests)}',
             world.after(process._replace(seen=None), catalog))]


@step('rebuild: delete marks')
def delete_marks(model, world, process):
    """Those that it listed; one that has come since is another catalog's, which is still at work."""
    marks = world.catalogs[process.side].marks_in(RETIRED)
    if 'rebuild deletes what it listed' not in model.rules:
        marks = world.storage.marks - {process.mark}
    return [(f'DELETE marks {sorted(marks)}',
             world.after(process, storage=world.storage._replace(marks=world.storage.marks - marks)))]
