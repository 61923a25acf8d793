"""Reads and sets a number as each user of SNMPv3, with pysnmp 4 (Debian's python3-pysnmp4).

usage: pysnmp4.py PORT NUMBER FIRST AUTH-PASSWORD PRIV-PASSWORD [AUTH PRIV]...

NUMBER is the OID of a writable scalar. The user of a pair is called AUTH.PRIV, or AUTH if PRIV is
"none". The first pair sets FIRST, the second FIRST+1 and so on. For each pair one line is printed:
the name, what was read before, and what was read after.
"""
import sys

from pysnmp import hlapi

AUTH = {
    "MD5": hlapi.usmHMACMD5AuthProtocol,
    "SHA": hlapi.usmHMACSHAAuthProtocol,
    "SHA-224": hlapi.usmHMAC128SHA224AuthProtocol,
    "SHA-256": hlapi.usmHMAC192SHA256AuthProtocol,
    "SHA-384": hlapi.usmHMAC256SHA384AuthProtocol,
    "SHA-512": hlapi.usmHMAC384SHA512AuthProtocol,
}
PRIV = {
    "none": hlapi.usmNoPrivProtocol,
    "DES": hlapi.usmDESPrivProtocol,
    "AES": hlapi.usmAesCfb128Protocol,
    "AES-192": hlapi.usmAesBlumenthalCfb192Protocol,
    "AES-256": hlapi.usmAesBlumenthalCfb256Protocol,
    "AES-192-C": hlapi.usmAesCfb192Protocol,
    "AES-256-C": hlapi.usmAesCfb256Protocol,
}


def main():
    port, number, first, auth_password, priv_password = sys.argv[1:6]
    pairs = list(zip(sys.argv[6::2], sys.argv[7::2]))
    engine = hlapi.SnmpEngine()
    target = hlapi.UdpTransportTarget(("127.0.0.1", int(port)), timeout=10, retries=0)

    def do(command, user, value=None):
        variable = hlapi.ObjectType(hlapi.ObjectIdentity(number), *([] if value is None else [value]))
        failure, status, _, variables = next(command(engine, user, target, hlapi.ContextData(), variable))
        if failure:
            return str(failure)
        return str(status.prettyPrint()) if status else str(variables[0][1].prettyPrint())

    for i, (auth, priv) in enumerate(pairs):
        name = auth if priv == "none" else auth + "." + priv
        user = hlapi.UsmUserData(
            name, auth_password, None if priv == "none" else priv_password,
            authProtocol=AUTH[auth], privProtocol=PRIV[priv])
        before = do(hlapi.getCmd, user)
        set_to = do(hlapi.setCmd, user, hlapi.Integer32(int(first) + i))
        print(name, before, set_to, do(hlapi.getCmd, user))


main()
