"""Steps that every command takes: the look at the age marks, a refusal, and the recovery of what dead runs left."""
from explore import Violation
from .world import PENDING, REQUIRED, RETIRED

STEPS = {}


def step(name):
    """Registers a step: a function of the model, the state and the command without that step, which returns (text,
    state) pairs. An empty list means that the command has to wait."""
    def register(function):
        STEPS[name] = function
        return function
    return register


def then(process, *names, **changes):
    return process._replace(program=names + process.program, **changes)


# ---- the look: a listing of marks/, then the catalog

@step('look')
def look(model, world, process):
    return [(f'LIST marks: {sorted(world.storage.marks)}',
             world.after(then(process, 'compare', seen=world.storage.marks)))]


@step('compare')
def compare(model, world, process):
    catalog = world.catalogs[process.side]
    if catalog.unclaimed:
        return refuse(world, process, 'the storage was not claimed')
    missing, unknown = difference(catalog, process.seen)
    if not missing and not unknown:
        return [('the marks agree', unnoticed(world, process) or world.after(process._replace(seen=None, before=None)))]
    again = process.before
    if 'second look' in model.rules and not (again and (missing & again[0] or unknown & again[1])):
        return [('the marks differ: looks again',
                 world.after(then(process, 'look', seen=None, before=(missing, unknown))))]
    return refuse(world, process, f'missing {sorted(missing)}, unknown {sorted(unknown)}')


def difference(catalog, listed):
    """What catalog and storage disagree about: the required marks that are not there, and those there that it does not
    know."""
    known = catalog.marks_in(PENDING, REQUIRED, RETIRED)
    return catalog.marks_in(REQUIRED) - listed, listed - known


def unnoticed(world, process):
    """What a look must not pass over while nobody works on the other catalog: versions that were removed, or published,
    there."""
    catalog = world.catalogs[process.side]
    if process.seen != world.storage.marks or any(other.side != process.side for other in world.processes):
        return None
    gone = catalog.versions & world.removed - world.storage.manifests
    removed = [version.number for version in gone if not catalog.intent(version.number)]
    unknown = [version.number for version in world.done - catalog.versions if not catalog.intent(version.number)]
    if removed or unknown:
        return Violation(f'UNNOTICED: {process.name} goes on, though versions {sorted(removed)} were removed, and its '
                         f'catalog does not know versions {sorted(unknown)}')
    return None


def refuse(world, process, why):
    if not world.faulted:
        return [(f'is refused ({why})',
                 Violation(f'FALSE ALARM: {process.name} is refused ({why}) in a history without a fault'))]
    return [(f'REFUSED ({why})',
             world.after(process._replace(program=process.undo + ('leave',), seen=None, before=None)))]


# ---- what a refused command takes back

@step('take manifest back')
def take_manifest_back(model, world, process):
    storage = world.storage
    return [(f'DELETE its manifest {process.version.number}',
             world.after(process, storage=storage._replace(manifests=storage.manifests - {process.version})))]


@step('take mark back')
def take_mark_back(model, world, process):
    storage = world.storage
    return [(f'DELETE its mark {process.mark}',
             world.after(process, storage=storage._replace(marks=storage.marks - {process.mark})))]


@step('leave')
def leave(model, world, process):
    catalog = world.catalogs[process.side]
    for intent in catalog.intents:
        if intent.owner == process.number and intent.kind == 'publish' and intent.version == process.version:
            catalog = forget(model, catalog, intent)
    if catalog.cleaner == process.number:
        catalog = catalog._replace(cleaner=0)
    return [('tx: forgets what it began', world.after(process, catalog))]


def forget(model, catalog, intent):
    """Forgets a run that made no version: what it recorded is in doubt, and it may have left objects without rows."""
    catalog = suspect(model, catalog.without_intent(intent.version.number)._replace(strays=True), intent)
    return catalog if intent.mark is None else catalog.with_marks([intent.mark], RETIRED)


def suspect(model, catalog, intent):
    """Puts what was recorded since a run began in doubt."""
    began, doubt = intent.version.number, catalog.doubt
    if 'doubt' in model.rules:
        catalog = catalog._replace(doubt=began if doubt is None else min(doubt, began))
    return catalog._replace(failed=catalog.failed + ('count failures' in model.rules))


# ---- marks in the catalog

def note(world, catalog):
    """A new mark, pending; the catalog knows it before it is put."""
    return world.next, catalog.with_marks([world.next], PENDING), catalog.marks_in(REQUIRED)


