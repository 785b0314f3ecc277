//! Everything that talks to GitHub: authentication, transport, budget, issues, boards.
//!
//! *In:* what to read or write, in GitHub's names and node ids.
//! *Out:* what GitHub said, as plain data.
//! *May call:* `ids`, `clock`, `triage::snapshot` (the shapes it fills). Nothing else.
