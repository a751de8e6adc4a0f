//! Files outside the store, created whole or not at all; a door. One torn by a crash or a full disk would be taken for what
//! somebody wrote.

use std::fs::{DirBuilder, File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::Path;

/// As the store names what is unfinished, so that nobody takes it for a file.
const UNFINISHED: &str = ".tmp-";

/// Create a file that is not there, in a folder that is: whole or not at all, on disk once this returns, and with at most these
/// permissions, whatever the umask.
///
/// # Errors
/// `AlreadyExists` when it is there; what the file system says.
pub fn write_new(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    let mut file = builder.prefix(UNFINISHED).permissions(Permissions::from_mode(mode)).tempfile_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist_noclobber(path).map_err(|failed| failed.error)?;
    sync(folder)
}

/// Create a file for people to edit, with the folders on its way.
///
/// # Errors
/// As [`write_new`].
pub fn write_draft(path: &Path, text: &str) -> io::Result<()> {
    path.parent().map_or(Ok(()), make_folder)?;
    write_new(path, text.as_bytes(), 0o644)
}

/// Make a folder and those above it, where they are missing; each is on disk before anything is put into it.
///
/// # Errors
/// What the file system says.
pub fn make_folder(folder: &Path) -> io::Result<()> {
    let Some(above) = folder.parent().filter(|_| !folder.is_dir()) else { return Ok(()) };
    let above = if above.as_os_str().is_empty() { Path::new(".") } else { above };
    make_folder(above)?;
    match DirBuilder::new().mode(0o755).create(folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        Err(_) | Ok(()) => {}
    }
    sync(above)
}

/// See to it that a folder's entries are on disk.
///
/// # Errors
/// What the file system says.
pub fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}
