//! A version is signed, leaves as one file and enters another workspace; what is not such a file leaves no trace.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::Value;

use super::commands::{Workspace, text};

fn json(answer: &str) -> Value {
    serde_json::from_str(answer).unwrap()
}

/// Write the rules of a policy that trusts this key.
fn trust(workspace: &Workspace, mode: &str, key: &Path) {
    let pem: String = fs::read_to_string(key).unwrap().lines().map(|line| format!("      {line}\n")).collect();
    let policy = format!("sources: []\nsignature:\n  mode: {mode}\n  trusted:\n    release: |\n{pem}");
    fs::create_dir_all(workspace.path("governance/rain")).unwrap();
    fs::write(workspace.path("governance/rain/policy.yaml"), policy).unwrap();
}

fn key_of(workspace: &Workspace, name: &str) -> (String, std::path::PathBuf) {
    let file = workspace.path(name).to_string_lossy().into_owned();
    workspace.done(&["signing", "keygen", "--out", &file]);
    (file, workspace.path(name).with_extension("pub.pem"))
}

#[test]
fn a_key_is_made_once_and_for_its_owner_alone() {
    let workspace = Workspace::empty();
    assert!(workspace.done(&["signing", "keygen", "--dry-run"]).contains("would write regent-signing.pem"));
    assert!(workspace.files().is_empty());
    let made = json(&workspace.done(&["-o", "json", "signing", "keygen"]));
    let mode = |file: &str| fs::metadata(workspace.path(file)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("regent-signing.pem"), mode("regent-signing.pub.pem")), (0o600, 0o644));
    let secret = fs::read_to_string(workspace.path("regent-signing.pem")).unwrap();
    assert!(secret.starts_with("-----BEGIN PRIVATE KEY-----\n"));
    assert!(!made.to_string().contains(secret.lines().nth(1).unwrap()), "a secret was printed");
    let again = workspace.regent(&["signing", "keygen"]);
    assert_eq!(again.status.code(), Some(2));
    assert_eq!(fs::read_to_string(workspace.path("regent-signing.pem")).unwrap(), secret);
    let (_, other) = key_of(&workspace, "other.pem");
    assert_ne!(fs::read_to_string(other).unwrap(), made["public_pem"].as_str().unwrap());
}

#[test]
fn a_version_is_signed_on_request_and_the_bundle_stays_as_it_is() {
    let workspace = Workspace::trained();
    let before = workspace.files();
    let (key, public) = key_of(&workspace, "k.pem");
    trust(&workspace, "require", &public);
    let unsigned = workspace.regent(&["registry", "verify"]);
    assert_eq!(unsigned.status.code(), Some(5));
    assert!(text(&unsigned.stdout).contains("rain 1.0.0: it is not signed"), "{unsigned:?}");
    trust(&workspace, "warn", &public);
    assert!(workspace.done(&["registry", "verify"]).contains("not signed by a trusted key: it is not signed"));
    trust(&workspace, "require", &public);

    workspace.done(&["registry", "sign", "rain", "1.0.0", "--key", &key, "--dry-run"]);
    assert_eq!(workspace.regent(&["registry", "verify"]).status.code(), Some(5), "a rehearsal signs nothing");
    let signed = json(&workspace.done(&["-o", "json", "registry", "sign", "rain", "1.0.0", "--key", &key]));
    assert_eq!(signed["signed"]["by"], "release");
    assert_eq!(workspace.done(&["registry", "verify"]), "rain 1.0.0 is what was published, signed by `release`\n");
    workspace.done(&["registry", "sign", "rain", "1.0.0", "--key", &key]);
    let bundle = |files: std::collections::BTreeMap<std::path::PathBuf, u64>| {
        files
            .into_iter()
            .filter(|(path, _)| path.starts_with(workspace.path("registry/rain/1.0.0")))
            .collect::<Vec<_>>()
    };
    assert_eq!(bundle(before), bundle(workspace.files()));
    let signatures = fs::read_dir(workspace.path("registry/rain/signatures/1.0.0")).unwrap().count();
    assert_eq!(signatures, 1, "signing twice files one signature");

    let (_, stranger) = key_of(&workspace, "stranger.pem");
    let stranger = stranger.to_string_lossy().into_owned();
    let asked = workspace.regent(&["registry", "verify", "rain", "1.0.0", "--key", &stranger]);
    assert_eq!(asked.status.code(), Some(5));
    assert!(text(&asked.stdout).contains("which is not trusted"), "{asked:?}");
    let nonsense = workspace.regent(&["registry", "sign", "rain", "1.0.0", "--key", &stranger]);
    assert_eq!(nonsense.status.code(), Some(2), "a public key signs nothing");
}

