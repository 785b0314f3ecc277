//! What a value can still be, given some of the things said about it. For the lint's proofs.

use std::collections::BTreeSet;

/// The values a term may have. Each kind of term has one kind of domain.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Domain {
    /// Texts and enums.
    Words(Words),
    /// Whole numbers, and instants and durations in nanoseconds.
    Whole(Range<i128>),
    /// Doubles.
    Decimal(Range<f64>),
    /// Conditions, and everything that is not understood: true or false.
    Truth { yes: bool, no: bool },
}

/// One of these words, or any but these.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Words {
    Among(BTreeSet<String>),
    Except(BTreeSet<String>),
}

/// From one bound to another, each with whether it is itself excluded. Beside that the value may
/// be absent or not a number, for which every comparison but `!=` is false.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Range<T> {
    pub low: Option<(T, bool)>,
    pub high: Option<(T, bool)>,
    /// Single values that it is not.
    pub holes: Vec<T>,
    /// It can be in the range at all.
    pub valued: bool,
    pub absent: bool,
    pub nan: bool,
}

impl<T> Range<T> {
    pub fn everything() -> Self {
        Self {
            low: None,
            high: None,
            holes: Vec::new(),
            valued: true,
            absent: true,
            nan: true,
        }
    }

    /// Something a comparison held for.
    pub fn valued() -> Self {
        Self {
            absent: false,
            nan: false,
            ..Self::everything()
        }
    }

    /// No value at all.
    pub fn absent() -> Self {
        Self {
            valued: false,
            nan: false,
            ..Self::everything()
        }
    }
}

impl<T: Copy + PartialOrd> Range<T> {
    fn meet(&mut self, other: &Self) {
        let inner = |a: Option<(T, bool)>, b: Option<(T, bool)>, rising: bool| match (a, b) {
            (Some(a), Some(b)) => {
                let b_inside = if rising { b.0 > a.0 } else { b.0 < a.0 };
                let same = a.0 == b.0;
                Some(if same {
                    (a.0, a.1 || b.1)
                } else if b_inside {
                    b
                } else {
                    a
                })
            }
            (a, b) => a.or(b),
        };
        self.low = inner(self.low, other.low, true);
        self.high = inner(self.high, other.high, false);
        self.holes.extend_from_slice(&other.holes);
        self.valued &= other.valued;
        self.absent &= other.absent;
        self.nan &= other.nan;
    }

    /// Is there certainly nothing between the bounds?
    fn bounds_cross(&self) -> bool {
        match (self.low, self.high) {
            (Some((low, low_out)), Some((high, high_out))) => {
                let point = low == high;
                low > high || point && (low_out || high_out || self.holes.contains(&low))
            }
            _ => false,
        }
    }
}

impl Range<i128> {
    /// Whole numbers leave nothing between neighbours.
    fn is_empty(&self) -> bool {
        let mut closed = self.clone();
        closed.low = self
            .low
            .map(|(n, out)| (n.saturating_add(i128::from(out)), false));
        closed.high = self
            .high
            .map(|(n, out)| (n.saturating_sub(i128::from(out)), false));
        !self.absent && (!self.valued || closed.bounds_cross())
    }
}

impl Words {
    fn meet(&mut self, other: &Self) {
        *self = match (&*self, other) {
            (Self::Among(a), Self::Among(b)) => Self::Among(a & b),
            (Self::Among(a), Self::Except(b)) | (Self::Except(b), Self::Among(a)) => {
                Self::Among(a - b)
            }
            (Self::Except(a), Self::Except(b)) => Self::Except(a | b),
        };
    }
}

impl Domain {
    /// Narrows the domain by another of the same term.
    pub fn meet(&mut self, other: &Self) {
        match (self, other) {
            (Self::Words(a), Self::Words(b)) => a.meet(b),
            (Self::Whole(a), Self::Whole(b)) => a.meet(b),
            (Self::Decimal(a), Self::Decimal(b)) => a.meet(b),
            (Self::Truth { yes, no }, Self::Truth { yes: y, no: n }) => {
                *yes &= y;
                *no &= n;
            }
            // A term has one kind. Keeping the first proves less, never more.
            _ => {}
        }
    }

    /// Is there certainly no value left?
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Words(Words::Among(words)) => words.is_empty(),
            Self::Words(Words::Except(_)) => false,
            Self::Whole(range) => range.is_empty(),
            Self::Decimal(r) => !r.absent && !r.nan && (!r.valued || r.bounds_cross()),
            Self::Truth { yes, no } => !yes && !no,
        }
    }
}
