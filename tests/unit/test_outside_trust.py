"""Whose modules may run: signatures as OpenSSL and cosign make them, and keys that count."""

import base64
from pathlib import Path
from threading import Event, Thread

import pytest

from gxo.config.model import Modules
from gxo.outside.manifest import manifest
from gxo.outside.signature import BadKey, PublicKey, public_key, sign
from gxo.outside.tree import MANIFEST, SIGNATURE, File, Tree, read_tree
from gxo.outside.trust import Signed, Verdict, configured_keys, examine
from tests import keys
from tests.keys import new_key, openssl

FILES = (File("main.py", b"pass"), File("module.yaml", b"name: a:b"))


def public(path: Path) -> PublicKey:
    return public_key(path.name, path.read_bytes())


def test_a_signature_of_openssl_verifies_here(tmp_path: Path) -> None:
    """By `dgst` and by `pkeyutl`, with line breaks around it or without."""
    private, other = new_key(tmp_path)
    blob, hashed = tmp_path / "blob", tmp_path / "hash"
    blob.write_bytes(manifest(Tree(FILES)))
    hashed.write_bytes(openssl("dgst", "-sha256", "-binary", blob))
    raw = base64.b64encode(openssl("pkeyutl", "-sign", "-inkey", private, "-in", hashed))
    for signature in (keys.sign(private, blob), raw, b"\n" + raw + b"\r\n"):
        assert public(other).verifies(blob.read_bytes(), signature)
        assert not public(other).verifies(blob.read_bytes() + b" ", signature)


@pytest.mark.parametrize("form", ["ec", "pkcs8", "encrypted"])
def test_a_signature_of_ours_verifies_there(tmp_path: Path, form: str) -> None:
    """Whatever form the private key has in its PEM."""
    private, other = new_key(tmp_path)
    key, password = tmp_path / "form.key", None
    if form == "ec":
        key = private
    elif form == "pkcs8":
        openssl("pkcs8", "-topk8", "-nocrypt", "-in", private, "-out", key)
    else:
        password = b"hush"
        openssl("pkcs8", "-topk8", "-passout", "pass:hush", "-in", private, "-out", key)
    blob, hashed, der = tmp_path / "blob", tmp_path / "hash", tmp_path / "der"
    blob.write_bytes(manifest(Tree(FILES)))
    hashed.write_bytes(openssl("dgst", "-sha256", "-binary", blob))
    der.write_bytes(base64.b64decode(sign(blob.read_bytes(), key.read_bytes(), password)))
    assert b"Verified OK" in openssl("dgst", "-sha256", "-verify", other, "-signature", der, blob)
    ok = openssl(*("pkeyutl", "-verify", "-pubin", "-inkey", other, "-in", hashed, "-sigfile", der))
    assert b"Signature Verified Successfully" in ok


def test_each_wrong_signature(tmp_path: Path) -> None:
    """Of other bytes, by a key that is not listed, cut at each byte, changed, or none at all."""
    private, listed = new_key(tmp_path)
    stranger, _ = new_key(tmp_path, "stranger")
    own, known = manifest(Tree(FILES)), (public(listed),)
    good = sign(own, private.read_bytes())

    def verdict(signature: bytes | None, *, by: tuple[PublicKey, ...] = known) -> Verdict:
        return examine(Tree(FILES, own, signature), by)

    assert verdict(good) == Verdict(Signed.YES, "key.pub")
    assert verdict(None) == Verdict(Signed.NO, "it is not signed")
    unlisted = sign(own, stranger.read_bytes())
    by_none = Verdict(Signed.BADLY, "its signature is by none of the keys in the configuration")
    assert verdict(unlisted) == verdict(sign(own[:-1], private.read_bytes())) == by_none
    assert verdict(good, by=()).words == "it is signed, but the configuration names no key"
    der = base64.b64decode(good)
    cut = [base64.b64encode(der[:length]) for length in range(len(der))]
    flipped = [
        base64.b64encode(der[:at] + bytes((der[at] ^ 1,)) + der[at + 1 :]) for at in range(len(der))
    ]
    odd = [b"", b"\xff", b"A", good * 2, b"A" * 5000, base64.b64encode(der + b"\0"), good[:-3]]
    for signature in (*cut, *flipped, *odd):
        assert verdict(signature) == by_none
    both = (public(_of(stranger)), *known)
    assert verdict(good, by=both).signed is verdict(unlisted, by=both).signed is Signed.YES


