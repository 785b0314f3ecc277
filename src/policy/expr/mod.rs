//! Expressions: a typed, total subset of CEL with spans, static cost and a trace.
