"""The deliberate differences from requests, each as a function that models it.

REFUSALS are requests that sessio does not send. ASKS change a case into one for which requests does the same as
sessio. ANSWERS change the result of requests. With all of them applied both sides must agree exactly. Every name
has a row with its reason in crates/sessio/docs/differences.md.
"""

import ipaddress
import re
import socket
import unicodedata
from urllib.parse import unquote_to_bytes

import requests
import urllib3

# The values of sessio in a plain request. They are filled in before the comparison.
OURS = {"user-agent": None, "accept-encoding": None}
THEIR_AGENT = requests.utils.default_user_agent()
THEIR_CODINGS = requests.utils.default_headers()["Accept-Encoding"]

REFUSALS, ASKS, ANSWERS = {}, {}, {}


def named(table, name):
    def register(function):
        table[name] = function
        return function

    return register


# The parts of a case.


def request_of(case):
    return case.get("request") or {}


def session_of(case):
    return case.get("session") or {}


def url_of(case):
    return request_of(case).get("url", "")


def method_of(case):
    return request_of(case).get("method", "GET").upper()


def merged(case):
    """The headers that apply, by lower-case name (rules M-04, M-07)."""
    out = {"user-agent": THEIR_AGENT, "accept-encoding": THEIR_CODINGS, "accept": "*/*", "connection": "keep-alive"}
    for part in (session_of(case), request_of(case)):
        for name, value in part.get("headers", []):
            out[name.lower()] = value
    return {name: value for name, value in out.items() if value is not None}


def auth(case):
    """Whether there are credentials other than a header."""
    request = request_of(case)
    if request.get("auth") is not None:
        return bool(request["auth"])
    return bool(session_of(case).get("auth")) or bool(userinfo(url_of(case)))


def has_body(case):
    request = request_of(case)
    pairs = request.get("form") or []
    return (
        any(value is not None and value != [] for _, value in pairs)
        or request.get("json") is not None
        or request.get("body_b64") is not None
    )


def split(url):
    """Scheme, authority and the rest. None without an authority."""
    found = re.match(r"\s*([A-Za-z][A-Za-z0-9+.-]*)://([^/\\?#]*)(.*)", url, re.DOTALL)
    return found.groups() if found else (None, None, None)


def host_of(url):
    """The host as written, without userinfo and port."""
    authority = split(url)[1] or ""
    return re.sub(r":[0-9]*$", "", authority.rpartition("@")[2])


def userinfo(url):
    authority = split(url)[1] or ""
    return authority.rpartition("@")[0]


def cookies(case):
    """Every cookie that is set by name."""
    for part in (session_of(case), request_of(case)):
        yield from (part.get("cookies") or {}).items()


def lines(outcome, name):
    return [field for field in outcome["headers"] if field[0].lower() == name.lower()]


def drop(outcome, name, value=None):
    """Removes fields. Returns whether there were any."""
    before = len(outcome["headers"])
    outcome["headers"] = [
        field
        for field in outcome["headers"]
        if field[0].lower() != name.lower() or (value is not None and field[1] != value)
    ]
    return len(outcome["headers"]) < before


# Requests that sessio does not send.


@named(REFUSALS, "header-names")
def _(case):
    token = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
    # A name that is only removed is not checked.
    names = [name for part in (session_of(case), request_of(case)) for name, value in part.get("headers", []) if value is not None]
    return "invalid-header" if not all(token.fullmatch(name) for name in names) else None


@named(REFUSALS, "header-values")
def _(case):
    bad = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]|^[ \t]")
    values = [value for part in (session_of(case), request_of(case)) for _, value in part.get("headers", []) if value is not None]
    return "invalid-header" if any(bad.search(value) for value in values) else None


@named(REFUSALS, "host-header")
def _(case):
    host = merged(case).get("host", "")
    return "invalid-header" if re.search(r"[^!-~]|[/\\?#@<>\"]", host) else None


@named(REFUSALS, "framing")
def _(case):
    headers = merged(case)
    coding, length = headers.get("transfer-encoding"), headers.get("content-length")
    if not has_body(case):
        # Without a body the coding is dropped, and the length has to be zero.
        return "invalid-header" if length is not None and not re.fullmatch("0+", length) else None
    return "invalid-header" if coding is not None and coding.lower() != "chunked" else None


