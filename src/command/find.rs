//! Where the command lines are in a Markdown text.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};
use serde::{Deserialize, Serialize};

use super::{MOST_CHARACTERS, MOST_COMMANDS, email, html};

/// One command line, not yet understood: it may turn out to be prose.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Found {
    /// The word after the slash, in lower case.
    pub name: String,
    /// The rest of the line, trimmed, as it was written.
    pub rest: String,
    /// Line in the text, from 1.
    pub line: usize,
}

impl Found {
    /// The same for two lines that say the same, however they are spaced, quoted or capitalised.
    fn normalised(&self) -> String {
        let mut key = self.name.clone();
        for word in self.rest.split_whitespace() {
            key.push(' ');
            key.extend(word.chars().flat_map(char::to_lowercase).map(|c| match c {
                '“' | '”' | '„' => '"',
                '‘' | '’' => '\'',
                c => c,
            }));
        }
        key
    }
}

/// Finds the command lines of a comment, in their order, at most [`MOST_COMMANDS`].
///
/// A command is a line of ordinary paragraph text that starts, after at most three spaces, with
/// `/name` (or `@bot name`, where the bot's login is given) and then a blank, a tab or its end.
/// Code, quotes (e-mail clients' too), HTML, headings, lists, tables and links have none.
#[must_use]
pub fn find(text: &str, bot_name: Option<&str>) -> Vec<Found> {
    let mut found = find_all(text, bot_name);
    found.truncate(MOST_COMMANDS);
    found
}

/// The commands of an edited comment that its earlier text did not have.
///
/// Counted: a command that stood there once and now stands there twice is said once more.
#[must_use]
pub fn newly_said(before: &str, after: &str, bot_name: Option<&str>) -> Vec<Found> {
    let mut had: HashMap<String, usize> = HashMap::new();
    for found in find_all(before, bot_name) {
        *had.entry(found.normalised()).or_default() += 1;
    }
    let mut new = find_all(after, bot_name);
    new.retain(|found| match had.get_mut(&found.normalised()) {
        Some(left @ 1..) => {
            *left -= 1;
            false
        }
        _ => true,
    });
    new.truncate(MOST_COMMANDS);
    new
}

fn find_all(text: &str, bot_name: Option<&str>) -> Vec<Found> {
    let text = readable(text);
    let text = text.as_ref();
    // Most comments say nothing to the bot; they are not parsed.
    if !text.contains('/') && bot_name.is_none() {
        return Vec::new();
    }
    let page = Page::of(text);
    let hidden = html::hidden(text, &page.html);
    let mut end = text.len();
    let mut found = Vec::new();
    let mut lines = LineNumbers::new(text);
    for block in &page.blocks {
        if html::contains(&hidden, block.range.start) {
            continue;
        }
        if let Some(quoted) = email::quoted_from(text, block.lines(text)) {
            end = quoted;
        }
        for line in block.lines(text) {
            if line.start >= end {
                return found;
            }
            let raw = &text[line.clone()];
            let said = raw.trim_start_matches(' ');
            let at = line.end - said.len();
            if at - line.start > 3 || !block.is_plain(at) || html::contains(&hidden, at) {
                continue;
            }
            let Some((name, rest)) = command(said, bot_name) else {
                continue;
            };
            found.push(Found {
                name: name.to_ascii_lowercase(),
                rest: block.without_html(text, line.end - rest.len()..line.end),
                line: lines.of(at),
            });
        }
    }
    found
}

/// The text with `\n` at every line's end, and no longer than GitHub lets it be.
fn readable(text: &str) -> Cow<'_, str> {
    let mut text = if text.contains('\r') {
        Cow::Owned(text.replace("\r\n", "\n").replace('\r', "\n"))
    } else {
        Cow::Borrowed(text)
    };
    if let Some((end, _)) = text.char_indices().nth(MOST_CHARACTERS) {
        text = Cow::Owned(text[..end].to_owned());
    }
    text
}

/// `/name rest` or `@bot name rest`, as name and rest.
fn command<'t>(said: &'t str, bot_name: Option<&str>) -> Option<(&'t str, &'t str)> {
    if let Some(said) = said.strip_prefix('/') {
        return name(said);
    }
    let bot = bot_name?;
    let bot = bot.strip_suffix("[bot]").unwrap_or(bot);
    if bot.is_empty() {
        return None;
    }
    let mention = said.strip_prefix('@')?;
    let (login, rest) = mention.split_at_checked(bot.len())?;
    if !login.eq_ignore_ascii_case(bot) {
        return None;
    }
    let rest = rest.strip_prefix("[bot]").unwrap_or(rest);
    let rest = rest.strip_prefix([',', ':']).unwrap_or(rest);
    let said = rest.trim_start_matches([' ', '\t']);
    if said.len() == rest.len() {
        return None; // another login that starts with this one
    }
    name(said.strip_prefix('/').unwrap_or(said))
}

