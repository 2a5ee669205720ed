"""The key folder: what no backup, log or database holds.

`<part>.hmac` holds the key of the principal tokens for that part; `<part>.ed25519` the private key
with which that part signs statements (links, handles), `<part>.ed25519.previous` the one before
it, which still verifies. Files are 0600, the folder 0700.
"""

import hashlib
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)


def kid_of(public: Ed25519PublicKey) -> str:
    """The name of a key: the first 12 hexadecimal digits of its SHA-256."""
    raw = public.public_bytes(Encoding.Raw, PublicFormat.Raw)
    return hashlib.sha256(raw).hexdigest()[:12]


@dataclass(frozen=True)
class Keys:
    """Reads the folder, and makes there what is asked for and lacks."""

    folder: Path

    def token_key(self, part: str) -> bytes:
        """The HMAC key of the principal tokens that `part` accepts."""
        return self._secret(f"{part}.hmac")

    def secret(self, name: str) -> bytes:
        """Any other 32 secret bytes of this installation, by name."""
        return self._secret(f"{name}.secret")

    def signing_key(self, part: str) -> tuple[str, Ed25519PrivateKey]:
        """The kid and the private key with which `part` signs."""
        path = self.folder / f"{part}.ed25519"
        if not path.exists():
            raw = Ed25519PrivateKey.generate().private_bytes(
                Encoding.Raw, PrivateFormat.Raw, NoEncryption()
            )
            self._store(path, raw)
        private = Ed25519PrivateKey.from_private_bytes(path.read_bytes())
        return kid_of(private.public_key()), private

    def public_keys(self, part: str) -> dict[str, Ed25519PublicKey]:
        """By kid, the keys that verify what `part` signs: its current and its previous one."""
        kid, private = self.signing_key(part)
        publics = {kid: private.public_key()}
        previous = self.folder / f"{part}.ed25519.previous"
        if previous.exists():
            public = Ed25519PrivateKey.from_private_bytes(previous.read_bytes()).public_key()
            publics[kid_of(public)] = public
        return publics

    def _secret(self, name: str) -> bytes:
        path = self.folder / name
        if not path.exists():
            self._store(path, secrets.token_bytes(32))
        return path.read_bytes()

    def _store(self, path: Path, raw: bytes) -> None:
        """Written whole or not at all; the first of two writers wins."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(raw)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(fresh, path)
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
