#!/usr/bin/python3
"""Puts defects into a copy of the sources, each behind a switch.

usage: plant.py TREE [NAME...]

TREE is the copy. NAME is a defect, or a list of this folder without its ending; without one, all are planted. Prints one
line for each: name, parts of names of tests, what is broken; between them a tab. The copy of the tests becomes a program that
tries them: MutantRun.cs. The exit code is 1 when the text of a defect is not in its file exactly once, and 64 when a NAME is
not known or a list is not as it should be.

A list has a block of lines for each defect, with an empty line between two blocks. Each line begins with a key:

name   what the defect is called
what   what is broken, in one sentence
tests  parts of the names of the tests that must notice it
file   the file that it is in
line   the text that it replaces, which is there exactly once; the indentation of its lines does not count
with   what stands there instead; MUTANT in it is true when this defect was chosen

A key that is repeated goes on with its text on the next line. An edit elsewhere that belongs to the same defect begins
with another "file". Several defects may replace one text, each in what those above it have left: where their replacements
contain the text, once. Lines that begin with # are comments.
"""
import glob
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
KEYS = ["name", "what", "tests", "file", "line", "with"]
SWITCH_FILE = "Benji.Store/Mutant.cs"
RUN_FILE = "MutantRun.cs"
TESTS = "tests/Benji.Tests"
SWITCH = """/// <summary>Which defect this process has.</summary>
public static class Mutant
{
    /// <summary>Its name; empty for none.</summary>
    public static string Chosen { get; set; } = System.Environment.GetEnvironmentVariable("BENJI_MUTANT") ?? "";

    /// <summary>True for the defect that was chosen.</summary>
    public static bool Is(string name) => name == Chosen;
}
"""


def fail(code, text):
    print(f"{os.path.basename(__file__)}: {text}", file=sys.stderr)
    sys.exit(code)


def read(path):
    """Returns the defects of one file: each has one edit, or more, which begin with their files."""
    with open(path, encoding="utf-8") as file:
        text = re.sub(r"^#.*\n", "", file.read(), flags=re.MULTILINE)
    for block in re.split(r"\n(?:[ \t]*\n)+", text.strip()):
        defect, edits = {"area": os.path.splitext(os.path.basename(path))[0]}, []
        for line in block.splitlines():
            key, _, value = line.partition(" ")
            if key not in KEYS:
                fail(64, f"{path}: '{line}' begins with none of {' '.join(KEYS)}")
            if key == "file":
                edits.append({})
            place = edits[-1] if key in KEYS[3:] and edits else defect
            place[key] = (place[key] + "\n" if key in place else "") + value.strip()
        if not edits or not all(map(defect.get, KEYS[:3])) or not all(edit.get(key) for edit in edits for key in KEYS[3:]):
            fail(64, f"{path}: one of {' '.join(KEYS)} is missing from:\n{block}")
        if not all("MUTANT" in edit["with"] for edit in edits):
            fail(64, f"{path}: {defect['name']} has a replacement without MUTANT")
        yield defect | {"edits": edits}


def places(text, lines):
    """Finds a text, whose lines may be indented in any way."""
    return list(re.finditer(r"\s*\n\s*".join(re.escape(line) for line in lines.split("\n")), text))


def plant(tree, name, edit, originals, planted):
    """Does one edit; returns what is wrong, or None."""
    path = os.path.join(tree, edit["file"])
    if path not in originals:
        if not os.path.exists(path):
            return "there is no such file"
        with open(path, encoding="utf-8") as file:
            originals[path] = planted[path] = file.read()
    found = len(places(originals[path], edit["line"]))
    if found != 1:
        return f"this text is there {found} times"
    now = places(planted[path], edit["line"])
    if len(now) != 1:
        return f"a defect above leaves this text {len(now)} times"
    switched = re.sub(r"\bMUTANT\b", f'global::Mutant.Is("{name}")', edit["with"])
    planted[path] = planted[path][:now[0].start()] + switched + planted[path][now[0].end():]
    return None


def main(tree, names):
    defects = [defect for path in sorted(glob.glob(os.path.join(HERE, "*.txt"))) for defect in read(path)]
    known = [defect["name"] for defect in defects]
    twice = sorted({name for name in known if known.count(name) > 1})
    unknown = [name for name in names if name not in known and name not in {defect["area"] for defect in defects}]
    if twice or unknown:
        fail(64, f"no such defect: {' '.join(unknown)}" if unknown else f"listed twice: {' '.join(twice)}")
    chosen = [defect for defect in defects if not names or defect["name"] in names or defect["area"] in names]
    originals, planted, wrong = {}, {}, 0
    for defect, edit in ((defect, edit) for defect in chosen for edit in defect["edits"]):
        if trouble := plant(tree, defect["name"], edit, originals, planted):
            wrong += 1
            print(f"{defect['name']}: {edit['file']}: {trouble}: {edit['line']}", file=sys.stderr)
    if wrong:
        fail(1, f"{wrong} edits do not fit the sources")
    planted[os.path.join(tree, SWITCH_FILE)] = SWITCH
    with open(os.path.join(HERE, RUN_FILE), encoding="utf-8") as file:
        planted[os.path.join(tree, TESTS, RUN_FILE)] = file.read()
    for path, text in planted.items():
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
    for defect in chosen:
        print("\t".join([defect["name"], " ".join(defect["tests"].split()), " ".join(defect["what"].split())]))


if __name__ == "__main__":
    if len(sys.argv) < 2:
        fail(64, __doc__)
    main(sys.argv[1], sys.argv[2:])