/// A name, and what follows the blank, tab or line's end after it.
fn name(said: &str) -> Option<(&str, &str)> {
    let end = said
        .find(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_'))
        .unwrap_or(said.len());
    let (name, rest) = said.split_at(end);
    let ok = name.starts_with(|c: char| c.is_ascii_alphabetic())
        && (rest.is_empty() || rest.starts_with([' ', '\t']));
    ok.then_some((name, rest))
}

/// What of a text can have commands, and the raw HTML that may hide some of it.
struct Page {
    blocks: Vec<Block>,
    html: Vec<Range<usize>>,
}

/// A paragraph that stands in no quote, list, table or the like.
struct Block {
    range: Range<usize>,
    /// Text outside links and deletions.
    plain: Vec<Range<usize>>,
    html: Vec<Range<usize>>,
}

impl Page {
    fn of(text: &str) -> Self {
        // What GitHub draws; anything else would see commands where people see something else.
        let options = Options::ENABLE_TABLES
            | Options::ENABLE_FOOTNOTES
            | Options::ENABLE_STRIKETHROUGH
            | Options::ENABLE_MATH;
        let mut page = Self {
            blocks: Vec::new(),
            html: Vec::new(),
        };
        let mut block: Option<Block> = None;
        let mut around = 0usize; // open containers
        let mut apart = 0usize; // open links and deletions
        for (event, range) in Parser::new_ext(text, options).into_offset_iter() {
            let Some(open) = &mut block else {
                match event {
                    Event::Start(tag) => {
                        // Markdown takes an e-mail signature's `-- ` for the line under a heading.
                        let text_above = tag == Tag::Paragraph
                            || matches!(tag, Tag::Heading { .. })
                                && email::is_signed(&text[range.clone()]);
                        if around == 0 && text_above {
                            block = Some(Block {
                                range,
                                plain: Vec::new(),
                                html: Vec::new(),
                            });
                        } else {
                            around += 1;
                        }
                    }
                    Event::End(_) => around = around.saturating_sub(1),
                    Event::Html(_) if around == 1 => page.html.push(range),
                    _ => {}
                }
                continue;
            };
            match event {
                Event::Start(Tag::Link { .. } | Tag::Image { .. } | Tag::Strikethrough) => {
                    apart += 1;
                }
                Event::End(TagEnd::Link | TagEnd::Image | TagEnd::Strikethrough) => {
                    apart = apart.saturating_sub(1);
                }
                Event::Text(_) if apart == 0 => open.plain.push(range),
                Event::InlineHtml(_) => {
                    page.html.push(range.clone());
                    open.html.push(range);
                }
                Event::End(TagEnd::Paragraph | TagEnd::Heading(_)) => {
                    page.blocks.extend(block.take());
                }
                _ => {}
            }
        }
        page
    }
}

impl Block {
    /// The block's lines in the text, from their very start, without their end.
    fn lines<'t>(&self, text: &'t str) -> impl Iterator<Item = Range<usize>> + Clone + use<'t> {
        let start = text[..self.range.start].rfind('\n').map_or(0, |at| at + 1);
        let mut at = start;
        text[start..self.range.end]
            .split_inclusive('\n')
            .map(move |line| {
                let start = at;
                at += line.len();
                start..start + line.trim_end_matches('\n').len()
            })
    }

    fn is_plain(&self, at: usize) -> bool {
        let next = self.plain.partition_point(|range| range.start <= at);
        next.checked_sub(1)
            .and_then(|i| self.plain.get(i))
            .is_some_and(|range| range.contains(&at))
    }

    /// The end of a line without inline HTML and without a hard break's backslash.
    fn without_html(&self, text: &str, part: Range<usize>) -> String {
        let mut kept = String::with_capacity(part.len());
        let mut at = part.start;
        let first = self.html.partition_point(|html| html.end <= part.start);
        for html in self.html[first..].iter().take_while(|h| h.start < part.end) {
            kept.push_str(&text[at..html.start.max(at)]);
            if !kept.ends_with(char::is_whitespace) {
                kept.push(' '); // `bug<br>now` are two words
            }
            at = html.end.min(part.end);
        }
        kept.push_str(&text[at..part.end]);
        let kept = kept.trim();
        let broken = part.end < self.range.end.saturating_sub(1) && !kept.ends_with("\\\\");
        match kept.strip_suffix('\\') {
            Some(kept) if broken => kept.trim_end().to_owned(),
            _ => kept.to_owned(),
        }
    }
}

/// Numbers lines while walking down a text.
struct LineNumbers<'t> {
    text: &'t str,
    at: usize,
    line: usize,
}

impl<'t> LineNumbers<'t> {
    fn new(text: &'t str) -> Self {
        Self {
            text,
            at: 0,
            line: 1,
        }
    }

    /// The line of an offset that is not before the one asked for last.
    fn of(&mut self, offset: usize) -> usize {
        self.line += self.text[self.at..offset].matches('\n').count();
        self.at = offset;
        self.line
    }
}
