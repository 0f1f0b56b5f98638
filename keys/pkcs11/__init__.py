"""Vending keys in a PKCS#11 hardware security module, by way of python-pkcs11.

Nothing is imported here: the driver may be missing, and a program that has no such module should
not wait for it. What other code needs:

=============================  ====================================================================
settings.read_settings(path)   the settings file that stands after ``pkcs11:`` in a module's name
store.prepare_token(settings)  once for each token: make the keys under which others are kept
store.HsmKeys.open(settings)   the vending keys of the token; names as those of a ``Vault``:
                               ``records``, ``find``, ``add``, ``add_all``, ``load_all``
HsmKeys.random_bytes(size)     random bytes of the token, for a ceremony or a generated key
module.Pkcs11Module(keys, …)   the security module over it, as ``open_module("pkcs11:…")`` returns
=============================  ====================================================================

A 160-bit vending key enters wrapped (RSA-OAEP under a key of the token), stays a sensitive and
non-extractable object, and DKGA04 is one HMAC inside. A 64-bit one lies there wrapped under an AES
key of the token; DKGA02 ends with the vending key itself (decision 23 of the project), so it is
unwrapped into memory for one derivation, and only if the settings allow it. The ciphers of tokens
are in no such device: a decoder key is in this process's memory while one token is made.
"""
