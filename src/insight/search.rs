//! Links to GitHub's own search and boards, so that every number can be looked into.

use std::fmt::Write as _;

use jiff::{Timestamp, ToSpan};

use crate::policy::Policy;
use crate::policy::kpi::{Deciding, Filter, Kpi, Measure};

/// Makes links for an organisation.
pub(super) struct Search<'p> {
    policy: &'p Policy,
}

impl<'p> Search<'p> {
    pub fn of(policy: &'p Policy) -> Self {
        Self { policy }
    }

    /// Issues opened from one instant to another.
    pub fn opened(&self, from: Timestamp, to: Timestamp) -> String {
        self.link(&format!("created:{}", span(from, to)))
    }

    /// Those of them with a value, or for the empty value without any.
    pub fn opened_with(
        &self,
        from: Timestamp,
        to: Timestamp,
        attribute: &str,
        value: &str,
    ) -> String {
        let labels = self.labels(attribute, &[value.to_owned()]);
        self.link(&format!("created:{}{labels}", span(from, to)))
    }

    /// Open issues that nobody has decided on, as far as labels say.
    pub fn undecided(&self) -> String {
        let deciding = self.policy.kpis.values().find_map(|k| match &k.measure {
            Measure::UndecidedAge(d) | Measure::FirstTriage(d) | Measure::Decisions(d) => Some(d),
            _ => None,
        });
        let without = deciding.map(|d| self.without(d)).unwrap_or_default();
        self.link(&format!("is:open{without}"))
    }

    /// What a KPI looks at.
    pub fn kpi(&self, kpi: &Kpi, from: Timestamp, to: Timestamp) -> String {
        let kept = self.filter(&kpi.filter);
        let span = span(from, to);
        match &kpi.measure {
            Measure::CycleTime { board, .. } | Measure::Velocity { board, .. } => {
                let project = self.policy.boards.get(board).map_or(0, |b| b.project);
                format!(
                    "https://github.com/orgs/{}/projects/{project}",
                    self.policy.organization
                )
            }
            Measure::Resolution | Measure::FirstTriage(_) => {
                self.link(&format!("is:closed closed:{span}{kept}"))
            }
            Measure::Share { .. } => {
                self.link(&format!("is:closed reason:completed closed:{span}{kept}"))
            }
            Measure::Intake => self.link(&format!("created:{span}{kept}")),
            Measure::Decisions(d) => {
                let decided = self.labels(&d.attribute, &d.values);
                self.link(&format!("updated:{span}{decided}{kept}"))
            }
            Measure::UndecidedAge(d) => self.link(&format!("is:open{}{kept}", self.without(d))),
            Measure::Unaligned { attribute } => {
                let none = self.labels(attribute, &[String::new()]);
                self.link(&format!("is:open{none}{kept}"))
            }
            Measure::Overrides | Measure::Stated => String::new(),
        }
    }

    fn link(&self, terms: &str) -> String {
        let query = format!("org:{} is:issue {terms}", self.policy.organization);
        let mut out = String::from("https://github.com/issues?q=");
        for byte in query.bytes() {
            match byte {
                b' ' => out.push('+'),
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                    out.push(char::from(byte));
                }
                byte => {
                    let _ = write!(out, "%{byte:02X}");
                }
            }
        }
        out
    }

    fn filter(&self, filter: &Filter) -> String {
        let each = filter.0.iter();
        each.map(|(name, values)| self.labels(name, values))
            .collect()
    }

    /// ` label:"a","b"` for any of the values; nothing where no label shows the attribute.
    fn labels(&self, attribute: &str, values: &[String]) -> String {
        let Some(attribute) = self.policy.attributes.get(attribute) else {
            return String::new();
        };
        let Some(pattern) = &attribute.label else {
            return String::new();
        };
        let label = |value: &str| format!("\"{}\"", pattern.label(value));
        if values.iter().any(String::is_empty) {
            let all = attribute.values.iter();
            return all.fold(String::new(), |mut out, v| {
                let _ = write!(out, " -label:{}", label(&v.id));
                out
            });
        }
        let any = values.iter().any(|v| v == "*");
        let named: Vec<String> = if any {
            attribute.values.iter().map(|v| label(&v.id)).collect()
        } else {
            values.iter().map(|v| label(v)).collect()
        };
        format!(" label:{}", named.join(","))
    }

    fn without(&self, deciding: &Deciding) -> String {
        let each = deciding.values.iter();
        each.map(|v| self.labels(&deciding.attribute, std::slice::from_ref(v)))
            .map(|term| term.replacen(" label:", " -label:", 1))
            .collect()
    }
}

/// GitHub's ranges hold both ends.
fn span(from: Timestamp, to: Timestamp) -> String {
    let last = to.saturating_sub(1.second()).unwrap_or(to);
    format!("{from}..{last}")
}
