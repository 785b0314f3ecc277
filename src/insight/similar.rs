//! Which titles may ask for the same: those that share words that few others have.
//!
//! Nothing is learnt and nothing is guessed: whoever reads an answer sees the words it stands on.

use std::collections::{BTreeMap, BTreeSet};

/// Two titles that have less in common are not told.
const LEAST: f64 = 0.3;

/// A title of the list, and what it has in common with the one that was asked about.
#[derive(Clone, Debug, PartialEq)]
pub struct Alike {
    /// Its place in the list.
    pub index: usize,
    /// Of the weight of all words of both titles, the part that is shared: 0.0 to 1.0.
    pub share: f64,
    /// The shared words, the rarest first.
    pub words: Vec<String>,
}

/// The titles that are most like one title, at most `most`, the likest first; of those that are
/// as like, those that come first in the list. A word counts the more the fewer of all these titles
/// have it.
#[must_use]
pub fn similar(title: &str, titles: &[&str], most: usize) -> Vec<Alike> {
    let asked = words(title);
    let all: Vec<BTreeSet<String>> = titles.iter().map(|title| words(title)).collect();
    let mut have: BTreeMap<&str, u32> = BTreeMap::new();
    for word in all.iter().chain([&asked]).flatten() {
        *have.entry(word).or_default() += 1;
    }
    let number = u32::try_from(titles.len())
        .unwrap_or(u32::MAX)
        .saturating_add(1);
    let weight = |word: &str| {
        let have = have.get(word).copied().unwrap_or(1);
        (f64::from(number) / f64::from(have)).ln_1p()
    };
    let sum = |words: &mut dyn Iterator<Item = &String>| words.map(|w| weight(w)).sum::<f64>();
    let mut alike: Vec<Alike> = Vec::new();
    for (index, words) in all.iter().enumerate() {
        let shared = sum(&mut words.intersection(&asked));
        let share = shared / sum(&mut words.union(&asked)).max(f64::MIN_POSITIVE);
        if share >= LEAST {
            let mut words: Vec<String> = words.intersection(&asked).cloned().collect();
            words.sort_by(|a, b| weight(b).total_cmp(&weight(a)).then_with(|| a.cmp(b)));
            alike.push(Alike {
                index,
                share,
                words,
            });
        }
    }
    alike.sort_by(|a, b| b.share.total_cmp(&a.share).then(a.index.cmp(&b.index)));
    alike.truncate(most);
    alike
}

/// The words of a title that say what it is about, in small letters and without a plural's `s`.
fn words(title: &str) -> BTreeSet<String> {
    let words = title
        .split(|c: char| !c.is_alphanumeric())
        .map(str::to_lowercase)
        .filter(|word| word.chars().count() > 1 && !EMPTY.contains(&word.as_str()));
    words.map(singular).collect()
}

/// `hubs` is about what `hub` is and `gpus` about what `gpu` is; `access` and `status` are no
/// plurals.
fn singular(word: String) -> String {
    let latin = word.len() > 4 && (word.ends_with("us") || word.ends_with("is"));
    match word.strip_suffix('s') {
        Some(one) if word.len() > 3 && !latin && !one.ends_with('s') => one.to_owned(),
        _ => word,
    }
}

/// Words that every other request has.
const EMPTY: &[&str] = &[
    "add", "adding", "all", "allow", "an", "and", "any", "are", "as", "at", "be", "been", "but",
    "by", "can", "could", "do", "does", "enable", "feature", "for", "from", "get", "give", "has",
    "have", "help", "how", "if", "in", "into", "is", "issue", "it", "its", "let", "like", "make",
    "more", "my", "need", "needs", "new", "no", "not", "of", "on", "one", "or", "other", "our",
    "please", "provide", "request", "requests", "should", "so", "some", "support", "that", "the",
    "their", "them", "there", "these", "they", "this", "to", "up", "us", "use", "using", "want",
    "wants", "was", "we", "what", "when", "where", "which", "who", "why", "will", "with", "would",
    "you", "your",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn found(title: &str, titles: &[&str]) -> Vec<(usize, Vec<String>)> {
        let alike = similar(title, titles, 3);
        alike.into_iter().map(|a| (a.index, a.words)).collect()
    }

    #[test]
    fn rare_words_count_and_common_ones_hardly() {
        let titles = [
            "The hub of Toronto is slow",
            "A hub for the course on seismology",
            "RStudio, please!",
            "The hub of Berlin is slow",
            "Could we have RStudio on our hubs?",
            "The hub of Lima is slow",
        ];
        assert_eq!(
            found("Please add RStudio to the hub", &titles),
            [
                (4, vec!["rstudio".to_owned(), "hub".to_owned()]),
                (2, vec!["rstudio".to_owned()]),
            ]
        );
        assert_eq!(found("Please add Octave", &titles), []);
    }

    #[test]
    fn words_alone_say_nothing_and_capitals_and_plurals_hardly_matter() {
        assert_eq!(found("Please add support", &["Please add support"]), []);
        assert_eq!(found("", &["", "!"]), []);
        let words = words("GPUs and ACCESS: status of the Überblick's hubs");
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        assert_eq!(words, ["access", "gpu", "hub", "status", "überblick"]);
    }

    #[test]
    fn the_same_comes_first_and_not_more_than_asked_for() {
        let titles = ["GPU for teaching", "GPU", "GPU for teaching", "GPU nodes"];
        let alike = similar("GPU for teaching", &titles, 2);
        let alike: Vec<_> = alike.iter().map(|a| (a.index, a.share)).collect();
        assert_eq!(alike, [(0, 1.0), (2, 1.0)]);
    }
}
