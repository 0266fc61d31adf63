//! `iw-server`.

use std::process::ExitCode;

// A run is many small values, made on one thread and dropped on another.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

pub(crate) fn main() -> ExitCode {
    backend::program::main()
}
