//! The policy: what the organisation wants, read from YAML, checked, and ready to decide by.
//!
//! *In:* the text of the policy's files. *Out:* a checked [`Policy`], or every diagnostic at once.
//! *May call:* nothing but `triage`'s plain data. Pure: reading the folder is the shell's business.

pub mod expr;
