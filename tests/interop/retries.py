"""Compares the decisions of `sessio-eval retry` with urllib3's `Retry`, and fails on every difference
that has no name.

usage: retries.py PROGRAM [COUNT [SEED]]
"""

import collections
import email.utils
import json
import random
import subprocess
import sys
import types

import urllib3
from urllib3 import exceptions
from urllib3.util import retry as module

NOW = 1_767_225_600
METHODS = ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE", "POST", "PATCH", "BREW"]
STATUSES = [200, 204, 304, 400, 404, 408, 413, 425, 429, 500, 501, 502, 503, 504, 520]
WEB = [408, 425, 429, 500, 502, 503, 504]
IDEMPOTENT = {"GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"}
INVALID = ["soon", "", "-5", "1,5", "12 s", "0x10", "1e3", "Wed, 99 Foo 2026"]
SHOWN = 10

# The clock of urllib3.
module.time = types.SimpleNamespace(time=lambda: module.now, sleep=lambda span: module.waits.append(span))


def date(at):
    return email.utils.formatdate(at, usegmt=True)


def attempt(draw, at):
    """One end of an attempt, `at` seconds after the start."""
    if draw.random() < 0.25:
        kind = draw.choice(["connect", "reset", "timeout", "tls"])
        sent = 0 if kind in ("connect", "tls") else draw.choice([0, 10, 100])
        return {"at": at, "failure": kind, "sent": sent, "received": 0}
    headers = []
    if draw.random() < 0.5:
        wait = draw.choice([0, 1, 2, 7, 30, 59, 60, 61, 100, 3600, 9_999_999_999])
        value = draw.choice([
            str(wait),
            f"{draw.randrange(60)}.{draw.randrange(10)}",
            date(NOW + at + min(wait, 10**8)),
            date(NOW - wait % 10**6),
            draw.choice(INVALID),
        ])
        headers.append(["Retry-After", value])
        if draw.random() < 0.3:
            headers.append(["Date", date(NOW + at + draw.choice([-20, 0, 5]))])
    return {"at": at, "status": draw.choice(STATUSES), "headers": headers}


def case(draw, number):
    """One call: its policy, and what became of its attempts."""
    policy = {"jitter": "none", "max_attempts": draw.choice([0, 1, 2, 3, 4, 9])}
    policy["methods"] = draw.choice(["idempotent", "with-key", "any"])
    if draw.random() < 0.5:
        policy["statuses"] = draw.sample(STATUSES[3:], draw.randrange(1, 8))
    if draw.random() < 0.5:
        policy.update(first=draw.choice([0.25, 1, 3]), max=draw.choice([2, 10, 100]))
    if draw.random() < 0.3:
        policy.update(retry_after_max=draw.choice([10, 120]), beyond=draw.choice(["return", "cap"]))
    made = {"id": number, "method": draw.choice(METHODS), "policy": policy, "seed": 1, "now": NOW}
    made["replayable"] = draw.random() < 0.8
    made["idempotency_key"] = draw.random() < 0.2
    made["total"] = draw.choice([None, None, 5, 100])
    made["attempts"] = [attempt(draw, at) for at in range(draw.randrange(1, 6))]
    return made


class Response:
    """As much of a response as `Retry` reads."""

    def __init__(self, end):
        self.status = end["status"]
        self.headers = urllib3.HTTPHeaderDict(end["headers"])

    def get_redirect_location(self):
        return False


def error(kind):
    return {
        "connect": exceptions.ConnectTimeoutError("connect"),
        "reset": exceptions.ProtocolError("reset"),
        "timeout": exceptions.ReadTimeoutError(None, "/", "timeout"),
        "tls": exceptions.SSLError("tls"),
    }[kind]


def theirs(case):
    """The decisions of urllib3 about the same attempts."""
    policy = case["policy"]
    retry = module.Retry(
        total=max(policy["max_attempts"] - 1, 0),
        allowed_methods=None if policy["methods"] == "any" else IDEMPOTENT,
        status_forcelist=policy.get("statuses", WEB),
        backoff_factor=policy.get("first", 0.5),
        backoff_max=policy.get("max", 30),
        raise_on_status=True,
    )
    verdicts = []
    for end in case["attempts"]:
        module.now, module.waits = NOW + end["at"], []
        response = Response(end) if "status" in end else None
        if response and not retry.is_retry(case["method"], end["status"], "Retry-After" in response.headers):
            verdicts.append("stop")
            break
        try:
            failed = None if response else error(end["failure"])
            retry = retry.increment(case["method"], "/", response=response, error=failed)
            retry.sleep(response)
        except exceptions.InvalidHeader:
            verdicts.append("invalid")
            break
        except (exceptions.MaxRetryError, exceptions.HTTPError):
            verdicts.append("stop")
            break
        verdicts.append(sum(module.waits))
    return verdicts


