//! Files for people to edit, created whole or not at all; a door. A draft torn by a crash or a full disk would be read as what
//! somebody wrote.

use std::fs::{DirBuilder, File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::Path;

/// As the store names what is unfinished, so that nobody takes it for a file.
const UNFINISHED: &str = ".tmp-";

/// Create a file that is not there, with the folders on its way: written by its owner alone, whatever the umask.
///
/// # Errors
/// `AlreadyExists` when it is there; what the file system says.
pub fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    make_folder(folder)?;
    let mut builder = tempfile::Builder::new();
    let mut file = builder.prefix(UNFINISHED).permissions(Permissions::from_mode(0o644)).tempfile_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist_noclobber(path).map_err(|failed| failed.error)?;
    File::open(folder)?.sync_all()
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
    File::open(above)?.sync_all()
}
