#!/usr/bin/env python3
"""java_truststore.py BUNDLE.pem OUT.jks: the certificates that this machine trusts, in the form that Java reads.

Java keeps a list of its own beside the system's: behind a company's proxy, whose certificate only the system knows,
Maven would fail where curl and apt work. The form is Sun's JKS with trusted certificates only, password "changeit".
"""

import hashlib
import re
import ssl
import struct
import sys

PASSWORD = "changeit"


def utf(text):
    return struct.pack(">H", len(text)) + text.encode("ascii")


def entry(number, certificate):
    der = ssl.PEM_cert_to_DER_cert(certificate)
    return struct.pack(">I", 2) + utf(f"ca{number}") + struct.pack(">Q", 0) + utf("X.509") + struct.pack(">I", len(der)) + der


def main():
    bundle, out = sys.argv[1:]
    pattern = r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----"
    certificates = re.findall(pattern, open(bundle, encoding="ascii", errors="ignore").read(), re.S)
    store = struct.pack(">III", 0xFEEDFEED, 2, len(certificates))
    store += b"".join(entry(number, certificate) for number, certificate in enumerate(certificates))
    seal = hashlib.sha1(PASSWORD.encode("utf-16-be") + b"Mighty Aphrodite" + store).digest()
    with open(out, "wb") as file:
        file.write(store + seal)


if __name__ == "__main__":
    main()
