"""The results of requests, for the comparison with sessio.

The cases are those of `sessio-eval prepare`, `redirect` and `exchange`. requests really sends them, but over
sockets that only record the bytes written and respond by script. So the bytes on the wire are compared.
"""

import base64
import http.client
import io
from http.cookiejar import eff_request_host
from urllib.parse import urlsplit
from urllib.request import Request as Host

import requests
import urllib3.connection
import urllib3.exceptions

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


class World:
    """The origins with their scripts, and the requests sent to them."""

    def __init__(self, script):
        self.script = {origin: list(answers) for origin, answers in script.items()}
        self.sent = []

    def answer(self, origin):
        answers = self.script.get(origin)
        if answers is None:
            return OK
        if not answers:
            raise ConnectionRefusedError("the script is at its end")
        return answers.pop(0)


class Socket:
    """Records the bytes written, and responds by script."""

    world = World({})

    def __init__(self, scheme, host, port):
        self.origin = f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}".lower()
        self.request = bytearray()

    def sendall(self, data):
        self.request += data

    def makefile(self, *_args, **_options):
        answer = Socket.world.answer(self.origin)
        Socket.world.sent.append((self.origin, bytes(self.request)))
        self.request.clear()
        return io.BytesIO(answer)

    def settimeout(self, _seconds):
        pass

    def close(self):
        pass


def open_socket(connection):
    return Socket("http", connection.host, connection.port)


def connect_tls(connection):
    connection.sock = Socket("https", connection.host, connection.port)
    connection.is_verified = True


urllib3.connection.HTTPConnection._new_conn = open_socket
urllib3.connection.HTTPSConnection.connect = connect_tls
urllib3.connection.HTTPConnection.is_connected = property(lambda connection: connection.sock is not None)


def kind(error):
    """The kind of sessio for an exception of requests. Other exceptions (row B23) keep their name."""
    for exception, name in [
        (requests.exceptions.MissingSchema, "missing-scheme"),
        (requests.exceptions.InvalidSchema, "unsupported-scheme"),
        (requests.exceptions.InvalidURL, "invalid-url"),
        (requests.exceptions.InvalidHeader, "invalid-header"),
        (requests.exceptions.TooManyRedirects, "too-many-redirects"),
        (requests.exceptions.ConnectionError, "connect"),
        (urllib3.exceptions.LocationParseError, "invalid-url"),
        (http.client.InvalidURL, "invalid-url"),
    ]:
        if isinstance(error, exception):
            return name
    return f"python-{type(error).__name__}"


def multi(pairs):
    """A mapping, because requests merges no lists of pairs (row B27). A repeated key has a list."""
    out = {}
    for key, value in pairs:
        if key in out and out[key] is not None and value is not None:
            out[key] = [*out[key], value] if isinstance(out[key], list) else [out[key], value]
        else:
            out[key] = value
    return out


def put_headers(given, headers):
    for name, value in given.get("headers", []):
        if value is False:
            # Not a value of a case: it removes a known difference from the comparison.
            headers.pop(name, None)
        else:
            headers[name] = value
    return headers


def session_of(case):
    given = case.get("session") or {}
    session = requests.Session()
    session.trust_env = False
    put_headers(given, session.headers)
    session.params = multi(given.get("params", []))
    if given.get("auth"):
        session.auth = tuple(given["auth"])
    return session


def request_of(case):
    given = case.get("request") or {}
    request = requests.Request(
        given.get("method", "GET"),
        given.get("url", ""),
        headers=put_headers(given, requests.structures.CaseInsensitiveDict()),
        params=multi(given.get("params", [])),
        cookies=given.get("cookies"),
    )
    if given.get("auth"):
        request.auth = tuple(given["auth"])
    elif given.get("auth") is False:
        # The only way to disable authentication in requests (rule M-14).
        request.auth = lambda prepared: prepared
    if given.get("form") is not None:
        request.data = [tuple(pair) for pair in given["form"]]
    if given.get("json") is not None:
        request.json = given["json"]
    if given.get("body_b64") is not None:
        request.data = base64.b64decode(given["body_b64"])
    return request


def put_cookies(case, session):
    """Sets the cookies of the session, for the host of the request as Python's cookie jar derives it."""
    cookies = (case.get("session") or {}).get("cookies")
    if not cookies:
        return
    url = session.prepare_request(request_of(case)).url
    _, host = eff_request_host(Host(url))
    for name, value in cookies.items():
        session.cookies.set(name, value, domain=host, path="/")


