//! The shape. What the comments say is what an editor shows beside a key, and what the tables of
//! `docs/policy.md` say.

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
    /// Which roles may say which command; each attribute is one.
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

/// A GitHub Project.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Board {
    /// The number in the project's address.
    pub project: u64,
    /// The field whose options are the columns. `Status` unless said otherwise.
    pub column_field: Option<String>,
    /// Its items (issues and drafts) are the goals. They are pinned in a lock file; `goals` says
    /// more about them.
    pub goals: Option<bool>,
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

/// What becomes of an entry that should not be.
#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub enum Over {
    /// The newcomer is put back.
    Return,
    /// It is said, and nothing else.
    Warn,
}

/// What has to hold before an item may enter columns.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Gate {
    /// Its short name; no other rule, gate or cap has it.
    pub id: String,
    /// The board.
    pub board: String,
    /// The columns that are guarded.
    pub into: Texts,
    /// What has to hold.
    pub requires: Expression,
    /// What becomes of an entry for which it does not; `return` unless said otherwise.
    #[schemars(rename = "else")]
    pub otherwise: Option<Over>,
    /// The reason, in words that can be said to whoever asks.
    pub because: String,
}

/// How many items may be in columns.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Cap {
    /// Its short name; no other rule, gate or cap has it.
    pub id: String,
    /// The board.
    pub board: String,
    /// The columns that are counted together.
    pub columns: Texts,
    /// How many: a number, or an expression.
    pub at_most: Expression,
    /// Items for which this holds are let in and not counted.
    pub exempt: Option<Expression>,
    /// What becomes of an entry over the limit; `return` unless said otherwise.
    pub over: Option<Over>,
    /// Roles whose own move over the limit is an override.
    pub by_hand: Option<Texts>,
    /// Who is next when a place becomes free: `score desc`, `issue.created_at asc`.
    pub next_by: Option<Vec<String>>,
    /// Move the next one in, rather than only name it.
    pub pull: Option<bool>,
    /// The reason, in words that can be said to whoever asks.
    pub because: String,
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

/// A figure that the organisation watches. `docs/kpis.md` says how each measure is computed.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Kpi {
    /// Its short name, by which `/kpi` states it.
    pub id: Word,
    /// As people say it.
    pub title: Option<String>,
    /// What is measured.
    pub measure: Measure,
    /// What is made of the samples; `mean` unless said otherwise.
    pub statistic: Option<Statistic>,
    /// Of times `days` or `working days`; of a stated figure any. The other measures have their own.
    pub unit: Option<String>,
    /// Over how many weeks it looks back; 12 unless said otherwise.
    #[schemars(range(min = 1, max = 104))]
    pub weeks: Option<u32>,
    /// Looks at items with one of these values only, by attribute; `*` is any value, `""` none.
    #[schemars(rename = "where")]
    pub where_: Option<BTreeMap<String, Texts>>,
    /// What the figure should be, and by when.
    pub targets: Option<Vec<Target>>,
    /// The board of `cycle_time` and `velocity`.
    pub board: Option<String>,
    /// `cycle_time` begins when an item enters one of these columns, and ends when it leaves them.
    pub from: Option<Texts>,
    /// Only leavings to these columns end a `cycle_time`.
    pub into: Option<Texts>,
    /// Where work is done, for `velocity`.
    pub columns: Option<Texts>,
    /// The field with the points of an item, as `board.Field`, for `velocity`.
    pub points: Option<String>,
    /// When work is counted up, for `velocity`.
    pub iterations: Option<Iterations>,
    /// The attribute that is decided on, or without a value.
    pub attribute: Option<String>,
    /// The values that are decisions.
    pub values: Option<Texts>,
    /// The part of a `share`: items with one of these values.
    pub of: Option<BTreeMap<String, Texts>>,
    /// The other side of a `share`.
    pub against: Option<BTreeMap<String, Texts>>,
}

