//! A version goes out and comes in unharmed; every threat of tests/data/tar-* is refused under its own name.
#![expect(clippy::disallowed_methods, reason = "reads the broken archives of tests/data")]

use std::collections::BTreeSet;
use std::path::Path;

use proptest::prelude::*;
use rstest::rstest;

use super::*;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data");

fn bytes(folder: &str) -> Vec<u8> {
    std::fs::read(Path::new(ROOT).join(folder).join("bundle.tar")).unwrap()
}

macro_rules! threats {
    ($($threat:literal $variant:ident $says:literal)*) => {
        const THREATS: &[&str] = &[$($threat),*];

        #[rstest]
        $(#[case($threat, stringify!($variant), $says)])*
        fn every_threat_is_refused_by_name(#[case] threat: &str, #[case] variant: &str, #[case] says: &str) {
            let fault = Archive::read(&bytes(&format!("tar-{threat}"))).unwrap_err();
            let found = format!("{fault:?}").split([' ', '(', '{']).next().unwrap_or_default().to_owned();
            assert_eq!(found, variant, "{fault}");
            assert!(fault.to_string().contains(says), "{fault}");
        }
    };
}

threats! {
    "absolute-path" Absolute "`/etc/cron.d/evil` is an absolute path"
    "traversal" Traversal "`rain/1.0.0/../../../evil` leads out"
    "symlink" NotAFile "a symbolic link"
    "hard-link" NotAFile "a hard link"
    "character-device" NotAFile "a character device"
    "block-device" NotAFile "a block device"
    "folder" NotAFile "a folder"
    "pipe" NotAFile "a pipe"
    "sparse-file" NotAFile "a sparse file"
    "unknown-kind" NotAFile "of an unknown kind"
    "pax-extension" NotAFile "a pax extension"
    "pax-global" NotAFile "a pax extension"
    "gnu-long-name" NotAFile "a GNU long name"
    "gnu-magic" NotUstar "not a ustar archive"
    "file-twice" Twice "`rain/1.0.0/b.txt` is there twice"
    "files-out-of-order" Order "`rain/1.0.0/MANIFEST.sha256`"
    "extra-file" Damaged "c.txt is not in MANIFEST.sha256"
    "missing-file" Damaged "b.txt is missing"
    "no-manifest" NoManifest "no MANIFEST.sha256"
    "altered-file" Damaged "b.txt has SHA-256"
    "altered-manifest" Manifest "line 1: it names no file of a bundle"
    "another-version" Stray "`rain/1.1.0/b.txt`"
    "another-model" Stray "`snow/1.0.0/b.txt`"
    "name-not-lower-case" Stray "`Rain/1.0.0/b.txt`"
    "version-of-two-spellings" Stray "`rain/01.0.0/MANIFEST.sha256`"
    "folder-below" Stray "`rain/1.0.0/sub/b.txt`"
    "backslash" Name "b.txt` is no path"
    "control-character" Name "b\\u{1b}.txt"
    "no-folder" Name "`z.txt`"
    "signature-misnamed" SignatureName "mine.json"
    "oversized" LargeFile "268435457 bytes; at most 268435456"
    "size-in-base-256" NotWrittenHere "b.txt"
    "too-many-files" TooManyFiles "more than 76 files"
    "set-user-id" NotWrittenHere "b.txt"
    "owner" NotWrittenHere "b.txt"
    "link-name-of-a-file" NotWrittenHere "b.txt"
    "hidden-bytes" HiddenBytes "after `rain/1.0.0/b.txt`"
    "bad-checksum" NotUstar "a header is damaged"
    "cut-off" Truncated "cut off"
    "no-end" Truncated "cut off"
    "one-block-of-end" Truncated "cut off"
    "trailing-data" Trailing "after its end"
    "padded-end" Trailing "after its end"
    "empty" NoManifest "no MANIFEST.sha256"
    "no-bytes" Truncated "cut off"
    "compressed" NotUstar "not a ustar archive"
}

#[test]
fn no_threat_is_left_out() {
    let names = std::fs::read_dir(ROOT).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let found: BTreeSet<String> = names.filter_map(|name| Some(name.strip_prefix("tar-")?.to_owned())).collect();
    let tested: BTreeSet<String> = THREATS.iter().map(|threat| (*threat).to_owned()).collect();
    assert_eq!(found, tested);
}

/// The archive was written by tests/data/make_tars.py, in another language.
#[test]
fn an_archive_is_read_and_written_to_the_same_bytes() {
    let golden = bytes("golden-archive");
    let archive = Archive::read(&golden).unwrap();
    assert_eq!((archive.model().as_str(), archive.version()), ("rain", Version::FIRST));
    assert_eq!(archive.files.keys().collect::<Vec<_>>(), ["a.json", "b.txt"]);
    assert_eq!(archive.print().unwrap(), golden);
    let signed = Archive { signatures: vec![b"one".to_vec(), b"two".to_vec()], ..archive };
    let again = Archive::read(&signed.print().unwrap()).unwrap();
    assert_eq!(again.signatures.iter().collect::<BTreeSet<_>>(), signed.signatures.iter().collect());
    assert_eq!(again.print().unwrap(), signed.print().unwrap());
}

#[test]
fn the_longest_names_fit() {
    let file = "f".repeat(99);
    let files = BTreeMap::from([(file.clone(), b"x".to_vec())]);
    let manifest = Manifest::of(&files);
    let archive = Archive {
        model: "m".repeat(64).parse().unwrap(),
        version: Version::new(u64::MAX, u64::MAX, u64::MAX),
        manifest,
        files,
        signatures: vec![b"one".to_vec()],
    };
    assert_eq!(Archive::read(&archive.print().unwrap()).unwrap(), archive);
    let files = BTreeMap::from([("f".repeat(100), b"x".to_vec())]);
    let too_long = Archive { manifest: Manifest::of(&files), files, ..archive };
    assert!(matches!(too_long.print(), Err(ArchiveFault::Name { .. })));
}

proptest! {
    /// Headers are canonical, contents are in the manifest: there is no byte that says nothing.
    #[test]
    fn no_flipped_bit_of_an_archive_passes(at in any::<prop::sample::Index>(), bit in 0u8..8) {
        let mut archive = bytes("golden-archive");
        let at = at.index(archive.len());
        archive[at] ^= 1 << bit;
        prop_assert!(Archive::read(&archive).is_err());
    }

    #[test]
    fn no_bytes_make_the_reader_panic(
        cuts in prop::collection::vec((any::<prop::sample::Index>(), 0..600_usize, prop::collection::vec(any::<u8>(), 0..600)), 1..4),
    ) {
        let mut archive = bytes("golden-archive");
        for (at, length, with) in cuts {
            let at = at.index(archive.len() + 1);
            let end = (at + length).min(archive.len());
            archive.splice(at..end, with);
        }
        if let Ok(read) = Archive::read(&archive) {
            prop_assert_eq!(read.print().unwrap(), archive);
        }
    }
}
