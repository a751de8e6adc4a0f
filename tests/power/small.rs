//! A small file system in memory, to be filled.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::room::text;

/// It goes when this is dropped.
pub(crate) struct Small(PathBuf);

impl Small {
    /// Nothing where this process may not mount one.
    pub(crate) fn mount(at: &Path, mib: u32) -> Option<Small> {
        fs::create_dir_all(at).unwrap();
        let size = format!("size={mib}m");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "regent-power"]).arg(at).output();
        match mounted {
            Ok(output) if output.status.success() => Some(Small(at.to_owned())),
            Ok(output) => {
                eprintln!("skipped: a file system cannot be mounted here: {}", text(&output.stderr).trim());
                None
            }
            Err(error) => {
                eprintln!("skipped: `mount` cannot be started here: {error}");
                None
            }
        }
    }

    /// Fill it until so many bytes are left.
    pub(crate) fn fill(&self, left: u64) {
        let mut file = File::create(self.filler()).unwrap();
        while file.write(&[0; 4096]).is_ok_and(|written| written > 0) {}
        let length = file.metadata().unwrap().len();
        file.set_len(length.saturating_sub(left)).unwrap();
    }

    pub(crate) fn filler(&self) -> PathBuf {
        self.0.join("filler")
    }

    pub(crate) fn empty(&self) {
        fs::remove_file(self.filler()).unwrap();
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}
