//! The one table of commands: reading, help and documentation are made from it.

/// One kind of command.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// As it is said, without the slash, in lower case.
    pub name: &'static str,
    /// In the order they are said.
    pub args: &'static [Arg],
    pub reason: Reason,
    /// Who may say it, where the policy's `commands:` does not tell.
    pub who: Who,
    /// One sentence for `/help`.
    pub help: &'static str,
    /// A whole line; it is read by the tests.
    pub example: &'static str,
}

/// One thing said after the name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arg {
    /// A value of the attribute that the command is named after; `-value` takes it away, `none`
    /// all. Several for an attribute that may have several.
    Value,
    /// `add` or `remove`.
    AddOrRemove,
    /// The id of a community; `-id` takes it away.
    Community,
    /// The item that this one repeats.
    Original,
    /// The id of a cap, gate or principle.
    Limit,
    /// `until DATE`, or not.
    Until,
    /// The name of an attribute, the id of a cap, gate or principle, or `snooze`.
    Held,
    /// A duration or a date.
    For,
    /// The id of a rule or principle or the name of an attribute, or nothing.
    Rule,
    /// The id of a plan.
    Plan,
    /// The name of a figure.
    Kpi,
    /// A number, perhaps with `%`.
    Figure,
    /// A year, quarter, month, week or day.
    Period,
    /// The name of a command, or nothing.
    Topic,
}

impl Arg {
    /// How help writes it.
    #[must_use]
    pub fn usage(self) -> &'static str {
        match self {
            Self::Value => "VALUE",
            Self::AddOrRemove => "add|remove",
            Self::Community => "COMMUNITY",
            Self::Original => "#NUMBER",
            Self::Limit => "LIMIT",
            Self::Until => "[until DATE]",
            Self::Held => "NAME",
            Self::For => "DURATION|DATE",
            Self::Rule => "[RULE]",
            Self::Plan => "ID",
            Self::Kpi => "KPI",
            Self::Figure => "NUMBER",
            Self::Period => "PERIOD",
            Self::Topic => "[COMMAND]",
        }
    }
}

/// What the words after the arguments are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    Required,
    Optional,
}

/// Who may say a command that the policy's `commands:` does not name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// Whoever may comment.
    Anyone,
    /// Whoever may set this attribute.
    MaySet(&'static str),
    /// Whoever may set what the command names or what it takes back.
    MaySetIt,
    /// Whoever may set everything that the policy has it set.
    MaySetAll,
    /// Somebody with this role of the policy.
    Role(&'static str),
}

/// What `/release` calls a snooze.
pub const SNOOZE: &str = "snooze";
/// Lets a plan that waits be written.
pub const APPLY: &str = "apply";

/// Every command but the attributes, in the order of the help.
pub const TABLE: &[Entry] = &[
    Entry {
        name: "triage",
        args: &[Arg::Value],
        reason: Reason::Optional,
        who: Who::MaySet("triage"),
        help: "Decides on the request: accept it, put it off, decline it kindly, or ask for more.",
        example: "/triage accept fits the plan for this quarter",
    },
    Entry {
        name: "critical",
        args: &[],
        reason: Reason::Required,
        who: Who::Role("member"),
        help: "Confirms that this cannot wait.",
        example: "/critical log-in is broken for the whole class",
    },
    Entry {
        name: "community",
        args: &[Arg::AddOrRemove, Arg::Community],
        reason: Reason::Optional,
        who: Who::Role("member"),
        help: "Says that a community asks for this too, or does not.",
        example: "/community add openscapes",
    },
    Entry {
        name: "cofund",
        args: &[Arg::Community],
        reason: Reason::Optional,
        who: Who::MaySet("cofunded"),
        help: "Says that a community pays a part.",
        example: "/cofund openscapes",
    },
    Entry {
        name: "duplicate",
        args: &[Arg::Original],
        reason: Reason::Optional,
        who: Who::MaySet("triage"),
        help: "Links the item to the one it repeats, carries its communities over and closes it.",
        example: "/duplicate #12",
    },
    Entry {
        name: "override",
        args: &[Arg::Limit, Arg::Until],
        reason: Reason::Required,
        who: Who::Role("product_lead"),
        help: "Lets the item past a cap or gate, for a reason, perhaps until a date.",
        example: "/override in-flight until 2026-12-24 promised before the cap was there",
    },
    Entry {
        name: "release",
        args: &[Arg::Held],
        reason: Reason::Optional,
        who: Who::MaySetIt,
        help: "Hands an attribute back to the rules, or ends an override or a snooze.",
        example: "/release priority",
    },
    Entry {
        name: SNOOZE,
        args: &[Arg::For],
        reason: Reason::Optional,
        who: Who::MaySet("triage"),
        help: "Keeps the item out of the way for a while.",
        example: "/snooze 2w",
    },
    Entry {
        name: "promote",
        args: &[],
        reason: Reason::Optional,
        who: Who::MaySetAll,
        help: "Makes an initiative of the idea.",
        example: "/promote",
    },
    Entry {
        name: "park",
        args: &[],
        reason: Reason::Optional,
        who: Who::MaySetAll,
        help: "Takes the item off the way to being done, without a no.",
        example: "/park until the upstream release is out",
    },
    Entry {
        name: "why",
        args: &[Arg::Rule],
        reason: Reason::Optional,
        who: Who::Anyone,
        help: "Explains what was decided, or why a rule did or did not hold.",
        example: "/why",
    },
    Entry {
        name: "score",
        args: &[],
        reason: Reason::Optional,
        who: Who::Anyone,
        help: "Shows the item's score and what it is made of.",
        example: "/score",
    },
    Entry {
        name: "similar",
        args: &[],
        reason: Reason::Optional,
        who: Who::Anyone,
        help: "Lists requests that may be the same.",
        example: "/similar",
    },
    Entry {
        name: "undo",
        args: &[],
        reason: Reason::Optional,
        who: Who::MaySetIt,
        help: "Takes the last decision or command on the item back, where nobody changed it since.",
        example: "/undo",
    },
    Entry {
        name: APPLY,
        args: &[Arg::Plan],
        reason: Reason::Optional,
        who: Who::Role("product_lead"),
        help: "Writes a plan that waits because it changes many items.",
        example: "/apply 7f3a",
    },
    Entry {
        name: "kpi",
        args: &[Arg::Kpi, Arg::Figure, Arg::Period],
        reason: Reason::Optional,
        who: Who::Role("product_lead"),
        help: "States a figure that is measured elsewhere.",
        example: "/kpi satisfaction 64 2026-Q4",
    },
    Entry {
        name: "help",
        args: &[Arg::Topic],
        reason: Reason::Optional,
        who: Who::Anyone,
        help: "Lists the commands, or explains one.",
        example: "/help triage",
    },
];

/// The row of every attribute of the policy that has none in [`TABLE`].
pub const ATTRIBUTE: Entry = Entry {
    name: "",
    args: &[Arg::Value],
    reason: Reason::Optional,
    who: Who::MaySetIt,
    help: "Sets the attribute; `-value` takes a value away.",
    example: "/priority p1",
};

/// The row of a command that is no attribute (or is `triage`).
#[must_use]
pub fn entry(name: &str) -> Option<&'static Entry> {
    TABLE.iter().find(|entry| entry.name == name)
}
