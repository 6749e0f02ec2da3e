"""Steps by name, and what every command begins with: the recovery of dead runs."""
from .reading import is_usable
from .world import Version

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


@step('recover')
def recover(model, world, process):
    """Finishes what dead runs left, in one step; the model of age marks takes it apart."""
    living = world.living_runs()
    for number, block in sorted(world.catalog.intents):
        if number in living:
            continue
        if any(version.number == number for version in world.manifests):
            world = add_version(model, world, number, block)
        else:
            world = world._replace(catalog=forget(model, world.catalog, number))
    return [('recovers', world.after(process))]


def add_version(model, world, number, block):
    """Publishes. A version with a block that was marked meanwhile is invalid, and says so."""
    row = world.catalog.row(block)
    valid = 'publication' not in model.rules or row is not None and not row.invalid
    version = Version(number, block, valid)
    catalog = world.catalog._replace(versions=world.catalog.versions | {version},
                                     intents=world.catalog.intents - {(number, block)})
    manifests = frozenset(version if old.number == number else old for old in world.manifests)
    return world._replace(catalog=catalog, manifests=manifests)


def forget(model, catalog, number):
    """Forgets a run that made no version: its rows are in doubt, and objects without rows may lie in the storage."""
    return catalog._replace(intents=frozenset(intent for intent in catalog.intents if intent[0] != number),
                            doubt=number if catalog.doubt is None else min(catalog.doubt, number),
                            strays=True, failed=catalog.failed + 1)


def mark_passed():
    """An age mark is put: what was copied before can be told from what is there from now on."""
    return {'copy': None, 'image': None}