/// What is measured.
#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub enum Measure {
    /// From entering columns of a board to leaving them.
    CycleTime,
    /// From the opening to the first decision.
    FirstTriage,
    /// From the opening to the closing.
    Resolution,
    /// The points done in an iteration.
    Velocity,
    /// How much of what was done is of one sort, as against another.
    Share,
    /// Items opened in a week.
    Intake,
    /// Decisions in a week.
    Decisions,
    /// Overrides in a week.
    Overrides,
    /// How long open items have waited for a decision.
    UndecidedAge,
    /// How much of what is open has no value of the attribute.
    Unaligned,
    /// Measured elsewhere, said by `/kpi`.
    Stated,
}

/// What is made of the samples.
#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub enum Statistic {
    /// Their mean.
    Mean,
    /// The 50th percentile.
    P50,
    /// The 90th percentile.
    P90,
    /// The largest.
    Max,
}

/// What a figure should be by a day: one of the two bounds.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Target {
    /// The day, such as `2027-01-01`.
    pub by: String,
    /// It should not be larger.
    pub at_most: Option<f64>,
    /// It should not be smaller.
    pub at_least: Option<f64>,
}

/// Spans of work, one after the other.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Iterations {
    /// The day on which the first one began.
    pub first: String,
    /// How many weeks each lasts.
    #[schemars(range(min = 1, max = 104))]
    pub weeks: u32,
}

/// One or a list of them.
#[derive(JsonSchema)]
#[schemars(untagged)]
pub enum Digests {
    One(Digest),
    Many(Vec<Digest>),
}

/// A weekly summary. It has an issue to be posted to, a repository for new issues, or both.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Digest {
    /// Its short name.
    pub id: String,
    /// A day and a time: `monday 09:00`.
    #[schemars(regex(
        pattern = r"^(mon|tues|wednes|thurs|fri|satur|sun)day [0-9]{2}:[0-9]{2}(:[0-9]{2})?$"
    ))]
    pub every: String,
    /// Of the time, such as `Europe/London`; UTC unless said otherwise.
    pub timezone: Option<String>,
    /// The issue that it is posted to as a comment, such as `owner/repo#1`.
    #[schemars(regex(pattern = "^[^/# ]+/[^/# ]+#[0-9]+$"))]
    pub post_to: Option<String>,
    /// The repository in which it is a new issue each week, such as `owner/repo`.
    #[schemars(regex(pattern = "^[^/# ]+/[^/# ]+$"))]
    pub new_issue: Option<String>,
    /// It is about items with one of these values only, by attribute; `*` is any value, `""` none.
    #[schemars(rename = "where")]
    pub where_: Option<BTreeMap<String, Texts>>,
}

/// A test of the policy: an item is given, what becomes of it is expected.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Example {
    /// What it shows, as a sentence.
    pub name: String,
    /// What the item is like. What is not given is ordinary, and empty.
    pub given: Option<Given>,
    /// What becomes of it. What is not named may be anything.
    pub expect: Expect,
}

