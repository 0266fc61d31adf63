//! Where PostgreSQL's programs lie.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

/// The folder that holds `initdb` and `postgres`: the one that `IW_POSTGRES_BIN` names, the newest of the
/// places where systems put them, or one on the path.
pub(crate) fn find() -> Option<PathBuf> {
    if let Some(named) = env::var_os("IW_POSTGRES_BIN") {
        return Some(PathBuf::from(named)).filter(|dir| is_complete(dir));
    }
    let versioned =
        ["/usr/lib/postgresql", "/opt/homebrew/opt", "/usr/local/opt", "/Library/PostgreSQL", "/usr/pgsql"];
    let mut found: Vec<(u32, PathBuf)> =
        versioned.iter().flat_map(|root| versions(Path::new(root))).collect();
    found.sort();
    let on_path =
        env::var_os("PATH").map(|path| env::split_paths(&path).collect::<Vec<_>>()).unwrap_or_default();
    found.into_iter().rev().map(|(_, dir)| dir).chain(on_path).find(|dir| is_complete(dir))
}

fn is_complete(dir: &Path) -> bool {
    ["initdb", "postgres", "pg_ctl"].iter().all(|program| dir.join(program).exists())
}

/// Folders such as `15/bin` and `postgresql@17/bin` with their versions.
fn versions(root: &Path) -> Vec<(u32, PathBuf)> {
    let entries = fs::read_dir(root).into_iter().flatten().flatten();
    entries
        .filter_map(|entry| {
            let name = entry.file_name();
            let name = name.to_str()?;
            let version = name.strip_prefix("postgresql@").unwrap_or(name).parse().ok()?;
            Some((version, entry.path().join("bin")))
        })
        .collect()
}
