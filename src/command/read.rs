//! What a command line means: its words against the table and the policy's words.

use super::Found;
use super::act::{Act, End, Problem, Reading, Said, ValueChange};
use super::choices::{Choices, Chosen, near_command, near_word, same};
use super::table::{self, Arg, Entry, Reason};
use super::vocabulary::Vocabulary;
use super::words::{self, ItemRef, Span, Word, Words};

/// Reads one line. `None`: it is prose (`/tmp is full`) and left alone.
#[must_use]
pub fn read(found: &Found, vocabulary: &Vocabulary) -> Option<Reading> {
    let entry = match table::entry(&found.name) {
        Some(entry) => entry,
        None if vocabulary.attributes.contains_key(&found.name) => &table::ATTRIBUTE,
        None => {
            return near_command(&found.name, vocabulary).map(|meant| Reading::Unknown {
                name: found.name.clone(),
                did_you_mean: meant,
                line: found.line,
            });
        }
    };
    let mut reader = Reader::new(found, vocabulary);
    for arg in entry.args {
        reader.arg(*arg);
    }
    reader.items();
    let reason = words::unquoted(reader.words.rest()).to_owned();
    if entry.reason == Reason::Required && reason.is_empty() {
        reader.wrong(Problem::NoReason);
    }
    Some(reader.finish(entry, reason))
}

/// Takes the arguments off a line and keeps what they were.
struct Reader<'a> {
    vocabulary: &'a Vocabulary,
    words: Words<'a>,
    said: Said,
    problem: Option<Problem>,
    changes: Vec<ValueChange>,
    /// `add` and no minus sign.
    add: bool,
    /// The id, name or plan that was given.
    id: Option<String>,
    original: Option<ItemRef>,
    end: Option<End>,
    figure: Option<f64>,
    period: Option<String>,
}

impl<'a> Reader<'a> {
    fn new(found: &'a Found, vocabulary: &'a Vocabulary) -> Self {
        Self {
            vocabulary,
            words: Words::of(&found.rest),
            said: Said {
                name: found.name.clone(),
                line: found.line,
                ..Said::default()
            },
            problem: None,
            changes: Vec::new(),
            add: true,
            id: None,
            original: None,
            end: None,
            figure: None,
            period: None,
        }
    }

    /// The first problem is told; later ones mostly follow from it.
    fn wrong(&mut self, problem: Problem) {
        self.problem.get_or_insert(problem);
    }

    fn arg(&mut self, arg: Arg) {
        if arg != Arg::Original {
            self.items();
        }
        let vocabulary = self.vocabulary;
        match arg {
            Arg::Value => self.values(),
            Arg::AddOrRemove => {
                let choices = Choices {
                    words: vec![("add", "add"), ("remove", "remove")],
                    open: false,
                };
                if let Some(id) = self.required(arg, &choices) {
                    self.add = id == "add";
                }
            }
            Arg::Community => {
                if self.words.sign() == Some('-') {
                    self.add = false;
                    self.said.args.push("-".to_owned());
                }
                self.id = self.required(arg, &Choices::ids(&vocabulary.communities));
            }
            Arg::Original => self.original(),
            Arg::Limit => self.id = self.required(arg, &Choices::ids(&vocabulary.limits)),
            Arg::Until => self.until(),
            Arg::Held => {
                let mut choices =
                    Choices::ids(vocabulary.attributes.keys().chain(&vocabulary.limits));
                choices.open = vocabulary.limits.is_empty();
                choices.words.push((table::SNOOZE, table::SNOOZE));
                self.id = self.required(arg, &choices);
            }
            Arg::For => self.duration(),
            Arg::Rule => {
                let mut choices =
                    Choices::ids(vocabulary.attributes.keys().chain(&vocabulary.rules));
                choices.open = vocabulary.rules.is_empty();
                self.id = self.optional(&choices);
            }
            Arg::Plan => self.id = self.required(arg, &Choices::ids([])),
            Arg::Kpi => self.id = self.required(arg, &Choices::ids(&vocabulary.kpis)),
            Arg::Figure => self.figure = self.parsed(arg, "number", figure),
            Arg::Period => {
                self.period = self.parsed(arg, "period such as 2026-Q4 or 2026-11", words::period);
            }
            Arg::Topic => {
                let mut choices = Choices::ids(vocabulary.attributes.keys());
                choices
                    .words
                    .extend(table::TABLE.iter().map(|e| (e.name, e.name)));
                choices.open = false;
                self.words.skip_slash();
                self.id = self.optional(&choices);
            }
        }
    }

