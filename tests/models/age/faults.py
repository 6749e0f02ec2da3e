"""What goes wrong around the commands: kills, copies, rolled back halves, forks."""
from functools import partial

from explore import Move, Violation
from .looks import difference
from .world import PENDING, Storage


def faults(model, world):
    """Every fault that the budget still allows."""
    moves = []
    for process in world.processes if world.budget.kills else ():
        moves.append(Move('kill', f'{process.name}: killed', partial(end, world, process, ())))
        if process.kind.startswith('backup') and process.version and 'manifest' in process.program:
            moves.append(Move('kill', f'{process.name}: fails', partial(end, world, process, ('fail',))))
    return moves + catalog_faults(model, world) + storage_faults(model, world)


def end(world, process, program):
    return world.spend('kills').after(process._replace(program=program))


def catalog_faults(model, world):
    moves, budget, (first, second) = [], world.budget, world.catalogs
    if budget.copies:
        moves.append(Move('fault', 'COPY of catalog A', lambda: world.spend('copies', copy=first)))
    if world.copy is None:
        return moves
    if budget.rollbacks and world.copy != first:
        moves.append(Move('fault', 'ROLL BACK catalog A to its copy; its commands are dead', lambda: world.spend(
            'rollbacks', catalogs=(world.copy, second), faulted=True,
            processes=tuple(process for process in world.processes if process.side != 0))))
    free = second is None and not any(process.side for process in world.processes)
    if budget.forks and free and (model.holes or not under_way(world)):
        moves.append(Move('fault', 'FORK: the copy is put to work as B', lambda: world.spend(
            'forks', catalogs=(first, world.copy), faulted=True)))
    return moves


def under_way(world):
    """True while a mark is pending in the copy and the command that noted it still lives: the hole that the protocol
    leaves open."""
    alive, copy = world.alive(0), world.copy
    owners = {intent.owner for intent in copy.intents if intent.mark is not None}
    owners |= {copy.cleaner} if copy.claim else set()
    return bool(owners & alive and copy.marks_in(PENDING))


def storage_faults(model, world):
    """The storage is copied in three steps, so that a copy need not be of one moment."""
    moves, budget, now, image = [], world.budget, world.storage, world.image
    order = ('manifests', 'blocks') if 'copy manifests before blocks' in model.rules else ('blocks', 'manifests')
    order = ('marks',) + order if 'copy marks first' in model.rules else order + ('marks',)
    copied = 0 if image is None else sum(part is not None for part in image)
    if budget.images and copied in (0, 3):
        begun = Storage(None, None, None)._replace(**{order[0]: getattr(now, order[0])})
        moves.append(Move('fault', f'COPY of the storage: {order[0]}', lambda: world.spend('images', image=begun)))
    elif 0 < copied < 3:
        part = {order[copied]: getattr(now, order[copied])}
        moves.append(Move('fault', f'COPY of the storage: {order[copied]}',
                          lambda: world._replace(image=image._replace(**part))))
    if copied == 3 and budget.replacements and image != now:
        moves.append(Move('fault', 'REPLACE the storage by its copy; all commands are dead', lambda: replaced(world)))
    return moves


def replaced(world):
    """What the copy lacks is lost; but a catalog that knows a lost version must notice."""
    image = world.image
    lost = {version for version in world.done if version not in image.manifests or set(version.blocks) - image.blocks}
    for catalog in world.catalogs:
        if catalog is None or catalog.unclaimed or any(difference(catalog, image.marks)):
            continue
        known = sorted(version.number for version in lost & catalog.versions)
        if known:
            return Violation(f'UNNOTICED: versions {known} are lost with the storage, and its marks are those that the '
                             'catalog requires')
    return world.spend('replacements', storage=image, processes=(), done=world.done - lost, faulted=True)
