//! Tools that tests need from npm and `PyPI`, each installed once into the build folder.

use crate::process::{command, step, target};
use anyhow::{Context as _, bail};
use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

/// A tool: its name and its version.
pub(crate) type Tool = (&'static str, &'static str);

fn folder_of((name, version): Tool) -> PathBuf {
    target().join("tools").join(format!("{name}-{version}"))
}

/// A file of a package from npm, below its `node_modules`.
pub(crate) fn from_npm(tool: Tool, file: &str) -> anyhow::Result<PathBuf> {
    let (name, version) = tool;
    let folder = folder_of(tool);
    let file = folder.join("node_modules").join(file);
    if !file.exists() {
        fs::create_dir_all(&folder)?;
        fs::write(folder.join("package.json"), "{ \"private\": true }\n")?;
        let npm = if cfg!(windows) { "npm.cmd" } else { "npm" };
        let wanted = format!("{name}@{version}");
        let mut install = command(npm, &["install", "--no-audit", "--no-fund", "--save-exact", &wanted]);
        install_step(tool, install.current_dir(&folder))?;
    }
    found(file, name)
}

/// A program of a package from npm.
pub(crate) fn npm_program(tool: Tool) -> anyhow::Result<PathBuf> {
    from_npm(tool, &format!(".bin/{}{}", tool.0, if cfg!(windows) { ".cmd" } else { "" }))
}

/// A program from `PyPI`, in an environment of its own.
pub(crate) fn python_program(tool: Tool) -> anyhow::Result<PathBuf> {
    let (name, version) = tool;
    let folder = folder_of(tool);
    let programs = folder.join(if cfg!(windows) { "Scripts" } else { "bin" });
    let program = programs.join(format!("{name}{}", env::consts::EXE_SUFFIX));
    if !program.exists() {
        let python = if cfg!(windows) { "python" } else { "python3" };
        let mut environment = command(python, &["-m", "venv"]);
        install_step(("an environment of Python", version), environment.arg(&folder))?;
        let pip = programs.join(format!("pip{}", env::consts::EXE_SUFFIX));
        let wanted = format!("{name}=={version}");
        let mut install =
            command(&pip.to_string_lossy(), &["install", "--quiet", "--disable-pip-version-check", &wanted]);
        install_step(tool, &mut install)?;
    }
    found(program, name)
}

fn install_step((name, version): (&str, &str), install: &mut Command) -> anyhow::Result<()> {
    step(&format!("installing {name} {version}"), install)
        .with_context(|| format!("{name} {version} is needed by the tests and can't be installed"))
}

fn found(file: PathBuf, name: &str) -> anyhow::Result<PathBuf> {
    if Path::new(&file).exists() {
        return Ok(file);
    }
    bail!("{name} was installed and isn't at {}", file.display());
}
