"""Mounts: the pattern that applies to a URL, in requests, and the deliberate differences.

The cases have patterns that end in a slash. Without one, requests compares the beginnings of texts, and sessio
compares parts: `http://localhost` is no pattern of `http://localhost.evil.com/`.
"""

import random
import re

import requests

from differences import named

ASKS = {}

HOSTS = ["a.test", "A.test", "b.a.test", "a.test:80", "a.test:8080", "a.test:443", "10.0.0.1", "[::1]"]
USERS = ["", "", "", "u:p@"]
PATHS = ["/", "/v2/", "/v2/users/", "/V2/", "/v20/", "/v2.x/", "/a-b/", "/v2/users/1/"]
ENDS = ["", "x", "x/y", "?q=/v2/", "#f"]


def cases(seed, count):
    dice = random.Random(seed)
    for number in range(count):
        scheme = dice.choice(["http", "https"])
        patterns = [
            dice.choice([scheme, "http", "https", "HTTP"]) + "://" + dice.choice(HOSTS) + dice.choice(PATHS)
            for _ in range(dice.randrange(8))
        ]
        patterns += dice.choices(["http://", "https://"], k=dice.randrange(2))
        dice.shuffle(patterns)
        path = dice.choice(PATHS) if dice.randrange(4) else dice.choice(PATHS)[:-1]
        url = f"{scheme}://{dice.choice(USERS)}{dice.choice(HOSTS)}{path or '/'}{dice.choice(ENDS)}"
        yield {"id": number, "patterns": patterns, "url": url}


def chosen(case):
    """The index of the prefix whose adapter requests chooses. Of equal prefixes the last one is mounted."""
    session = requests.Session()
    session.adapters.clear()
    for index, pattern in enumerate(case["patterns"]):
        session.mount(pattern, index)
    try:
        return session.get_adapter(requests.Request("GET", case["url"]).prepare().url)
    except requests.exceptions.InvalidSchema:
        return None


def rewrite(case, change):
    """Changes each URL and pattern by its scheme, authority and the rest."""

    def changed(text):
        scheme, authority, rest = re.fullmatch(r"(\w+)://([^/]*)(.*)", text).groups()
        scheme, authority, rest = change(scheme.lower(), authority.lower(), rest)
        return f"{scheme}://{authority}{rest}"

    case["patterns"] = [changed(pattern) for pattern in case["patterns"]]
    case["url"] = changed(case["url"])


@named(ASKS, "mount-user")
def _(case):
    rewrite(case, lambda scheme, authority, rest: (scheme, authority.rpartition("@")[2], rest))


@named(ASKS, "mount-port")
def _(case):
    own = {"http": ":80", "https": ":443"}
    rewrite(case, lambda scheme, authority, rest: (scheme, authority.removesuffix(own[scheme]), rest))


@named(ASKS, "mount-path-case")
def _(case):
    rewrite(case, lambda scheme, authority, rest: (scheme, authority, re.sub("[A-Z]", r"_\g<0>", rest)))
