"""An authorization server of Authlib, with client credentials and refresh tokens, and a resource that it protects.

Tokens live for two seconds. A refresh token is used once. The server listens on a free port of the loopback
interface. It prints the port, and ends with its standard input.
"""

import os
import sys
import threading
import time

os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"

import waitress
from authlib.integrations.flask_oauth2 import AuthorizationServer, ResourceProtector
from authlib.oauth2.rfc6749 import ClientMixin, TokenMixin, grants
from authlib.oauth2.rfc6750 import BearerTokenValidator
from flask import Flask, jsonify

LIFE = 2


class Client(ClientMixin):
    def __init__(self, name, secret, method):
        self.client_id, self.secret, self.method = name, secret, method

    def get_client_id(self):
        return self.client_id

    def get_default_redirect_uri(self):
        return None

    def get_allowed_scope(self, scope):
        return " ".join(word for word in (scope or "").split() if word in ("read", "write"))

    def check_redirect_uri(self, redirect_uri):
        return False

    def check_client_secret(self, secret):
        return secret == self.secret

    def check_endpoint_auth_method(self, method, endpoint):
        return method == self.method

    def check_response_type(self, response_type):
        return False

    def check_grant_type(self, grant_type):
        return grant_type in ("client_credentials", "refresh_token")


class Token(TokenMixin):
    def __init__(self, token, client):
        self.token, self.client, self.issued, self.is_used = token, client, time.time(), False

    def check_client(self, client):
        return self.client is client

    def get_scope(self):
        return self.token.get("scope", "")

    def get_expires_in(self):
        return LIFE

    def is_expired(self):
        return time.time() > self.issued + LIFE

    def is_revoked(self):
        return False

    def get_user(self):
        return None

    def get_client(self):
        return self.client


CLIENTS = {
    client.client_id: client
    for client in (
        Client("basic", "a secret/+%\u00e9", "client_secret_basic"),
        Client("body", "a secret/+%\u00e9", "client_secret_post"),
    )
}
TOKENS = []
COUNTS = {"client_credentials": 0, "refresh_token": 0}


def save(token, request):
    COUNTS[request.payload.grant_type] += 1
    TOKENS.append(Token(token, request.client))


class ClientCredentials(grants.ClientCredentialsGrant):
    TOKEN_ENDPOINT_AUTH_METHODS = ["client_secret_basic", "client_secret_post"]

    def generate_token(self, **options):
        # So the client has something to refresh.
        options["include_refresh_token"] = True
        return super().generate_token(**options)


class Refresh(grants.RefreshTokenGrant):
    TOKEN_ENDPOINT_AUTH_METHODS = ["client_secret_basic", "client_secret_post"]
    INCLUDE_NEW_REFRESH_TOKEN = True

    def authenticate_refresh_token(self, refresh_token):
        for token in TOKENS:
            if token.token.get("refresh_token") == refresh_token and not token.is_used:
                return token
        return None

    def authenticate_user(self, refresh_token):
        return "the client itself"

    def revoke_old_credential(self, refresh_token):
        refresh_token.is_used = True


class Validator(BearerTokenValidator):
    def authenticate_token(self, token_string):
        return next((token for token in TOKENS if token.token["access_token"] == token_string), None)


app = Flask(__name__)
app.config["OAUTH2_REFRESH_TOKEN_GENERATOR"] = True
app.logger.disabled = True
app.config["OAUTH2_TOKEN_EXPIRES_IN"] = {"client_credentials": LIFE, "refresh_token": LIFE}
server = AuthorizationServer(app, query_client=CLIENTS.get, save_token=save)
server.register_grant(ClientCredentials)
server.register_grant(Refresh)
protect = ResourceProtector()
protect.register_token_validator(Validator())

@app.post("/token")
def token():
    return server.create_token_response()


@app.get("/read")
@protect("read")
def read():
    return "read"


@app.get("/write")
@protect("write")
def write():
    return "write"


@app.get("/counts")
def counts():
    return jsonify(COUNTS)


@app.post("/revoke")
def revoke():
    for token in TOKENS:
        token.issued = 0
    return ""


@app.post("/revoke-all")
def revoke_all():
    for token in TOKENS:
        token.issued, token.is_used = 0, True
    return ""


def end_with_input():
    sys.stdin.read()
    os._exit(0)


site = waitress.create_server(app, host="127.0.0.1", port=0, threads=4)
print(site.effective_port, flush=True)
threading.Thread(target=end_with_input, daemon=True).start()
site.run()
