//! A private PostgreSQL in a data folder, reached over a socket that only its owner can enter.
//!
//! The server starts one when it is given no database, and the development chores use it for tests. A
//! PostgreSQL that outlived a killed owner is found by its `postmaster.pid` and used again.

mod binaries;
mod owner;
mod pidfile;

use owner::Owner;
use pidfile::PidFile;
use std::{
    fmt::Write as _,
    fs, io,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// How long a start may take: recovery after a crash included.
const START_LIMIT: Duration = Duration::from_mins(2);
/// The longest path of a socket (`sun_path` is 108 bytes with its zero on Linux, 104 on macOS).
const MAX_SOCKET_PATH: usize = 103;
const PORT: u16 = 5432;

/// What a private PostgreSQL needs to know.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where its data lies; made where it isn't there.
    pub data_dir: PathBuf,
    /// Settings of its own, as in `postgresql.conf`.
    pub options: Vec<(String, String)>,
}

/// A private PostgreSQL that runs.
#[derive(Debug)]
pub struct Postgres {
    bin_dir: PathBuf,
    cluster: PathBuf,
    socket_dir: PathBuf,
    owner: Owner,
    child: Option<Child>,
}

/// Why there is no private PostgreSQL.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Its programs aren't there.
    #[error(
        "PostgreSQL's programs (initdb, postgres) were not found; install PostgreSQL 15 or newer, or set \
         IW_POSTGRES_BIN to the folder that holds them, or IW_DATABASE_URL to a database"
    )]
    NotInstalled,
    /// As root it runs as the system's user `postgres`, who isn't there.
    #[error("PostgreSQL doesn't run as root, and there is no user `postgres` to run it as")]
    NoUser,
    /// A file or folder could not be made.
    #[error("{action} {path}: {source}")]
    File {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A program could not be started or failed.
    #[error("{program} failed: {message}")]
    Program {
        /// Which.
        program: &'static str,
        /// What it said.
        message: String,
    },
    /// It didn't come up.
    #[error("PostgreSQL did not start; its log {log} ends:\n{tail}")]
    NotReady {
        /// The log.
        log: PathBuf,
        /// Its last lines.
        tail: String,
    },
}

/// Whether PostgreSQL's programs are on this machine.
pub fn is_installed() -> bool {
    binaries::find().is_some()
}

impl Postgres {
    /// Starts PostgreSQL in its data folder, or takes over the one that runs there.
    ///
    /// # Errors
    /// When its programs are missing or it doesn't come up.
    pub fn start(settings: &Settings) -> Result<Self, Error> {
        let bin_dir = binaries::find().ok_or(Error::NotInstalled)?;
        let owner = Owner::of_this_process()?;
        let cluster = settings.data_dir.join("postgres");
        make_dir(&settings.data_dir, &owner)?;
        let socket_dir = socket_dir(&settings.data_dir);
        make_dir(&socket_dir, &owner)?;
        let mut postgres = Self { bin_dir, cluster, socket_dir, owner, child: None };
        if let Some(running) = PidFile::read(&postgres.cluster).filter(PidFile::is_alive) {
            postgres.socket_dir = running.socket_dir;
        } else {
            if !postgres.cluster.join("PG_VERSION").exists() {
                postgres.init()?;
            }
            postgres.spawn(&settings.options)?;
        }
        postgres.wait_until_ready()?;
        Ok(postgres)
    }

    /// The address of one of its databases, as clients take it.
    pub fn url(&self, database: &str) -> String {
        let socket = percent_encode(&self.socket_dir.to_string_lossy());
        format!("postgres://iw@{socket}:{PORT}/{database}")
    }

    /// Whether this process started it; else another one did, and it was taken over.
    pub fn is_ours(&self) -> bool {
        self.child.is_some()
    }

    /// Where its programs lie.
    pub fn bin_dir(&self) -> &Path {
        &self.bin_dir
    }

    /// The folder of its socket.
    pub fn socket_dir(&self) -> &Path {
        &self.socket_dir
    }

