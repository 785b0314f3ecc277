//! What a condition's answer tells about what has a value.

/// A fact or a part of one, by its number in the checker.
pub(super) type Place = u32;

/// The places that have a value if the condition holds, and those that have one if it does not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Flow {
    pub yes: Vec<Place>,
    pub no: Vec<Place>,
}

impl Flow {
    /// Of `has(place)`.
    pub fn has(place: Place) -> Self {
        Self {
            yes: vec![place],
            no: Vec::new(),
        }
    }

    /// Of the condition's negation.
    pub fn swapped(&self) -> Self {
        Self {
            yes: self.no.clone(),
            no: self.yes.clone(),
        }
    }

    /// Of `self && then`. If it does not hold, either `self` did not, or `self` did and `then`
    /// did not.
    pub fn and(&self, then: &Self) -> Self {
        Self {
            yes: union(&self.yes, &then.yes),
            no: both(&self.no, &union(&self.yes, &then.no)),
        }
    }

    /// Of `self || then`.
    pub fn or(&self, then: &Self) -> Self {
        self.swapped().and(&then.swapped()).swapped()
    }
}

fn union(a: &[Place], b: &[Place]) -> Vec<Place> {
    let mut all = a.to_vec();
    all.extend(b.iter().filter(|p| !a.contains(p)).copied());
    all
}

fn both(a: &[Place], b: &[Place]) -> Vec<Place> {
    a.iter().filter(|p| b.contains(p)).copied().collect()
}
