"""The deliberate differences from requests in redirects, each as a function that models it.

The tables are those of differences.py, and every name has a row in crates/sessio/docs/differences.md.
"""

import base64
import re

import requests

from differences import named, split

REFUSALS, ASKS, ANSWERS = {}, {}, {}

PAYLOAD = [
    "content-encoding", "content-language", "content-length", "content-location", "content-type", "digest", "expect",
    "last-modified", "transfer-encoding",
]  # fmt: skip


def location_of(case):
    return base64.b64decode(case["location_b64"] or "").strip(b" \t")


def relocate(case, location):
    case["location_b64"] = base64.b64encode(location).decode()


def is_followed(case):
    return case["status"] in (301, 302, 303, 307, 308) and location_of(case) and case["hops"] < case["rules"]["max"]


def keeps_body(case):
    return case["status"] in (307, 308) or (case["status"] in (301, 302) and case["method"] != "POST")


def origin(url):
    scheme, authority, _ = split(url)
    host, port = re.fullmatch(r"(?:.*@)?(\[.*\]|[^@:]*):?([0-9]*)", authority).groups()
    return scheme.lower(), host.lower(), port or {"http": "80", "https": "443"}[scheme.lower()]


def stays(case, theirs):
    """Whether the next request goes to the same origin, or to one that the rules treat as the same."""
    before, after = origin(case["url"]), origin(theirs["url"])
    is_upgrade = before[1] == after[1] and (before[0], before[2], after[0], after[2]) == ("http", "80", "https", "443")
    return before == after or (case["rules"]["keep_on_upgrade"] and is_upgrade)


@named(REFUSALS, "consumed-body")
def _(case):
    return "not-replayable" if case["body"] == "consumed" and keeps_body(case) else None


@named(REFUSALS, "location-without-host")
def _(case):
    location = location_of(case).lower()
    scheme, colon, rest = location.partition(b":")
    if colon and scheme in (b"http", b"https"):
        is_relative = not rest.startswith(b"//")
        return "bad-location" if is_relative and scheme.decode() != split(case["url"])[0].lower() else nowhere(rest)
    return nowhere(location)


def nowhere(rest):
    """Refuses slashes that begin an authority without a host."""
    return "bad-location" if re.match(rb"//(?:[/?#]|:[0-9]|$)", rest) else None


@named(REFUSALS, "location-backslash")
def _(case):
    return "bad-location" if re.match(rb"(https?:)?//[^/?#]*\\", location_of(case), re.IGNORECASE) else None


@named(REFUSALS, "location-host")
def _(case):
    found = re.match(rb"(https?:)?//[^/?#]+", location_of(case), re.IGNORECASE)
    if not found:
        return None
    url = found[0] if found[1] else b"http:" + found[0]
    try:
        requests.Request("GET", url).prepare()
    except requests.exceptions.InvalidURL:
        # requests refuses it as the URL of a request too.
        return "bad-location"
    return None


@named(ASKS, "location-scheme-alone")
def _(case):
    found = re.match(rb"https?:(?!//)", location_of(case), re.IGNORECASE)
    if found:
        relocate(case, location_of(case)[found.end() :])


@named(ASKS, "location-empty-query")
def _(case):
    if re.match(rb"\?(#|$)", location_of(case)):
        path = re.match("[^?#]*", split(case["url"])[2])[0].rpartition("/")[2] or "./"
        relocate(case, path.encode() + location_of(case)[1:])


@named(ASKS, "location-bytes")
def _(case):
    location = location_of(case)
    try:
        location.decode()
    except UnicodeDecodeError:
        relocate(case, re.sub(rb"[\x80-\xff]", lambda byte: b"%%%02X" % byte[0][0], location))


@named(ASKS, "methods-stay")
def _(case):
    if case["status"] in (301, 302) and case["method"] != "POST":
        # In sessio they keep what a 307 keeps.
        case["status"] = 307


@named(ASKS, "location-dots")
def _(case):
    path, mark, rest = re.match(rb"([^?#]*)([?#]?)(.*)", location_of(case), re.DOTALL).groups()
    segments = [re.sub(rb"(?i)%2e", b".", part) if re.fullmatch(rb"(?i)(\.|%2e){1,2}", part) else part for part in path.split(b"/")]
    relocate(case, b"/".join(segments) + mark + rest)


@named(ASKS, "location-escapes")
def _(case):
    relocate(case, re.sub(b"%([0-9A-Fa-f]{2})", rb"zEscape\1z", location_of(case)))
    case["url"] = re.sub("%([0-9A-Fa-f]{2})", r"zEscape\1z", case["url"])


@named(ANSWERS, "location-escapes")
def _(case, theirs):
    theirs["url"] = re.sub("zEscape([0-9A-Fa-f]{2})z", r"%\1", theirs["url"])


@named(ANSWERS, "payload-headers")
def _(case, theirs):
    if not keeps_body(case):
        theirs["headers"] = [field for field in theirs["headers"] if field[0].lower() not in PAYLOAD]


@named(ANSWERS, "own-cookies-stay")
def _(case, theirs):
    kept = [field for field in case["headers"] if field in theirs["headers"] or field[0].lower() == "cookie"]
    theirs["headers"] = kept if stays(case, theirs) else theirs["headers"]


@named(ANSWERS, "host-stays-behind")
def _(case, theirs):
    if not stays(case, theirs):
        theirs["headers"] = [field for field in theirs["headers"] if field[0].lower() != "host"]


@named(ANSWERS, "no-credentials-to-https")
def _(case, theirs):
    if not stays(case, theirs):
        theirs["headers"] = [field for field in theirs["headers"] if field[0].lower() != "authorization"]
