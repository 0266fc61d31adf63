//! `cargo xtask run`: from a bare machine to the app, signed in, with a shop to play.

use crate::{
    order::SERVER,
    process::{Held, built, cargo, command, is_stopping, output, say, step},
    setup::{self, ensure},
    ui,
};
use anyhow::bail;
use std::{
    env,
    io::Write as _,
    net::TcpStream,
    process::Stdio,
    time::{Duration, Instant},
};

/// The sample person whom the app is signed in as.
const OPERATOR: &str = "ina.berg@example.com";
const SHOP: &str = "127.0.0.1:7401";
/// Where mail that the server would send is shown.
const MAIL: &str = "127.0.0.1:7402";
/// A first start makes a cluster and hashes passwords.
const START_LIMIT: Duration = Duration::from_mins(2);

/// Runs it all until Ctrl-C, or until the app is closed.
pub(crate) fn run(server_only: bool) -> anyhow::Result<()> {
    let has_screen = cfg!(not(target_os = "linux"))
        || ["DISPLAY", "WAYLAND_DISPLAY"].iter().any(|name| env::var_os(name).is_some());
    if !server_only && !has_screen {
        say("there is no display here, so only the server is started; --server asks for just that");
    }
    let with_app = !server_only && has_screen;
    ensure(setup::SERVER)?;
    if with_app {
        ensure(setup::UI)?;
        ensure(setup::DESKTOP)?;
        ui::build()?;
    }
    step("building the server", &mut cargo(&["build", "-p", "backend"]))?;
    if with_app {
        step("building the app", &mut cargo(&["build", "-p", "src-tauri"]))?;
    }
    let _shop = start_stand_in("sample-shop", SHOP)?;
    let _mail = start_stand_in("sample-mail", MAIL)?;
    let mut server = start_server()?;
    what_to_try();
    if with_app {
        let mut app = open_app()?;
        app.wait();
        say("the app was closed; stopping the server");
    } else {
        server.wait();
    }
    Ok(())
}

/// Starts a stand-in for another system, unless one runs already.
fn start_stand_in(name: &str, address: &str) -> anyhow::Result<Option<Held>> {
    if answers(address) {
        say(&format!("a {name} runs already"));
        return Ok(None);
    }
    let mut stand_in = command(&built("iw-server").to_string_lossy(), &[name]);
    Ok(Some(Held::start(&mut stand_in)?))
}

fn start_server() -> anyhow::Result<Held> {
    if answers(SERVER) {
        bail!("something listens on {SERVER} already; stop it first");
    }
    let mut serve = command(&built("iw-server").to_string_lossy(), &["serve", "--sample-data"]);
    await_server(Held::start(serve.env("IW_LISTEN", SERVER))?, SERVER)
}

/// Waits until a server that was started takes connections.
pub(crate) fn await_server(mut server: Held, address: &str) -> anyhow::Result<Held> {
    let begun = Instant::now();
    while !answers(address) {
        if server.has_ended() {
            bail!("the server ended; its last lines are above");
        }
        if is_stopping() {
            bail!("stopped");
        }
        if begun.elapsed() > START_LIMIT {
            bail!("the server did not come up in {} s", START_LIMIT.as_secs());
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(server)
}

fn answers(address: &str) -> bool {
    address
        .parse()
        .is_ok_and(|address| TcpStream::connect_timeout(&address, Duration::from_millis(300)).is_ok())
}

fn open_app() -> anyhow::Result<Held> {
    let server = built("iw-server");
    let code = output(&mut command(&server.to_string_lossy(), &["admin", "sign-in-code", OPERATOR]))?;
    let mut app = command(&built("intelligent-workflows").to_string_lossy(), &["--sign-in"]);
    let mut child = app.stdin(Stdio::piped()).spawn()?;
    if let Some(stdin) = &mut child.stdin {
        writeln!(stdin, "http://{SERVER}\n{}", code.trim())?;
    }
    drop(child.stdin.take());
    Ok(Held::of(child))
}

fn what_to_try() {
    say(&format!(
        "ready.\n\n  \
         Server       http://{SERVER}  (API: http://{SERVER}/docs)\n  \
         Shop         http://{SHOP}  (what workflows told it)\n  \
         Web page     http://{SERVER}/a  (requests without the app)\n  \
         Mail         http://{MAIL}  (what would be sent)\n  \
         Operators    {OPERATOR}, bo.ek@example.com, cy.roth@example.com\n  \
         Others       mia.falk@example.com (admin), ada.lind@example.com (author), per.dahl@example.com (viewer)\n  \
         Password     sample-password, for all of them\n\n  \
         Try          cargo xtask order --total 12400     (in another terminal; a large order waits for a manager)\n               \
         cargo xtask order --total 120       (a small one passes at once)\n\n  \
         Ctrl-C stops everything.\n"
    ));
}
