"""Random cases for `sessio-eval prepare`, `redirect` and `exchange`. The same seed gives the same cases."""

import base64
import random

HOSTS = [
    "example.org", "example.org", "www.example.com", "a.b.co.uk", "10.0.0.1", "[2001:db8::1]", "h.test:8080",
    "h.test:80", "EXAMPLE.Org", "xn--strae-oqa.de", "under_score.example.org", "example.org.", "localhost:8000",
    "intranet",
]
ODD_HOSTS = [
    "straße.de", "ジェーピーニック.jp", "☃.net", "ü_x.de", "bücher.example", "１.test", "%41.com", "h%2Ecom",
    "h%20x.com", "h%zz.com", "h:", "h:0", "h:080", "h:65535", "h:65536", "h:x", "fe80::1", "[::1", "[::1]:81",
    "[fe80::1%25eth0]", "[2001:DB8:0:0:0:0:0:1]", "0x7f.1", "256.1.1.1", "1.2.3", "127.1", "*.com", ".com", "x.*.com",
    "a..b.com", "-a.com", "a-.com", "", ":80", "h .com", "h\t.com", "h\\@evil.com", "a" * 63 + ".com", "a" * 64 + ".com",
    "user@h.test", "user:@h.test", ":pw@h.test", "us er:p w@h.test", "u%40x:p%2Fw@h.test", "u:p@v:q@h.test", ":@h.test",
    "u;s=e'r:p@h.test", "ü:ß@h.test", "user:pass@example.org", "user:pass@example.org",
]
PATHS = ["", "/", "/p", "/a/b/c", "/get", "/a;b", "/a//b", "//v:h", "/a+b", "/~me/x.y-z_0"]
ODD_PATHS = [
    "/a/../b", "/a/./b", "/../x", "/a/..", "/%", "/%zz", "/a%zz%41 b", "/%2f%2F%41", "/%7euser", "/%2e%2e/x",
    "/a/%2E./b", "/a[b]", "/{x}|^`", "/☃", "/é/ü", "/a b", "/\x01\n", "/a\tb", "/%00", "/\"q\"<>", "/a\\b", "/%E2%98%83",
    "/'", "/a%", "/100%25", "/:@!$&'()*+,;=", "/\u00a0", "/%c3%a9", "/%ff", "/a%20b%2", "/😀", "/." , "/..", "/.a/..b",
]
QUERIES = ["", "", "", "?x=1", "?a=1&b=2", "?a=1&&b=+%20", "?q"]
ODD_QUERIES = [
    "?", "??", "?a=b c", "?a='b'", "?a=\"b\"", "?a=☃", "?a=%zz", "?a=%41%2f", "?a[]=1", "?a=1?b=2", "?a=%", "?{x}|\\^`",
    "?a=<b>", "?a=/../b", "?a=\x7f", "?a=%2B+%26", "?é=ü&x=%e9", "?a=1;b=2",
]
FRAGMENTS = ["", "", "", "", "#f", "#", "#a b", "#é'\"`", "#a#b", "#%41%zz", "#?x"]
WHOLE_URLS = [
    "", "h.com", "h.com/x", "//h.com/x", "localhost:3128", "h.com/path:1", "10.0.0.1:80/", "http:///path", "http:/path",
    "http:path", "http://", "ftp://h.com/x", "mailto:me@h.com", "httpx://h.com/", "javascript:alert(1)", "HTTP://H.com/X",
    "HTTPS://h.com:443/x", "https://h.com/x", "  http://h.com/ ", "\thttp://h.com/", "\u00a0http://h.com/", "http://h.com/ \n",
    "http://h.com?x", "http://h.com#f", "http:\\\\h.com\\x", "http//h.com", "://h.com", "1http://h.com", "http://h.com:80?x=1",
    "https://h.com:80/", "http://h.com:443/", "http://[h.com]/",
]
METHODS = ["GET", "GET", "GET", "POST", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]
ODD_METHODS = ["get", "Post", "PROPFIND", "m-search", "TRACE", "PURGE", "a b", "", "GÉT", "GET\n", "X!#$%&'*+.^_`|~", "straße"]
NAMES = ["X-Test", "x-test", "X-TEST", "X-Test2", "Accept", "accept", "User-Agent", "Accept-Encoding", "ACCEPT", "If-Match", "X-Empty"]
VALUES = ["true", "1", "text/html, */*;q=0.5", "", "a  b", "trailing ", "\"quoted\"", "a\tb"]
ODD_NAMES = ["a b", "", ":x", "naïve", "x\n", "x\ty", "(x)", "X-☃", "x:y", " x", "x "]
ODD_VALUES = [" leading", "\tleading", "é", "☃", "a\nb", "a\r\nX: y", "a\n", "\x00", "a\x01b", "\x7f", "\u00a0x", "\x0bx", "a\u2028b"]
SPECIAL_HEADERS = [
    ("Authorization", "Bearer own"), ("authorization", "own"), ("Cookie", "own=1; a=9"), ("cookie", "own=1;x"),
    ("Host", "other.test"), ("Host", "a b"), ("Host", ""), ("Content-Length", "5"), ("Content-Length", "0"), ("Content-Length", "x"),
    ("Content-Type", "text/plain"), ("content-type", "application/vnd.x+json"), ("Transfer-Encoding", "chunked"),
    ("Transfer-Encoding", "gzip"), ("Proxy-Authorization", "Basic eDp5"), ("Connection", "close"), ("Accept-Encoding", None),
    ("User-Agent", None), ("Accept", None), ("connection", None), ("Content-Type", None), ("Cookie", None), ("Host", None),
    ("User-Agent", "mine/1.0"), ("Accept-Encoding", "br"),
]
KEYS = ["a", "b", "c", "A", "q", "page", "lang", "tag", "x"]
PARAMS = ["1", "2", "x y", "", "é", "☃", "a&b=c", "~*'()", "+", "100%", "%41", "/?#", "\n", "😀", "None"]
COOKIE_NAMES = ["a", "b", "sid", "own", "x", "A", "c-d"]
COOKIE_VALUES = ["1", "2", "abc=def==", "", "\"q\"", "x y", "a,b"]
ODD_COOKIES = [
    ("a", "x;y"), ("a", "x\ny"), ("a", " padded "), ("ü", "1"), ("a", "é"), ("a", "☃"), ("", "v"), ("a;b", "1"), ("a=b", "1"),
    ("__Host-a", "1"), ("__Secure-a", "1"), ("a", "\"a\\\"b\""), ("a", "\x01"), (" a", "1"), ("a", "x\ty"), ("$a", "1"),
]
AUTHS = [["user", "pass"], ["u", ""], ["", "p"], ["a:b", "c"], ["user@host", "p w"], ["", ""]]
ODD_AUTHS = [["ü", "é"], ["☃", "x"], ["a\nb", "c"]]
BODIES = [b"x", b"hello world", bytes(range(256)), b"", b"a=1", b"\xff" * 10000]
JSONS = [
    {}, [], 0, False, "", True, 1, -1.5, 1e16, 1e-7, 123456789012, "é☃😀", {"a": [1, 2.5, None, True], "b": {"c": "d"}},
    [[], {}, "\"\\/\b\f\n\r\t\u007f\u2028"], {"z": 1, "a": 2}, 1e300, 0.1, -0.0, {"": ""}, 18446744073709551615, -9223372036854775808,
]


