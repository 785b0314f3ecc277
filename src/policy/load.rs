//! From the files of a policy to a checked [`Policy`]: merged, read, compiled, ordered.

use std::collections::BTreeMap;

use crate::triage::decision::Mode;

use super::diagnostic::{Diagnostic, Diagnostics, Source};
use indexmap::IndexMap;

use super::expr::{Expect, Schema, Slot, Type};
use super::facts::{self, Needed, Vocabularies};
use super::lint;
use super::lock;
use super::model::{Attribute, Board, Community, Fact, Goal, Policy, Role};
use super::order;
use super::read::principles::{self, Names};
use super::read::vocabulary::{self, Sources};
use super::read::{Reader, examples, kpis, settings, waits};
use super::yaml::{self, Kind, Node};

/// Sections that are maps from a name, or lists of things with an `id`.
const NAMED: &[&str] = &[
    "roles",
    "boards",
    "goals",
    "communities",
    "attributes",
    "facts",
    "principles",
    "score",
    "kpis",
    "commands",
    "shorthands",
    "templates",
];
/// Sections that are said once.
const SINGLE: &[&str] = &["version", "organization", "mode", "unauthorised", "digest"];

/// How the name of a file ends that pins what lives on GitHub.
const LOCK: &str = ".lock.yaml";

/// The one version of the language there is.
const VERSION: &str = "1";

/// Is this file the template of a comment?
pub(crate) fn is_template(source: &Source) -> bool {
    source.path.strip_suffix(".md").is_some()
}

/// Does this file pin what lives on GitHub?
pub(super) fn is_lock(source: &Source) -> bool {
    source.path.ends_with(LOCK)
}

/// Reads and checks a policy. Sources ending in `.lock.yaml` pin what lives on GitHub, those
/// ending in `.md` are templates of comments, all others are YAML and merged.
///
/// # Errors
/// Every error and warning that was found, if there is at least one error.
pub fn load(sources: &[Source]) -> Result<Policy, Diagnostics> {
    finish(sources, |_| true)
}

/// Loads rules that contradict each other, to see what deciding makes of clashes that the lint
/// could not exclude.
#[cfg(test)]
pub(crate) fn load_contradicting(sources: &[Source]) -> Result<Policy, Diagnostics> {
    finish(sources, |finding| finding.code != "conflict")
}

fn finish(sources: &[Source], counts: fn(&Diagnostic) -> bool) -> Result<Policy, Diagnostics> {
    let mut reader = Reader::new(sources);
    let policy = read(&mut reader);
    let mut findings = Diagnostics(reader.findings);
    findings.0.retain(counts);
    findings.0.sort_by(|a, b| {
        let file = |path: &str| sources.iter().position(|s| s.path == path);
        (file(&a.file), a.span.start, a.code).cmp(&(file(&b.file), b.span.start, b.code))
    });
    findings.0.dedup();
    match policy {
        Some(mut policy) if !findings.has_errors() => {
            policy.warnings = findings.0;
            Ok(policy)
        }
        _ => Err(findings),
    }
}

/// The sections of all files, merged.
#[derive(Default)]
pub(super) struct Merged<'n> {
    named: BTreeMap<&'static str, Vec<(&'n Node, &'n Node)>>,
    single: BTreeMap<&'static str, (&'n Node, &'n Node)>,
    examples: Vec<&'n Node>,
    pub pinned: Vec<(&'n Node, &'n Node)>,
    pub pinned_goals: Vec<(&'n Node, &'n Node)>,
}

impl<'n> Merged<'n> {
    pub fn named(&self, section: &str) -> &[(&'n Node, &'n Node)] {
        self.named.get(section).map_or(&[], Vec::as_slice)
    }

    /// Where each name of a section stands.
    fn places(&self) -> BTreeMap<(&'static str, String), &'n Node> {
        let name = |key: &Node| key.text().unwrap_or_default().to_owned();
        let sections = self.named.iter();
        sections
            .flat_map(|(section, entries)| {
                entries.iter().map(move |(k, _)| ((*section, name(k)), *k))
            })
            .collect()
    }

    pub fn single(&self, section: &str) -> Option<&'n Node> {
        self.single
            .get(section)
            .map(|(_, v)| *v)
            .filter(|v| !v.is_null())
    }
}

