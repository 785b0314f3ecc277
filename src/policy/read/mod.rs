//! From YAML nodes to the model: strict, and every complaint in one run.

pub mod examples;
mod fields;
pub mod kpis;
mod limits;
pub mod principles;
pub mod settings;
pub mod vocabulary;
pub mod waits;

use std::ops::Range;

use super::diagnostic::{Diagnostic, Severity, Source, is_known, line_and_column, suggest};
use super::expr::{Expect, Problem, Program, Schema, compile};
use super::yaml::{Kind, Node};

/// Collects complaints while nodes are read.
pub struct Reader<'s> {
    pub sources: &'s [Source],
    pub findings: Vec<Diagnostic>,
}

/// The entries of a map whose keys are known.
pub struct Fields<'n> {
    pub node: &'n Node,
    entries: &'n [(Node, Node)],
}

impl<'n> Fields<'n> {
    /// The value of a key; none where nothing was written.
    pub fn get(&self, key: &str) -> Option<&'n Node> {
        self.entry(key).map(|(_, v)| v).filter(|v| !v.is_null())
    }

    /// Key and value, as written.
    pub fn entry(&self, key: &str) -> Option<&'n (Node, Node)> {
        self.entries.iter().find(|(k, _)| k.text() == Some(key))
    }
}

impl<'s> Reader<'s> {
    pub fn new(sources: &'s [Source]) -> Self {
        Self {
            sources,
            findings: Vec::new(),
        }
    }

