"""Backups read and written without Obhut, from docs/FORMAT-BACKUP.md and libsodium alone."""
import base64
import ctypes
import ctypes.util
import hashlib
import struct

sodium = ctypes.CDLL(ctypes.util.find_library("sodium"))
sodium.sodium_init()

MAGIC = b"\x89OBB\r\n\x1a\n"
PIECE, MORE, FINAL = 65536, 17, 3


def key(text, word):
    """The 32 bytes of "obhut-public-…" or of the line of a file with "obhut-secret-…"."""
    line, = [l for l in text.splitlines() if l.strip() and not l.startswith("#")]
    raw = base64.urlsafe_b64decode(line.strip().removeprefix(word))
    assert raw[32:] == hashlib.sha256(word.encode() + raw[:32]).digest()[:4]
    return raw[:32]


def public_of(secret):
    public = ctypes.create_string_buffer(32)
    sodium.crypto_scalarmult_base(public, secret)
    return public.raw


def unseal(sealed, secret):
    """What was sealed, or an AssertionError."""
    head, at = sealed[:128], 128
    magic, version, piece, whom = struct.unpack("<8sII8s", head[:24])
    public = public_of(secret)
    assert (magic, version, piece) == (MAGIC, 1, PIECE)
    assert whom == hashlib.sha256(public).digest()[:8]
    own = ctypes.create_string_buffer(32)
    assert sodium.crypto_box_seal_open(own, head[24:104], ctypes.c_ulonglong(80), public,
                                       secret) == 0
    state = ctypes.create_string_buffer(
        sodium.crypto_secretstream_xchacha20poly1305_statebytes())
    assert sodium.crypto_secretstream_xchacha20poly1305_init_pull(state, head[104:], own) == 0
    plain, tag, first = b"", ctypes.c_ubyte(0), head
    while at < len(sealed):
        assert tag.value == 0
        part = sealed[at:at + PIECE + MORE]
        out, size = ctypes.create_string_buffer(PIECE), ctypes.c_ulonglong()
        assert sodium.crypto_secretstream_xchacha20poly1305_pull(
            state, out, ctypes.byref(size), ctypes.byref(tag), part,
            ctypes.c_ulonglong(len(part)), first, ctypes.c_ulonglong(len(first))) == 0
        plain += out.raw[:size.value]
        at += len(part)
        first = b""
    assert tag.value == FINAL
    return plain


def seal(plain, public):
    own, sealed_key = ctypes.create_string_buffer(32), ctypes.create_string_buffer(80)
    state = ctypes.create_string_buffer(
        sodium.crypto_secretstream_xchacha20poly1305_statebytes())
    stream = ctypes.create_string_buffer(24)
    sodium.crypto_secretstream_xchacha20poly1305_keygen(own)
    sodium.crypto_box_seal(sealed_key, own, ctypes.c_ulonglong(32), public)
    sodium.crypto_secretstream_xchacha20poly1305_init_push(state, stream, own)
    head = struct.pack("<8sII8s", MAGIC, 1, PIECE, hashlib.sha256(public).digest()[:8])
    head += sealed_key.raw + stream.raw
    result, first = head, head
    for at in range(0, max(len(plain), 1), PIECE):
        part = plain[at:at + PIECE]
        out = ctypes.create_string_buffer(len(part) + MORE)
        last = at + PIECE >= len(plain)
        sodium.crypto_secretstream_xchacha20poly1305_push(
            state, out, None, part, ctypes.c_ulonglong(len(part)), first,
            ctypes.c_ulonglong(len(first)), ctypes.c_ubyte(FINAL if last else 0))
        result += out.raw
        first = b""
    return result


def files(plain):
    """[(name, mode, bytes)]"""
    found, at = [], 0
    while at < len(plain):
        size, mode, length, zero = struct.unpack("<QHHI", plain[at:at + 16])
        assert zero == 0
        name = plain[at + 16:at + 16 + length].decode()
        at += 16 + length
        assert at + size <= len(plain)
        found.append((name, mode, plain[at:at + size]))
        at += size
    return found


def sequence(these):
    plain = b""
    for name, mode, content in these:
        raw = name if isinstance(name, bytes) else name.encode()
        plain += struct.pack("<QHHI", len(content), mode, len(raw), 0) + raw + content
    return plain
