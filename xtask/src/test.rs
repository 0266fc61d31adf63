//! `cargo xtask test`: everything that must hold, the same here and in CI.

use crate::{
    clients,
    database::{self, Private},
    process::{built, cargo, command, output, root, step},
    setup::{self, ensure},
    tidy,
    tools::{Tool, from_npm},
    ui,
};
use std::{
    env, fs,
    path::PathBuf,
    time::{SystemTime, UNIX_EPOCH},
};

/// Runs it all; `fast` leaves out the window.
pub(crate) fn test(fast: bool) -> anyhow::Result<()> {
    ensure(setup::SERVER)?;
    ensure(setup::UI)?;
    ensure(setup::DESKTOP)?;
    if !fast {
        ensure(setup::WINDOW)?;
        ensure(setup::WEB)?;
    }
    step("formatting", &mut cargo(&["fmt", "--all", "--check"]))?;
    tidy::tidy()?;
    // The app's program holds the pages, so they are built before anything that compiles it.
    ui::build()?;
    let lints =
        ["clippy", "--workspace", "--all-targets", "--features", "backend/faults", "--", "-D", "warnings"];
    step("lints", &mut cargo(&lints))?;
    {
        let private = Private::start()?;
        let mut tests = cargo(&["test", "--workspace", "--exclude", "tests", "--features", "backend/faults"]);
        tests.env("IW_TEST_DATABASE_URL", private.url("postgres"));
        step("tests", &mut tests)?;
    }
    database::check_prepared()?;
    clients::generate()?;
    if !fast {
        clients::explore()?;
        web()?;
        window()?;
    }
    Ok(())
}

/// The whole in a real window, with all that it needs built.
pub(crate) fn window_alone() -> anyhow::Result<()> {
    for needed in [setup::SERVER, setup::UI, setup::DESKTOP, setup::WINDOW] {
        ensure(needed)?;
    }
    ui::build()?;
    window()
}

/// What finds faults of accessibility in the window's pages.
const AXE: Tool = ("axe-core", "4.14.1");

/// The web pages in a browser, beside a server with the sample shop.
fn web() -> anyhow::Result<()> {
    step("building the server", &mut cargo(&["build", "-p", "backend", "--features", "backend/faults"]))?;
    let private = Private::start()?;
    let mut tests = cargo(&["test", "-p", "tests", "--test", "web", "--", "--test-threads=1"]);
    tests
        .env("IW_TEST_DATABASE_URL", private.url("postgres"))
        .env("IW_TEST_SERVER", built("iw-server-faults"))
        .env("IW_TEST_AXE", from_npm(AXE, "axe-core/axe.min.js")?);
    step("the web pages in a browser", &mut tests)
}

/// The whole in a real window.
fn window() -> anyhow::Result<()> {
    step(
        "building the server and the app",
        &mut cargo(&["build", "-p", "backend", "-p", "src-tauri", "--features", "backend/faults"]),
    )?;
    let private = Private::start()?;
    let programs = [built("iw-server-faults"), built("intelligent-workflows")];
    in_a_window("the whole in a real window", &private, programs, &[])
}

/// Runs tests of the window with these programs, on a display, a bus and a keyring of its own.
pub(crate) fn in_a_window(
    name: &str,
    private: &Private,
    [server, app]: [PathBuf; 2],
    arguments: &[&str],
) -> anyhow::Result<()> {
    let cargo_path = env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let runtime = env::temp_dir().join(format!("iw-window-{}", std::process::id()));
    fs::create_dir_all(&runtime)?;
    #[cfg(unix)]
    fs::set_permissions(&runtime, std::os::unix::fs::PermissionsExt::from_mode(0o700))?;
    let script =
        "printf 'test\\n' | gnome-keyring-daemon --unlock --components=secrets >/dev/null && exec \"$@\"";
    let mut whole = command(
        "xvfb-run",
        &["-a", "-s", "-screen 0 1600x1000x24", "dbus-run-session", "--", "sh", "-c", script, "sh"],
    );
    whole
        .args([
            &cargo_path,
            "test",
            "-p",
            "tests",
            "-p",
            "src-tauri",
            "--test",
            "window",
            "--",
            "--test-threads=1",
        ])
        .args(arguments)
        .env("SQLX_OFFLINE", "true")
        .env("IW_TEST_DATABASE_URL", private.url("postgres"))
        .env("IW_TEST_SERVER", server)
        .env("IW_TEST_APP", app)
        .env("IW_TEST_AXE", from_npm(AXE, "axe-core/axe.min.js")?)
        .env("XDG_RUNTIME_DIR", &runtime)
        .env("XDG_DATA_HOME", runtime.join("data"))
        .env("XDG_CONFIG_HOME", runtime.join("config"))
        .env("XDG_CACHE_HOME", runtime.join("cache"))
        .env("GDK_BACKEND", "x11")
        .env("NO_AT_BRIDGE", "1")
        .env("WEBKIT_DISABLE_COMPOSITING_MODE", "1")
        .env("WEBKIT_DISABLE_DMABUF_RENDERER", "1");
    let tested = step(name, &mut whole);
    fs::remove_dir_all(&runtime)?;
    tested
}

/// How many random documents the second interpreter is given a night.
const NIGHT_CASES: u64 = 100_000;

/// How often each race of two decisions is run a night.
const NIGHT_RACES: &str = "1000";

/// The random tests at length. Each day begins where the one before it ended, so that no night repeats another.
pub(crate) fn night() -> anyhow::Result<()> {
    let day = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs() / (24 * 60 * 60);
    let mut second = cargo(&["test", "-p", "shared-types", "--test", "reference_interpreter"]);
    second.env("IW_CASES", NIGHT_CASES.to_string()).env("IW_SEED", (day * NIGHT_CASES).to_string());
    step("a second interpreter", &mut second)?;
    let mut templates = cargo(&["test", "-p", "shared-types", "--test", "templates"]);
    step("random templates", templates.env("IW_TEMPLATES", NIGHT_CASES.to_string()))?;
    let mut policies =
        cargo(&["test", "-p", "shared-types", "--test", "approvals", "--test", "approved_runs"]);
    step("random requests", policies.env("PROPTEST_CASES", NIGHT_CASES.to_string()))?;
    let private = Private::start()?;
    let mut races =
        cargo(&["test", "-p", "backend", "--features", "backend/faults", "--test", "it", "decision_races"]);
    races.env("IW_TEST_DATABASE_URL", private.url("postgres")).env("IW_RACES", NIGHT_RACES);
    step("races of decisions", &mut races)?;
    let mut properties = cargo(&["test", "-p", "shared-types", "--lib", "--test", "machine"]);
    step("properties", properties.env("PROPTEST_CASES", "20000"))
}

/// Writes the tables of the language's reference, as the program has them.
pub(crate) fn write_language() -> anyhow::Result<()> {
    let mut test = cargo(&["test", "-p", "shared-types", "--test", "reference"]);
    step("writing docs/language.md", test.env("IW_WRITE_REFERENCE", "1"))
}

/// Writes the OpenAPI document as the server prints it.
pub(crate) fn write_openapi() -> anyhow::Result<()> {
    step("building the server", &mut cargo(&["build", "-p", "backend"]))?;
    let document = output(&mut command(&built("iw-server").to_string_lossy(), &["openapi"]))?;
    fs::write(root().join("docs/openapi.json"), document)?;
    Ok(())
}
