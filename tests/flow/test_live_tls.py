"""Connecting with TLS over the API: authority, client certificate, server name."""

import datetime
import ipaddress

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from servers import eventually, free_port


def _name(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _certificate(subject, key, issuer, issuer_key, authority=False):
    now = datetime.datetime.now(datetime.timezone.utc)
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    )
    if not authority:
        names = [x509.DNSName("redis.test"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return builder.sign(issuer_key, hashes.SHA256())


def _pem(thing):
    if hasattr(thing, "private_bytes"):
        return thing.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode()
    return thing.public_bytes(serialization.Encoding.PEM).decode()


@pytest.fixture
def pems(folder):
    """PEM texts by name, also written as files into the folder: ca, server, server_key, client, client_key."""
    ca_key, server_key, client_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(3))
    texts = {
        "ca": _pem(_certificate("test-ca", ca_key, "test-ca", ca_key, authority=True)),
        "server": _pem(_certificate("server", server_key, "test-ca", ca_key)),
        "server_key": _pem(server_key),
        "client": _pem(_certificate("client", client_key, "test-ca", ca_key)),
        "client_key": _pem(client_key),
    }
    for name, text in texts.items():
        (folder / f"{name}.pem").write_text(text)
    return texts


def test_tls_with_authority_client_certificate_and_name(redoubt, engine, start_server, pems, folder):
    tls_port = free_port()
    start_server(
        module=False,
        config={
            "tls-port": tls_port,
            "tls-cert-file": folder / "server.pem",
            "tls-key-file": folder / "server_key.pem",
            "tls-ca-cert-file": folder / "ca.pem",
        },
    )

    def connect(tls):
        return redoubt.api("POST", "/monitor/connect", {"host": "127.0.0.1", "port": tls_port, "tls": tls})

    client = {"cert": pems["client"], "key": pems["client_key"]}
    connect(True).error(502, "redis_tls_failed")  # nobody knows the authority
    connect({"ca": pems["ca"]}).error(502, "redis_tls_failed")  # the server wants a client certificate
    error = connect({"ca": pems["ca"], "server_name": "other.test", **client}).error(502, "redis_tls_failed")
    assert "other.test" in error["message"]
    connect({"ca": pems["ca"], "cert": pems["client"]}).error(400)  # without its key
    for tls in (
        {"ca": pems["ca"], **client},
        {"ca": pems["ca"], "server_name": "redis.test", **client},
        {"insecure_skip_verify": True, **client},
        {"ca": str(folder / "ca.pem"), "cert": str(folder / "client.pem"), "key": str(folder / "client_key.pem")},
    ):
        connect(tls).ok()
    redoubt.restart()
    eventually(lambda: redoubt.api("GET", "/monitor/metrics").status == 200)
    assert redoubt.api("GET", "/monitor/status").ok()["instances"][0]["tls"] is True
    key_line = pems["client_key"].splitlines()[1].encode()
    redoubt.terminate()
    for file in redoubt.data_dir.rglob("*"):
        assert not file.is_file() or key_line not in file.read_bytes(), file
