//! The functions there are. The checker and the documentation are made from this table.

/// One function or macro.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Function {
    pub name: &'static str,
    /// How it is written. `f(x)` and `x.f()` are the same, save for macros.
    pub usage: &'static str,
    pub about: &'static str,
    /// The least and most arguments, what stands before the dot included.
    pub arguments: (usize, usize),
}

const fn function(
    name: &'static str,
    arguments: (usize, usize),
    usage: &'static str,
    about: &'static str,
) -> Function {
    Function {
        name,
        usage,
        about,
        arguments,
    }
}

/// Every function; macros are in [`MACROS`].
pub const FUNCTIONS: &[Function] = &[
    function(
        "has",
        (1, 1),
        "has(x)",
        "is there a value, and is it not empty?",
    ),
    function(
        "or",
        (2, 2),
        "x.or(default)",
        "the value, or the default if there is none or it is empty",
    ),
    function(
        "size",
        (1, 1),
        "size(x)",
        "characters of a text, elements of a list",
    ),
    function(
        "contains",
        (2, 2),
        "x.contains(part)",
        "does the text contain the part?",
    ),
    function(
        "startsWith",
        (2, 2),
        "x.startsWith(part)",
        "does the text begin with the part?",
    ),
    function(
        "endsWith",
        (2, 2),
        "x.endsWith(part)",
        "does the text end with the part?",
    ),
    function(
        "matches",
        (2, 2),
        "x.matches(\"pattern\")",
        "is the pattern found in the text? `(?i)` ignores capitals",
    ),
    function(
        "lowerAscii",
        (1, 1),
        "x.lowerAscii()",
        "the text with A to Z made small",
    ),
    function(
        "min",
        (2, 16),
        "min(a, b)",
        "the least of numbers, instants or durations",
    ),
    function(
        "max",
        (2, 16),
        "max(a, b)",
        "the greatest of numbers, instants or durations",
    ),
    function("days", (1, 1), "days(n)", "a duration of n times 24 hours"),
    function("hours", (1, 1), "hours(n)", "a duration of n hours"),
    function(
        "timestamp",
        (1, 1),
        "timestamp(\"2026-01-31T09:00:00Z\")",
        "an instant, written out",
    ),
    function(
        "duration",
        (1, 1),
        "duration(\"1h30m\")",
        "a duration, written out in h, m, s, ms, us, ns",
    ),
    function("double", (1, 1), "double(n)", "the number as a decimal one"),
    function("int", (1, 1), "int(d)", "the number without its fraction"),
];

/// Every macro: `list.all(name, condition with the name)`.
pub const MACROS: &[Function] = &[
    function(
        "all",
        (3, 3),
        "list.all(x, condition)",
        "does the condition hold for every element?",
    ),
    function(
        "exists",
        (3, 3),
        "list.exists(x, condition)",
        "does it hold for some element?",
    ),
    function(
        "exists_one",
        (3, 3),
        "list.exists_one(x, condition)",
        "does it hold for exactly one element?",
    ),
    function(
        "filter",
        (3, 3),
        "list.filter(x, condition)",
        "the elements for which it holds",
    ),
    function(
        "map",
        (3, 4),
        "list.map(x, value)",
        "the value made of every element",
    ),
];
