//! `northstar`: parses the command line and calls [`northstar::cli`].

use std::process::ExitCode;

fn main() -> ExitCode {
    northstar::cli::main()
}
