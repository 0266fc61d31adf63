//! What a machine needs besides Rust: found out, then installed where it may be, else said.

use crate::process::{find, has, say, step};
use anyhow::bail;
use std::{env, path::Path, process::Command};

/// Something that a part of the project needs.
pub(crate) struct Need {
    /// What it is.
    what: &'static str,
    /// Whether it is there.
    is_there: fn() -> bool,
    /// The packages of Debian and Ubuntu that bring it.
    packages: &'static [&'static str],
}

/// What the server needs.
pub(crate) const SERVER: &[Need] = &[
    Need { what: "a C compiler", is_there: has_compiler, packages: &["gcc", "libc6-dev"] },
    Need { what: "cmake", is_there: || has("cmake"), packages: &["cmake"] },
    Need { what: "PostgreSQL's programs", is_there: has_postgres, packages: &["postgresql"] },
];

/// What building the desktop's pages needs.
pub(crate) const UI: &[Need] = &[
    Need { what: "npm, for the source editor", is_there: || has("npm"), packages: &["npm"] },
    Need {
        what: "a WebAssembly compiler",
        is_there: has_wasm_compiler,
        packages: &["rustc-web", "cargo-web", "rust-web-src", "lld-19"],
    },
];

/// What building and showing the desktop needs.
pub(crate) const DESKTOP: &[Need] = &[
    Need {
        what: "WebKitGTK",
        is_there: || has_library("webkit2gtk-4.1"),
        packages: &["libwebkit2gtk-4.1-dev", "pkg-config", "librsvg2-dev", "libxdo-dev", "libssl-dev"],
    },
    Need { what: "D-Bus", is_there: || has("dbus-run-session"), packages: &["dbus", "dbus-x11"] },
];

/// What testing in a real window needs.
pub(crate) const WINDOW: &[Need] = &[
    Need { what: "WebKit's driver", is_there: || has("WebKitWebDriver"), packages: &["webkit2gtk-driver"] },
    Need { what: "a display for tests", is_there: || has("Xvfb"), packages: &["xvfb", "xauth"] },
    Need {
        what: "a keyring for tests",
        is_there: || has("gnome-keyring-daemon"),
        packages: &["gnome-keyring"],
    },
];

/// What testing the web pages in a browser needs.
pub(crate) const WEB: &[Need] = &[
    Need { what: "a browser for tests", is_there: || has("chromium"), packages: &["chromium"] },
    Need { what: "the browser's driver", is_there: || has("chromedriver"), packages: &["chromium-driver"] },
    Need { what: "curl", is_there: || has("curl"), packages: &["curl"] },
];

fn has_compiler() -> bool {
    has("cc") || has("gcc") || has("clang") || cfg!(windows)
}

fn has_postgres() -> bool {
    embedded_postgres::is_installed()
}

fn has_wasm_compiler() -> bool {
    has_rustup_target()
        || Path::new("/usr/bin/cargo").exists() && find("wasm-ld-19").is_some() && debian_sources()
}

fn debian_sources() -> bool {
    // Debian's second compiler brings the standard library's sources, from which the target is built.
    output_of("/usr/bin/rustc", &["--print", "sysroot"]).is_some_and(|root| {
        Path::new(root.trim()).join("lib/rustlib/src/rust/library/std/Cargo.toml").exists()
    })
}

/// Whether rustup's compiler has the target.
pub(crate) fn has_rustup_target() -> bool {
    let rustc = env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    output_of(&rustc, &["--print", "target-libdir", "--target", "wasm32-unknown-unknown"])
        .is_some_and(|dir| Path::new(dir.trim()).exists())
}

fn has_library(name: &str) -> bool {
    cfg!(not(target_os = "linux"))
        || Command::new("pkg-config").args(["--exists", name]).status().is_ok_and(|s| s.success())
}

fn output_of(program: &str, args: &[&str]) -> Option<String> {
    let output = Command::new(program).args(args).output().ok().filter(|output| output.status.success())?;
    String::from_utf8(output.stdout).ok()
}

/// Sees to it that everything of a list is there.
pub(crate) fn ensure(needs: &[Need]) -> anyhow::Result<()> {
    if needs.iter().any(|need| need.what == "a WebAssembly compiler" && !(need.is_there)()) {
        // The ordinary way first; where the network has no such target, the system's packages follow.
        let added = Command::new("rustup").args(["target", "add", "wasm32-unknown-unknown"]).output();
        if added.is_ok_and(|output| output.status.success()) {
            say("added the target wasm32-unknown-unknown to Rust");
        }
    }
    let missing: Vec<&Need> = needs.iter().filter(|need| !(need.is_there)()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let what: Vec<&str> = missing.iter().map(|need| need.what).collect();
    let packages: Vec<&str> = missing.iter().flat_map(|need| need.packages.iter().copied()).collect();
    say(&format!("missing: {}", what.join(", ")));
    install(&packages)?;
    match needs.iter().find(|need| !(need.is_there)()) {
        Some(need) => bail!("{} is still missing after installing {}", need.what, need.packages.join(" ")),
        None => Ok(()),
    }
}

fn install(packages: &[&str]) -> anyhow::Result<()> {
    if !has("apt-get") {
        bail!("{}", by_hand(packages));
    }
    let is_root = output_of("id", &["-u"]).is_some_and(|id| id.trim() == "0");
    if !is_root && !has("sudo") {
        bail!("install them as an administrator: apt-get install {}", packages.join(" "));
    }
    let as_root = |script: &str| {
        let mut command = Command::new(if is_root { "sh" } else { "sudo" });
        if !is_root {
            command.arg("sh");
        }
        command.args(["-c", script]).env("DEBIAN_FRONTEND", "noninteractive");
        command
    };
    say(&format!(
        "installing {}{}",
        packages.join(" "),
        if is_root { "" } else { " (sudo may ask for your password)" }
    ));
    // Debian's package would make and start a cluster of its own on port 5432.
    let no_cluster = "mkdir -p /etc/postgresql-common && \
        grep -qs '^create_main_cluster' /etc/postgresql-common/createcluster.conf || \
        echo 'create_main_cluster = false' >> /etc/postgresql-common/createcluster.conf";
    if packages.contains(&"postgresql") {
        step("keeping PostgreSQL from making a cluster", &mut as_root(no_cluster))?;
    }
    step("reading the package lists", &mut as_root("apt-get update -q"))?;
    let install = format!("apt-get install -y -q --no-install-recommends {}", packages.join(" "));
    step("installing packages", &mut as_root(&install))
}

fn by_hand(packages: &[&str]) -> String {
    let how = match env::consts::OS {
        "macos" => {
            "On macOS: xcode-select --install; brew install postgresql@17 cmake; rustup target add wasm32-unknown-unknown"
        }
        "windows" => {
            "On Windows: install the MSVC build tools, CMake, PostgreSQL (set IW_POSTGRES_BIN to its bin folder) and \
             WebView2; rustup target add wasm32-unknown-unknown"
        }
        _ => "Install what these packages of Debian bring, by your system's own means",
    };
    format!("{how} ({})", packages.join(" "))
}
