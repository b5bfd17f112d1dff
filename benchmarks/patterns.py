"""Every regular expression of the source against long inputs made from it: which take more than linear time.

    python benchmarks/patterns.py [--length 4000] [--slowest 10]

All modules are imported and every compiled pattern that they hold is tried. Its own parts make the inputs: what leads
to each repetition, the repeated piece thousands of times, and an end that does not match; repeated pieces in pairs;
and fixed classes of text (spaces, quotes, brackets, digits, exclamation marks, line ends). A pattern is slow where
twice the input takes more than three times as long, twice over.
"""

import argparse
import importlib
import itertools
import pkgutil
import re
import signal
import sys
import time
from pathlib import Path
from re import _constants as sre
from re import _parser

import deepred

FIXED = [" ", "\n", "!", ".", "a", "A", "a ", "A ", "1", "1900 ", "1-", "'", '"', "(", ")", "[", "]", "{", "|", "<",
         "=", "-", ",", ", a", "a.b", "A.", "a's ", "\t", "\r\n", "é", "<a ", "[[", "{{", "* ", "1. ", "&amp;",
         "I. ", "I "]  # fmt: skip
LONGEST = 3.0
"""Processor seconds after which an input counts as too slow."""
ENDS = ("", "\0", "!\n")
REPEATS = {sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT}


def patterns():
    """Every compiled pattern of the package's modules, by the place that holds it."""
    found = {}
    for module in pkgutil.walk_packages(deepred.__path__, "deepred."):
        if module.name.endswith("__main__"):
            continue
        try:
            loaded = importlib.import_module(module.name)
        except ImportError:
            continue
        for name, value in vars(loaded).items():
            for pattern in _held(value):
                if isinstance(pattern.pattern, str):
                    found.setdefault(pattern, f"{module.name}.{name}")
    return found


def _held(value, depth=0):
    if isinstance(value, re.Pattern):
        yield value
    elif depth < 3 and isinstance(value, (list, tuple, set, frozenset)):
        for one in value:
            yield from _held(one, depth + 1)
    elif depth < 3 and isinstance(value, dict):
        for one in value.values():
            yield from _held(one, depth + 1)
    elif depth < 3 and type(value).__module__.startswith("deepred") and hasattr(value, "__dict__"):
        for one in vars(value).values():
            yield from _held(one, depth + 1)


def sample(nodes):
    """A short text that a sequence of parsed nodes matches, more or less."""
    return "".join(_sample(*node) for node in nodes)


def _sample(op, argument):
    if op is sre.LITERAL:
        return chr(argument)
    if op is sre.NOT_LITERAL:
        return "a" if argument != ord("a") else "b"
    if op is sre.ANY:
        return "a"
    if op is sre.IN:
        return _of_class(argument)
    if op is sre.BRANCH:
        return sample(argument[1][0])
    if op is sre.SUBPATTERN:
        return sample(argument[-1])
    if op in REPEATS:
        return sample(argument[2]) * max(1, argument[0])
    if op is sre.ATOMIC_GROUP:
        return sample(argument)
    return ""


def _of_class(items):
    negated = items[0][0] is sre.NEGATE
    members = {char for char in map(chr, range(32, 127)) if _in_class(char, items)}
    if negated:
        members = set(map(chr, range(32, 127))) - members
    preferred = [char for char in "a1 A.-" if char in members]
    return preferred[0] if preferred else min(members, default=chr(items[0][1]) if items[0][0] is sre.LITERAL else "é")


def _in_class(char, items):
    for op, argument in items:
        if op is sre.LITERAL and ord(char) == argument:
            return True
        if op is sre.RANGE and argument[0] <= ord(char) <= argument[1]:
            return True
        if op is sre.CATEGORY:
            kind = str(argument)
            hit = (
                char.isdigit()
                if "DIGIT" in kind
                else char.isspace()
                if "SPACE" in kind
                else char.isalnum() or char == "_"
            )
            if hit != ("NOT" in kind):
                return True
    return False


