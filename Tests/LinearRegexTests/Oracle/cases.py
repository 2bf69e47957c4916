"""Writes cases.jsonl: random patterns and texts with what Python's re says of them.

Where the two dialects differ the pattern is written for each: `$` without (?m) is the text's end here, and before a
last newline in Python. A part that can be empty is not repeated: engines differ in what its groups are then.
"""
import json
import random
import re
import sys

SEED = 20260515
LETTERS = ["a", "b", "c", "1", "_", " ", "-", "\n", "日", "€", "😀", "B", "A"]


class Maker:
    def __init__(self, random):
        self.random = random
        self.groups = 0

    def atom(self, depth):
        """Pattern here, pattern in Python, whether it can be empty, whether it may be repeated."""
        pick = self.random.randrange(20)
        if pick < 8 or depth > 4:
            text = re.escape(self.random.choice(LETTERS)).replace("\\\n", "\\n").replace("\\ ", " ")
            return text, text, False, True
        if pick < 10:
            return ".", ".", False, True
        if pick < 13:
            text = self.random.choice([r"\d", r"\D", r"\w", r"\W", r"\s", r"\S", "[a-c]", "[^a]", r"[^\w-]", "[]a]",
                                       "[b1日]", "[^日\\n]", r"[\d_]", "[a-]", r"[^\s1]", "[ -~]", r"\x61", "[\\x41-\\x43]"])
            return text, text, False, True
        if pick < 14:
            text = self.random.choice([r"\b", r"\B"])
            return text, text, True, False
        if pick < 15:
            return self.random.choice([("^", "^", True, False), ("$", r"\Z", True, False), (r"\A", r"\A", True, False),
                                       (r"\z", r"\Z", True, False)])
        if pick < 16:
            here, there, empty = self.choice(depth + 1)
            text = self.random.choice(["(?i:%s)", "(?s:%s)", "(?i-s:%s)"])
            return text % here, text % there, empty, True
        if pick < 17:
            there = self.random.choice(["(?m:^)", "(?m:$)"])
            return there, there, True, False
        if pick < 18:
            here, there, empty = self.choice(depth + 1)
            return "(?:%s)" % here, "(?:%s)" % there, empty, True
        self.groups += 1
        name = "n%d" % self.groups
        here, there, empty = self.choice(depth + 1)
        opening = self.random.choice(["(", "(?P<%s>" % name, "(?<%s>" % name])
        return opening + here + ")", ("(" if opening == "(" else "(?P<%s>" % name) + there + ")", empty, True

    def part(self, depth):
        here, there, empty, repeatable = self.atom(depth)
        if empty or not repeatable or self.random.random() < 0.5:
            return here, there, empty
        least = self.random.randrange(3)
        count, zero = self.random.choice([("*", True), ("+", False), ("?", True), ("{%d}" % (least + 1), False),
                                          ("{%d,}" % least, least == 0), ("{%d,%d}" % (least, least + 2), least == 0)])
        count += self.random.choice(["", "", "?"])
        return here + count, there + count, zero

    def sequence(self, depth):
        parts = [self.part(depth) for _ in range(self.random.randrange(1, 5))]
        return "".join(p[0] for p in parts), "".join(p[1] for p in parts), all(p[2] for p in parts)

    def choice(self, depth):
        parts = [self.sequence(depth) for _ in range(self.random.choice([1, 1, 1, 2, 3]))]
        return "|".join(p[0] for p in parts), "|".join(p[1] for p in parts), any(p[2] for p in parts)


def main():
    rng = random.Random(SEED)
    seen = 0
    while seen < int(sys.argv[1]):
        here, there, _ = Maker(rng).choice(0)
        try:
            pattern = re.compile(there, re.ASCII)
        except re.error:
            continue
        found = None
        for attempt in range(6):
            text = "".join(rng.choice(LETTERS) for _ in range(rng.randrange(14)))
            found = pattern.search(text)
            if found:
                break
        byte = lambda offset: -1 if offset < 0 else len(text[:offset].encode())
        spans = found and [[byte(found.start(g)), byte(found.end(g))] for g in range(pattern.groups + 1)]
        print(json.dumps([here, text, spans], ensure_ascii=False))
        seen += 1


main()
