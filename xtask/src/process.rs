//! Starting programs, saying what is done.

use anyhow::{Context as _, bail};
use std::{
    env,
    path::PathBuf,
    process::{Child, Command, ExitStatus, Stdio},
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

/// Whether this program was asked to stop.
static STOP: AtomicBool = AtomicBool::new(false);
/// How often a child is looked after.
const TICK: Duration = Duration::from_millis(50);

/// Lets a signal to this program alone end what it started as well: whoever waits for a child asks it to end.
pub(crate) fn heed_signals() -> anyhow::Result<()> {
    ctrlc::set_handler(|| STOP.store(true, Ordering::SeqCst)).context("signals can't be heeded")
}

/// Says something to whoever waits.
pub(crate) fn say(text: &str) {
    eprintln!("xtask: {text}");
}

/// Whether this program was asked to stop.
pub(crate) fn is_stopping() -> bool {
    STOP.load(Ordering::SeqCst)
}

/// The checkout's folder.
pub(crate) fn root() -> PathBuf {
    // Cargo says where this checkout is when it runs this program; where it was built may be another one that
    // shares the build folder.
    let here = env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    PathBuf::from(here).parent().map_or_else(|| PathBuf::from("."), PathBuf::from)
}

/// Where builds go.
pub(crate) fn target() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), |dir| root().join(dir))
}

/// A built program of the debug profile.
pub(crate) fn built(name: &str) -> PathBuf {
    target().join("debug").join(format!("{name}{}", env::consts::EXE_SUFFIX))
}

/// A command in the checkout's folder.
pub(crate) fn command(program: &str, args: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(args).current_dir(root());
    command
}

/// Cargo, the one that runs this; queries are checked against what is committed.
pub(crate) fn cargo(args: &[&str]) -> Command {
    let mut cargo = command(&env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned()), args);
    cargo.env("SQLX_OFFLINE", "true");
    cargo
}

/// Runs a command to its end, saying what it is for and how long it took.
pub(crate) fn step(what: &str, command: &mut Command) -> anyhow::Result<()> {
    say(&format!("{what} …"));
    let begun = Instant::now();
    let Some(status) = Held::start(command).with_context(|| what.to_owned())?.end()? else {
        bail!("{what}: stopped");
    };
    if !status.success() {
        bail!("{what} failed: {command:?} ended with {status}");
    }
    say(&format!("{what}: done in {:.1} s", begun.elapsed().as_secs_f64()));
    Ok(())
}

/// What a command prints, if it ends well.
pub(crate) fn output(command: &mut Command) -> anyhow::Result<String> {
    let output = command.stderr(Stdio::inherit()).output().with_context(|| format!("{command:?}"))?;
    if !output.status.success() {
        bail!("{command:?} ended with {}", output.status);
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Whether a program is on the path.
pub(crate) fn has(program: &str) -> bool {
    find(program).is_some()
}

/// Where a program lies on the path.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let name = format!("{program}{}", env::consts::EXE_SUFFIX);
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|dir| dir.join(&name)).find(|file| file.is_file())
}

/// A child that is ended with whoever holds it: asked first, then killed.
pub(crate) struct Held {
    child: Child,
}

impl Held {
    /// Starts a command.
    pub(crate) fn start(command: &mut Command) -> anyhow::Result<Self> {
        let child = command.spawn().with_context(|| format!("{command:?} could not be started"))?;
        Ok(Self { child })
    }

    /// Holds a child that runs.
    pub(crate) fn of(child: Child) -> Self {
        Self { child }
    }

    /// Whether it has ended.
    pub(crate) fn has_ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }

    /// Waits for its end, or until this program is asked to stop.
    pub(crate) fn wait(&mut self) {
        // What can't be waited for is over.
        let _ = self.end();
    }

    /// How it ended; `None` where this program is asked to stop before.
    fn end(&mut self) -> std::io::Result<Option<ExitStatus>> {
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok(Some(status));
            }
            if is_stopping() {
                return Ok(None);
            }
            std::thread::sleep(TICK);
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if self.has_ended() {
            return;
        }
        let pid = self.child.id().to_string();
        let asked = Command::new("kill").arg("-TERM").arg(pid).status();
        let begun = Instant::now();
        while asked.is_ok() && begun.elapsed().as_secs() < 15 {
            if self.has_ended() {
                return;
            }
            std::thread::sleep(TICK);
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::io::{BufRead as _, BufReader};

    /// Says to the test below that it is the program that is signalled.
    const AS_PROGRAM: &str = "IW_XTASK_TEST_PROGRAM";

    #[test]
    fn a_signal_to_the_program_alone_ends_its_children() {
        if env::var_os(AS_PROGRAM).is_some() {
            heed_signals().unwrap();
            let mut child = Held::start(Command::new("sleep").arg("600")).unwrap();
            println!("\nchild {}", child.child.id());
            child.wait();
            return;
        }
        let name = "process::tests::a_signal_to_the_program_alone_ends_its_children";
        let mut program = Command::new(env::current_exe().unwrap())
            .args(["--exact", name, "--nocapture"])
            .env(AS_PROGRAM, "1")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(program.stdout.take().unwrap()).lines();
        let mut pids = lines.filter_map(|line| line.unwrap().strip_prefix("child ").map(str::to_owned));
        let pid = pids.next().unwrap();
        let is_there = |pid: &str| {
            Command::new("kill").args(["-0", pid]).stderr(Stdio::null()).status().unwrap().success()
        };
        assert!(is_there(&pid));
        let asked = Command::new("kill").arg("-TERM").arg(program.id().to_string()).status().unwrap();
        assert!(asked.success());
        assert!(program.wait().unwrap().success());
        assert!(!is_there(&pid), "the child ended with the program");
    }
}
