//! As whom PostgreSQL runs: as this user, or where this is root, as the system's `postgres`.

use crate::Error;
use std::{fs, io, path::Path, process::Command};

/// As whom PostgreSQL runs.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Owner {
    /// The user of this process.
    This,
    /// The system's user `postgres`, since PostgreSQL refuses to run as root.
    #[cfg(unix)]
    Other { uid: u32, gid: u32 },
}

impl Owner {
    #[cfg(unix)]
    pub(crate) fn of_this_process() -> Result<Self, Error> {
        if !is_root() {
            return Ok(Self::This);
        }
        let passwd = fs::read_to_string("/etc/passwd").unwrap_or_default();
        let entry = passwd.lines().find_map(|line| {
            let fields: Vec<&str> = line.split(':').collect();
            (fields.first() == Some(&"postgres")).then_some(fields)
        });
        let number =
            |n: usize| entry.as_ref().and_then(|fields| fields.get(n)).and_then(|text| text.parse().ok());
        match (number(2), number(3)) {
            (Some(uid), Some(gid)) => Ok(Self::Other { uid, gid }),
            (_, _) => Err(Error::NoUser),
        }
    }

    #[cfg(not(unix))]
    pub(crate) fn of_this_process() -> Result<Self, Error> {
        Ok(Self::This)
    }

    /// Makes a command run as the owner.
    pub(crate) fn run_as(self, command: &mut Command) {
        match self {
            Self::This => {}
            #[cfg(unix)]
            Self::Other { uid, gid } => {
                use std::os::unix::process::CommandExt as _;
                command.uid(uid).gid(gid);
            }
        }
    }

    /// Gives a file or folder to the owner.
    pub(crate) fn give(self, path: &Path) -> Result<(), Error> {
        match self {
            Self::This => Ok(()),
            #[cfg(unix)]
            Self::Other { uid, gid } => std::os::unix::fs::chown(path, Some(uid), Some(gid))
                .map_err(|source| Error::File { action: "giving away", path: path.to_owned(), source }),
        }
    }
}

/// Whether this process is root's. Asked of the kernel through a file that belongs to whoever asks.
#[cfg(unix)]
fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt as _;
    match fs::metadata("/proc/self") {
        Ok(metadata) => metadata.uid() == 0,
        Err(_) => Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.starts_with(b"0\n")),
    }
}

/// Puts a child into a process group of its own, so that Ctrl-C in a terminal stops its owner first.
pub(crate) fn apart(command: &mut Command) {
    #[cfg(unix)]
    {
        use std::os::unix::process::CommandExt as _;
        command.process_group(0);
    }
    #[cfg(not(unix))]
    let _ = command;
}

/// Lets nobody but its owner enter a folder.
pub(crate) fn only_owner_enters(path: &Path) -> Result<(), Error> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let failed = |source: io::Error| Error::File { action: "closing", path: path.to_owned(), source };
        fs::set_permissions(path, fs::Permissions::from_mode(0o700)).map_err(failed)?;
    }
    Ok(())
}