/// What an example's item is like. Besides these, any attribute: `kind: bug` was set by somebody who
/// may, `current.kind: bug` was simply there.
#[derive(JsonSchema)]
pub struct Given {
    /// The instant of the look, such as `2026-01-15T12:00:00Z`.
    pub now: Option<String>,
    #[schemars(rename = "issue.title")]
    pub title: Option<Word>,
    /// Markdown.
    #[schemars(rename = "issue.body")]
    pub body: Option<Word>,
    #[schemars(rename = "issue.labels")]
    pub labels: Option<Words>,
    /// The title of its milestone.
    #[schemars(rename = "issue.milestone")]
    pub milestone: Option<Word>,
    #[schemars(rename = "issue.open")]
    pub open: Option<bool>,
    /// `completed`, `not_planned` or `duplicate`.
    #[schemars(rename = "issue.state_reason")]
    pub state_reason: Option<String>,
    #[schemars(rename = "issue.type")]
    pub issue_type: Option<Word>,
    #[schemars(rename = "issue.created_at")]
    pub created_at: Option<String>,
    #[schemars(rename = "issue.updated_at")]
    pub updated_at: Option<String>,
    #[schemars(rename = "issue.closed_at")]
    pub closed_at: Option<String>,
    /// How many comments it has.
    #[schemars(rename = "issue.comments")]
    pub comments: Option<u64>,
    /// How many reactions it has.
    #[schemars(rename = "issue.reactions")]
    pub reactions: Option<u64>,
    /// `owner/name`.
    #[schemars(rename = "issue.repository")]
    pub repository: Option<String>,
    #[schemars(rename = "issue.private")]
    pub private: Option<bool>,
    /// `owner/repo#n`.
    #[schemars(rename = "issue.parent")]
    pub parent: Option<String>,
    #[schemars(rename = "issue.sub_issues")]
    pub sub_issues: Option<u64>,
    #[schemars(rename = "issue.assignees")]
    pub assignees: Option<Texts>,
    #[schemars(rename = "author.login")]
    pub login: Option<String>,
    #[schemars(rename = "author.bot")]
    pub bot: Option<bool>,
    #[schemars(rename = "author.roles")]
    pub roles: Option<Texts>,
    /// The answers of the issue form, by heading.
    pub form: Option<BTreeMap<String, Word>>,
    pub communities: Option<Words>,
    #[schemars(rename = "demand.requests")]
    pub requests: Option<u64>,
    #[schemars(rename = "demand.communities")]
    pub demanding: Option<u64>,
    #[schemars(rename = "guess.kind")]
    pub kind: Option<Word>,
    #[schemars(rename = "guess.kind_confidence")]
    pub confidence: Option<f64>,
    /// Roles that confirmed it.
    pub confirmed_by: Option<Texts>,
    /// Put out of the way by `/snooze`.
    pub snoozed: Option<bool>,
    #[schemars(rename = "board.column")]
    pub column: Option<Word>,
    /// Fields of the board, by name.
    #[schemars(rename = "board.fields")]
    pub fields: Option<BTreeMap<String, Word>>,
    #[schemars(flatten)]
    pub attributes: BTreeMap<String, Option<Words>>,
}

/// What an example expects. Besides these, any attribute.
#[derive(JsonSchema)]
pub struct Expect {
    /// Rules that fired, among others.
    pub fired: Option<Texts>,
    /// Rules that did not fire.
    pub not_fired: Option<Texts>,
    /// Labels that are on afterwards.
    pub labels: Option<Words>,
    /// Labels that are not on afterwards.
    pub no_labels: Option<Words>,
    /// Keys of the comments that stand afterwards; exactly these.
    pub comments: Option<Texts>,
    /// Boards that it is on afterwards; exactly these.
    pub on_board: Option<Texts>,
    /// Fields afterwards, as `board.Field`.
    pub fields: Option<BTreeMap<String, Word>>,
    /// Attributes of which a rule did not get what it wanted.
    pub held: Option<Texts>,
    /// The milestone afterwards, or `none`.
    pub milestone: Option<Word>,
    #[schemars(flatten)]
    pub attributes: BTreeMap<String, Option<Words>>,
}

/// What lives on GitHub, pinned so that checking and deciding need no network. Written by
/// `northstar check --online --update`.
#[derive(JsonSchema)]
#[schemars(title = "Northstar lock file", deny_unknown_fields)]
pub struct Lock {
    /// By the board's name in the policy.
    pub boards: Option<BTreeMap<String, PinnedBoard>>,
    /// The goals there are; the policy adds their signals.
    pub goals: Option<Vec<PinnedGoal>>,
}

/// A goal as it is kept on GitHub.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct PinnedGoal {
    /// Its short name.
    pub id: Word,
    /// As people say it.
    pub title: Option<String>,
    /// Its item on the board, by GitHub's id: so a goal that is called otherwise keeps its name here.
    pub item: Option<String>,
    /// The issue that stands for it, as `owner/repo#n`; its sub-issues serve the goal.
    pub issue: Option<String>,
}

/// What a board has.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct PinnedBoard {
    /// Its fields: a list of options, or what kind of value there is.
    pub fields: Option<BTreeMap<String, PinnedField>>,
}

/// A field.
#[derive(JsonSchema)]
#[schemars(untagged)]
pub enum PinnedField {
    /// One of these options.
    Options(Vec<Word>),
    Kind(FieldKind),
    Iterations(PinnedIterations),
}

/// A field of iterations.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct PinnedIterations {
    /// Their titles, the earliest first.
    pub iterations: Vec<Word>,
}

/// What a field without options holds.
#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub enum FieldKind {
    Text,
    Number,
    Date,
    Iteration,
}
