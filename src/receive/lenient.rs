//! Reading JSON that may be otherwise: a field of another type counts as absent.
//!
//! GitHub adds values and changes shapes; a payload is never refused for a field, used or not.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// Visits whatever is not wanted, and makes it `None`.
macro_rules! otherwise_none {
    ($($method:ident: $type:ty),*) => {$(
        fn $method<E>(self, _: $type) -> Result<Self::Value, E> {
            Ok(None)
        }
    )*};
}

macro_rules! nothing_is_none {
    () => {
        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok(None)
        }
        fn visit_none<E>(self) -> Result<Self::Value, E> {
            Ok(None)
        }
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("anything")
        }
    };
}

macro_rules! list_is_none {
    () => {
        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
            while list.next_element::<IgnoredAny>()?.is_some() {}
            Ok(None)
        }
    };
}

macro_rules! object_is_none {
    () => {
        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            Ok(None)
        }
    };
}

/// A string, borrowed from the payload where it has no escapes.
pub(super) fn text<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Cow<'de, str>>, D::Error> {
    struct Text;
    impl<'de> Visitor<'de> for Text {
        type Value = Option<Cow<'de, str>>;
        fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
            Ok(Some(Cow::Borrowed(text)))
        }
        fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
            Ok(Some(Cow::Owned(text.to_owned())))
        }
        otherwise_none! { visit_bool: bool, visit_i64: i64, visit_u64: u64, visit_f64: f64 }
        nothing_is_none! {}
        list_is_none! {}
        object_is_none! {}
    }
    from.deserialize_any(Text)
}

/// A string, owned; absent and otherwise is empty.
pub(super) fn string<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    text(from).map(|text| text.map(Cow::into_owned).unwrap_or_default())
}

/// A whole number that is not negative.
pub(super) fn number<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u64>, D::Error> {
    struct Number;
    impl<'de> Visitor<'de> for Number {
        type Value = Option<u64>;
        fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
            Ok(Some(number))
        }
        otherwise_none! { visit_bool: bool, visit_i64: i64, visit_f64: f64, visit_str: &str }
        nothing_is_none! {}
        list_is_none! {}
        object_is_none! {}
    }
    from.deserialize_any(Number)
}

/// `true` or `false`.
pub(super) fn flag<'de, D: Deserializer<'de>>(from: D) -> Result<Option<bool>, D::Error> {
    struct Flag;
    impl<'de> Visitor<'de> for Flag {
        type Value = Option<bool>;
        fn visit_bool<E>(self, flag: bool) -> Result<Self::Value, E> {
            Ok(Some(flag))
        }
        otherwise_none! { visit_u64: u64, visit_i64: i64, visit_f64: f64, visit_str: &str }
        nothing_is_none! {}
        list_is_none! {}
        object_is_none! {}
    }
    from.deserialize_any(Flag)
}

/// An object.
pub(super) fn object<'de, D, T>(from: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    struct Object<T>(PhantomData<T>);
    impl<'de, T: Deserialize<'de>> Visitor<'de> for Object<T> {
        type Value = Option<T>;
        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
            T::deserialize(MapAccessDeserializer::new(map)).map(Some)
        }
        otherwise_none! {
            visit_bool: bool, visit_u64: u64, visit_i64: i64, visit_f64: f64, visit_str: &str
        }
        nothing_is_none! {}
        list_is_none! {}
    }
    from.deserialize_any(Object(PhantomData))
}

/// A list of objects; what is no object is left out.
pub(super) fn objects<'de, D, T>(from: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    struct One<T>(Option<T>);
    impl<'de, T: Deserialize<'de>> Deserialize<'de> for One<T> {
        fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
            object(from).map(One)
        }
    }
    struct Objects<T>(PhantomData<T>);
    impl<'de, T: Deserialize<'de>> Visitor<'de> for Objects<T> {
        type Value = Option<Vec<T>>;
        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
            let mut found = Vec::new();
            while let Some(One(one)) = list.next_element()? {
                found.extend(one);
            }
            Ok(Some(found))
        }
        otherwise_none! {
            visit_bool: bool, visit_u64: u64, visit_i64: i64, visit_f64: f64, visit_str: &str
        }
        nothing_is_none! {}
        object_is_none! {}
    }
    from.deserialize_any(Objects(PhantomData))
        .map(Option::unwrap_or_default)
}

/// Something that is neither absent nor `null`.
pub(super) fn present<'de, D: Deserializer<'de>>(from: D) -> Result<bool, D::Error> {
    Option::<IgnoredAny>::deserialize(from).map(|any| any.is_some())
}