@named(REFUSALS, "cookie-values")
def _(case):
    for name, value in cookies(case):
        if re.search(r"[\x00-\x08\x0a-\x1f\x7f;]", name + value) or "=" in name or not (name or value):
            return "invalid-cookie"
        if not name and "=" in value:
            return "invalid-cookie"
    return None


@named(REFUSALS, "cookie-prefixes")
def _(case):
    names = (session_of(case).get("cookies") or {}).keys()
    return "invalid-cookie" if any(re.match("__(Host|Secure)-", name, re.IGNORECASE) for name in names) else None


@named(REFUSALS, "method-token")
def _(case):
    method = request_of(case).get("method", "GET")
    return "invalid-method" if not re.fullmatch(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", method) else None


@named(REFUSALS, "url-kinds")
def _(case):
    url = url_of(case)
    scheme = re.match(r"[\t\n\f\r ]*([A-Za-z][A-Za-z0-9+.-]*):", url)
    if not scheme:
        return "missing-scheme"
    return "unsupported-scheme" if scheme[1].lower() not in ("http", "https") else None


@named(REFUSALS, "line-end")
def _(case):
    return "invalid-url" if url_of(case).endswith(("\n", "\r")) else None


@named(REFUSALS, "backslash")
def _(case):
    _, authority, rest = split(url_of(case))
    return "invalid-url" if rest and rest.startswith("\\") else None


@named(REFUSALS, "url-standard-hosts")
def _(case):
    host = host_of(url_of(case))
    if re.search("%25", host) or re.search("[ %<>^|]", unquote_to_bytes(host).decode("utf-8", "replace")):
        return "invalid-url"
    last = host.rstrip(".").rpartition(".")[2]
    if re.fullmatch("[0-9]+|0[xX][0-9A-Fa-f]*", last) and numeric(host) is None:
        return "invalid-url"
    return None


def numeric(host):
    """The address of a numeric host, as every resolver reads it."""
    try:
        return socket.inet_ntoa(socket.inet_aton(host))
    except OSError:
        return None


# Changes to the cases for requests.


@named(ASKS, "utf-8")
def _(case):
    def bytes_of(text):
        # requests sends text as Latin-1. This is the text whose Latin-1 is the UTF-8 of sessio.
        return text.encode().decode("latin-1") if isinstance(text, str) else text

    for part in (session_of(case), request_of(case)):
        part["headers"] = [[name, bytes_of(value)] for name, value in part.get("headers", [])]
        part["cookies"] = {bytes_of(name): bytes_of(value) for name, value in (part.get("cookies") or {}).items()}
        if part.get("auth"):
            part["auth"] = [bytes_of(text) for text in part["auth"]]
    user, colon, password = userinfo(url_of(case)).partition(":")
    words = [unquote_to_bytes(word).decode("latin-1") for word in (user, password)]
    is_used = colon and not session_of(case).get("auth") and request_of(case).get("auth") is None
    if is_used and not "".join(words).isascii():
        case["request"]["auth"] = words


@named(ASKS, "url-standard-names")
def _(case):
    url = url_of(case)
    scheme, authority, rest = split(url)
    if authority is None or authority.isascii():
        return
    who, at, host = authority.rpartition("@")
    try:
        requests.Request("GET", f"http://{host}/").prepare()
    except requests.exceptions.InvalidURL:
        name, colon, port = host.partition(":")
        labels = unicodedata.normalize("NFKC", name.lower()).split(".")
        name = ".".join(label if label.isascii() else f"xn--{label.encode('punycode').decode()}" for label in labels)
        case["request"]["url"] = f"{scheme}://{who}{at}{name}{colon}{port}{rest}"


@named(ASKS, "authorization-header")
def _(case):
    if "authorization" in merged(case) and auth(case):
        case["request"]["auth"] = False


def says_nothing(value):
    return value is None or (isinstance(value, list) and all(element is None for element in value))


@named(ASKS, "place-of-null")
def _(case):
    # A removed name keeps no position for the same name later.
    session, request = session_of(case), request_of(case)
    for part, after in ((session, request["headers"]), (request, [])):
        for at, field in enumerate(part["headers"]):
            later = [name.lower() for name, value in part["headers"][at + 1 :] + after if value is not None]
            if field[1] is None and field[0].lower() in later:
                field[1] = False
    if "params" in session:
        keys = [key for key, value in request.get("params", []) if not says_nothing(value)]
        session["params"] = [pair for pair in session["params"] if pair[0] not in keys or not says_nothing(pair[1])]


@named(ASKS, "cookie-blanks")
def _(case):
    for part in (session_of(case), request_of(case)):
        given = part.get("cookies") or {}
        part["cookies"] = {name.strip(" \t"): value.strip(" \t") for name, value in given.items()}


@named(ASKS, "cookie-header")
def _(case):
    value = merged(case).get("cookie")
    if value is None:
        return
    own = (request_of(case).pop("cookies", None) or {}).copy()
    for pair in filter(None, (pair.strip(" \t") for pair in value.split(";"))):
        name, equals, rest = pair.partition("=")
        name, rest = (name.rstrip(" \t"), rest.lstrip(" \t")) if equals else ("", pair)
        own.setdefault(name, rest)
    jar = session_of(case).pop("cookies", None) or {}
    pairs = [(name, own.pop(name, value)) for name, value in jar.items()] + list(own.items())
    line = "; ".join(f"{name}={value}" if name else value for name, value in pairs)
    for part in (session_of(case), request_of(case)):
        for field in part.get("headers", []):
            if field[0].lower() == "cookie" and isinstance(field[1], str):
                field[1] = line or None


@named(ASKS, "cookies-by-url")
def _(case):
    jar = session_of(case).get("cookies")
    if jar and "host" in merged(case):
        # In requests the cookies of a request go to any host.
        case["request"]["cookies"] = {**jar, **(request_of(case).get("cookies") or {})}
        case["session"]["cookies"] = {}


@named(ASKS, "cookies-by-name")
def _(case):
    jar, own = session_of(case).get("cookies") or {}, request_of(case).get("cookies") or {}
    for name in [name for name in own if name in jar]:
        jar[name] = own.pop(name)


@named(ASKS, "coding-without-body")
def _(case):
    if not has_body(case) and "transfer-encoding" in merged(case):
        for part in (session_of(case), request_of(case)):
            part["headers"] = [field for field in part.get("headers", []) if field[0].lower() != "transfer-encoding"]


@named(ASKS, "form-of-nothing")
def _(case):
    if request_of(case).get("form") and not has_body(case):
        del case["request"]["form"]


@named(ASKS, "escaped-dots")
def _(case):
    scheme, authority, rest = split(url_of(case))
    if rest is None:
        return
    path = re.match(r"[^?#]*", rest)[0]
    dots = {".": ".", "..": ".."}
    segments = [dots.get(re.sub("%2e", ".", segment, flags=re.IGNORECASE), segment) for segment in path.split("/")]
    case["request"]["url"] = f"{scheme}://{authority}{'/'.join(segments)}{rest[len(path):]}"


@named(ASKS, "escapes")
def _(case):
    scheme, authority, rest = split(url_of(case))
    if rest is not None:
        # For requests it is a plain word, which is restored afterwards.
        rest = re.sub("%([0-9A-Fa-f]{2})", r"zEscape\1z", rest)
        case["request"]["url"] = f"{scheme}://{authority}{rest}"


# Changes to the results of requests.


@named(ANSWERS, "escapes")
def _(case, theirs):
    for part in ("url", "target"):
        theirs[part] = re.sub("zEscape([0-9A-Fa-f]{2})z", r"%\1", theirs[part])


@named(ANSWERS, "own-name")
def _(case, theirs):
    for field in lines(theirs, "User-Agent"):
        if field[1] == THEIR_AGENT:
            field[1] = OURS["user-agent"]


@named(ANSWERS, "own-codings")
def _(case, theirs):
    for field in lines(theirs, "Accept-Encoding"):
        if field[1] == THEIR_CODINGS:
            field[1] = OURS["accept-encoding"]


@named(ANSWERS, "removed-is-gone")
def _(case, theirs):
    headers = merged(case)
    if "accept-encoding" not in headers:
        drop(theirs, "Accept-Encoding", "identity")
    if "user-agent" not in headers:
        drop(theirs, "User-Agent", f"python-urllib3/{urllib3.__version__}")


@named(ANSWERS, "proxy-authorization")
def _(case, theirs):
    drop(theirs, "Proxy-Authorization")


@named(ANSWERS, "length-or-coding")
def _(case, theirs):
    if lines(theirs, "Transfer-Encoding"):
        drop(theirs, "Content-Length")


@named(ANSWERS, "empty-body")
def _(case, theirs):
    if request_of(case).get("body_b64") != "" or lines(theirs, "Transfer-Encoding"):
        return
    length = lines(theirs, "Content-Length")
    if length:
        length[0][:] = ["Content-Length", "0"]
    else:
        is_signed = theirs["headers"][-1][0] == "Authorization" and "authorization" not in merged(case)
        place = len(theirs["headers"]) - is_signed
        theirs["headers"].insert(place, ["Content-Length", "0"])


@named(ANSWERS, "nameless-cookie")
def _(case, theirs):
    for field in lines(theirs, "Cookie"):
        field[1] = re.sub("(^|; )=", r"\1", field[1])


@named(ANSWERS, "cookie-quotes")
def _(case, theirs):
    for field in lines(theirs, "Cookie"):
        for name, value in cookies(case):
            if re.fullmatch('".*"', value):
                spoiled = value.replace('\\"', "")
                field[1] = field[1].replace(f"{name}={spoiled}", f"{name}={value}")


def relocate(theirs, change):
    """Changes the authority of the URL."""
    scheme, authority, rest = split(theirs["url"])
    who, at, host = authority.rpartition("@")
    theirs["url"] = f"{scheme}://{who}{at}{change(scheme, host)}{rest}"


@named(ANSWERS, "default-port")
def _(case, theirs):
    own = {"http": ":80", "https": ":443"}
    relocate(theirs, lambda scheme, host: host.removesuffix(own[scheme]))


@named(ANSWERS, "port-zero")
def _(case, theirs):
    authority = split(url_of(case))[1]
    if re.search(":0+$", authority):
        relocate(theirs, lambda _, host: f"{host}:0")
        if "host" not in merged(case):
            lines(theirs, "Host")[0][1] += ":0"


@named(ANSWERS, "trailing-dot")
def _(case, theirs):
    host = host_of(theirs["url"])
    if host.endswith(".") and "host" not in merged(case):
        field = lines(theirs, "Host")[0]
        field[1] = field[1].replace(host.rstrip("."), host, 1)


@named(ANSWERS, "address-spelling")
def _(case, theirs):
    host = host_of(theirs["url"])
    if host.startswith("["):
        canonical = f"[{ipaddress.IPv6Address(host.strip('[]')).compressed}]"
    else:
        last = host.rpartition(".")[2]
        canonical = numeric(host) if re.match("[0-9]", last) else None
    if canonical and canonical != host:
        relocate(theirs, lambda _, authority: authority.replace(host, canonical, 1))
        if "host" not in merged(case):
            field = lines(theirs, "Host")[0]
            field[1] = field[1].replace(host, canonical, 1)


@named(ANSWERS, "userinfo-spelling")
def _(case, theirs):
    scheme, authority, rest = split(theirs["url"])
    who, at, host = authority.rpartition("@")
    user, colon, password = who.partition(":")
    spell = lambda text: re.sub("[;=:@|^]", lambda found: f"%{ord(found[0]):02X}", text)
    user, password = spell(user), spell(password)
    who = f"{user}:{password}" if password else user
    theirs["url"] = f"{scheme}://{who}{'@' if who else ''}{host}{rest}"


@named(ANSWERS, "quote-in-query")
def _(case, theirs):
    for part in ("url", "target"):
        before, mark, query = theirs[part].partition("?")
        query, hash, fragment = query.partition("#")
        theirs[part] = before + mark + query.replace("'", "%27") + hash + fragment
