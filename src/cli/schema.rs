//! `northstar schema`: what a policy's files look like, for editors.

use crate::policy::schema;

/// Print the JSON Schema of a policy's files, by which editors complete, explain and underline.
///
/// Keep it beside the policy and name it in the first line of each file:
/// `# yaml-language-server: $schema=schema.json`
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  northstar schema > rules/schema.json
  northstar schema --lock > rules/lock.schema.json")]
pub(super) struct Args {
    /// Of the lock files, which pin what a board has
    #[arg(long)]
    lock: bool,
}

pub(super) fn run(args: &Args) {
    let schema = if args.lock {
        schema::lock()
    } else {
        schema::policy()
    };
    anstream::print!("{}", schema::text(&schema));
}