def _of(private: Path) -> Path:
    return private.with_suffix(".pub")


def test_what_is_verified_is_what_was_read(tmp_path: Path) -> None:
    """Not the manifest beside it: a signed one over other bytes says only which file differs."""
    private, listed = new_key(tmp_path)
    own = manifest(Tree(FILES))
    good = sign(own, private.read_bytes())
    changed = (File("main.py", b"evil"), FILES[1])
    found = examine(Tree(changed, own, good), (public(listed),))
    assert found == Verdict(Signed.BADLY, "`main.py` is not what was signed")
    forged = manifest(Tree(changed))
    assert examine(Tree(changed, forged, good), (public(listed),)).signed is Signed.BADLY


def test_a_module_changed_between_check_and_run(tmp_path: Path) -> None:
    """However it is changed meanwhile, what is found to be signed holds the signed bytes alone.

    What then runs is a copy of that (tests/lab/test_run_outside.py).
    """
    private, listed = new_key(tmp_path)
    place, stop = tmp_path / "module", Event()
    place.mkdir()
    for file in FILES:
        (place / file.path).write_bytes(file.data)
    own = manifest(Tree(FILES))
    (place / MANIFEST).write_bytes(own)
    (place / SIGNATURE).write_bytes(sign(own, private.read_bytes()))
    main, other = place / "main.py", tmp_path / "other"

    def change() -> None:
        while not stop.is_set():
            other.write_bytes(b"evil")
            other.replace(main)
            main.write_bytes(b"pa")
            main.write_bytes(FILES[0].data)

    changing = Thread(target=change)
    changing.start()
    try:
        found = [read_tree(str(place)) for _ in range(500)]
    finally:
        stop.set()
        changing.join()
    judged = [(examine(tree, (public(listed),)).signed, tree.files) for tree in found]
    assert {verdict for verdict, _ in judged} == {Signed.YES, Signed.BADLY}
    assert {files for verdict, files in judged if verdict is Signed.YES} == {FILES}


def test_keys_that_cannot_be_used(tmp_path: Path) -> None:
    """Another curve, another kind, a private one, none: each is named with its reason."""
    _, ed = new_key(tmp_path, "wide", "secp384r1")
    rsa = tmp_path / "rsa.pub"
    openssl("genrsa", "-out", tmp_path / "rsa.key", "2048")
    openssl("rsa", "-in", tmp_path / "rsa.key", "-pubout", "-out", rsa)
    rsa.chmod(0o644)
    private, good = new_key(tmp_path)
    (tmp_path / "words.pub").write_text("words")
    (tmp_path / "long.pub").write_text("A" * 70_000)
    for path, said in (
        (ed, "of another kind"),
        (rsa, "of another kind"),
        (private, "it is a private key"),
        (tmp_path / "words.pub", "not a public key in PEM"),
        (tmp_path / "long.pub", "more than 64 KiB"),
        (tmp_path / "none.pub", "no such file"),
        (tmp_path, "it is not a file"),
    ):
        with pytest.raises(BadKey, match=said) as error:
            configured_keys(Modules(keys=(str(good), str(path))))
        assert str(path) in str(error.value)
    cosign = b"-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\neyJ9\n"
    for pem, said in (
        (cosign, "only cosign can read"),
        (b"words", "not a private key in PEM"),
    ):
        with pytest.raises(BadKey, match=said):
            sign(b"", pem)


def test_keys_come_from_the_configuration_alone(tmp_path: Path) -> None:
    """One beside a signature is nobody's, by a link too; and one that others can write is none."""
    _, good = new_key(tmp_path)
    places = tmp_path / "modules"
    (places / "m").mkdir(parents=True)
    beside = places / "m" / "cosign.pub"
    beside.write_bytes(good.read_bytes())
    linked = tmp_path / "linked.pub"
    linked.symlink_to(beside)
    for path in (beside, linked):
        with pytest.raises(BadKey, match="it is among the modules"):
            configured_keys(Modules(paths=(str(places),), keys=(str(path),)))
    (key,) = configured_keys(Modules(paths=(str(places),), keys=(str(good),)))
    assert key.name == str(good)
    good.chmod(0o664)
    with pytest.raises(BadKey, match="users other than root may write to it"):
        configured_keys(Modules(paths=(str(places),), keys=(str(good),)))
