//! Database ids and node ids.
//!
//! A node id has GitHub's look (a prefix for the kind, then characters that mean nothing) and can
//! only be turned back by asking the state that gave it out.

use std::collections::HashMap;

/// What a node id stands for; the number is the database id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Node {
    User(u64),
    Bot(u64),
    Organization(u64),
    Repository(u64),
    Issue(u64),
    Comment(u64),
    Label(u64),
    Milestone(u64),
    Reaction(u64),
    Team(u64),
    Project(u64),
    Item(u64),
    /// A field of a board without options.
    Field(u64),
    SelectField(u64),
    IterationField(u64),
    Draft(u64),
    App(u64),
    Installation(u64),
    IssueType(u64),
}

impl Node {
    /// The prefix GitHub gives node ids of this kind.
    fn prefix(self) -> (&'static str, u64) {
        match self {
            Self::User(id) => ("U_kgDO", id),
            Self::Bot(id) => ("BOT_kgDO", id),
            Self::Organization(id) => ("O_kgDO", id),
            Self::Repository(id) => ("R_kgDO", id),
            Self::Issue(id) => ("I_kwDO", id),
            Self::Comment(id) => ("IC_kwDO", id),
            Self::Label(id) => ("LA_kwDO", id),
            Self::Milestone(id) => ("MI_kwDO", id),
            Self::Reaction(id) => ("REA_lADO", id),
            Self::Team(id) => ("T_kwDO", id),
            Self::Project(id) => ("PVT_kwDO", id),
            Self::Item(id) => ("PVTI_lADO", id),
            Self::Field(id) => ("PVTF_lADO", id),
            Self::SelectField(id) => ("PVTSSF_lADO", id),
            Self::IterationField(id) => ("PVTIF_lADO", id),
            Self::Draft(id) => ("DI_lADO", id),
            Self::App(id) => ("A_kwDO", id),
            Self::Installation(id) => ("MDIzOk", id),
            Self::IssueType(id) => ("IT_kwDO", id),
        }
    }
}

/// Gives out ids, guids and tokens; the same seed gives the same ones.
#[derive(Debug)]
pub(super) struct Ids {
    seed: u64,
    next: u64,
    drawn: u64,
    nodes: HashMap<String, Node>,
}

