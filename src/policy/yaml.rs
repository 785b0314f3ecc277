//! YAML as a tree in which every node knows the bytes it was written with.
//!
//! The one place that knows the YAML library: `serde-saphyr`'s event parser, which gives byte
//! spans and the style of scalars (serde itself would lose both). Everything else reads [`Node`]s.

use std::collections::HashMap;
use std::ops::Range;

use super::diagnostic::line_and_column;

use serde_saphyr::granit_parser::{Event, Parser, ScalarStyle};

/// Larger files are refused: a policy of this size is a mistake.
pub const MAX_BYTES: usize = 1 << 20;
/// Nodes in one file, aliases counted each time they are used: what explodes is refused.
const MAX_NODES: usize = 100_000;
/// Nesting of lists and maps.
const MAX_DEPTH: usize = 64;

/// A node with its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// Which of the sources.
    pub file: usize,
    /// Bytes of the file.
    pub span: Range<usize>,
    pub kind: Kind,
}

/// What a node is.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    Scalar {
        text: String,
        style: Style,
    },
    List(Vec<Node>),
    /// In the order of the file, no key twice.
    Map(Vec<(Node, Node)>),
}

/// How a scalar is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    Plain,
    Single,
    Double,
    /// `|` or `>`.
    Block,
}

/// Why a text is not YAML that can be used.
#[derive(Clone, Debug, PartialEq)]
pub struct YamlError {
    pub code: &'static str,
    pub span: Range<usize>,
    pub message: String,
    pub help: Option<String>,
}

impl YamlError {
    fn new(code: &'static str, span: Range<usize>, message: impl Into<String>) -> Self {
        Self {
            code,
            span,
            message: message.into(),
            help: None,
        }
    }
}

impl Node {
    /// The text of a scalar.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Scalar { text, .. } => Some(text),
            _ => None,
        }
    }

    /// Nothing was written: `key:`, `~` or `null`.
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(&self.kind, Kind::Scalar { text, style: Style::Plain }
            if matches!(text.as_str(), "" | "~" | "null"))
    }

    /// In words, for messages.
    #[must_use]
    pub fn what(&self) -> &'static str {
        match &self.kind {
            _ if self.is_null() => "nothing",
            Kind::Scalar { .. } => "a text",
            Kind::List(_) => "a list",
            Kind::Map(_) => "a map",
        }
    }

    /// Bytes of the file behind a byte range of this scalar's text: through quotes, escapes and
    /// the folding of lines. White space may be off by some; what is not white space is exact.
    #[must_use]
    pub fn locate(&self, source: &str, part: Range<usize>) -> Range<usize> {
        let (Kind::Scalar { text, style }, Some(raw)) = (&self.kind, source.get(self.span.clone()))
        else {
            return self.span.clone();
        };
        let places = align(text, raw, *style);
        let at = |offset: usize| {
            places
                .iter()
                .find(|(value, _)| *value >= offset)
                .map_or(self.span.end, |(_, raw)| self.span.start + raw)
        };
        if part.start >= text.len() {
            // Past the end: the place just behind the last character.
            let end = places.last().map_or(self.span.end, |(_, raw)| {
                let len = source[self.span.start + raw..]
                    .chars()
                    .next()
                    .map_or(0, char::len_utf8);
                self.span.start + raw + len
            });
            return end..end;
        }
        let start = at(part.start);
        // The end is behind the last character of the part, not before the one that follows it.
        let end = places
            .iter()
            .take_while(|(value, _)| *value < part.end)
            .last()
            .map_or(start, |(_, raw)| {
                let from = self.span.start + raw;
                from + source
                    .get(from..)
                    .and_then(|s| s.chars().next())
                    .map_or(0, char::len_utf8)
            });
        start..end.max(start)
    }
}

