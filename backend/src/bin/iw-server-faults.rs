//! `iw-server` with points at which a test can let it break. It has a name of its own, so that a test never runs a server
//! that another build put in its place without them.

#[path = "../main.rs"]
mod server;

fn main() -> std::process::ExitCode {
    server::main()
}