def confirm(model, catalog, mark, over):
    """The mark is required from now on, in place of those that were required when it was recorded."""
    if dict(catalog.marks).get(mark) != PENDING:
        return catalog
    retired = over if 'only what it replaces' in model.rules else catalog.marks_in(REQUIRED)
    return catalog.with_marks(retired, RETIRED).with_marks([mark], REQUIRED)


@step('mark')
def put_mark(model, world, process):
    storage = world.storage
    return [(f'PUT mark {process.mark}',
             world.after(process._replace(undo=process.undo + ('take mark back',)),
                         storage=storage._replace(marks=storage.marks | {process.mark})))]


@step('delete old marks')
def delete_old_marks(model, world, process):
    old = world.catalogs[process.side].marks_in(RETIRED) & world.storage.marks
    storage = world.storage._replace(marks=world.storage.marks - old)
    return [(f'DELETE old marks {sorted(old)}', world.after(process, storage=storage))]


@step('drop old marks')
def drop_old_marks(model, world, process):
    """A variant: forgets retired marks as soon as they were deleted, not after days."""
    catalog = world.catalogs[process.side]
    kept = tuple((mark, state) for mark, state in catalog.marks if state != RETIRED or mark in world.storage.marks)
    return [('tx: drops deleted marks', world.after(process, catalog._replace(marks=kept)))]


# ---- recovery: one intent after the other, each owned by whoever finishes it

@step('recover')
def recover(model, world, process):
    catalog, alive = world.catalogs[process.side], world.alive(process.side)
    dead = [intent for intent in catalog.intents if intent.owner not in alive]
    if not dead:
        return [('nothing to recover', world.after(process))]
    mine = dead[0]._replace(owner=process.number)
    catalog = catalog._replace(intents=tuple(mine if intent == dead[0] else intent for intent in catalog.intents))
    if mine.kind == 'publish' and 'doubt when taken' in model.rules:
        catalog = suspect(model, catalog, mine)
    begin = ('recover: find manifest',) if mine.kind == 'publish' else \
        ('recover: delete manifest', 'recover: mark', 'recover: remove', 'recover')
    return [(f'tx: recovers {mine.kind} {mine.version.number}',
             world.after(then(process, *begin, intent=mine), catalog))]


@step('recover: find manifest')
def find_manifest(model, world, process):
    if process.intent.version in world.storage.manifests:
        if process.intent.mark is None and 'publish mark' in model.rules:
            # A manifest is put after its mark was noted: this catalog is a copy from before that, and lacks rows.
            return refuse(world, process, f'version {process.intent.version.number} has a manifest and no mark')
        steps = ('recover: mark',) * ('recovery mark' in model.rules) + ('look',) * ('recovery look' in model.rules)
        return [('its manifest is there', world.after(then(process, *steps, 'recover: add', 'recover')))]
    return [('its manifest is not there', world.after(then(process, 'recover: forget', 'recover')))]


@step('recover: mark')
def recovery_mark(model, world, process):
    storage = world.storage
    if process.intent.mark is None:
        return [('no mark was noted', world.after(process))]
    return [(f'PUT mark {process.intent.mark} again',
             world.after(process, storage=storage._replace(marks=storage.marks | {process.intent.mark})))]


@step('recover: add')
def recovery_add(model, world, process):
    intent, catalog = process.intent, world.catalogs[process.side]
    missing = world.missing(intent.version.blocks)
    if missing:
        return [('tx: adds the version',
                 Violation(f'LOSS: recovery adds version {intent.version.number} without {missing}'))]
    catalog = confirm(model, catalog.without_intent(intent.version.number), intent.mark, intent.over)
    return [(f'tx: adds version {intent.version.number}',
             world.after(process._replace(intent=None), catalog._replace(versions=catalog.versions | {intent.version}),
                         done=world.done | {intent.version}))]


@step('recover: forget')
def recovery_forget(model, world, process):
    catalog = forget(model, world.catalogs[process.side], process.intent)
    return [(f'tx: forgets version {process.intent.version.number}',
             world.after(process._replace(intent=None), catalog))]


@step('recover: delete manifest')
def recovery_delete(model, world, process):
    storage = world.storage
    return [(f'DELETE manifest {process.intent.version.number}',
             world.after(process, storage=storage._replace(manifests=storage.manifests - {process.intent.version})))]


@step('recover: remove')
def recovery_remove(model, world, process):
    intent = process.intent
    catalog = world.catalogs[process.side]
    catalog = confirm(model, catalog.without_intent(intent.version.number), intent.mark, intent.over)
    return [(f'tx: version {intent.version.number} is gone',
             world.after(process._replace(intent=None), catalog._replace(versions=catalog.versions - {intent.version}),
                         removed=world.removed | {intent.version}))]