pub(super) fn parse_all(r: &mut Reader<'_>) -> Vec<Node> {
    let mut roots = Vec::new();
    for (file, source) in r.sources.iter().enumerate() {
        if is_template(source) {
            continue;
        }
        match yaml::parse(file, &source.text) {
            Ok(Some(root)) => roots.push(root),
            Ok(None) => {}
            Err(e) => r.error_at(e.code, file, e.span, e.message, e.help),
        }
    }
    roots
}

pub(super) fn merge<'n>(r: &mut Reader<'_>, roots: &'n [Node]) -> Merged<'n> {
    let mut out = Merged::default();
    let known: Vec<&str> = NAMED
        .iter()
        .chain(SINGLE)
        .copied()
        .chain(["examples"])
        .collect();
    for root in roots {
        let lock = r.sources.get(root.file).is_some_and(is_lock);
        if lock {
            if let Some(f) = r.fields(root, "a lock file", &["boards", "goals"]) {
                let boards = f.get("boards").and_then(|n| r.map(n, "`boards`"));
                for (key, node) in boards.unwrap_or_default() {
                    add(r, &mut out.pinned, "boards", key, node);
                }
                if let Some(node) = f.get("goals") {
                    for (key, value) in named_entries(r, "goals", node) {
                        add(r, &mut out.pinned_goals, "goals", key, value);
                    }
                }
            }
            continue;
        }
        let Some(f) = r.fields(root, "a policy", &known) else {
            continue;
        };
        for section in NAMED {
            if let Some(node) = f.get(section) {
                let entries = out.named.entry(section).or_default();
                for (key, value) in named_entries(r, section, node) {
                    add(r, entries, section, key, value);
                }
            }
        }
        for section in SINGLE {
            if let Some((key, node)) = f.entry(section) {
                match out.single.get(section) {
                    Some((first, value))
                        if value.text() != node.text() || value.text().is_none() =>
                    {
                        let place = r.place(first);
                        r.error(
                            "duplicate-id",
                            key,
                            format!("`{section}` is already said at {place}"),
                        );
                    }
                    Some(_) => {}
                    None => {
                        out.single.insert(section, (key, node));
                    }
                }
            }
        }
        if let Some(items) = f.get("examples").and_then(|n| r.list(n, "`examples`")) {
            out.examples.extend(items);
        }
    }
    out
}

/// Key and value of each entry, of a map or of a list of maps with an `id`.
fn named_entries<'n>(
    r: &mut Reader<'_>,
    section: &str,
    node: &'n Node,
) -> Vec<(&'n Node, &'n Node)> {
    let by_id = matches!(section, "goals" | "communities" | "principles" | "kpis");
    if !by_id {
        let entries = r.map(node, &format!("`{section}`")).unwrap_or_default();
        return entries.iter().map(|(k, v)| (k, v)).collect();
    }
    let mut out = Vec::new();
    for item in r.list(node, &format!("`{section}`")).unwrap_or_default() {
        let Some(entries) = r.map(item, &format!("an entry of `{section}`")) else {
            continue;
        };
        match entries.iter().find(|(k, _)| k.text() == Some("id")) {
            Some((_, id)) if id.text().is_some() && !id.is_null() => out.push((id, item)),
            _ => r.error(
                "missing-key",
                item,
                format!("an entry of `{section}` needs `id`"),
            ),
        }
    }
    out
}

fn add<'n>(
    r: &mut Reader<'_>,
    entries: &mut Vec<(&'n Node, &'n Node)>,
    section: &str,
    key: &'n Node,
    value: &'n Node,
) {
    let name = key.text().unwrap_or_default();
    if let Some((first, _)) = entries.iter().find(|(k, _)| k.text() == Some(name)) {
        let place = r.place(first);
        r.error(
            "duplicate-id",
            key,
            format!("`{name}` is already in `{section}`, at {place}"),
        );
        return;
    }
    entries.push((key, value));
}

