"""Make the broken archives of tests/data/tar-*: each is a good one with the one defect that its folder is named after.

    python3 tests/data/make_tars.py        # writes tests/data/tar-<defect>/bundle.tar

Written by hand and not with `tarfile`, because most of what is wrong here no library would write.
"""

import hashlib
import pathlib

BLOCK = 512
HERE = pathlib.Path(__file__).parent


def field(text, length):
    return text.encode("latin-1")[:length].ljust(length, b"\0")


def header(path, size, kind="0", mode="0000444\0", uid="0000000\0", link="", magic="ustar\x0000", size_field=None):
    folder, name = path.rsplit("/", 1) if "/" in path else ("", path)
    head = bytearray(
        field(name, 100)
        + field(mode, 8)
        + field(uid, 8)
        + field("0000000\0", 8)
        + (size_field or field(f"{size:011o}\0", 12))
        + field("00000000000\0", 12)
        + b" " * 8
        + field(kind, 1)
        + field(link, 100)
        + field(magic, 8)
        + bytes(64)
        + field("0000000\0", 8)
        + field("0000000\0", 8)
        + field(folder, 155)
        + bytes(12)
    )
    assert len(head) == BLOCK
    head[148:156] = b"%06o\0 " % sum(head)
    return bytes(head)


def entry(path, data=b"", padding=b"\0", **special):
    rest = -len(data) % BLOCK
    return header(path, len(data), **special) + data + padding[:1] * rest


END = bytes(2 * BLOCK)
FILES = {"a.json": b"{}\n", "b.txt": b"text\n"}
MANIFEST = "".join(f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in FILES.items()).encode()
M = entry("rain/1.0.0/MANIFEST.sha256", MANIFEST)
A = entry("rain/1.0.0/a.json", FILES["a.json"])
B = entry("rain/1.0.0/b.txt", FILES["b.txt"])
GOOD = M + A + B + END


def instead(path="rain/1.0.0/b.txt", data=b"", **special):
    """The good archive with something else in place of b.txt."""
    return M + A + entry(path, data, **special) + END


def flipped(archive, at):
    return archive[:at] + bytes([archive[at] ^ 1]) + archive[at + 1 :]


DEFECTS = {
    "absolute-path": instead("/etc/cron.d/evil", b"evil\n"),
    "traversal": instead("rain/1.0.0/../../../evil", b"evil\n"),
    "symlink": instead(kind="2", link="../../../../etc/passwd"),
    "hard-link": instead(kind="1", link="rain/1.0.0/a.json"),
    "character-device": instead(kind="3"),
    "block-device": instead(kind="4"),
    "folder": instead("rain/1.0.0/sub", kind="5"),
    "pipe": instead(kind="6"),
    "sparse-file": instead(data=FILES["b.txt"], kind="S"),
    "unknown-kind": instead(data=FILES["b.txt"], kind="V"),
    # A reader that knows pax takes the next file for another; one that does not, as it stands.
    "pax-extension": M + A + entry("rain/1.0.0/b.pax", b"23 path=../../../evil\n", kind="x") + B + END,
    "pax-global": entry("rain/1.0.0/A", b"19 size=4294967296\n", kind="g") + M + A + B + END,
    "gnu-long-name": M + A + entry("rain/1.0.0/b", b"../../../evil\0", kind="L") + B + END,
    "gnu-magic": instead(data=FILES["b.txt"], magic="ustar  \0"),
    "file-twice": M + A + B + B + END,
    "files-out-of-order": A + M + B + END,
    "extra-file": M + A + B + entry("rain/1.0.0/c.txt", b"more\n") + END,
    "missing-file": M + A + END,
    "no-manifest": A + B + END,
    "altered-file": instead(data=b"tex1\n"),
    "altered-manifest": entry("rain/1.0.0/MANIFEST.sha256", MANIFEST.replace(b"  a.json", b"  ../a")) + A + B + END,
    "another-version": M + A + B + entry("rain/1.1.0/b.txt", b"text\n") + END,
    "another-model": M + A + B + entry("snow/1.0.0/b.txt", b"text\n") + END,
    "name-not-lower-case": instead("Rain/1.0.0/b.txt", FILES["b.txt"]).replace(M + A, b""),
    "version-of-two-spellings": entry("rain/01.0.0/MANIFEST.sha256", MANIFEST) + END,
    "folder-below": instead("rain/1.0.0/sub/b.txt", FILES["b.txt"]),
    "backslash": instead("rain/1.0.0/..\\b.txt", FILES["b.txt"]),
    "control-character": instead("rain/1.0.0/b\x1b.txt", FILES["b.txt"]),
    "no-folder": instead("z.txt", FILES["b.txt"]),
    "signature-misnamed": M + A + B + entry("rain/signatures/1.0.0/mine.json", b"{}\n") + END,
    "oversized": M + A + header("rain/1.0.0/b.txt", (256 << 20) + 1) + END,
    "size-in-base-256": instead(size_field=b"\x80" + bytes(10) + b"\x05"),
    "too-many-files": M + b"".join(entry(f"rain/1.0.0/a{n:03}.txt", b"x") for n in range(76)) + END,
    "set-user-id": instead(data=FILES["b.txt"], mode="0004755\0"),
    "owner": instead(data=FILES["b.txt"], uid="0001750\0"),
    "link-name-of-a-file": instead(data=FILES["b.txt"], link="a.json"),
    "hidden-bytes": instead(data=FILES["b.txt"], padding=b"x"),
    "bad-checksum": flipped(GOOD, len(M) + 148),
    "cut-off": GOOD[: len(M) + len(A) + BLOCK + 3],
    "no-end": M + A + B,
    "one-block-of-end": M + A + B + bytes(BLOCK),
    "trailing-data": GOOD + entry("rain/1.0.0/c.txt", b"more\n") + END,
    "padded-end": GOOD + bytes(8 * BLOCK),
    "empty": END,
    "no-bytes": b"",
    "compressed": b"\x1f\x8b\x08" + bytes(BLOCK),
}

for name, archive in DEFECTS.items():
    folder = HERE / f"tar-{name}"
    folder.mkdir(exist_ok=True)
    (folder / "bundle.tar").write_bytes(archive)
folder = HERE / "golden-archive"
folder.mkdir(exist_ok=True)
(folder / "bundle.tar").write_bytes(GOOD)
