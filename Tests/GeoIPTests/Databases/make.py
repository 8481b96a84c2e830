#!/usr/bin/env python3
"""Makes the databases beside it, of addresses and numbers that are kept for documentation (RFC 5737, 3849, 5398).

    python3 -m venv .build/venv-geoip && .build/venv-geoip/bin/pip install mmdb-writer==0.2.7
    .build/venv-geoip/bin/python Tests/GeoIPTests/Databases/make.py
"""

import os
import time

from mmdb_writer import MMDBWriter
from netaddr import IPNetwork, IPSet

FOLDER = os.path.dirname(os.path.abspath(__file__))
# The writer asks the clock when the database was built.
time.time = lambda: 1_767_225_600  # 2026-01-01


def country(code):
    """A record as the databases in use have it, the field not the first."""
    return {
        "continent": {"code": "EU", "names": {"en": "Somewhere"}},
        "country": {"geoname_id": 1, "iso_code": code, "names": {"en": f"Land of {code}"}},
    }


def system(number):
    return {"autonomous_system_number": number, "autonomous_system_organization": f"Network {number}"}


def node_at(writer, network):
    """The node that decides the first bit after this network."""
    node = writer.tree
    for bit in bin(network.value)[2:].rjust(128, "0")[: network.prefixlen]:
        node = node.get_or_create(int(bit))
    return node


def alias(writer, network):
    """Leads a network to where IPv4 is, as the databases in use do."""
    bits = [int(bit) for bit in bin(network.value)[2:].rjust(128, "0")[: network.prefixlen]]
    parent = node_at(writer, IPNetwork((network.value, network.prefixlen - 1), version=6))
    parent[bits[-1]] = node_at(writer, IPNetwork("::/96"))


def make(name, kind, networks, ip_version=6, aliases=(), **more):
    writer = MMDBWriter(ip_version, kind, languages=["en"], description="For tests", ipv4_compatible=ip_version == 6, **more)
    for network, content in networks:
        writer.insert_network(IPSet([network]), content)
    for network in aliases:
        alias(writer, IPNetwork(network))
    writer.to_db_file(os.path.join(FOLDER, name))


COUNTRIES = [
    ("192.0.2.0/24", country("DE")),
    ("198.51.100.0/24", country("AT")),
    ("198.51.100.77/32", country("CH")),
    ("203.0.113.0/24", {"continent": {"code": "EU"}}),
]
COUNTRIES6 = [("2001:db8::/32", country("DE")), ("2001:db8:1::/48", country("AT"))]
ALIASES = ["::ffff:0:0/96", "2002::/16"]

make("country.mmdb", "Test-Country", COUNTRIES + COUNTRIES6, aliases=ALIASES)
make("country-newer.mmdb", "Test-Country", [("192.0.2.0/24", country("AT"))], aliases=ALIASES)
make("country-ipv4.mmdb", "Test-Country", COUNTRIES, ip_version=4)
make(
    "asn.mmdb", "Test-ASN",
    [("192.0.2.0/24", system(64496)), ("198.51.100.0/24", system(4_294_967_295)), ("2001:db8::/32", system(64497))],
    aliases=ALIASES, int_type="u32",
)
# Every address of IPv4 in one record, above the place where its tree would begin.
make("country-wide.mmdb", "Test-Country", [("::/64", country("DE"))])

# Codes that are none.
make("country-no-codes.mmdb", "Test-Country", [("192.0.2.0/24", country("de")), ("198.51.100.0/24", country("Germany"))])
