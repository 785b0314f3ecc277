//! `northstar`: parses the command line and calls [`northstar::cli`].

use std::process::ExitCode;

/// The system's keeps what a digest over tens of thousands of issues once took.
#[cfg(feature = "jemalloc")]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    northstar::cli::main()
}