fn read(r: &mut Reader<'_>) -> Option<Policy> {
    let roots = parse_all(r);
    if !r.findings.is_empty() {
        return None; // what a broken file would have declared is missing everywhere: only noise
    }
    let merged = merge(r, &roots);
    if roots.is_empty() {
        let message = "there is no policy here: no file says anything";
        r.error_at("empty-policy", usize::MAX, 0..0, message, None);
        return None;
    }
    header(r, &merged, &roots);

    let Declared {
        roles,
        boards,
        goals,
        communities,
        mut attributes,
        mut schema,
        needed,
        unaligned,
    } = declare(r, &merged);
    let facts = derived(r, merged.named("facts"), &mut schema);
    let templates = settings::templates(
        r,
        merged.named("templates"),
        r.sources,
        &attributes,
        &schema,
    );
    waits::waits(r, merged.named("attributes"), &mut attributes, &templates);
    let names = Names {
        schema: &schema,
        attributes: &attributes,
        boards: &boards,
        roles: &roles,
        templates: &templates,
    };
    let principles = principles::read(r, merged.named("principles"), &names);
    let score = settings::score(r, merged.named("score"), &schema);
    let commands = settings::commands(r, merged.named("commands"), &attributes, &roles);
    let shorthands = settings::shorthands(r, merged.named("shorthands"), &attributes);
    let kpis = kpis::kpis(r, merged.named("kpis"), &attributes, &boards);
    let digests = merged.single("digest");
    let digests = digests.map_or_else(Vec::new, |n| settings::digests(r, n, &attributes));
    let examples = merged
        .examples
        .iter()
        .filter_map(|n| {
            examples::read(
                r,
                n,
                &examples::Names {
                    attributes: &attributes,
                    boards: &boards,
                    roles: &roles,
                    communities: &communities,
                    rules: &principles.rules,
                    templates: &templates,
                },
            )
        })
        .collect();

    let unauthorised = merged.single("unauthorised");
    let unauthorised = unauthorised.and_then(|n| settings::unauthorised(r, n));
    let mut policy = Policy {
        organization: r.string(merged.single("organization"), "`organization`"),
        mode: principles::mode(r, merged.single("mode")).unwrap_or(Mode::Observe),
        took_effect: None,
        unauthorised: unauthorised.unwrap_or_default(),
        roles,
        boards,
        goals,
        pinned_goals: lock::pinned_goals(&merged),
        communities,
        attributes,
        facts,
        principles: principles.by_id,
        rules: principles.rules,
        gates: principles.gates,
        caps: principles.caps,
        score,
        commands,
        shorthands,
        kpis,
        digests,
        templates,
        examples,
        warnings: Vec::new(),
        schema,
        needed: Vec::new(),
        unaligned,
        order: Vec::new(),
    };
    put_in_order(r, &mut policy, needed, &principles.places)?;
    let places = lint::Places {
        rules: &principles.places,
        named: merged.places(),
    };
    lint::lint(r, &policy, &places);
    Some(policy)
}

/// Which built-in facts have to be read, and in which order everything is decided. `None` if there
/// is no order.
fn put_in_order(
    r: &mut Reader<'_>,
    policy: &mut Policy,
    mut needed: Vec<Needed>,
    places: &IndexMap<String, Node>,
) -> Option<()> {
    let used = order::used(policy);
    needed.retain(|n| used.contains(&n.slot));
    policy.needed = needed;
    match order::order(policy) {
        Ok(order) => policy.order = order,
        Err(cycle) => {
            if let Some(place) = cycle.rules.iter().find_map(|id| places.get(id)) {
                let help = Some("a rule may read its own target only as `current.…`".to_owned());
                r.error_help("cycle", place, cycle.message, help);
            }
            return None;
        }
    }
    Some(())
}

/// The vocabulary, and the schema in which expressions are checked.
struct Declared {
    roles: IndexMap<String, Role>,
    boards: IndexMap<String, Board>,
    goals: IndexMap<String, Goal>,
    communities: IndexMap<String, Community>,
    attributes: IndexMap<String, Attribute>,
    schema: Schema,
    needed: Vec<Needed>,
    unaligned: Option<Slot>,
}

