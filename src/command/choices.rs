//! Which words may be said, and which one was probably meant.

use indexmap::IndexMap;

use super::table;
use super::vocabulary::Vocabulary;

/// The command that is one typo away.
pub(super) fn near_command(name: &str, vocabulary: &Vocabulary) -> Option<String> {
    table::TABLE
        .iter()
        .map(|entry| entry.name)
        .chain(vocabulary.attributes.keys().map(String::as_str))
        .filter(|command| command.len().abs_diff(name.len()) <= 1)
        .find(|command| strsim::osa_distance(command, name) == 1)
        .map(str::to_owned)
}

/// The known word that was probably meant: at most a third of its letters differ.
pub(super) fn near_word(said: &str, known: &[String]) -> Option<String> {
    let said = said.to_lowercase();
    let length = said.chars().count();
    known
        .iter()
        .filter_map(|word| {
            let letters = word.chars().count();
            let most = (letters / 3).max(1);
            // Compared only where that can be: said may be very long.
            let near = letters.abs_diff(length) <= most;
            let distance = near.then(|| strsim::osa_distance(&word.to_lowercase(), &said))?;
            (distance <= most).then_some((distance, word))
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, word)| word.clone())
}

/// What may be said for one argument: the word, and the id it stands for.
pub(super) struct Choices<'v> {
    pub words: Vec<(&'v str, &'v str)>,
    /// Any other word may be said too, for the words are not known.
    pub open: bool,
}

impl<'v> Choices<'v> {
    /// The words that are told to people: of an id's words the last, which is its verb.
    pub(super) fn told(&self) -> Vec<String> {
        let mut told: IndexMap<&str, &str> = IndexMap::new();
        told.extend(self.words.iter().map(|(word, id)| (*id, *word)));
        told.into_values().map(str::to_owned).collect()
    }

    pub(super) fn ids(ids: impl IntoIterator<Item = &'v String>) -> Self {
        let words: Vec<_> = ids
            .into_iter()
            .map(|id| (id.as_str(), id.as_str()))
            .collect();
        Self {
            open: words.is_empty(),
            words,
        }
    }
}

/// A word that was understood: as it is spelt properly, and the id it stands for.
pub(super) struct Chosen {
    pub word: String,
    pub id: String,
}

/// The same but for capitals.
pub(super) fn same(word: &str, said: &str) -> bool {
    word.to_lowercase() == said.to_lowercase()
}