    pub fn source(&self, file: usize) -> &'s str {
        self.sources.get(file).map_or("", |s| s.text.as_str())
    }

    /// `file:line` of a node, for messages that name a second place.
    pub fn place(&self, node: &Node) -> String {
        let path = self.sources.get(node.file).map_or("", |s| s.path.as_str());
        let (line, _) = line_and_column(self.source(node.file), node.span.start);
        format!("{path}:{line}")
    }

    fn report(
        &mut self,
        severity: Severity,
        code: &'static str,
        (file, span): (usize, Range<usize>),
        message: String,
        help: Option<String>,
    ) {
        debug_assert!(is_known(code), "{code} is in no table");
        let (line, column) = line_and_column(self.source(file), span.start);
        self.findings.push(Diagnostic {
            severity,
            code,
            file: self
                .sources
                .get(file)
                .map_or_else(String::new, |s| s.path.clone()),
            line,
            column,
            message,
            help,
            span,
        });
    }

    pub fn error(&mut self, code: &'static str, node: &Node, message: impl Into<String>) {
        self.error_help(code, node, message, None);
    }

    pub fn error_help(
        &mut self,
        code: &'static str,
        node: &Node,
        message: impl Into<String>,
        help: Option<String>,
    ) {
        let place = (node.file, self.visible(node));
        self.report(Severity::Error, code, place, message.into(), help);
    }

    pub fn error_at(
        &mut self,
        code: &'static str,
        file: usize,
        span: Range<usize>,
        message: impl Into<String>,
        help: Option<String>,
    ) {
        self.report(Severity::Error, code, (file, span), message.into(), help);
    }

    pub fn warn(
        &mut self,
        code: &'static str,
        node: &Node,
        message: impl Into<String>,
        help: Option<String>,
    ) {
        let place = (node.file, self.visible(node));
        self.report(Severity::Warning, code, place, message.into(), help);
    }

    /// A doubt about a whole template, which is a file of its own.
    pub fn warn_template(
        &mut self,
        code: &'static str,
        key: &str,
        message: String,
        help: Option<String>,
    ) {
        let is_it = |s: &Source| {
            let stem = s.path.strip_suffix(".md");
            stem.is_some_and(|stem| stem.rsplit('/').next() == Some(key))
        };
        if let Some(file) = self.sources.iter().position(is_it) {
            self.report(Severity::Warning, code, (file, 0..0), message, help);
        }
    }

    /// What to underline: of a list or map only its first line, and no trailing blanks.
    fn visible(&self, node: &Node) -> Range<usize> {
        let raw = self
            .source(node.file)
            .get(node.span.clone())
            .unwrap_or_default();
        let raw = match node.kind {
            Kind::Scalar { .. } => raw,
            _ => raw.lines().next().unwrap_or_default(),
        };
        node.span.start..node.span.start + raw.trim_end().len()
    }

    /// The entries of a map, complaining of keys that are not known.
    pub fn fields<'n>(&mut self, node: &'n Node, what: &str, known: &[&str]) -> Option<Fields<'n>> {
        let entries = self.map(node, what)?;
        for (key, _) in entries {
            let name = key.text().unwrap_or_default();
            if !known.contains(&name) {
                let help = suggest(name, known.iter().copied())
                    .unwrap_or_else(|| format!("known here: {}", known.join(", ")));
                self.error_help(
                    "unknown-key",
                    key,
                    format!("{what} has no key `{name}`"),
                    Some(help),
                );
            }
        }
        Some(Fields { node, entries })
    }

    /// The entries of a map with keys of the writer's choice.
    pub fn map<'n>(&mut self, node: &'n Node, what: &str) -> Option<&'n [(Node, Node)]> {
        if let Kind::Map(entries) = &node.kind {
            return Some(entries);
        }
        if !node.is_null() {
            self.wrong(node, what, "a map (`key: value`)");
        }
        None
    }

    pub fn list<'n>(&mut self, node: &'n Node, what: &str) -> Option<&'n [Node]> {
        if let Kind::List(items) = &node.kind {
            return Some(items);
        }
        if !node.is_null() {
            self.wrong(node, what, "a list");
        }
        None
    }

    fn wrong(&mut self, node: &Node, what: &str, wanted: &str) {
        let found = node.what();
        self.error(
            "wrong-shape",
            node,
            format!("{what} is {wanted}, and this is {found}"),
        );
    }

    pub fn text<'n>(&mut self, node: &'n Node, what: &str) -> Option<&'n str> {
        match node.text() {
            Some(text) if !node.is_null() => Some(text),
            _ => {
                self.wrong(node, what, "a text");
                None
            }
        }
    }

    /// One text or a list of them.
    pub fn texts<'n>(&mut self, node: &'n Node, what: &str) -> Vec<&'n Node> {
        match &node.kind {
            Kind::List(items) => items
                .iter()
                .filter(|n| self.text(n, what).is_some())
                .collect(),
            _ => self.text(node, what).map(|_| node).into_iter().collect(),
        }
    }

    /// Texts, owned.
    pub fn strings(&mut self, node: Option<&Node>, what: &str) -> Vec<String> {
        let nodes = node.map(|n| self.texts(n, what)).unwrap_or_default();
        nodes
            .into_iter()
            .filter_map(|n| n.text().map(str::to_owned))
            .collect()
    }

    pub fn string(&mut self, node: Option<&Node>, what: &str) -> String {
        node.and_then(|n| self.text(n, what))
            .unwrap_or_default()
            .to_owned()
    }

    /// A text that has to be there.
    pub fn required(&mut self, fields: &Fields<'_>, key: &str, what: &str) -> String {
        if let Some(node) = fields.get(key) {
            return self.string(Some(node), &format!("`{key}`"));
        }
        let node = fields.node;
        self.error("missing-key", node, format!("{what} needs `{key}`"));
        String::new()
    }

    pub fn flag(&mut self, node: Option<&Node>, what: &str) -> bool {
        match node.map(|n| (n, n.text())) {
            None | Some((_, Some("false"))) => false,
            Some((_, Some("true"))) => true,
            Some((node, _)) => {
                self.wrong(node, what, "`true` or `false`");
                false
            }
        }
    }

    pub fn number<T: std::str::FromStr>(&mut self, node: &Node, what: &str) -> Option<T> {
        let number = node.text().and_then(|t| t.parse().ok());
        if number.is_none() {
            self.wrong(node, what, "a number");
        }
        number
    }

    /// One of a few words.
    pub fn word<T: Copy>(&mut self, node: &Node, what: &str, words: &[(&str, T)]) -> Option<T> {
        let text = self.text(node, what)?;
        if let Some((_, value)) = words.iter().find(|(word, _)| *word == text) {
            return Some(*value);
        }
        let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        let help = suggest(text, known.iter().copied());
        self.error_help(
            "unknown-value",
            node,
            format!("{what} is one of {}, not `{text}`", known.join(", ")),
            help,
        );
        None
    }

    /// A name that must be among those declared; complains with the nearest one.
    pub fn known<'a>(
        &mut self,
        node: &Node,
        code: &'static str,
        what: &str,
        names: impl IntoIterator<Item = &'a str>,
    ) -> Option<String> {
        let text = self.text(node, what)?;
        let names: Vec<&str> = names.into_iter().collect();
        if names.contains(&text) {
            return Some(text.to_owned());
        }
        let help = suggest(text, names.iter().copied())
            .or_else(|| (!names.is_empty()).then(|| format!("known: {}", names.join(", "))));
        self.error_help(code, node, format!("there is no {what} `{text}`"), help);
        None
    }

    /// Names that must all be among those declared.
    pub fn all_known<'a>(
        &mut self,
        node: Option<&Node>,
        code: &'static str,
        what: &str,
        names: impl IntoIterator<Item = &'a str>,
    ) -> Vec<String> {
        let names: Vec<&str> = names.into_iter().collect();
        let nodes = node.map(|n| self.texts(n, what)).unwrap_or_default();
        nodes
            .into_iter()
            .filter_map(|n| self.known(n, code, what, names.iter().copied()))
            .collect()
    }

    /// Compiles a condition or value, its problems placed in the file.
    pub fn expression(
        &mut self,
        node: &Node,
        schema: &Schema,
        expect: Expect<'_>,
    ) -> Option<Program> {
        let text = self.text(node, "an expression")?;
        match compile(text, schema, expect) {
            Ok(program) => Some(program),
            Err(problems) => {
                for problem in problems {
                    self.problem(node, problem);
                }
                None
            }
        }
    }

    pub fn problem(&mut self, node: &Node, problem: Problem) {
        let span = node.locate(self.source(node.file), problem.span);
        self.error_at(problem.code, node.file, span, problem.message, problem.help);
    }
}