fn declare(r: &mut Reader<'_>, merged: &Merged<'_>) -> Declared {
    let roles = vocabulary::roles(r, merged.named("roles"));
    let boards = vocabulary::boards(r, merged.named("boards"), &merged.pinned);
    let goals = vocabulary::goals(r, merged.named("goals"), &merged.pinned_goals);
    for (key, _) in merged.named("boards") {
        let board = key.text().and_then(|id| boards.get(id));
        if board.is_some_and(|board| board.goals) && merged.pinned_goals.is_empty() {
            let message = "the goals are items of this board, and not known";
            let help = "pin them in a `*.lock.yaml`: `northstar check --online --update`";
            r.error_help("not-pinned", key, message, Some(help.to_owned()));
        }
    }
    let communities = vocabulary::communities(r, merged.named("communities"));

    let mut schema = Schema::new();
    let goals_enum = schema.add_enum("goals", goals.keys().cloned());
    let communities_enum = schema.add_enum("communities", communities.keys().cloned());
    let from = Sources {
        goals: &goals,
        communities: &communities,
        boards: &boards,
        goals_type: Type::Enum(goals_enum),
        communities_type: Type::Enum(communities_enum),
    };
    for (section, commands) in [("attributes", settings::COMMANDS), ("facts", &[])] {
        for (key, _) in merged.named(section) {
            not_taken(r, key, commands);
        }
    }
    let attributes = vocabulary::attributes(r, merged.named("attributes"), &from, &mut schema);
    let vocabularies = Vocabularies {
        roles: schema.add_enum("roles", roles.keys().cloned()),
        goals: goals_enum,
        communities: communities_enum,
        work_kind: attributes
            .get("kind")
            .and_then(|a| match schema.type_of(a.slot) {
                Type::Enum(id) => Some(*id),
                _ => None,
            }),
    };
    let columns: Vec<_> = boards
        .values()
        .map(|board| {
            let columns = board.columns();
            let column = (!columns.is_empty()).then(|| {
                schema.add_enum(&format!("columns of {}", board.id), columns.iter().cloned())
            });
            (board.id.clone(), column)
        })
        .collect();
    let needed = facts::declare(&mut schema, &vocabularies, &columns);
    let unaligned = attributes
        .values()
        .any(|a| a.of_goals)
        .then(|| schema.add_fact("unaligned", Type::Bool, false));
    Declared {
        roles,
        boards,
        goals,
        communities,
        attributes,
        schema,
        needed,
        unaligned,
    }
}

fn header(r: &mut Reader<'_>, merged: &Merged<'_>, roots: &[Node]) {
    match merged.single("version") {
        Some(n) if n.text() == Some(VERSION) => {}
        Some(n) => r.error(
            "version",
            n,
            format!("this reads policies of version {VERSION}"),
        ),
        None => {
            let lock = |n: &&Node| r.sources.get(n.file).is_some_and(is_lock);
            if let Some(root) = roots
                .iter()
                .find(|n| !lock(n) && matches!(n.kind, Kind::Map(_)))
            {
                r.error_help(
                    "missing-key",
                    root,
                    "a policy begins with its version",
                    Some(format!("add `version: {VERSION}`")),
                );
            }
        }
    }
}

/// Names that mean something already: built-in facts and, for attributes, commands.
fn not_taken(r: &mut Reader<'_>, key: &Node, commands: &[&str]) {
    let name = key.text().unwrap_or_default();
    if commands.contains(&name) {
        let message = format!("`{name}` would hide the command `/{name}`");
        r.error("hides-command", key, message);
    }
    if facts::reserved(name) {
        let message = format!("`{name}` is a built-in fact");
        r.error("hides-fact", key, message);
    }
}

/// The policy's own facts; each may use those above it.
fn derived(r: &mut Reader<'_>, entries: &[(&Node, &Node)], schema: &mut Schema) -> Vec<Fact> {
    let mut out = Vec::new();
    for (key, node) in entries {
        let id = vocabulary::identifier(r, key);
        if schema.slot(&id).is_some() {
            r.error(
                "duplicate-id",
                key,
                format!("there is already a fact or attribute `{id}`"),
            );
            continue;
        }
        let later = |text: &str| entries.iter().any(|(k, _)| k.text() == Some(text));
        let before = r.findings.len();
        match r.expression(node, schema, Expect::Any) {
            Some(program) => {
                let slot = schema.add_derived(&id, &program);
                out.push(Fact { id, program, slot });
            }
            None => {
                // What stands further down is there, only too late.
                for finding in r.findings.iter_mut().skip(before) {
                    if finding.code == "unknown-fact"
                        && let Some(name) = finding.message.split('`').nth(1)
                        && later(name)
                    {
                        finding.help = Some(format!(
                            "`{name}` is defined, but further down: move it above `{id}`"
                        ));
                    }
                }
            }
        }
    }
    out
}
