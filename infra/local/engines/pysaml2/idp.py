"""A SAML identity provider made of pysaml2, for `npm run test:peers`: a second signer, which nobody here wrote.

One process serves many: `POST /idps` makes one, with what a test wants of it, and says where it is; `PUT` of its
metadata's address tells it of the service provider, and `PUT /idps/<name>/wrongs` what is wrong with it. What it makes
of requests, and what it signs and encrypts, is pysaml2's own; here are the login page and the forms around it.
"""

import json
import sys
from datetime import datetime, timedelta, timezone
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from os.path import join
from urllib.parse import parse_qsl, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from saml2 import BINDING_HTTP_POST, BINDING_HTTP_REDIRECT, class_name
from saml2.authn_context import PASSWORDPROTECTEDTRANSPORT
from saml2.config import IdPConfig
from saml2.metadata import entity_descriptor
from saml2.saml import NAME_FORMAT_URI, NAMEID_FORMAT_PERSISTENT
from saml2.server import Server
from saml2.sigver import pre_signature_part, signed_instance_factory
from saml2.xmldsig import DIGEST_SHA256, SIG_RSA_SHA256

# `directory` is for its keys.
port, xmlsec, directory = int(sys.argv[1]), sys.argv[2], sys.argv[3]
origin = f"http://localhost:{port}"
idps = {}


