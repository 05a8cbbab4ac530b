# SPDX-License-Identifier: MIT
"""Certificates for tests, made by openssl: from one authority, from another one, for another name, and expired."""
import subprocess

# `openssl ca` is the only way to set an end in the past that versions 3.0 to 3.5 share.
CONFIG = """[ca]
default_ca = own
[own]
database = index.txt
new_certs_dir = .
rand_serial = yes
default_md = sha256
policy = any
copy_extensions = copy
unique_subject = no
x509_extensions = of_a_server
[any]
commonName = supplied
# RFC 5280, sections 4.2.1.1 and 4.2.1.3; Python 3.13 refuses a chain without them.
[of_a_server]
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
"""


def openssl(directory, *arguments):
    subprocess.run(["openssl", *arguments], cwd=directory, check=True, capture_output=True)


def make_key(directory, name, *arguments):
    openssl(directory, "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", f"/CN={name}",
            "-keyout", f"{name}.key", *arguments)


def make_authorities(directory):
    """Makes ca.pem, which signs, and stranger.pem, another authority."""
    (directory / "ca.conf").write_text(CONFIG)
    (directory / "index.txt").touch()
    for name in "ca", "stranger":
        make_key(directory, name, "-x509", "-days", "30", "-addext", "keyUsage=critical,keyCertSign", "-out", f"{name}.pem")


def make_certificate(directory, name, subject_alternative, end="20490101000000Z"):
    """Makes NAME.pem, signed by the authority ca.pem."""
    make_key(directory, name, "-addext", f"subjectAltName={subject_alternative}", "-out", f"{name}.csr")
    openssl(directory, "ca", "-batch", "-notext", "-config", "ca.conf", "-cert", "ca.pem", "-keyfile", "ca.key",
            "-startdate", "20200101000000Z", "-enddate", end, "-in", f"{name}.csr", "-out", f"{name}.pem")


def make_old_certificate(directory, name, subject_alternative):
    make_certificate(directory, name, subject_alternative, end="20200102000000Z")