def attacks(pattern):
    """Prefix and repeated piece of the inputs for a pattern."""
    tree = _parser.parse(pattern.pattern, pattern.flags & ~re.UNICODE | (pattern.flags & re.VERBOSE))
    made = set()

    def walk(nodes, prefix):
        for op, argument in nodes:
            if op in REPEATS and argument[1] > 20:
                made.add((prefix, sample(argument[2])))
            if op in REPEATS:
                walk(argument[2], prefix)
            elif op is sre.SUBPATTERN:
                walk(argument[-1], prefix)
            elif op is sre.ATOMIC_GROUP:
                walk(argument, prefix)
            elif op is sre.BRANCH:
                for branch in argument[1]:
                    walk(branch, prefix)
            elif op in (sre.ASSERT, sre.ASSERT_NOT):
                walk(argument[1], prefix)
            prefix += _sample(op, argument)
        return prefix

    whole = walk(tree, "")
    pieces = {piece for _, piece in made if piece}
    made |= {("", one + other) for one, other in itertools.permutations(sorted(pieces)[:8], 2)}
    made |= {("", prefix + piece) for prefix, piece in list(made) if prefix and len(prefix) < 60}
    made |= {("", text) for text in FIXED} | {("", whole)} | {(whole, text) for text in (" ", "a", "!")}
    return sorted((prefix, piece) for prefix, piece in made if piece)


def is_searched(name, source):
    """Whether a pattern of this name is ever looked for anywhere in a text, and not only at a place."""
    used = rf"\b{name}(?:\[[^\]\n]*\])?\."
    anywhere = re.search(used + r"(?:search|subn?|split|finditer|findall)\b", source)
    return anywhere is not None or re.search(used + r"(?:match|fullmatch)\b", source) is None


def seconds(pattern, text, searched):
    """Processor seconds of going through a text; LONGEST where that is not enough."""
    began = time.process_time()
    signal.setitimer(signal.ITIMER_VIRTUAL, LONGEST)
    try:
        if not searched:
            pattern.match(text)
            pattern.fullmatch(text)
        for _ in pattern.finditer(text) if searched else ():
            pass
    except _LateError:
        return LONGEST
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    return time.process_time() - began


class _LateError(Exception):
    pass


def _stop(*_):
    raise _LateError


def slow(pattern, length, searched):
    """The first input that takes more than linear time: (growth, seconds, prefix, piece, end), or None."""
    for prefix, piece in attacks(pattern):
        for end in ENDS:
            count = length // len(piece)
            first = seconds(pattern, prefix + piece * count + end, searched)
            if first < 0.004:
                continue
            second = seconds(pattern, prefix + piece * 2 * count + end, searched)
            times = second / first
            if second == LONGEST or (
                times > 3
                and seconds(pattern, prefix + piece * 4 * count + end, searched) > min(2.8 * second, LONGEST * 0.99)
            ):
                return times, second, prefix[:40], piece[:40], end
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--length", type=int, default=4000, help="characters of the shortest input")
    options = parser.parse_args()
    signal.signal(signal.SIGVTALRM, _stop)
    found = patterns()
    folder = Path(deepred.__path__[0])
    files = {path: path.read_text(encoding="utf-8") for path in folder.rglob("*.py")}
    everything = "\n".join(files.values())
    bad = 0
    for pattern, place in sorted(found.items(), key=lambda item: item[1]):
        module, _, name = place.rpartition(".")
        own = Path(sys.modules[module].__file__)
        source = files[own] if name.startswith("_") else everything
        try:
            worst = slow(pattern, options.length, is_searched(name, source))
        except Exception as error:
            print(f"{place}: not tried ({type(error).__name__}: {error})")
            continue
        if worst:
            bad += 1
            print(f"{place}: x{worst[0]:.1f} for twice the input, {worst[1]:.3f} s; {worst[2:]!r}", flush=True)
    print(f"{len(found)} patterns tried, {bad} take more than linear time")
    return bad


if __name__ == "__main__":
    sys.exit(1 if main() else 0)