def key_and_certificate(name):
    """Files of a new key and of its certificate, which nobody else has signed."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(timezone.utc)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    key_file, certificate_file = join(directory, f"{name}.key"), join(directory, f"{name}.pem")
    with open(key_file, "wb") as file:
        file.write(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    with open(certificate_file, "wb") as file:
        file.write(certificate.public_bytes(pem))
    return key_file, certificate_file


class Idp:
    """`asked` has the people, and what is signed and encrypted."""

    def __init__(self, name, asked):
        self.people = {person["username"]: person for person in asked["people"]}
        self.sign_response = asked.get("signResponse", False)
        self.sign_assertion = asked.get("signAssertion", True)
        self.encrypt_assertion = asked.get("encryptAssertion", False)
        # Without these it signs by SHA-1.
        by_sha256 = {"sign_alg": SIG_RSA_SHA256, "digest_alg": DIGEST_SHA256}
        self.algorithms = {} if asked.get("bySha1", False) else by_sha256
        self.wrongs = {}
        self.base = f"{origin}/idps/{name}"
        key_file, certificate_file = key_and_certificate(name)
        service = {
            "endpoints": {
                "single_sign_on_service": [
                    (f"{self.base}/sso", BINDING_HTTP_REDIRECT),
                    (f"{self.base}/sso", BINDING_HTTP_POST),
                ],
                "single_logout_service": [
                    (f"{self.base}/slo", BINDING_HTTP_REDIRECT),
                    (f"{self.base}/slo", BINDING_HTTP_POST),
                ],
            },
            "policy": {
                "default": {
                    "lifetime": {"minutes": 5},
                    "name_form": NAME_FORMAT_URI,
                    "nameid_format": NAMEID_FORMAT_PERSISTENT,
                }
            },
            "name_id_format": [NAMEID_FORMAT_PERSISTENT],
            "want_authn_requests_signed": asked.get("wantRequestsSigned", False),
            "want_authn_requests_only_with_valid_cert": asked.get("wantRequestsSigned", False),
        }
        self.settings = {
            "entityid": f"{self.base}/metadata",
            "service": {"idp": service},
            "key_file": key_file,
            "cert_file": certificate_file,
            "xmlsec_binary": xmlsec,
        }

    def metadata(self):
        return str(entity_descriptor(IdPConfig().load(self.settings)))

    def meet(self, service_provider):
        """The only one that it knows, by its metadata."""
        settings = {**self.settings, "metadata": {"inline": [service_provider]}}
        self.server = Server(config=IdPConfig().load(settings))
        self.service_provider = next(iter(self.server.metadata.keys()))

    def login_page(self, message, complaint=""):
        """The request travels along in the form: nothing is kept of it."""
        hidden = "".join(
            f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">' for name, value in message.items()
        )
        return (
            f'<!doctype html><title>Sign in</title><h1>pysaml2</h1><p role="alert">{escape(complaint)}</p>'
            f'<form method="post" action="{self.base}/login">{hidden}'
            '<label>Username <input name="username"></label>'
            '<label>Password <input name="password" type="password"></label>'
            "<button>Sign in</button></form>"
        )

    def parsed(self, message):
        binding = message["binding"]
        signature = {"sigalg": message.get("SigAlg"), "signature": message.get("Signature")}
        of_redirect = signature if binding == BINDING_HTTP_REDIRECT else {}
        return self.server.parse_authn_request(
            message["SAMLRequest"], binding, relay_state=message.get("RelayState"), **of_redirect
        )

    def begin(self, message):
        """The login page, where the request is one that is taken. Without a request it is one that the IdP begins."""
        if "SAMLRequest" in message:
            self.parsed(message)
        return self.login_page(message)

    def destination(self, message):
        if "SAMLRequest" in message:
            return self.server.response_args(self.parsed(message).message, [BINDING_HTTP_POST])
        _, consumer = self.server.pick_binding(
            "assertion_consumer_service", [BINDING_HTTP_POST], "spsso", entity_id=self.service_provider
        )
        return {"in_response_to": None, "destination": consumer, "sp_entity_id": self.service_provider}

    def log_in(self, message):
        person = self.people.get(message.pop("username", ""))
        if person is None or message.pop("password", "") != person["password"]:
            return self.login_page(message, "Username or password is wrong.")
        where = self.destination(message)
        where.pop("binding", None)
        response = self.wrong_answer(person, where) if self.wrongs else self.answer(person, where)
        relay_state = message.get("RelayState", "")
        form = self.server.apply_binding(
            BINDING_HTTP_POST, str(response), where["destination"], relay_state, response=True, sign=False
        )
        return form["data"]

    def answer(self, person, where, **more):
        as_wanted = {
            "sign_response": self.sign_response,
            "sign_assertion": self.sign_assertion,
            "encrypt_assertion": self.encrypt_assertion,
            **self.algorithms,
            **where,
        }
        return self.server.create_authn_response(
            person["attributes"],
            userid=person["username"],
            authn={"class_ref": PASSWORDPROTECTEDTRANSPORT, "authn_auth": self.base},
            **{**as_wanted, **more},
        )

    def wrong_answer(self, person, where):
        """As an IdP answers that is set up in another way: a status, or parts that differ from before it is signed.

        A part is named as pysaml2 names it: `assertion.conditions.not_before`. What is null is left out.
        """
        if "status" in self.wrongs:
            info = (self.wrongs["status"], "as the test wants it")
            return self.server.create_error_response(info=info, sign=True, **self.algorithms, **where)
        response = self.answer(person, where, sign_response=False, sign_assertion=False)
        for path, value in self.wrongs["parts"].items():
            *way, name = path.split(".")
            part = response
            for step in way:
                part = part[int(step)] if step.isdigit() else getattr(part, step)
            setattr(part, name, value)
        elements = [response] if self.sign_response else [response.assertion]
        for element in elements:
            element.signature = pre_signature_part(element.id, self.server.sec.my_cert, 1, **self.algorithms)
        to_sign = [(class_name(element), element.id) for element in elements]
        return signed_instance_factory(response, self.server.sec, to_sign)

    def log_out(self, message):
        """Gives the answer to a request: a page that posts it, or where to go with it."""
        request = self.server.parse_logout_request(
            message["SAMLRequest"],
            message["binding"],
            relay_state=message.get("RelayState"),
            sigalg=message.get("SigAlg"),
            signature=message.get("Signature"),
        )
        where = self.server.response_args(request.message, [BINDING_HTTP_POST, BINDING_HTTP_REDIRECT])
        response = self.server.create_logout_response(request.message, [where["binding"]], sign=True, **self.algorithms)
        return self.server.apply_binding(
            where["binding"],
            str(response),
            where["destination"],
            message.get("RelayState", ""),
            response=True,
            sign=True,
            sigalg=SIG_RSA_SHA256,
        )


class Handler(BaseHTTPRequestHandler):
    def log_request(self, *_):
        """Only refusals are worth a line."""

    def answer(self, body, status=200, content_type="text/html; charset=utf-8", headers=()):
        data = body.encode()
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(data)))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def form(self, text, binding):
        return {**dict(parse_qsl(text, keep_blank_values=True)), "binding": binding}

    def body(self):
        return self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()

    def serve(self, work):
        try:
            work()
        except Exception as error:  # What pysaml2 refuses, in its own words.
            self.log_error("%r", error)
            self.answer(f"refused: {type(error).__name__} {error}", 400, "text/plain; charset=utf-8")

    def do_GET(self):
        self.serve(self.get)

    def do_POST(self):
        self.serve(self.post)

    def do_PUT(self):
        self.serve(self.put)

    def found(self):
        """The IdP and what is asked of it: /idps/<name>/<what>."""
        _, _, name, what = urlsplit(self.path).path.split("/")
        return idps[name], what

    def get(self):
        if self.path == "/":
            return self.answer("pysaml2")
        idp, what = self.found()
        message = self.form(urlsplit(self.path).query, BINDING_HTTP_REDIRECT)
        if what == "metadata":
            return self.answer(idp.metadata(), content_type="application/samlmetadata+xml")
        if what == "sso":
            return self.answer(idp.begin(message))
        return self.logged_out(idp, message)

    def post(self):
        text = self.body()
        if self.path == "/idps":
            name = str(len(idps) + 1)
            idps[name] = Idp(name, json.loads(text))
            urls = {"metadataUrl": "metadata", "unsolicitedUrl": "sso", "signOutUrl": "slo"}
            made = {key: f"{idps[name].base}/{path}" for key, path in urls.items()}
            return self.answer(json.dumps(made), 201, "application/json")
        idp, what = self.found()
        message = self.form(text, BINDING_HTTP_POST)
        if what == "login":
            # Its hidden field says by which binding the request came.
            return self.answer(idp.log_in(dict(parse_qsl(text, keep_blank_values=True))))
        if what == "sso":
            return self.answer(idp.begin(message))
        return self.logged_out(idp, message)

    def put(self):
        idp, what = self.found()
        if what == "wrongs":
            idp.wrongs = json.loads(self.body())
        else:
            idp.meet(self.body())
        self.answer("")

    def logged_out(self, idp, message):
        if "SAMLResponse" in message:
            return self.answer("signed out")
        answered = idp.log_out(message)
        where = [header for header in answered.get("headers", ()) if header[0] == "Location"]
        self.answer(answered.get("data") or "", answered.get("status", 200), headers=where)


ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()