BASES = [
    "http://a.test/", "http://a.test/d/page?q#f", "http://a.test:8080/x", "https://a.test/s", "https://a.test:8443/", "http://A.test:80/d/",
    "http://u:p@a.test/x", "http://[::1]:81/", "http://a.test", "http://a.test/a%2fb/c#%41",
]
LOCATIONS = [
    "/x", "/x", "x", "?k=v", "#new", "../up", "./y", "//b.test/x", "http://b.test/y", "http://a.test/z", "https://a.test/s", "http://a.test:8080/p",
    "https://a.test:8443/", "http://a.test:80/", "https://a.test:443/x", "http://sub.a.test/", "http://b.test:8080/y#g", "http://a.test/w#",
]
ODD_LOCATIONS = [
    b"", b"  /x", b"/x \t", b"/sp ace", b"/%zz%41", b"/%7e/%2f", b"/caf\xe9", b"/caf\xc3\xa9", b"HTTP://B.TEST/Y", b"http://b.test", b"http://b.test/a/../b",
    b"http://u:p@b.test/", b"http://u:p@a.test/", b"///b.test/x", b"http:///nohost", b"http:rel", b"https:rel", b"\\\\b.test/x", b"/\\b", b"//b.test\\@a.test/",
    b"ftp://b.test/", b"mailto:x@y", b"javascript:alert(1)", b"file:///etc/x", b"data:,x", b"http://b.test:99999/", b"http://:1/", b"//", b"?", b"#", b".", b"..",
    b"/a/../../b", b"a:b", b"1:2", b"/a?b?c#d#e", b"http://b.test/'?'", b"/'?'", b"http://b\xc3\xbccher.test/", b"http://[::1]/", b"http://[::1/", b"/{x}", b"?a b",
    b"http://b.test?x", b"/%2e%2e/x", b"http://xn--bcher-kva.test/",
]
HOP_HEADERS = [
    ("Authorization", "Basic eDp5"), ("Cookie", "a=1"), ("Host", "other.test"), ("Proxy-Authorization", "Basic eDp5"), ("X-Api-Key", "k"),
    ("Content-Type", "text/plain"), ("Content-Length", "1"), ("Transfer-Encoding", "chunked"), ("Content-Encoding", "gzip"), ("Content-Language", "en"),
    ("Expect", "100-continue"), ("Accept", "*/*"), ("User-Agent", "x"), ("content-type", "a/b"), ("Digest", "sha-256=x"), ("Last-Modified", "x"),
    ("Content-Location", "/x"), ("authorization", "Bearer y"),
]


