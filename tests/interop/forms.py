"""Parses multipart forms as real servers do, behind a WSGI server on a free port of the loopback interface.

The path names the parser. The response is JSON with one entry per part: name, file name, type, and the content in
base64. `/` lists the parsers. It prints its port, and ends with its standard input.
"""

import base64
import json
import os
import sys
import threading
import warnings

import django.conf
import python_multipart
import waitress
import werkzeug.formparser
from django.core.files.uploadhandler import MemoryFileUploadHandler, TemporaryFileUploadHandler
from django.http.multipartparser import MultiPartParser

django.conf.settings.configure(DATA_UPLOAD_MAX_MEMORY_SIZE=None)
django.conf.settings.FILE_UPLOAD_HANDLERS = []


def part(name, file_name, kind, content):
    return [name, file_name, kind, base64.b64encode(content).decode()]


def read_werkzeug(environ):
    stream, form, files = werkzeug.formparser.parse_form_data(environ, silent=False)
    fields = [part(name, None, None, text.encode()) for name, text in form.items(multi=True)]
    return fields + [part(name, f.filename, f.content_type, f.read()) for name, f in files.items(multi=True)]


def read_django(environ):
    handlers = [MemoryFileUploadHandler(), TemporaryFileUploadHandler()]
    form, files = MultiPartParser(environ, environ["wsgi.input"], handlers, "utf-8").parse()
    fields = [part(name, None, None, text.encode()) for name, texts in form.lists() for text in texts]
    return fields + [part(name, f.name, f.content_type, f.read()) for name, all in files.lists() for f in all]


def read_python_multipart(environ):
    read = []
    fields = lambda f: read.append(part(f.field_name.decode(), None, None, f.value or b""))

    def files(file):
        file.file_object.seek(0)
        kind = getattr(file, "content_type", None)
        read.append(part(file.field_name.decode(), file.file_name.decode(), kind, file.file_object.read()))

    headers = {"Content-Type": environ["CONTENT_TYPE"].encode("latin-1")}
    python_multipart.parse_form(headers, environ["wsgi.input"], fields, files)
    return read


READERS = {"werkzeug": read_werkzeug, "django": read_django, "python-multipart": read_python_multipart}

try:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import cgi

    def read_cgi(environ):
        form = cgi.FieldStorage(environ["wsgi.input"], environ=environ, keep_blank_values=True)
        value = lambda item: item.value.encode() if isinstance(item.value, str) else item.value
        return [part(item.name, item.filename, item.type, value(item)) for item in form.list or []]

    READERS["cgi"] = read_cgi
except ImportError:
    # Python 3.13 removed it.
    pass


def app(environ, start):
    name = environ["PATH_INFO"].strip("/")
    try:
        read = READERS[name](environ) if name else list(READERS)
        status = "200 OK"
    except Exception as error:
        read, status = repr(error), "422 Unprocessable"
    body = json.dumps(read).encode()
    start(status, [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]


def end_with_input():
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    server = waitress.create_server(app, host="127.0.0.1", port=0, threads=2)
    print(server.effective_port, flush=True)
    threading.Thread(target=end_with_input, daemon=True).start()
    server.run()