/// Pairs (byte in the value, byte in the raw text), one for each character of the value.
fn align(value: &str, raw: &str, style: Style) -> Vec<(usize, usize)> {
    let mut rest = match style {
        Style::Plain => 0,
        Style::Single | Style::Double => 1,
        // The header (`|`, `>-`) ends with its line.
        Style::Block => match raw.as_bytes().first() {
            Some(b'|' | b'>') => raw.find('\n').map_or(0, |i| i + 1),
            _ => 0,
        },
    };
    let mut out = Vec::with_capacity(value.len());
    for (i, c) in value.char_indices() {
        loop {
            let Some(r) = raw.get(rest..).and_then(|s| s.chars().next()) else {
                out.push((i, raw.len()));
                break;
            };
            if style == Style::Double && r == '\\' {
                let escape = raw[rest + 1..].chars().next().unwrap_or('\\');
                if escape == '\n' || escape == '\r' {
                    rest += 2; // an escaped line break is nothing
                    continue;
                }
                out.push((i, rest));
                rest += match escape {
                    'x' => 4,
                    'u' => 6,
                    'U' => 10,
                    other => 1 + other.len_utf8(),
                };
                break;
            }
            if r == c {
                out.push((i, rest));
                rest += r.len_utf8();
                if style == Style::Single && r == '\'' {
                    rest += 1; // written twice
                }
                break;
            }
            if r.is_whitespace() {
                rest += r.len_utf8(); // indentation, folding
                continue;
            }
            out.push((i, rest));
            break;
        }
    }
    out
}

/// Reads one document. `None` for a file with nothing in it.
pub fn parse(file: usize, source: &str) -> Result<Option<Node>, YamlError> {
    if source.len() > MAX_BYTES {
        return Err(YamlError::new(
            "file-too-large",
            0..0,
            format!(
                "this file has {} bytes; a policy file may have {MAX_BYTES}",
                source.len()
            ),
        ));
    }
    let mut builder = Builder {
        file,
        source,
        nodes: 0,
        anchors: HashMap::new(),
        open: Vec::new(),
        root: None,
    };
    let mut documents = 0;
    for next in Parser::new_from_str(source) {
        let (event, span) = next.map_err(|e| {
            let at = e.marker().byte_offset().unwrap_or(0).min(source.len());
            let mut error =
                YamlError::new("yaml", at..at, format!("this is not YAML: {}", e.info()));
            error.help = pitfall(source, at, &e.info());
            error
        })?;
        let bytes = span.start.byte_offset().unwrap_or(0)..span.end.byte_offset().unwrap_or(0);
        if matches!(event, Event::DocumentStart(..)) {
            documents += 1;
            if documents > 1 {
                return Err(YamlError::new(
                    "several-documents",
                    bytes,
                    "a policy file holds one document, and a second one starts here",
                ));
            }
        }
        builder.event(event, bytes)?;
    }
    Ok(builder.root.filter(|node| !node.is_null()))
}

/// What people trip over when a condition is written without quotes.
fn pitfall(source: &str, at: usize, said: &str) -> Option<String> {
    let start = source[..at].rfind('\n').map_or(0, |i| i + 1);
    let line = source[start..].lines().next()?;
    let value = line.split_once(": ").map_or(line, |(_, v)| v).trim_start();
    let help = if said.contains("quoted") {
        let first = value.chars().next().unwrap_or('"');
        format!(
            "what begins with `{first}` ends with it; put the whole condition in single quotes: '{value}'"
        )
    } else if said.contains("flow") && value.contains(['?', ':', '[', ',']) {
        "between `{` and `}` a condition with `?`, `:`, `,`, `[` or `{` must stand in single quotes"
            .to_owned()
    } else if value.starts_with(['&', '*', '%', '@', '`', '!', '|', '>']) {
        let first = value.chars().next().unwrap_or('&');
        format!("`{first}` at the beginning means something to YAML: put the text in single quotes")
    } else if said.contains("mapping values") {
        "a condition with `: ` or ` #` in it must stand in single quotes".to_owned()
    } else if said.contains("block") {
        "look at the indentation: what belongs together begins in the same column".to_owned()
    } else {
        return None;
    };
    Some(help)
}

enum Open {
    List(usize, Range<usize>, Vec<Node>),
    /// With the key that waits for its value, and where each key stands.
    Map(
        usize,
        Range<usize>,
        Vec<(Node, Node)>,
        Option<Node>,
        HashMap<String, usize>,
    ),
}