def backoff(policy, attempts):
    return min(policy.get("first", 0.5) * 2 ** (attempts - 1), policy.get("max", 30))


def reason(case, number, mine, their):
    """The name of the difference between the verdicts about an attempt, if it has one."""
    end, policy, stop = case["attempts"][number], case["policy"], mine.get("stop")
    again = mine.get("again_after")
    fields = dict(reversed(end.get("headers", [])))
    asked, most = fields.get("Retry-After"), policy.get("retry_after_max", 60)
    step = backoff(policy, number + 1)
    is_idempotent = case["method"] in IDEMPOTENT
    if stop in ("body-not-replayable", "deadline-too-near", "retry-after-too-long"):
        # It would have been sent again otherwise.
        return stop if their != "stop" else None
    if stop == "status-not-listed" and end["status"] in (413, 429, 503) and asked is not None:
        return "retry-after-of-unlisted-status"
    if stop == "failure-not-listed" and end["failure"] == "tls":
        return "tls-failure"
    if stop is not None:
        return None
    if their == "stop" and not is_idempotent:
        if policy["methods"] == "with-key" and case["idempotency_key"]:
            return "idempotency-key"
        return "nothing-sent" if end.get("sent") == 0 and end.get("failure") != "tls" else None
    if their == "stop":
        return None
    if asked is None:
        return "first-wait" if number == 0 and their == 0 and again == step else None
    if their == "invalid":
        if asked in INVALID:
            return "invalid-retry-after" if again == step else None
        return "fraction" if abs(again - min(float(asked), most)) < 1e-6 else None
    if asked in INVALID:
        # A date that urllib3 reads and RFC 9110 does not have.
        return "invalid-retry-after" if again == step else None
    if again == most and policy.get("beyond") == "cap" and their > most:
        return "retry-after-capped"
    if not asked[0].isdigit():
        base = email.utils.mktime_tz(email.utils.parsedate_tz(fields.get("Date", date(NOW + end["at"]))))
        wait = max(email.utils.mktime_tz(email.utils.parsedate_tz(asked)) - base, 0)
        if "Date" in fields and again == min(wait, most):
            return "date-of-the-response"
        if wait != 0:
            return None
    elif float(asked) != 0:
        return None
    return "zero-retry-after" if again == 0 else None


NAMES = {
    "body-not-replayable", "deadline-too-near", "retry-after-too-long", "retry-after-of-unlisted-status",
    "tls-failure", "idempotency-key", "nothing-sent", "first-wait", "invalid-retry-after", "fraction",
    "retry-after-capped", "date-of-the-response", "zero-retry-after",
}


def main():
    program, count, seed = sys.argv[1], int((sys.argv + ["2500"])[2]), int((sys.argv + ["2500", "1"])[3])
    draw = random.Random(seed)
    cases = [case(draw, number) for number in range(count)]
    lines = "".join(json.dumps(case) + "\n" for case in cases)
    run = subprocess.run([program, "retry"], input=lines, capture_output=True, text=True, check=True)
    ours = [json.loads(line) for line in run.stdout.splitlines()]
    equal, names, unexplained = 0, collections.Counter(), []
    for case_, answer in zip(cases, ours, strict=True):
        for number, (mine, their) in enumerate(zip(answer["verdicts"], theirs(case_))):
            if mine.get("again_after", "stop") == their:
                equal += 1
            elif name := reason(case_, number, mine, their):
                names[name] += 1
            else:
                unexplained.append((case_, number, mine, their))
            if "stop" in mine or isinstance(their, str):
                break
    print(f"{count} calls: {equal} decisions are equal, {sum(names.values())} differ by reason")
    for name, found in sorted(names.items()):
        print(f"  {found:6} {name}")
    for found in unexplained[:SHOWN]:
        print(json.dumps(found[0]), *found[1:])
    if unexplained or (count >= 2500 and set(names) != NAMES):
        raise SystemExit(f"{len(unexplained)} differences have no name; unseen: {sorted(NAMES - set(names))}")


if __name__ == "__main__":
    main()
