#!/usr/bin/env python3
"""Verifies Azekura's journal from outside, with nothing but this file and Python's standard library.

    verify_journal.py --key KEY export DIR [--older CHECKPOINT]...
    verify_journal.py --key KEY proof FILE

KEY is the journal's public key, `origin+hash+base64`, or a file that holds it. Take it from somewhere that the
operator of the instance does not control: the committee's minutes, an earlier print, a witness.

`export` reads DIR/entries.jsonl and DIR/checkpoint.txt, makes the tree again from every entry, and holds it against the
signed checkpoint; each `--older` is a checkpoint that you kept, and the journal must have grown from it. `proof` holds
the proof of one entry. Exit status 0: everything holds. 1: something does not. 2: wrong usage.

What is implemented here, so that nothing has to be trusted: Ed25519 verification (RFC 8032), the signed note and the
checkpoint (C2SP signed-note, tlog-checkpoint), and the hash tree with its proofs (RFC 6962, section 2.1).
"""

import argparse
import base64
import hashlib
import json
import os
import sys


class Wrong(Exception):
    """Something does not hold."""


# --- Ed25519 verification, RFC 8032 section 5.1 -----------------------------------------------------------------------

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
SQRT_M1 = pow(2, (P - 1) // 4, P)


def recover_x(y, sign):
    if y >= P:
        return None
    x2 = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    if x2 == 0:
        return None if sign else 0
    x = pow(x2, (P + 3) // 8, P)
    if (x * x - x2) % P != 0:
        x = x * SQRT_M1 % P
    if (x * x - x2) % P != 0:
        return None
    return P - x if (x & 1) != sign else x


def decompress(data):
    if len(data) != 32:
        return None
    y = int.from_bytes(data, "little")
    x = recover_x(y & ((1 << 255) - 1), y >> 255)
    if x is None:
        return None
    y &= (1 << 255) - 1
    return (x, y, 1, x * y % P)


def add(a, b):
    m = (a[1] - a[0]) * (b[1] - b[0]) % P
    n = (a[1] + a[0]) * (b[1] + b[0]) % P
    c = 2 * a[3] * b[3] * D % P
    d = 2 * a[2] * b[2] % P
    e, f, g, h = n - m, d - c, d + c, n + m
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def multiply(scalar, point):
    result = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            result = add(result, point)
        point = add(point, point)
        scalar >>= 1
    return result


BASE_Y = 4 * pow(5, P - 2, P) % P
BASE_X = recover_x(BASE_Y, 0)
BASE = (BASE_X, BASE_Y, 1, BASE_X * BASE_Y % P)


def ed25519_verify(public, message, signature):
    if len(public) != 32 or len(signature) != 64:
        return False
    a, r = decompress(public), decompress(signature[:32])
    s = int.from_bytes(signature[32:], "little")
    if a is None or r is None or s >= L:
        return False
    k = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % L
    left, right = multiply(s, BASE), add(r, multiply(k, a))
    return (left[0] * right[2] - right[0] * left[2]) % P == 0 and (left[1] * right[2] - right[1] * left[2]) % P == 0


# --- Signed note and checkpoint ---------------------------------------------------------------------------------------


def b64(text):
    try:
        return base64.b64decode(text, validate=True)
    except ValueError as error:
        raise Wrong("malformed base64") from error


class Key:
    """A public key `origin+hash+base64(1 || key)`."""

    def __init__(self, text):
        parts = text.strip().split("+", 2)
        if len(parts) != 3:
            raise Wrong("the key does not read origin+hash+base64")
        self.origin, self.hash, encoded = parts[0], parts[1], b64(parts[2])
        if len(encoded) != 33 or encoded[0] != 1:
            raise Wrong("the key is no Ed25519 key")
        if hashlib.sha256(self.origin.encode() + b"\n" + encoded).hexdigest()[:8] != self.hash:
            raise Wrong("the key's hash is not its own")
        self.public = encoded[1:]

    def open(self, note):
        """Origin, size and root of a checkpoint that this key signed."""
        text, blank, signatures = note.rpartition("\n\n")
        if not blank or not signatures.endswith("\n"):
            raise Wrong("the checkpoint is no signed note")
        text += "\n"
        signed = False
        for line in signatures[:-1].split("\n"):
            parts = line.split(" ")
            if len(parts) != 3 or parts[0] != "\u2014":
                raise Wrong("the checkpoint has a malformed signature line")
            data = b64(parts[2])
            if parts[1] == self.origin and data[:4].hex() == self.hash:
                if not ed25519_verify(self.public, text.encode(), data[4:]):
                    raise Wrong("the checkpoint's signature is wrong")
                signed = True
        if not signed:
            raise Wrong("the checkpoint is not signed by this key")
        lines = text.split("\n")
        if len(lines) < 4 or lines[0] != self.origin or not lines[1].isdigit() or lines[1] != str(int(lines[1])):
            raise Wrong("the checkpoint is not one of this journal")
        root = b64(lines[2])
        if len(root) != 32:
            raise Wrong("the checkpoint's root is no SHA-256")
        return int(lines[1]), root


# --- Hash tree, RFC 6962 section 2.1 ----------------------------------------------------------------------------------


def leaf_hash(body):
    return hashlib.sha256(b"\x00" + body).digest()


def node_hash(left, right):
    return hashlib.sha256(b"\x01" + left + right).digest()


class Tree:
    """The right edge of a growing tree: complete subtrees from the largest to the smallest."""

    def __init__(self):
        self.size, self.edge = 0, []

    def append(self, body):
        level, value = 0, leaf_hash(body)
        while self.edge and self.edge[-1][0] == level:
            value = node_hash(self.edge.pop()[1], value)
            level += 1
        self.edge.append((level, value))
        self.size += 1

    def root(self):
        if not self.edge:
            return hashlib.sha256().digest()
        value = self.edge[-1][1]
        for _, left in reversed(self.edge[:-1]):
            value = node_hash(left, value)
        return value


def split(n):
    """The largest power of two smaller than n."""
    return 1 << ((n - 1).bit_length() - 1)


def root_by_inclusion(seq, size, leaf, proof):
    """The root that an audit path leads to."""
    if size == 1:
        if proof:
            raise Wrong("the inclusion proof is too long")
        return leaf
    if not proof:
        raise Wrong("the inclusion proof is too short")
    k = split(size)
    if seq < k:
        return node_hash(root_by_inclusion(seq, k, leaf, proof[:-1]), proof[-1])
    return node_hash(proof[-1], root_by_inclusion(seq - k, size - k, leaf, proof[:-1]))


def roots_by_consistency(older, size, older_root, proof, whole=True):
    """The older and the newer root that a consistency proof leads to."""
    if older == size:
        if whole:
            if proof:
                raise Wrong("the consistency proof is too long")
            return older_root, older_root
        if len(proof) != 1:
            raise Wrong("the consistency proof has the wrong length")
        return proof[0], proof[0]
    if not proof:
        raise Wrong("the consistency proof is too short")
    k = split(size)
    if older <= k:
        old, new = roots_by_consistency(older, k, older_root, proof[:-1], whole)
        return old, node_hash(new, proof[-1])
    old, new = roots_by_consistency(older - k, size - k, older_root, proof[:-1], False)
    return node_hash(proof[-1], old), node_hash(proof[-1], new)


# --- The two commands -------------------------------------------------------------------------------------------------


def hashes(texts):
    found = [b64(text) for text in texts]
    if len(found) > 128 or any(len(value) != 32 for value in found):
        raise Wrong("the proof has something that is no SHA-256")
    return found


def verify_export(key, directory, older):
    with open(os.path.join(directory, "checkpoint.txt"), encoding="utf-8", newline="") as file:
        size, root = key.open(file.read())
    kept = {}
    for path in older:
        with open(path, encoding="utf-8", newline="") as file:
            old_size, old_root = key.open(file.read())
        if old_size > size:
            raise Wrong(f"{path} is over {old_size} entries, the journal has {size}: its end was cut off")
        kept.setdefault(old_size, []).append((old_root, path))
    tree = Tree()
    with open(os.path.join(directory, "entries.jsonl"), "rb") as file:
        for line in file:
            if not line.endswith(b"\n"):
                raise Wrong(f"entry {tree.size} is not a whole line")
            body = line[:-1]
            if not body.startswith(b'{"seq":%d,' % tree.size):
                raise Wrong(f"entry {tree.size} is missing or is not in its place")
            tree.append(body)
            for old_root, path in kept.pop(tree.size, []):
                if old_root != tree.root():
                    raise Wrong(f"{path} does not fit: the journal was rewritten after it")
            if tree.size > size:
                raise Wrong(f"there are more entries than the {size} of the checkpoint")
    if tree.size != size:
        raise Wrong(f"there are {tree.size} entries, the checkpoint is over {size}")
    if tree.root() != root:
        raise Wrong("at least one entry is not as it was signed")
    return f"{size} entries hold; root {base64.b64encode(root).decode()}"


def verify_proof(key, path):
    with open(path, encoding="utf-8") as file:
        proof = json.load(file)
    if not isinstance(proof, dict) or proof.get("format") != "azekura-journal-proof/1":
        raise Wrong("the file is no proof of this format")
    size, root = key.open(proof["checkpoint"])
    seq, entry = proof["seq"], proof["entry"].encode()
    if not isinstance(seq, int) or not 0 <= seq < size:
        raise Wrong("the entry's number is outside of the checkpoint")
    if root_by_inclusion(seq, size, leaf_hash(entry), hashes(proof["inclusion"])) != root:
        raise Wrong("the entry is not in the journal as the checkpoint signs it")
    text = f"entry {seq} is in the journal of {size} entries"
    if proof.get("consistency"):
        old_size, old_root = key.open(proof["consistency"]["older"])
        if not 1 <= old_size <= size:
            raise Wrong("the older checkpoint is over more entries than the newer")
        old, new = roots_by_consistency(old_size, size, old_root, hashes(proof["consistency"]["hashes"]))
        if old != old_root or new != root:
            raise Wrong("the journal was rewritten after the older checkpoint")
        text += f", which only grew since it had {old_size}"
    return text


def main():
    parser = argparse.ArgumentParser(description="Verifies Azekura's journal from outside.")
    parser.add_argument("--key", required=True, help="origin+hash+base64, or a file that holds it")
    commands = parser.add_subparsers(dest="command", required=True)
    export = commands.add_parser("export", help="the whole journal")
    export.add_argument("directory")
    export.add_argument("--older", action="append", default=[], help="a checkpoint that you kept")
    proof = commands.add_parser("proof", help="the proof of one entry")
    proof.add_argument("file")
    given = parser.parse_args()
    try:
        text = given.key
        if os.path.isfile(text):
            with open(text, encoding="utf-8") as file:
                text = file.read()
        key = Key(text)
        if given.command == "export":
            print("OK: " + verify_export(key, given.directory, given.older))
        else:
            print("OK: " + verify_proof(key, given.file))
    except (Wrong, OSError, UnicodeDecodeError, KeyError, TypeError, AttributeError, json.JSONDecodeError) as error:
        print(f"WRONG: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