/// A step of the `splitmix64` generator: every bit of the input touches every bit of the output.
fn mix(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

impl Ids {
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            next: 100_000_000 + seed % 1000,
            drawn: 0,
            nodes: HashMap::new(),
        }
    }

    /// A new number.
    pub fn number(&mut self) -> u64 {
        // Uneven steps: nobody may count on neighbours.
        self.next += 1 + mix(self.seed ^ self.next) % 7;
        self.next
    }

    /// A new database id; its node id is known from now on.
    pub fn create(&mut self, make: impl Fn(u64) -> Node) -> u64 {
        let number = self.number();
        // Issues, comments and labels have outgrown 32 bits on GitHub; users, repositories and
        // boards, whose `databaseId` is an `Int`, have not.
        let id = match make(number) {
            Node::Issue(_) | Node::Comment(_) | Node::Label(_) => number + 3_000_000_000,
            _ => number,
        };
        self.register(make(id));
        id
    }

    /// Makes the node id of something whose number was chosen by the caller known.
    pub fn register(&mut self, node: Node) {
        self.nodes.insert(self.node_id(node), node);
    }

    /// Forgets a deleted thing, so that its node id leads nowhere.
    pub fn forget(&mut self, node: Node) {
        let id = self.node_id(node);
        self.nodes.remove(&id);
    }

    pub fn node_id(&self, node: Node) -> String {
        let (prefix, id) = node.prefix();
        let salt = prefix
            .bytes()
            .fold(self.seed, |acc, byte| mix(acc ^ u64::from(byte)));
        let mut bits =
            u128::from(mix(salt ^ id)) << 64 | u128::from(mix(salt.rotate_left(17) ^ !id));
        let mut text = String::from(prefix);
        for _ in 0..12 {
            // `%62` keeps `+` and `/` out, as in GitHub's own ids.
            text.push(char::from(ALPHABET[(bits % 62) as usize]));
            bits /= 62;
        }
        text
    }

    /// What a node id stands for, if it was ever given out.
    pub fn resolve(&self, node_id: &str) -> Option<Node> {
        self.nodes.get(node_id).copied()
    }

    fn draw(&mut self) -> u64 {
        self.drawn += 1;
        mix(mix(self.seed).wrapping_add(self.drawn))
    }

    /// A GUID, as deliveries and requests have.
    pub fn guid(&mut self) -> String {
        let (a, b) = (self.draw(), self.draw());
        format!(
            "{:08x}-{:04x}-11f0-{:04x}-{:012x}",
            a >> 32,
            a >> 16 & 0xffff,
            0x8000 | (b >> 48 & 0x3fff),
            b & 0xffff_ffff_ffff
        )
    }

    /// An installation token: `ghs_` and 36 characters.
    pub fn token(&mut self) -> String {
        let mut text = String::from("ghs_");
        for _ in 0..36 {
            text.push(char::from(ALPHABET[(self.draw() % 62) as usize]));
        }
        text
    }

    /// The eight hexadecimal digits that options and iterations of boards are known by.
    pub fn short(&mut self) -> String {
        format!("{:08x}", self.draw() >> 32)
    }

    /// `X-GitHub-Request-Id`.
    pub fn request_id(&mut self) -> String {
        let (a, b) = (self.draw(), self.draw());
        format!(
            "{:04X}:{:05X}:{:06X}:{:06X}:{:08X}",
            a >> 48,
            a & 0xf_ffff,
            b & 0xff_ffff,
            b >> 24 & 0xff_ffff,
            a >> 16 & 0xffff_ffff
        )
    }
}

/// Standard base64 with padding (for the key's PEM and for cursors).
pub(super) fn base64(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let word = chunk
            .iter()
            .chain([0, 0].iter())
            .take(3)
            .fold(0_u32, |acc, byte| acc << 8 | u32::from(*byte));
        for place in 0..4 {
            if place <= chunk.len() {
                let six = word >> (18 - 6 * place) & 63;
                text.push(char::from(ALPHABET[six as usize]));
            } else {
                text.push('=');
            }
        }
    }
    text
}

/// The inverse of [`base64`]; `None` for anything it did not write.
pub(super) fn unbase64(text: &str) -> Option<Vec<u8>> {
    let text = text.trim_end_matches('=');
    let mut bytes = Vec::with_capacity(text.len() * 3 / 4);
    let (mut word, mut bits) = (0_u32, 0);
    for byte in text.bytes() {
        let six = ALPHABET.iter().position(|a| *a == byte)?;
        word = word << 6 | u32::try_from(six).ok()?;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from(word >> bits & 0xff).ok()?);
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_the_standard_one() {
        for (plain, coded) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("cursor:v2:100", "Y3Vyc29yOnYyOjEwMA=="),
        ] {
            assert_eq!(base64(plain.as_bytes()), coded);
            assert_eq!(unbase64(coded).as_deref(), Some(plain.as_bytes()));
        }
        assert_eq!(unbase64("not base64!"), None);
    }

    #[test]
    fn node_ids_lead_back_only_to_what_was_given_out() {
        let mut ids = Ids::new(7);
        let issue = ids.create(Node::Issue);
        let node = ids.node_id(Node::Issue(issue));
        assert!(node.starts_with("I_kwDO"), "{node}");
        assert!(!node.contains(&issue.to_string()));
        assert_eq!(ids.resolve(&node), Some(Node::Issue(issue)));
        assert_eq!(ids.resolve(&ids.node_id(Node::Label(issue))), None);
        ids.forget(Node::Issue(issue));
        assert_eq!(ids.resolve(&node), None);
    }
}