    /// Stops it: open connections are cut, nothing committed is lost.
    ///
    /// # Errors
    /// When it could not be told to stop.
    pub fn stop(mut self) -> Result<(), Error> {
        let mut stop = Command::new(self.bin_dir.join("pg_ctl"));
        stop.arg("stop").arg("-D").arg(&self.cluster).args(["-m", "fast", "-w", "-t", "30"]);
        let result = self.run("pg_ctl", stop);
        if let Some(mut child) = self.child.take() {
            let _ = child.wait();
        }
        result
    }

    fn init(&self) -> Result<(), Error> {
        make_dir(&self.cluster, &self.owner)?;
        let mut initdb = Command::new(self.bin_dir.join("initdb"));
        initdb.arg("-D").arg(&self.cluster);
        initdb.args([
            "-U",
            "iw",
            "-E",
            "UTF8",
            "--locale=C.UTF-8",
            "--auth-local=trust",
            "--auth-host=reject",
        ]);
        self.run("initdb", initdb)
    }

    fn spawn(&mut self, options: &[(String, String)]) -> Result<(), Error> {
        let log_path = self.log_path();
        let log = fs::File::options()
            .create(true)
            .append(true)
            .open(&log_path)
            .map_err(|source| Error::File { action: "opening", path: log_path.clone(), source })?;
        self.owner.give(&log_path)?;
        let errors =
            log.try_clone().map_err(|source| Error::File { action: "opening", path: log_path, source })?;
        let mut postgres = Command::new(self.bin_dir.join("postgres"));
        postgres.arg("-D").arg(&self.cluster).arg("-k").arg(&self.socket_dir);
        for (name, value) in [("listen_addresses", ""), ("unix_socket_permissions", "0700"), ("port", "5432")]
        {
            postgres.arg("-c").arg(format!("{name}={value}"));
        }
        for (name, value) in options {
            postgres.arg("-c").arg(format!("{name}={value}"));
        }
        postgres.stdin(Stdio::null()).stdout(log).stderr(errors);
        owner::apart(&mut postgres);
        self.owner.run_as(&mut postgres);
        let failed = |source: io::Error| Error::Program { program: "postgres", message: source.to_string() };
        self.child = Some(postgres.spawn().map_err(failed)?);
        Ok(())
    }

    fn wait_until_ready(&mut self) -> Result<(), Error> {
        let begun = Instant::now();
        while begun.elapsed() < START_LIMIT {
            if PidFile::read(&self.cluster).is_some_and(|pid| pid.ready) {
                return Ok(());
            }
            if let Some(child) = &mut self.child
                && matches!(child.try_wait(), Ok(Some(_)))
            {
                break;
            }
            thread::sleep(Duration::from_millis(10));
        }
        let log = self.log_path();
        let text = fs::read_to_string(&log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().rev().take(12).collect();
        let tail = lines.into_iter().rev().collect::<Vec<_>>().join("\n");
        Err(Error::NotReady { log, tail })
    }

    fn run(&self, program: &'static str, mut command: Command) -> Result<(), Error> {
        self.owner.run_as(&mut command);
        command.stdin(Stdio::null()).current_dir("/");
        let output =
            command.output().map_err(|source| Error::Program { program, message: source.to_string() })?;
        if output.status.success() {
            return Ok(());
        }
        Err(Error::Program { program, message: String::from_utf8_lossy(&output.stderr).trim().to_owned() })
    }

    fn log_path(&self) -> PathBuf {
        self.cluster.with_extension("log")
    }
}

/// The folder for the socket: in the data folder, or where that path is too long, below the system's
/// temporary folder under a name that follows from it.
fn socket_dir(data_dir: &Path) -> PathBuf {
    let own = data_dir.join("run");
    if own.as_os_str().len() + "/.s.PGSQL.5432".len() <= MAX_SOCKET_PATH {
        return own;
    }
    let name = data_dir.to_string_lossy().bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        // FNV-1a, 64 bits: short, stable, and only for a name.
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    std::env::temp_dir().join(format!("iw-{name:016x}"))
}

fn make_dir(path: &Path, owner: &Owner) -> Result<(), Error> {
    fs::create_dir_all(path).map_err(|source| Error::File {
        action: "making",
        path: path.to_owned(),
        source,
    })?;
    owner.give(path)?;
    owner::only_owner_enters(path)
}

fn percent_encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.') {
            out.push(char::from(byte));
        } else {
            // Writing to a String can't fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}