struct Builder<'s> {
    file: usize,
    source: &'s str,
    nodes: usize,
    anchors: HashMap<usize, (Node, usize)>,
    open: Vec<Open>,
    root: Option<Node>,
}

impl Builder<'_> {
    fn event(&mut self, event: Event<'_>, span: Range<usize>) -> Result<(), YamlError> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                if tag.is_some() {
                    // The span is of what follows the tag.
                    let line = self.source.get(..span.start).unwrap_or_default();
                    let from = line.rfind('!').unwrap_or(span.start);
                    let mut error = YamlError::new(
                        "yaml-tag",
                        from..span.end,
                        "a word that begins with `!` is a YAML tag, and a policy has none",
                    );
                    error.help = Some("put the whole condition in single quotes".to_owned());
                    return Err(error);
                }
                let style = match style {
                    ScalarStyle::Plain => Style::Plain,
                    ScalarStyle::SingleQuoted => Style::Single,
                    ScalarStyle::DoubleQuoted => Style::Double,
                    ScalarStyle::Literal | ScalarStyle::Folded => Style::Block,
                };
                let node = self.node(
                    span,
                    Kind::Scalar {
                        text: text.into_owned(),
                        style,
                    },
                );
                self.add(node, anchor, 1)
            }
            Event::SequenceStart(_, anchor, _) => self.start(Open::List(anchor, span, Vec::new())),
            Event::MappingStart(_, anchor, _) => {
                self.start(Open::Map(anchor, span, Vec::new(), None, HashMap::new()))
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(span),
            Event::Alias(id) => {
                let Some((mut node, size)) = self.anchors.get(&id).cloned() else {
                    return Err(YamlError::new(
                        "yaml-alias",
                        span,
                        "this alias names something that is not finished here",
                    ));
                };
                node.span = span;
                self.add(node, 0, size)
            }
            _ => Ok(()),
        }
    }

    fn node(&self, span: Range<usize>, kind: Kind) -> Node {
        Node {
            file: self.file,
            span,
            kind,
        }
    }

    fn start(&mut self, open: Open) -> Result<(), YamlError> {
        if self.open.len() >= MAX_DEPTH {
            let (Open::List(_, span, _) | Open::Map(_, span, ..)) = open;
            return Err(YamlError::new(
                "nested-too-deeply",
                span,
                format!("nothing in a policy is nested deeper than {MAX_DEPTH}"),
            ));
        }
        self.open.push(open);
        Ok(())
    }

    fn end(&mut self, end: Range<usize>) -> Result<(), YamlError> {
        let before = self.nodes;
        let (anchor, node) = match self.open.pop() {
            Some(Open::List(anchor, span, items)) => (
                anchor,
                self.node(span.start..end.end.max(span.end), Kind::List(items)),
            ),
            Some(Open::Map(anchor, span, entries, ..)) => (
                anchor,
                self.node(span.start..end.end.max(span.end), Kind::Map(entries)),
            ),
            None => return Ok(()),
        };
        let size = if anchor == 0 { 1 } else { count(&node) };
        self.nodes = before;
        self.add_sized(node, anchor, 1, size)
    }

    fn add(&mut self, node: Node, anchor: usize, size: usize) -> Result<(), YamlError> {
        self.add_sized(node, anchor, size, size)
    }

    fn add_sized(
        &mut self,
        node: Node,
        anchor: usize,
        grows: usize,
        size: usize,
    ) -> Result<(), YamlError> {
        self.nodes += grows;
        if self.nodes > MAX_NODES {
            return Err(YamlError::new(
                "too-many-nodes",
                node.span,
                format!("with its aliases written out, this file has more than {MAX_NODES} values"),
            ));
        }
        if anchor != 0 {
            self.anchors.insert(anchor, (node.clone(), size));
        }
        match self.open.last_mut() {
            None => self.root = Some(node),
            Some(Open::List(_, _, items)) => items.push(node),
            Some(Open::Map(_, _, entries, key, keys)) => match key.take() {
                None => {
                    let Some(name) = node.text() else {
                        return Err(YamlError::new(
                            "yaml-key",
                            node.span.clone(),
                            format!("a key is a word, not {}", node.what()),
                        ));
                    };
                    if let Some(first) = keys.insert(name.to_owned(), node.span.start) {
                        let (line, _) = line_and_column(self.source, first);
                        return Err(YamlError {
                            code: "duplicate-key",
                            span: node.span.clone(),
                            message: format!("`{name}` stands twice in one map"),
                            help: Some(format!("it is in line {line} already")),
                        });
                    }
                    *key = Some(node);
                }
                Some(k) => entries.push((k, node)),
            },
        }
        Ok(())
    }
}

