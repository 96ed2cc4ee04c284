"""A Django site with a login that requires a CSRF token, sessions of one second, and an echo for large bodies.

It listens on a free port of the loopback interface. It prints the port, and ends with its standard input.
"""

import os
import sys
import threading

import django
import waitress
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse, HttpResponseForbidden
from django.middleware.csrf import get_token, rotate_token
from django.shortcuts import redirect
from django.urls import path

settings.configure(
    SECRET_KEY="only for tests on the loopback interface",
    ALLOWED_HOSTS=["localhost", "127.0.0.1"],
    ROOT_URLCONF=__name__,
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
    ],
    INSTALLED_APPS=["django.contrib.sessions"],
    SESSION_ENGINE="django.contrib.sessions.backends.cache",
    SESSION_COOKIE_SECURE=True,
    CSRF_COOKIE_SECURE=True,
    SECURE_PROXY_SSL_HEADER=("HTTP_X_FORWARDED_PROTO", "https"),
    DATA_UPLOAD_MAX_MEMORY_SIZE=None,
    USE_TZ=True,
)


def login(request):
    if request.method == "POST":
        if (request.POST.get("name"), request.POST.get("password")) != ("ada", "engine"):
            return HttpResponseForbidden("a wrong password")
        rotate_token(request)
        request.session.cycle_key()
        request.session["name"] = request.POST["name"]
        # The cookie stays. Only the server knows that the session has expired.
        request.session.set_expiry(1)
        return redirect("/private/")
    token = get_token(request)
    return HttpResponse(
        f'<form method="post"><input type="hidden" name="csrfmiddlewaretoken" value="{token}">'
        '<input name="name"><input name="password" type="password"></form>'
    )


def private(request):
    if "name" not in request.session:
        return redirect("/login/")
    return HttpResponse(f"hello {request.session['name']}", content_type="text/plain")


def echo(request):
    return HttpResponse(request.body, content_type="text/plain")


urlpatterns = [path("login/", login), path("private/", private), path("echo/", echo)]


def end_with_input():
    sys.stdin.read()
    os._exit(0)


django.setup()
server = waitress.create_server(get_wsgi_application(), host="127.0.0.1", port=0, threads=4)
print(server.effective_port, flush=True)
threading.Thread(target=end_with_input, daemon=True).start()
server.run()
