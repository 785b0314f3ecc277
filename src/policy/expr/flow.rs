//! What a condition's answer tells about what has a value.

/// A fact or a part of one, by its number in the checker.
pub(super) type Place = u32;

/// In [`Flow::known`]: it never comes to this, so every place may be taken to have a value.
pub(super) const EVERY_PLACE: Place = u32::MAX;

/// Places that have a value. `None`: it never comes to this, so anything may be said.
type Places = Option<Vec<Place>>;

/// The places that have a value if the condition holds, and those that have one if it does not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Flow {
    yes: Places,
    no: Places,
}

impl Default for Flow {
    /// Nothing is known.
    fn default() -> Self {
        Self {
            yes: Some(Vec::new()),
            no: Some(Vec::new()),
        }
    }
}

impl Flow {
    /// Of `has(place)`.
    pub fn has(place: Place) -> Self {
        Self {
            yes: Some(vec![place]),
            no: Some(Vec::new()),
        }
    }

    /// Of `true` and `false`.
    pub fn constant(holds: bool) -> Self {
        Self {
            yes: holds.then(Vec::new),
            no: (!holds).then(Vec::new),
        }
    }

    /// What has a value where the condition held, or did not.
    pub fn known(&self, held: bool) -> &[Place] {
        let places = if held { &self.yes } else { &self.no };
        places.as_deref().unwrap_or(&[EVERY_PLACE])
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
            no: either(&self.no, &union(&self.yes, &then.no)),
        }
    }

    /// Of `self || then`.
    pub fn or(&self, then: &Self) -> Self {
        self.swapped().and(&then.swapped()).swapped()
    }
}

/// Known where both have been passed.
fn union(a: &Places, b: &Places) -> Places {
    let (a, b) = (a.as_ref()?, b.as_ref()?);
    let mut all = a.clone();
    all.extend(b.iter().filter(|p| !a.contains(p)));
    Some(all)
}

/// Known where one or the other has been passed.
fn either(a: &Places, b: &Places) -> Places {
    match (a, b) {
        (None, other) | (other, None) => other.clone(),
        (Some(a), Some(b)) => Some(a.iter().filter(|p| b.contains(p)).copied().collect()),
    }
}
