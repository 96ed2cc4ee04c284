"""Compares `sessio-eval` with requests, and fails on every difference that has no name.

usage: compare.py PROGRAM [COUNT [SEED]]
"""

import base64
import collections
import copy
import json
import subprocess
import sys

import differences
import generate
import mounts
import redirects
import reference

# Differences that every request has. They say nothing about a case.
OURS_ALONE = {"own-name", "own-codings"}
SHOWN = 10


def ours(program, what, cases):
    """The results of sessio-eval."""
    lines = "".join(json.dumps(case) + "\n" for case in cases)
    run = subprocess.run([program, what], input=lines, capture_output=True, text=True, check=True)
    answers = [json.loads(line) for line in run.stdout.splitlines()]
    if [answer["id"] for answer in answers] != [case["id"] for case in cases]:
        raise SystemExit("the answers are not those of the cases")
    return answers


def changed(names, table, *arguments):
    """Applies the models of a table to the last argument, and records those that change it."""
    for name, model in table.items():
        before = copy.deepcopy(arguments[-1])
        model(*arguments)
        if arguments[-1] != before:
            names.add(name)


def refusals(table, case):
    return {name: kind for name, refuse in table.items() if (kind := refuse(case))}


class Prepare:
    """Compares the bytes on the wire for a request."""

    what = "prepare"
    cases = staticmethod(generate.prepare)
    tables = (differences.REFUSALS, differences.ASKS, differences.ANSWERS)

    def __init__(self, program):
        [plain] = ours(program, self.what, [{"id": 0, "request": {"url": "http://example.org/"}}])
        differences.OURS.update((name.lower(), value) for name, value in plain["headers"])

    def explain(self, case, answer):
        """The names of the differences in a case, and the part that they do not explain."""
        names = set()
        refused = refusals(differences.REFUSALS, case)
        if "error" in answer:
            theirs = reference.prepare(case)
            if theirs == {"error": answer["error"]}:
                return names, None
            # If a request has several errors, each side reports the one that it meets first.
            found = {name for name, kind in refused.items() if kind == answer["error"]}
            return found, None if found else (answer, theirs)
        if refused:
            return names, (answer, refused)
        empty = {"headers": [], "cookies": {}}
        asked = {part: {**empty, **copy.deepcopy(case.get(part) or {})} for part in ("session", "request")}
        changed(names, differences.ASKS, asked)
        theirs = reference.prepare(asked)
        if "error" in theirs:
            return names, (answer, theirs)
        changed(names, differences.ANSWERS, case, theirs)
        mine = {key: answer[key] for key in ("method", "target", "headers", "url")}
        mine["body"] = base64.b64decode(answer["body_b64"])
        return names, None if mine == theirs else (mine, theirs)


class Redirect:
    """Compares the decision about a redirect."""

    what = "redirect"
    cases = staticmethod(generate.redirect)
    tables = (redirects.REFUSALS, redirects.ASKS, redirects.ANSWERS)

    def __init__(self, program):
        # It responds to each line at once, and ends with this process.
        pipe = subprocess.PIPE
        self.filter = subprocess.Popen([program, "prepare"], stdin=pipe, stdout=pipe, text=True)

    def explain(self, case, answer):
        names = set()
        refused = refusals(redirects.REFUSALS, case) if redirects.is_followed(case) else {}
        if answer["decision"] != "follow":
            bytes_alone = {"location-bytes": redirects.ASKS["location-bytes"]}
            asked = copy.deepcopy(case)
            changed(names, bytes_alone, asked)
            theirs = reference.redirect(asked)
            # requests gives no reason for a stop, and for an unknown scheme the same one as in a request.
            reason = answer["reason"].replace("unsupported-redirect-scheme", "unsupported-scheme")
            if theirs in ({"decision": "stop"}, {"decision": "fail", "reason": reason}):
                return names, None if theirs["decision"] == answer["decision"] else (answer, theirs)
            found = {name for name, kind in refused.items() if kind == answer["reason"]}
            return found, None if found else (answer, theirs)
        if refused:
            return names, (answer, refused)
        asked = copy.deepcopy(case)
        changed(names, redirects.ASKS, asked)
        theirs = reference.redirect(asked)
        if theirs["decision"] != "follow":
            return names, (answer, theirs)
        self.normalise(names, theirs)
        changed(names, redirects.ANSWERS, case, theirs)
        mine = {key: answer[key] for key in ("decision", "method", "url", "headers")}
        mine["body"] = "none" if case["body"] == "none" else answer["body"]
        return names, None if mine == theirs else (mine, theirs)

    def normalise(self, names, theirs):
        """requests sends an absolute Location as received. sessio parses it as a URL, so both are compared parsed."""
        url = theirs["url"]
        self.filter.stdin.write(json.dumps({"request": {"url": url}}) + "\n")
        self.filter.stdin.flush()
        theirs["url"] = json.loads(self.filter.stdout.readline()).get("url", url)
        if theirs["url"] != url:
            names.add("location-as-url")


class Chain:
    """Compares a complete call along redirects. Only the name and the codings of the client may differ."""

    what = "exchange"
    cases = staticmethod(generate.chain)
    tables = ()

    def __init__(self, program):
        Prepare(program)

    def explain(self, case, answer):
        theirs = reference.exchange(case)
        for sent in theirs["sent"]:
            for name in OURS_ALONE:
                differences.ANSWERS[name](case, sent)
        mine = {key: answer[key] for key in ("error", "status", "url", "history")}
        if mine["error"]:
            # sessio reports where the error occurred, and requests has the response instead.
            mine |= {"status": None, "url": None}
        mine["jar"] = sorted((cookie["name"], cookie["value"], cookie["domain"]) for cookie in answer["jar"])
        mine["sent"] = [
            {"to": sent["to"], **reference.parse(base64.b64decode(sent["request_b64"]))} for sent in answer["sent"]
        ]
        return set(), None if mine == theirs else (mine, theirs)


class Mount:
    """Compares the choice among mounts."""

    what = "mount"
    cases = staticmethod(lambda seed, count: list(mounts.cases(seed, count)))
    tables = (mounts.ASKS,)

    def __init__(self, program):
        pass

    def explain(self, case, answer):
        names = set()
        if answer["match"] == mounts.chosen(case):
            return names, None
        asked = copy.deepcopy(case)
        changed(names, mounts.ASKS, asked)
        theirs = mounts.chosen(asked)
        return names, None if answer["match"] == theirs else (answer, theirs)


def compare(side, program, count, seed):
    """Checks that every difference has a name, and every name a case."""
    cases = side.cases(seed, count)
    comparison = side(program)
    counted = collections.Counter()
    same = unexplained = 0
    for case, answer in zip(cases, ours(program, side.what, cases)):
        names, rest = comparison.explain(case, answer)
        counted.update(names)
        same += not rest and not names - OURS_ALONE
        if rest:
            unexplained += 1
            if unexplained <= SHOWN:
                print(json.dumps(case), "ours:", rest[0], "theirs, as far as explained:", rest[1], sep="\n  ")
    print(f"{side.what}: {count} cases, {same} the same, {unexplained} unexplained")
    for name, times in counted.most_common():
        print(f"{times:7} {name}")
    missing = {name for table in side.tables for name in table} - counted.keys()
    if missing:
        print("no case shows", ", ".join(sorted(missing)))
    return not unexplained and not missing


def main(program, count="2500", seed="1"):
    sides = [compare(side, program, int(count), int(seed)) for side in (Prepare, Redirect, Chain, Mount)]
    return 0 if all(sides) else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
