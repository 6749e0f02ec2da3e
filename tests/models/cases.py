"""What a case is: a model with some rules left out, and what must come of it."""
from typing import Any, NamedTuple, Optional

from explore import follow, search, walk


class Case(NamedTuple):
    """`expected` begins the violation that must be found; None when none may be. With a script the history is given,
    and only has to be followed; else `seed` is one whose walk finds it, or the first of those that find nothing."""
    name: str
    make: Any                           # a function of the rules, which makes the model
    rules: frozenset
    left_out: frozenset = frozenset()
    expected: Optional[str] = None
    script: tuple = ()
    seed: int = 1

    def model(self):
        return self.make(self.rules - self.left_out)

    def find(self, steps_max, seconds):
        """The violation by its script or its seed."""
        return follow(self.model(), self.script) if self.script else walk(self.model(), steps_max, seconds, self.seed)

    def is_needed(self):
        """False when the script finds the same with all rules: then it says nothing about what was left out."""
        try:
            return not self.script or not self.left_out or follow(self.make(self.rules), self.script).violation is None
        except LookupError:
            return True

    def search(self, states_max, seconds):
        return search(self.model(), states_max, seconds)

    def walk(self, steps_max, seconds, seed):
        return walk(self.model(), steps_max, seconds, seed)
