//! The shape. What the comments say is what an editor shows beside a key, and what the tables of
//! `docs/policy.md` say.

mod board;
mod example;
mod figures;
mod lock;

pub use board::*;
pub use example::*;
pub use figures::*;
pub use lock::*;

use std::collections::BTreeMap;

use schemars::JsonSchema;

/// A word: as YAML reads it, a number or `true` is one too.
#[derive(JsonSchema)]
#[schemars(untagged)]
pub enum Word {
    Text(String),
    Number(f64),
    Flag(bool),
}

/// A condition or value over facts. One that begins with a quote or `!`, or has `: ` or ` #` in
/// it, stands in single quotes.
#[derive(JsonSchema)]
#[schemars(untagged)]
pub enum Expression {
    Text(String),
    Number(f64),
    Flag(bool),
}

/// One or a list of them.
#[derive(JsonSchema)]
#[schemars(untagged)]
pub enum Words {
    One(Word),
    Many(Vec<Word>),
}

/// One or a list of them.
#[derive(JsonSchema)]
#[schemars(untagged)]
pub enum Texts {
    One(String),
    Many(Vec<String>),
}

/// What may be done with what a rule wants.
#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub enum Mode {
    /// Recorded only.
    Observe,
    /// Proposed to a human.
    Suggest,
    /// Written.
    Enforce,
}

/// What becomes of a hand change by somebody who may not make it.
#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub enum Unauthorised {
    /// It stays, and stands in the digest.
    Keep,
    /// It is taken back.
    Revert,
}

/// The version of the language.
#[derive(JsonSchema)]
#[schemars(extend("const" = 1))]
pub struct Version(pub u8);

/// One file of a policy. All files of the folder are merged into one.
#[derive(JsonSchema)]
#[schemars(title = "Northstar policy", deny_unknown_fields)]
pub struct Policy {
    /// The version of the language, 1. One file has to say it.
    pub version: Option<Version>,
    /// The organisation's login on GitHub.
    pub organization: Option<String>,
    /// What may be done with what rules want, where neither rule nor principle says. The service goes
    /// by its setting `policy.mode` instead.
    pub mode: Option<Mode>,
    /// Who people are, by name of the role.
    #[schemars(extend("propertyNames" = { "pattern": "^[a-z][a-z0-9_]*$" }))]
    pub roles: Option<BTreeMap<String, Role>>,
    /// The GitHub Projects that items are put on, by a name of your choice.
    #[schemars(extend("propertyNames" = { "pattern": "^[a-z][a-z0-9_]*$" }))]
    pub boards: Option<BTreeMap<String, Board>>,
    /// The strategic goals that work is labelled against.
    pub goals: Option<Vec<Goal>>,
    /// Who asks.
    pub communities: Option<Vec<Community>>,
    /// What an item can be, by name of the attribute.
    #[schemars(extend("propertyNames" = { "pattern": "^[a-z][a-z0-9_]*$" }))]
    pub attributes: Option<BTreeMap<String, Attribute>>,
    /// Words of your own for conditions. Each may use those above it.
    #[schemars(extend("propertyNames" = { "pattern": "^[a-z][a-z0-9_]*$" }))]
    pub facts: Option<BTreeMap<String, Expression>>,
    /// What the organisation holds to, with the rules that follow from it.
    pub principles: Option<Vec<Principle>>,
    /// How candidates are ranked: what each driver counts for.
    #[schemars(extend("propertyNames" = { "pattern": "^[a-z][a-z0-9_]*$" }))]
    pub score: Option<BTreeMap<String, Driver>>,
    /// The figures that the organisation watches.
    pub kpis: Option<Vec<Kpi>>,
    /// Which roles may say which command; each attribute is one. `milestone` and `assignees` are
    /// none: there it is whose change by hand has a person's weight.
    pub commands: Option<BTreeMap<String, Texts>>,
    /// What `/promote` and `/park` set: values by attribute, `none` for no value.
    #[schemars(extend("propertyNames" = { "enum": ["promote", "park"] }))]
    pub shorthands: Option<BTreeMap<String, BTreeMap<String, Texts>>>,
    /// What becomes of a hand change by somebody whom `commands` does not let make it.
    pub unauthorised: Option<Unauthorised>,
    /// The weekly summary, or several.
    pub digest: Option<Digests>,
    /// Comments by their key, in Markdown with `{fact}` in it. A file `templates/key.md` is one too.
    pub templates: Option<BTreeMap<String, String>>,
    /// Tests of the policy, run by `northstar check`.
    pub examples: Option<Vec<Example>>,
}

/// Who has a role.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Role {
    /// Teams of the organisation, by slug.
    pub teams: Option<Texts>,
    /// People, by login.
    pub users: Option<Texts>,
    /// Every member of the organisation has it.
    pub organization: Option<bool>,
}

/// A strategic goal.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Goal {
    /// Its short name, which becomes part of a label.
    pub id: Word,
    /// As people say it.
    pub title: Option<String>,
    /// What in an issue speaks of it.
    pub signals: Option<Signals>,
}

/// What speaks of a goal. Any one of them is enough.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Signals {
    /// Whole words or phrases in title or text, whatever their capitals; `*` stands for the rest of
    /// a word.
    pub any_words: Option<Words>,
    /// Answers of an issue form, by heading.
    pub forms: Option<BTreeMap<String, Words>>,
}

/// Somebody who asks.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Community {
    /// Its short name.
    pub id: Word,
    /// As people say it.
    pub name: Option<String>,
    /// Logins of people who speak for it.
    pub members: Option<Texts>,
    /// A word about the relation, of your choice.
    pub tier: Option<String>,
}

