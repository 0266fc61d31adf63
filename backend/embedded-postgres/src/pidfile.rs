//! `postmaster.pid`: what a running PostgreSQL says of itself in its data folder.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// The lines of `postmaster.pid` that matter here (`miscadmin.h`, `LOCK_FILE_LINE_*`).
#[derive(Debug)]
pub(crate) struct PidFile {
    pub(crate) pid: u32,
    pub(crate) socket_dir: PathBuf,
    pub(crate) ready: bool,
}

impl PidFile {
    /// Reads the file; `None` where there is none, or one that is still being written.
    pub(crate) fn read(cluster: &Path) -> Option<Self> {
        let text = fs::read_to_string(cluster.join("postmaster.pid")).ok()?;
        let lines: Vec<&str> = text.lines().collect();
        Some(Self {
            pid: lines.first()?.trim().parse().ok()?,
            socket_dir: PathBuf::from(lines.get(4)?.trim()),
            ready: lines.get(7).is_some_and(|line| line.trim() == "ready"),
        })
    }

    /// Whether that process runs and is a PostgreSQL, not another that got its number since.
    pub(crate) fn is_alive(&self) -> bool {
        let name = fs::read_to_string(format!("/proc/{}/comm", self.pid));
        self.ready && name.is_ok_and(|name| name.trim().starts_with("postgres"))
    }
}