    /// Items that stand next on the line; `and` may stand between them.
    fn items(&mut self) {
        let host = match self.vocabulary.web_host.as_str() {
            "" => "github.com",
            host => host,
        };
        let mut any = false;
        loop {
            let mut next = self.words;
            let mut word = next.next();
            if any && word.is_some_and(|w| matches!(w.text, "and" | "&" | ",")) {
                word = next.next();
            }
            let Some(item) = word
                .filter(|word| !word.quoted)
                .and_then(|word| ItemRef::parse(word.text, host))
            else {
                return;
            };
            self.words = next;
            self.said.args.push(item.to_string());
            self.said.items.push(item);
            any = true;
        }
    }

    /// The longest of the known words that stands next, or any word where they are not known.
    fn choose(&mut self, choices: &Choices<'_>) -> Option<Chosen> {
        let next = self.words.peek()?;
        let trimmed = next.text.trim_end_matches([',', ':', ';', '.']);
        let known = choices
            .words
            .iter()
            .filter(|(word, _)| {
                same(word, next.text) || !next.quoted && same(word, trimmed) || { self.words }
                    .take_phrase(word)
            })
            .max_by_key(|(word, _)| word.len());
        if let Some((word, id)) = known {
            if !self.words.take_phrase(word) {
                self.words.next();
            }
            return Some(Chosen {
                word: (*word).to_owned(),
                id: (*id).to_owned(),
            });
        }
        let word = if next.quoted { next.text } else { trimmed };
        if !choices.open || word.is_empty() {
            return None;
        }
        self.words.next();
        Some(Chosen {
            word: word.to_owned(),
            id: word.to_owned(),
        })
    }

    /// Says that the next word is none of these, and takes it nevertheless: it is not the reason.
    fn none_of(&mut self, arg: Arg, choices: &Choices<'_>) {
        let Some(word) = self.words.next() else {
            self.wrong(Problem::Missing(arg.usage()));
            return;
        };
        let known = choices.told();
        self.said.args.push(word.text.to_owned());
        self.wrong(Problem::UnknownWord {
            said: word.text.to_owned(),
            did_you_mean: near_word(word.text, &known),
            known,
        });
    }

    fn required(&mut self, arg: Arg, choices: &Choices<'_>) -> Option<String> {
        let Some(chosen) = self.choose(choices) else {
            self.none_of(arg, choices);
            return None;
        };
        self.push(chosen.word);
        Some(chosen.id)
    }

    /// As `required`, but a word that is near none of these is the beginning of the reason.
    fn optional(&mut self, choices: &Choices<'_>) -> Option<String> {
        if let Some(chosen) = self.choose(choices) {
            self.push(chosen.word);
            return Some(chosen.id);
        }
        let next = self.words.peek()?;
        let known = choices.told();
        let meant = near_word(next.text, &known)?;
        self.words.next();
        self.said.args.push(next.text.to_owned());
        self.wrong(Problem::UnknownWord {
            said: next.text.to_owned(),
            did_you_mean: Some(meant),
            known,
        });
        None
    }

    /// Adds an argument; a minus sign that was taken off is put back before it.
    fn push(&mut self, word: String) {
        match self.said.args.last_mut() {
            Some(sign) if sign == "-" => sign.push_str(&word),
            _ => self.said.args.push(word),
        }
    }

    fn values(&mut self) {
        let attribute = self.vocabulary.attributes.get(&self.said.name);
        let mut choices = Choices {
            words: Vec::new(),
            open: attribute.is_none_or(|a| a.values.is_empty()),
        };
        for value in attribute.iter().flat_map(|a| &a.values) {
            choices.words.push((&value.id, &value.id));
            if let Some(verb) = &value.verb {
                choices.words.push((verb, &value.id));
            }
        }
        let many = attribute.is_some_and(|a| a.many) && !choices.open;
        loop {
            let first = self.changes.is_empty();
            let sign = self.words.sign();
            if sign == Some('-') {
                self.said.args.push("-".to_owned());
            }
            if let Some(mut chosen) = self.choose(&choices) {
                if choices.open {
                    // The ids of a policy are in lower case, and values are said in any.
                    chosen.id = chosen.id.to_lowercase();
                    chosen.word.clone_from(&chosen.id);
                }
                let clears = choices.open && chosen.id == "none" && sign.is_none();
                self.push(chosen.word);
                self.changes.push(match sign {
                    Some('-') => ValueChange::Remove(chosen.id),
                    _ if clears => ValueChange::Clear,
                    _ => ValueChange::Add(chosen.id),
                });
            } else if first && sign.is_none() && self.words.take_phrase("none") {
                self.push("none".to_owned());
                self.changes.push(ValueChange::Clear);
                return;
            } else if first || sign.is_some() {
                if self.said.args.last().is_some_and(|sign| sign == "-") {
                    self.said.args.pop();
                }
                self.none_of(Arg::Value, &choices);
                return;
            } else {
                return;
            }
            if !many {
                return;
            }
            self.items();
        }
    }