class Generator:
    def __init__(self, seed):
        self.random = random.Random(seed)

    def chance(self, percent):
        return self.random.random() * 100 < percent

    def pick(self, usual, odd, percent=6):
        return self.random.choice(odd if self.chance(percent) else usual)

    def url(self):
        if self.chance(7):
            return self.random.choice(WHOLE_URLS)
        scheme = self.random.choice(["http", "http", "http", "https"])
        host = self.pick(HOSTS, ODD_HOSTS, 14)
        path = self.pick(PATHS, ODD_PATHS, 25)
        return f"{scheme}://{host}{path}{self.pick(QUERIES, ODD_QUERIES, 18)}{self.random.choice(FRAGMENTS)}"

    def headers(self, null):
        out = []
        for _ in range(self.random.choice([0, 0, 1, 1, 2, 3])):
            if self.chance(22):
                out.append(list(self.random.choice(SPECIAL_HEADERS)))
            else:
                value = None if self.chance(null) else self.pick(VALUES, ODD_VALUES, 5)
                out.append([self.pick(NAMES, ODD_NAMES, 4), value])
        return out

    def params(self, null):
        out = []
        for _ in range(self.random.choice([0, 0, 0, 1, 2, 3])):
            key = self.random.choice(KEYS)
            if any(key == other and value is None for other, value in out):
                continue
            if not any(key == other for other, _ in out) and self.chance(null):
                out.append([key, None])
            elif self.chance(8):
                out = [pair for pair in out if pair[0] != key]
                out.append([key, self.random.choice([[], ["1", "2"], ["x", None, "y"], 7, True])])
            elif not any(key == other and not isinstance(value, str) for other, value in out):
                out.append([key, self.random.choice(PARAMS)])
        # Further values of a key follow its first, as in a mapping.
        keys = list(dict.fromkeys(key for key, _ in out))
        return [pair for key in keys for pair in out if pair[0] == key]

    def cookies(self):
        out = {}
        for _ in range(self.random.choice([0, 0, 0, 1, 2])):
            name, value = self.random.choice(COOKIE_NAMES), self.random.choice(COOKIE_VALUES)
            if self.chance(8):
                name, value = self.random.choice(ODD_COOKIES)
            out[name] = value
        return out

    def session(self):
        session = {"headers": self.headers(15), "params": self.params(10), "cookies": self.cookies()}
        if self.chance(20):
            session["auth"] = self.pick(AUTHS, ODD_AUTHS, 12)
        elif self.chance(10):
            session["auth"] = None
        return self.some(session)

    def request(self):
        request = {
            "method": self.pick(METHODS, ODD_METHODS),
            "url": self.url(),
            "headers": self.headers(20),
            "params": self.params(20),
            "cookies": self.cookies(),
        }
        if self.chance(20):
            request["auth"] = self.pick(AUTHS, ODD_AUTHS, 12)
        elif self.chance(10):
            request["auth"] = None
        match self.random.randrange(10):
            case 0 | 1:
                request["form"] = self.params(10)
            case 2 | 3:
                request["json"] = self.random.choice(JSONS)
            case 4:
                request["body_b64"] = base64.b64encode(self.random.choice(BODIES)).decode()
        return self.some(request)

    def some(self, parts):
        """Leaves out some of the empty parts, because every part may be missing."""
        return {key: part for key, part in parts.items() if part or part is None or self.chance(50) or key in ("url", "json")}

    def prepare(self, number):
        case = {"id": number, "request": self.request()}
        if self.chance(75):
            case["session"] = self.session()
        return case

    def redirect(self, number):
        location = self.pick([text.encode() for text in LOCATIONS], ODD_LOCATIONS, 35)
        names = {}
        for name, value in self.random.sample(HOP_HEADERS, self.random.choice([0, 1, 2, 3, 5])):
            names.setdefault(name.lower(), [name, value])
        return {
            "id": number,
            "method": self.random.choice(["GET", "GET", "HEAD", "POST", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"]),
            "url": self.random.choice(BASES),
            "headers": list(names.values()),
            "body": self.random.choice(["none", "none", "replayable", "replayable", "consumed"]),
            "status": self.pick([301, 302, 303, 307, 308], [200, 201, 300, 304, 305, 306, 404]),
            "location_b64": None if self.chance(4) else base64.b64encode(location).decode(),
            "hops": self.pick([0, 1, 29], [30, 31]),
            "rules": {"max": 30, "keep_on_upgrade": self.chance(50)},
        }

    def chain(self, number):
        """A call along valid redirects. It tests which parts of a request they keep."""
        origins = ["http://a.test:8001", "http://a.test:8003", "http://b.test:8002", "https://c.test:8443"]
        world = {origin: [] for origin in origins}
        origin = first = self.random.choice(origins)
        hops = 31 if self.chance(3) else self.random.randrange(7)
        for hop in range(hops + 1):
            self.next = origin
            head = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n" if hop == hops else self.hop(hop, origins, origin)
            for name in self.random.sample(["c0", "c1", "c2", "c3"], self.random.choice([0, 0, 1, 2])):
                head += f"Set-Cookie: {self.set_cookie(name, hop, origin)}\r\n"
            body = "ok" if hop == hops else "moved"[: self.random.choice([0, 5])]
            if hop < hops:
                head += f"Content-Length: {len(body)}\r\n"
            response = f"{head}\r\n{body}"
            world[origin].append({"response_b64": base64.b64encode(response.encode()).decode()})
            origin = self.next
        session = {"headers": [["X-Session", "1"]], "params": [["p", "1"]] if self.chance(30) else []}
        if self.chance(60):
            session["auth"] = ["user", "pass"]
        if self.chance(60):
            session["cookies"] = {"s": "1", "c1": "first"}
        method = self.random.choice(["GET", "GET", "HEAD", "POST"])
        request = {"method": method, "url": f"{first}/start{self.pick(['', '#f'], ['?q=1#g'], 30)}", "headers": [["X-Request", "2"]]}
        if method == "POST":
            request["form"] = [["a", "1"]]
        return {"id": number, "now": 1767225600, "session": session, "request": request, "world": world}

    def hop(self, hop, origins, origin):
        status = self.random.choice([301, 302, 303, 307, 308])
        # Sometimes back to the origin of this hop.
        self.next = origin if self.chance(40) else self.random.choice(origins)
        is_relative = self.next == origin and self.chance(50)
        location = f"{'' if is_relative else self.next}/hop{hop}{self.random.choice(['', '', '#h', '?x=y'])}"
        return f"HTTP/1.1 {status} Moved\r\nLocation: {location}\r\n"

    def set_cookie(self, name, hop, origin):
        secure = "; Secure" if origin.startswith("https") and self.chance(30) else ""
        return self.random.choice([f"{name}={hop}", f"{name}={hop}; Path=/; HttpOnly", f"{name}=; Max-Age=0", f"{name}={hop}; Max-Age=60"]) + secure


def prepare(seed, count):
    generator = Generator(seed)
    return [generator.prepare(number) for number in range(count)]


def redirect(seed, count):
    generator = Generator(seed)
    return [generator.redirect(number) for number in range(count)]


def chain(seed, count):
    generator = Generator(seed)
    return [generator.chain(number) for number in range(count)]
