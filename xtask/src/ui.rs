//! The desktop's pages: compiled to WebAssembly, with their JavaScript glue, into ui/dist.

use crate::{
    process::{command, root, say, step, target},
    setup::has_rustup_target,
};
use anyhow::Context as _;
use std::{fs, path::Path, time::Instant};
use wasm_bindgen_cli_support::Bindgen;

const TARGET: &str = "wasm32-unknown-unknown";
const PROFILE: &str = "wasm-release";

/// Builds the pages.
pub(crate) fn build() -> anyhow::Result<()> {
    // A folder of its own keeps two compilers from rebuilding each other's work.
    let folder = target().join("wasm");
    compile(&folder)?;
    let begun = Instant::now();
    let wasm = folder.join(TARGET).join(PROFILE).join("ui.wasm");
    let dist = root().join("ui/dist");
    let fresh = dist.with_extension("new");
    if fresh.exists() {
        fs::remove_dir_all(&fresh)?;
    }
    fs::create_dir_all(&fresh)?;
    Bindgen::new()
        .input_path(&wasm)
        .web(true)?
        .omit_default_module_path(true)
        .remove_name_section(true)
        .remove_producers_section(true)
        .typescript(false)
        .generate(&fresh)
        .with_context(|| format!("making the glue for {}", wasm.display()))?;
    bundle_editor(&fresh)?;
    for entry in fs::read_dir(root().join("ui/static"))? {
        let entry = entry?;
        fs::copy(entry.path(), fresh.join(entry.file_name()))?;
    }
    if dist.exists() {
        fs::remove_dir_all(&dist)?;
    }
    fs::rename(&fresh, &dist)?;
    say(&format!("pages in {}: done in {:.1} s", dist.display(), begun.elapsed().as_secs_f64()));
    Ok(())
}

/// Bundles the source editor into one file; what npm fetches stays in the build folder.
fn bundle_editor(dist: &Path) -> anyhow::Result<()> {
    let folder = target().join("editor");
    fs::create_dir_all(&folder)?;
    for name in ["package.json", "package-lock.json", ".npmrc", "editor.js"] {
        fs::copy(root().join("ui/editor").join(name), folder.join(name))?;
    }
    let lock = fs::read(folder.join("package-lock.json"))?;
    let fetched = folder.join("node_modules/.fetched-lock.json");
    if fs::read(&fetched).ok().as_deref() != Some(lock.as_slice()) {
        let npm = if cfg!(windows) { "npm.cmd" } else { "npm" };
        step("fetching the source editor", command(npm, &["ci"]).current_dir(&folder))?;
        fs::write(&fetched, lock)?;
    }
    let programs = fs::read_dir(folder.join("node_modules/@esbuild"))?.flatten();
    let bundler = programs.map(|entry| entry.path().join("bin/esbuild")).find(|program| program.exists());
    let bundler = bundler.context("the bundler has no program for this machine")?;
    let mut bundle = command(
        &bundler.to_string_lossy(),
        &["editor.js", "--bundle", "--minify", "--format=esm", "--log-level=warning"],
    );
    bundle.arg(format!("--outfile={}", dist.join("editor.js").display())).current_dir(&folder);
    step("bundling the source editor", &mut bundle)
}

fn compile(folder: &Path) -> anyhow::Result<()> {
    let args = ["build", "-p", "ui", "--target", TARGET, "--profile", PROFILE];
    let ordinary = has_rustup_target();
    let mut cargo = if ordinary {
        crate::process::cargo(&args)
    } else {
        // Debian's second compiler builds the standard library for the target from its sources.
        let mut cargo = command("/usr/bin/cargo", &args);
        cargo
            .env("RUSTC", "/usr/bin/rustc")
            .env("RUSTC_BOOTSTRAP", "1")
            .env("CARGO_UNSTABLE_BUILD_STD", "std,panic_abort")
            .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", "wasm-ld-19")
            .env_remove("RUSTUP_TOOLCHAIN");
        cargo
    };
    step("building the pages", cargo.env("CARGO_TARGET_DIR", folder))
}