/// A typed property of an item, shown on GitHub as a label, a field of a board, or both.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Attribute {
    /// What it can be: a list, a map from value to how it is said, or a vocabulary: `goals`,
    /// `communities`, or a field of a board such as `delivery.Status`.
    pub values: Values,
    /// An item can have several of the values at once.
    pub many: Option<bool>,
    /// The label that shows a value, with `{value}` in it: `kind/{value}`.
    #[schemars(regex(pattern = r"\{value\}"))]
    pub label: Option<String>,
    /// The field or fields that show it, as `board.Field`.
    pub field: Option<Texts>,
    /// Never shown in a public place.
    pub internal: Option<bool>,
}

/// What an attribute can be.
#[derive(JsonSchema)]
#[schemars(untagged)]
pub enum Values {
    /// A vocabulary: `goals`, `communities`, or `board.Field`.
    From(String),
    /// The values.
    List(Vec<Word>),
    /// The values, and how each is said.
    Map(BTreeMap<String, Option<Value>>),
}

/// How a value is said.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Value {
    /// The word in a command: `accepted` is said `/triage accept`.
    pub verb: Option<String>,
    /// Its option on boards, where that is not the value in other capitals.
    pub option: Option<String>,
    /// The value is a question to the author, whose next comment ends it. After so long (`14d`, `2w`)
    /// without one they are reminded, once.
    pub remind_after: Option<String>,
    /// The template of that comment.
    pub remind_with: Option<String>,
    /// After so long without an answer the question ends.
    pub ends_after: Option<String>,
    /// What it has then: another value of the attribute.
    pub ends_as: Option<String>,
}

/// Something the organisation holds to.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Principle {
    /// Its short name.
    pub id: String,
    /// One sentence that everybody can read aloud.
    pub statement: String,
    /// For its rules that say nothing themselves.
    pub mode: Option<Mode>,
    /// What follows from it.
    pub rules: Option<Vec<Rule>>,
    /// What has to hold before an item may enter columns of a board.
    pub gates: Option<Vec<Gate>>,
    /// How many items may be in columns of a board.
    pub caps: Option<Vec<Cap>>,
    /// These attributes may depend on nothing but this.
    pub only: Option<Allowance>,
    /// These attributes may never depend on this.
    pub never: Option<Allowance>,
}

/// What attributes may or may not depend on.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Allowance {
    /// The attributes.
    pub decide: Option<Texts>,
    /// Facts, attributes, or the first part of their names (`demand`, `board`).
    pub from: Option<Texts>,
}

/// A condition and what it wants.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Rule {
    /// Its short name; no other rule, gate or cap has it.
    pub id: String,
    /// When it holds; without it, always.
    pub when: Option<Expression>,
    /// Gives attributes these values; they stay when the condition ends. `milestone: none` takes
    /// the milestone off.
    pub set: Option<BTreeMap<String, Words>>,
    /// Gives attributes these values as long as the condition holds.
    pub hold: Option<BTreeMap<String, Words>>,
    /// Gives each attribute the value of the first row that holds, or of a lookup.
    pub choose: Option<BTreeMap<String, Choice>>,
    /// Labels, outside attributes, that are on as long as the condition holds.
    pub label: Option<Texts>,
    /// Labels, outside attributes, that are off as long as the condition holds.
    pub no_label: Option<Texts>,
    /// The template of a comment, posted once for each item, ever.
    pub comment: Option<String>,
    /// The template of a comment that is kept up to date, and folded away when the condition ends.
    pub sticky: Option<String>,
    /// Boards that the item is put on.
    pub on_board: Option<Texts>,
    /// Gives fields of boards that show no attribute these values, by `board.Field`; they stay
    /// when the condition ends. An option or a text with `{fact}` in it; a number, day or
    /// expression; an iteration's title, `@previous`, `@current` or `@next`; `none` empties it.
    pub fields: Option<BTreeMap<String, Word>>,
    /// Boards on which the item is archived.
    pub archive: Option<Texts>,
    /// Rules that give way where both hold.
    pub overrides: Option<Texts>,
    /// It outranks everything but an override by people.
    pub enforce: Option<bool>,
    /// What may be done with what it wants.
    pub mode: Option<Mode>,
    /// The reason, in words that can be said to whoever asks.
    pub because: String,
}

/// Where a chosen value comes from.
#[derive(JsonSchema)]
#[schemars(untagged)]
pub enum Choice {
    /// The first row that holds.
    Rows(Vec<Row>),
    /// A lookup by a text.
    Lookup(Lookup),
}

/// A row: `{ when, value }`, or as the last one `{ else }`.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Row {
    /// When the row applies.
    pub when: Option<Expression>,
    /// The value it gives.
    pub value: Option<Words>,
    /// The value if no row before it applies.
    #[schemars(rename = "else")]
    pub otherwise: Option<Words>,
}

/// A lookup by a text.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Lookup {
    /// The text to look up, such as `form["Impact"]`.
    pub by: Expression,
    /// From text to value.
    pub table: Option<BTreeMap<String, Words>>,
    /// The value for every other text.
    #[schemars(rename = "else")]
    pub otherwise: Option<Words>,
}

/// One part of the score.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Driver {
    /// What a point counts for; below zero it counts against. 1 unless said otherwise.
    pub weight: Option<f64>,
    /// How many points an item has.
    pub points: Expression,
    /// Never shown in a public place.
    pub internal: Option<bool>,
}