def parse(sent):
    """Request line, fields and body of one request."""
    head, _, body = sent.partition(b"\r\n\r\n")
    line, *fields = head.split(b"\r\n")
    method, target, _ = line.decode("latin-1").split(" ", 2) if line.count(b" ") == 2 else (line.decode("latin-1"), "", "")
    headers = []
    for field in fields:
        name, _, value = field.partition(b": ")
        # Text on the wire is bytes. Invalid UTF-8 stays recognisable.
        headers.append([name.decode("utf-8", "surrogateescape"), value.decode("utf-8", "surrogateescape")])
    if any(name.lower() == "transfer-encoding" for name, _ in headers) and not any(
        name.lower() == "content-length" for name, _ in headers
    ):
        body = dechunk(body)
    return {"method": method, "target": target, "headers": headers, "body": body}


def dechunk(data):
    out = b""
    while data:
        size, _, data = data.partition(b"\r\n")
        size = int(size, 16)
        if size == 0:
            break
        out += data[:size]
        data = data[size + 2 :]
    return out


def prepare(case):
    """The bytes on the wire for a case of `prepare`, or the kind of the error."""
    Socket.world = World({})
    try:
        with session_of(case) as session:
            put_cookies(case, session)
            prepared = session.prepare_request(request_of(case))
            session.send(prepared, allow_redirects=False)
    except Exception as error:  # any exception reaches the user of requests
        return {"error": kind(error)}
    outcome = parse(Socket.world.sent[0][1])
    outcome["url"] = prepared.url
    return outcome


def redirect(case):
    """The decision about a redirect: stop, fail, or the next request."""
    method, url = case["method"], case["url"]
    body = b"x" if case["body"] != "none" else None
    request = requests.Request(method, url, data=body).prepare()
    # The request as it was sent: exactly these headers.
    request.headers = put_headers(case, requests.structures.CaseInsensitiveDict())
    request._cookies = requests.cookies.RequestsCookieJar()
    if body:
        request.headers.setdefault("Content-Length", "1")
    response = requests.Response()
    response.status_code, response.url, response.request = case["status"], request.url, request
    if case["location_b64"] is not None:
        response.headers["Location"] = base64.b64decode(case["location_b64"]).decode("latin-1")
    response.raw = urllib3.HTTPResponse(io.BytesIO(b""), preload_content=False)
    response._content = b""
    with requests.Session() as session:
        session.trust_env = False
        session.max_redirects = case["rules"]["max"] - case["hops"]
        try:
            follow = next(session.resolve_redirects(response, request, yield_requests=True), None)
            if follow is None:
                return {"decision": "stop"}
            session.get_adapter(follow.url)
        except Exception as error:  # any exception reaches the user of requests
            return {"decision": "fail", "reason": kind(error)}
    headers = [[name, value] for name, value in follow.headers.items()]
    if body and "content-length" not in [name.lower() for name, _ in case["headers"]]:
        headers = [field for field in headers if field[0] != "Content-Length"]
    kept = "none" if body is None else "keep" if follow.body is not None else "drop"
    return {"decision": "follow", "method": follow.method, "url": follow.url, "headers": headers, "body": kept}


def exchange(case):
    """A complete call: the requests to each origin, and the outcome."""
    Socket.world = World(
        {
            origin: [base64.b64decode(answer["response_b64"]) for answer in answers]
            for origin, answers in case["world"].items()
        }
    )
    outcome = {"error": None, "status": None, "url": None, "history": []}
    with session_of(case) as session:
        try:
            put_cookies(case, session)
            response = session.send(session.prepare_request(request_of(case)))
            outcome["status"], outcome["url"] = response.status_code, response.url
        except Exception as error:  # any exception reaches the user of requests
            outcome["error"] = kind(error)
            response = getattr(error, "response", None)
        hops = response.history if response is not None else []
        outcome["history"] = [{"status": hop.status_code, "url": hop.url} for hop in hops]
        outcome["jar"] = sorted((cookie.name, cookie.value, cookie.domain) for cookie in session.cookies)
    outcome["sent"] = [{"to": origin, **parse(sent)} for origin, sent in Socket.world.sent]
    return outcome