fn count(node: &Node) -> usize {
    1 + match &node.kind {
        Kind::Scalar { .. } => 0,
        Kind::List(items) => items.iter().map(count).sum(),
        Kind::Map(entries) => entries.iter().map(|(k, v)| count(k) + count(v)).sum(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get<'n>(node: &'n Node, key: &str) -> &'n Node {
        match &node.kind {
            Kind::Map(entries) => {
                &entries
                    .iter()
                    .find(|(k, _)| k.text() == Some(key))
                    .unwrap()
                    .1
            }
            _ => panic!("not a map"),
        }
    }

    fn underlined(yaml: &str, part: &str) -> String {
        let root = parse(0, yaml).unwrap().unwrap();
        let node = get(&root, "when");
        let text = node.text().unwrap();
        let at = text.find(part).unwrap();
        yaml[node.locate(yaml, at..at + part.len())].to_owned()
    }

    #[test]
    fn finds_the_place_in_every_style_of_scalar() {
        for yaml in [
            "é: 1\nwhen: kind == \"féture\" && x\n",
            "é: 1\nwhen: 'it''s == kind && \"féture\"'\n",
            "é: 1\nwhen: \"\\u0041 == \\\"é\\\" && féture\"\n",
            "é: 1\nwhen: >-\n  a ==\n    b &&\n  kind == \"féture\" && c\n",
            "é: 1\nwhen: |\n  a == b &&\n    kind == \"féture\"\n  && c\nnext: 1\n",
            "é: 1\nwhen: a == b\n  && kind == \"féture\"\n",
        ] {
            assert_eq!(underlined(yaml, "féture"), "féture", "{yaml}");
        }
    }

    #[test]
    fn the_end_of_a_text_is_a_place_too() {
        for yaml in ["when: a ==\n", "when: 'a =='\n", "when: >\n  a ==\n"] {
            let root = parse(0, yaml).unwrap().unwrap();
            let node = get(&root, "when");
            let len = node.text().unwrap().trim_end().len();
            let place = node.locate(yaml, len..len);
            assert!(
                yaml[..place.start].trim_end().ends_with("=="),
                "{yaml:?} {place:?}"
            );
        }
    }

    #[test]
    fn refuses_what_explodes() {
        use std::fmt::Write as _;
        let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
        for i in 1..9 {
            let p = i - 1;
            let _ = writeln!(
                bomb,
                "a{i}: &a{i} [*a{p}, *a{p}, *a{p}, *a{p}, *a{p}, *a{p}, *a{p}, *a{p}]"
            );
        }
        assert_eq!(parse(0, &bomb).unwrap_err().code, "too-many-nodes");
        assert_eq!(
            parse(0, &"x".repeat(MAX_BYTES + 1)).unwrap_err().code,
            "file-too-large"
        );
        assert!(parse(0, &"[".repeat(5000)).is_err());
        assert_eq!(parse(0, "a: &x [*x]").unwrap_err().code, "yaml-alias");
    }

    #[test]
    fn explains_what_people_trip_over() {
        assert_eq!(
            parse(0, "when: !critical && x\n").unwrap_err().code,
            "yaml-tag"
        );
        let quoted = parse(0, "when: \"a\" in issue.labels\n").unwrap_err();
        assert!(quoted.help.unwrap().contains("single quotes"));
        assert_eq!(parse(0, "a: 1\na: 2\n").unwrap_err().code, "duplicate-key");
        assert_eq!(
            parse(0, "a: 1\n---\nb: 2\n").unwrap_err().code,
            "several-documents"
        );
        assert_eq!(parse(0, "# nothing\n").unwrap(), None);
    }
}