#[test]
fn what_is_exported_is_imported_elsewhere_byte_for_byte() {
    let (here, there) = (Workspace::trained(), Workspace::empty());
    let (key, public) = key_of(&here, "k.pem");
    here.done(&["registry", "sign", "rain", "1.0.0", "--key", &key]);
    let file = here.path("rain.tar").to_string_lossy().into_owned();
    let export = ["registry", "export", "rain", "1.0.0", "--out", &file];
    here.done(&[&export[..], &["--dry-run"]].concat());
    assert!(!here.path("rain.tar").exists());
    let told = json(&here.done(&[&["-o", "json"], &export[..]].concat()));
    here.done(&export);
    let bytes = fs::read(&file).unwrap();
    assert_eq!(told["bytes"].as_u64(), Some(bytes.len() as u64));
    fs::write(here.path("taken.tar"), "mine").unwrap();
    let taken = here.path("taken.tar").to_string_lossy().into_owned();
    assert_eq!(here.regent(&["registry", "export", "rain", "1.0.0", "--out", &taken]).status.code(), Some(2));
    assert_eq!(fs::read_to_string(&taken).unwrap(), "mine");

    trust(&there, "require", &public);
    there.done(&["registry", "import", &file, "--dry-run"]);
    assert!(!there.path("registry").exists());
    assert!(
        there.done(&["registry", "import", &file]).starts_with("published rain 1.0.0: 12 files; signed by `release`")
    );
    assert!(there.done(&["registry", "import", &file]).contains("is there already"));
    assert_eq!(there.done(&["registry", "verify"]), "rain 1.0.0 is what was published, signed by `release`\n");
    let again = there.path("again.tar").to_string_lossy().into_owned();
    there.done(&["registry", "export", "rain", "1.0.0", "--out", &again]);
    assert!(fs::read(again).unwrap() == bytes, "an export is the same bytes wherever it is made");

    // GNU tar reads it as it was meant, and what it unpacks is a bundle.
    fs::create_dir(there.path("unpacked")).unwrap();
    let unpacked = there.run("tar", &["--extract", "--file", &file, "--directory", "unpacked"]);
    assert!(unpacked.status.success(), "{unpacked:?}");
    let checked = there.run("sh", &["-c", "cd unpacked/rain/1.0.0 && sha256sum -c --quiet --strict MANIFEST.sha256"]);
    assert!(checked.status.success(), "{checked:?}");
}

#[test]
fn another_version_under_the_same_number_ends_with_5() {
    let (here, there) = (Workspace::trained(), Workspace::trained());
    let file = here.path("rain.tar").to_string_lossy().into_owned();
    here.done(&["registry", "export", "rain", "1.0.0", "--out", &file]);
    let before = there.files();
    let output = there.regent(&["registry", "import", &file]);
    assert_eq!(output.status.code(), Some(5), "{output:?}");
    assert!(text(&output.stderr).contains("it exists with manifest"), "{output:?}");
    assert_eq!(before, there.files());
}

/// Every broken archive of tests/data: exit 5, and no file is there that was not there before, inside or outside.
#[test]
fn no_broken_archive_leaves_a_trace() {
    let outer = Workspace::empty();
    fs::create_dir_all(outer.path("a/b/workspace")).unwrap();
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    let mut tried = 0;
    for folder in fs::read_dir(data).unwrap().map(|entry| entry.unwrap().path()) {
        if !folder.file_name().unwrap().to_string_lossy().starts_with("tar-") {
            continue;
        }
        let file = folder.join("bundle.tar").to_string_lossy().into_owned();
        let output = outer.regent(&["--workspace", "a/b/workspace", "registry", "import", &file]);
        assert_eq!(output.status.code(), Some(5), "{file}: {output:?}");
        tried += 1;
    }
    assert!(tried >= 40, "{tried} archives");
    let golden = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/golden-archive/bundle.tar");
    let output = outer.regent(&["--workspace", "a/b/workspace", "registry", "import", golden]);
    assert_eq!(output.status.code(), Some(5), "whole by its manifest, and no version of a model: {output:?}");
    assert!(outer.files().is_empty(), "{:?}", outer.files());
    assert!(!outer.path("a/b/workspace/registry").exists() && !Path::new("/etc/cron.d/evil").exists());

    let pipe = outer.run("mkfifo", &["pipe.tar"]);
    assert!(pipe.status.success());
    assert_eq!(outer.regent(&["registry", "import", "pipe.tar"]).status.code(), Some(2), "a pipe is not waited for");
    assert_eq!(outer.regent(&["registry", "import", "/dev/zero"]).status.code(), Some(2));
    assert_eq!(outer.regent(&["registry", "import", "nowhere.tar"]).status.code(), Some(2));
}