    fn original(&mut self) {
        let before = self.said.items.len();
        self.items();
        if self.said.items.len() > before {
            self.original = Some(self.said.items.remove(before));
        } else if let Some(word) = self.words.next() {
            self.malformed(word, "item such as #12 or owner/repo#12");
        } else {
            self.wrong(Problem::Missing(Arg::Original.usage()));
        }
    }

    fn until(&mut self) {
        let mut next = self.words;
        let until = next.next();
        if !until.is_some_and(|word| !word.quoted && same(word.text, "until")) {
            return;
        }
        let Some(day) = next.next() else { return };
        let date = words::date(day.text);
        // `until further notice` is a reason; `until 2026-13-01` is a date gone wrong, and must
        // not become an override without an end.
        if date.is_none() && !day.text.starts_with(|c: char| c.is_ascii_digit()) {
            return;
        }
        self.words = next;
        self.said.args.push("until".to_owned());
        match date {
            Some(date) => {
                self.said.args.push(date.to_string());
                self.end = Some(End::On(date));
            }
            None => self.malformed(day, "date such as 2026-12-24"),
        }
    }

    fn duration(&mut self) {
        for filler in ["until", "for"] {
            self.words.take_phrase(filler);
        }
        let Some(word) = self.words.next() else {
            self.wrong(Problem::Missing(Arg::For.usage()));
            return;
        };
        if let Some(date) = words::date(word.text) {
            self.said.args.push(date.to_string());
            self.end = Some(End::On(date));
            return;
        }
        let mut next = self.words;
        // `2 weeks` is `2w`.
        let spaced = next
            .next()
            .map(|unit| format!("{}{}", word.text, unit.text))
            .filter(|_| word.text.bytes().all(|b| b.is_ascii_digit()));
        if let Some(span) = Span::parse(word.text) {
            self.said.args.push(word.text.to_lowercase());
            self.end = Some(End::After(span));
        } else if let Some((text, span)) = spaced.and_then(|text| {
            let span = Span::parse(&text)?;
            Some((text, span))
        }) {
            self.words = next;
            self.said.args.push(text.to_lowercase());
            self.end = Some(End::After(span));
        } else {
            self.malformed(
                word,
                "duration such as 2w, 3d or 12h, nor a date such as 2026-12-24",
            );
        }
    }

    fn parsed<T>(
        &mut self,
        arg: Arg,
        wanted: &'static str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Option<T> {
        let Some(word) = self.words.next() else {
            self.wrong(Problem::Missing(arg.usage()));
            return None;
        };
        let parsed = parse(word.text);
        if parsed.is_some() {
            self.said.args.push(word.text.to_owned());
        } else {
            self.malformed(word, wanted);
        }
        parsed
    }

    fn malformed(&mut self, word: Word<'_>, wanted: &'static str) {
        self.said.args.push(word.text.to_owned());
        self.wrong(Problem::Malformed {
            said: word.text.to_owned(),
            wanted,
        });
    }

    fn finish(mut self, entry: &Entry, reason: String) -> Reading {
        let problem = self.problem.take();
        let act = if problem.is_none() {
            self.act(entry)
        } else {
            None
        };
        self.said.reason = reason;
        match act {
            Some(act) => Reading::Command {
                said: self.said,
                act,
            },
            None => Reading::Wrong {
                said: self.said,
                problem: problem.unwrap_or(Problem::Missing("something")),
            },
        }
    }

    /// The act, where every argument it needs was given.
    fn act(&mut self, entry: &Entry) -> Option<Act> {
        let id = self.id.take();
        Some(match entry.name {
            "critical" => Act::Critical,
            "community" => Act::Community {
                add: self.add,
                community: id?,
            },
            "cofund" => Act::Cofund {
                add: self.add,
                community: id?,
            },
            "duplicate" => Act::Duplicate {
                of: self.original.take()?,
            },
            "override" => Act::Override {
                limit: id?,
                until: match self.end {
                    Some(End::On(date)) => Some(date),
                    _ => None,
                },
            },
            "release" => Act::Release { held: id? },
            "snooze" => Act::Snooze { until: self.end? },
            "promote" => Act::Promote,
            "park" => Act::Park,
            "why" => Act::Why { rule: id },
            "score" => Act::Score,
            "similar" => Act::Similar,
            "undo" => Act::Undo,
            "apply" => Act::Apply { plan: id? },
            "kpi" => Act::Kpi {
                kpi: id?,
                figure: self.figure?,
                period: self.period.take()?,
            },
            "help" => Act::Help { topic: id },
            _ => Act::Set {
                attribute: self.said.name.clone(),
                changes: std::mem::take(&mut self.changes),
            },
        })
    }
}

fn figure(word: &str) -> Option<f64> {
    let digits = word.strip_suffix('%').unwrap_or(word);
    let plain = digits
        .bytes()
        .all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'-'));
    digits.parse().ok().filter(|n: &f64| plain && n.is_finite())
}
