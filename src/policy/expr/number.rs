//! Arithmetic that always has an answer, and when a moving comparison flips.

use std::cmp::Ordering;

use jiff::{SignedDuration, Timestamp};

use super::eval::V;
use super::program::{Arith, Compare};

/// 2^63, the first double beyond every `i64`.
const TWO_63: f64 = 9_223_372_036_854_775_808.0;

/// A whole number and a double, compared exactly; `None` for not-a-number.
pub(super) fn compare(a: i64, b: f64) -> Option<Ordering> {
    if b.is_nan() {
        return None;
    }
    if b >= TWO_63 {
        return Some(Ordering::Less);
    }
    if b < -TWO_63 {
        return Some(Ordering::Greater);
    }
    let whole = b.trunc();
    let order = a.cmp(&to_int(whole));
    // Equal so far: the fraction decides.
    Some(order.then_with(|| whole.partial_cmp(&b).unwrap_or(Ordering::Equal)))
}

/// The nearest double.
#[expect(clippy::cast_precision_loss, reason = "what CEL's double() does")]
pub(super) fn to_double(i: i64) -> f64 {
    i as f64
}

/// Towards zero; saturates at the limits; not-a-number gives zero.
#[expect(clippy::cast_possible_truncation, reason = "`as` saturates")]
pub(super) fn to_int(d: f64) -> i64 {
    d as i64
}

/// `+ - * / %` of whole numbers.
pub(super) fn whole(how: Arith, a: i64, b: i64) -> i64 {
    match how {
        Arith::Add => a.saturating_add(b),
        Arith::Sub => a.saturating_sub(b),
        Arith::Mul => a.saturating_mul(b),
        Arith::Div if b == 0 => 0,
        Arith::Div => a.saturating_div(b),
        Arith::Rem => a.checked_rem(b).unwrap_or(0),
    }
}

/// `+ - * / %`. Whole numbers, instants and durations saturate; whole numbers divided by zero
/// give zero; doubles follow IEEE 754, as in CEL. `+` also joins texts and lists.
pub(super) fn arithmetic<'a>(how: Arith, a: V<'a>, b: V<'a>) -> V<'a> {
    match (a, b) {
        (V::Int(a), V::Int(b)) => V::Int(whole(how, a, b)),
        (V::Double(a), V::Double(b)) => V::Double(match how {
            Arith::Add => a + b,
            Arith::Sub => a - b,
            Arith::Mul => a * b,
            Arith::Div => a / b,
            Arith::Rem => a % b,
        }),
        (V::Time(a, ra), V::Time(b, rb)) => V::Span(a.duration_since(b), ra.saturating_sub(rb)),
        (V::Time(t, rt), V::Span(d, rd)) => shift(how, t, rt, d, rd),
        (V::Span(d, rd), V::Time(t, rt)) => shift(Arith::Add, t, rt, d, rd),
        (V::Span(a, ra), V::Span(b, rb)) => match how {
            Arith::Sub => V::Span(a.saturating_sub(b), ra.saturating_sub(rb)),
            _ => V::Span(a.saturating_add(b), ra.saturating_add(rb)),
        },
        (a @ (V::Str(_) | V::Text(_)), b @ (V::Str(_) | V::Text(_))) => {
            let mut joined = String::with_capacity(a.str().len() + b.str().len());
            joined.push_str(a.str());
            joined.push_str(b.str());
            V::Text(joined.into())
        }
        (a @ (V::List(_) | V::Owned(_)), b @ (V::List(_) | V::Owned(_))) => {
            V::Owned(a.list().iter().chain(b.list()).cloned().collect())
        }
        _ => V::Absent,
    }
}

fn shift<'a>(how: Arith, t: Timestamp, rt: i32, d: SignedDuration, rd: i32) -> V<'a> {
    let (moved, rate) = if how == Arith::Sub {
        (t.saturating_sub(d), rt.saturating_sub(rd))
    } else {
        (t.saturating_add(d), rt.saturating_add(rd))
    };
    V::Time(moved.unwrap_or(t), rate)
}

/// Two moving values are `distance` nanoseconds apart and draw apart by `rate` nanoseconds in
/// each: after how many does the comparison of the first with the second change its answer?
pub(super) fn flips_after(how: Compare, distance: i128, rate: i128) -> Option<i128> {
    if rate == 0 {
        return None;
    }
    if rate < 0 {
        // The same from the other side.
        let mirrored = match how {
            Compare::Lt => Compare::Gt,
            Compare::Le => Compare::Ge,
            Compare::Gt => Compare::Lt,
            Compare::Ge => Compare::Le,
            same => same,
        };
        return flips_after(mirrored, -distance, -rate);
    }
    match how {
        // Below zero until it reaches zero.
        Compare::Lt | Compare::Ge => (distance < 0).then(|| (-distance + rate - 1) / rate),
        // At or below zero until it leaves zero.
        Compare::Le | Compare::Gt => (distance <= 0).then(|| -distance / rate + 1),
        Compare::Eq | Compare::Ne => match distance.cmp(&0) {
            Ordering::Less if distance % rate == 0 => Some(-distance / rate),
            Ordering::Equal => Some(1),
            _ => None,
        },
    }
}

/// Reads a duration as CEL writes it: `1h30m`, `-1.5h`, `250ms`. Units: h, m, s, ms, us, ns.
pub(super) fn duration(text: &str) -> Option<SignedDuration> {
    let (negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Some(SignedDuration::ZERO);
    }
    if rest.is_empty() {
        return None;
    }
    let mut nanos: i128 = 0;
    while !rest.is_empty() {
        let unit_at = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, after) = rest.split_at(unit_at);
        let unit_end = after
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(after.len());
        let (unit, after) = after.split_at(unit_end);
        let scale: i128 = match unit {
            "h" => 3_600_000_000_000,
            "m" => 60_000_000_000,
            "s" => 1_000_000_000,
            "ms" => 1_000_000,
            "us" | "µs" => 1_000,
            "ns" => 1,
            _ => return None,
        };
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if whole.is_empty() && fraction.is_empty() {
            return None;
        }
        if !whole.is_empty() {
            nanos = nanos.checked_add(whole.parse::<i128>().ok()?.checked_mul(scale)?)?;
        }
        let mut digit = scale;
        for c in fraction.chars() {
            digit /= 10;
            nanos = nanos.checked_add(i128::from(c.to_digit(10)?) * digit)?;
        }
        rest = after;
    }
    let nanos = if negative { -nanos } else { nanos };
    // As in CEL, a duration fits 64 bits of nanoseconds (292 years).
    i64::try_from(nanos).ok().map(SignedDuration::from_nanos)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_as_cel_writes_them() {
        let nanos = |text| duration(text).map(|d| d.as_nanos());
        assert_eq!(nanos("1h30m"), Some(5_400_000_000_000));
        assert_eq!(nanos("-1.5h"), Some(-5_400_000_000_000));
        assert_eq!(nanos("1.25ms10ns"), Some(1_250_010));
        assert_eq!(nanos("0"), Some(0));
        assert_eq!(nanos(".5s"), Some(500_000_000));
        for bad in ["", "-", "5", "1d", "h", ".s", "1h ", "1..2s", "9999999999h"] {
            assert_eq!(nanos(bad), None, "{bad}");
        }
    }

    #[test]
    fn whole_numbers_and_doubles_compare_exactly() {
        assert_eq!(compare(1, 1.0), Some(Ordering::Equal));
        assert_eq!(compare(0, -0.0), Some(Ordering::Equal));
        assert_eq!(compare(1, 1.5), Some(Ordering::Less));
        assert_eq!(compare(-1, -1.5), Some(Ordering::Greater));
        assert_eq!(compare(2, 1.5), Some(Ordering::Greater));
        // 2^53 + 1 has no double; the nearest is 2^53.
        assert_eq!(
            compare((1 << 53) + 1, 9_007_199_254_740_992.0),
            Some(Ordering::Greater)
        );
        assert_eq!(compare(i64::MAX, TWO_63), Some(Ordering::Less));
        assert_eq!(compare(i64::MIN, -TWO_63), Some(Ordering::Equal));
        assert_eq!(compare(0, f64::NAN), None);
        assert_eq!(compare(0, f64::NEG_INFINITY), Some(Ordering::Greater));
    }

    #[test]
    fn a_flip_is_the_first_nanosecond_with_another_answer() {
        let holds = |how: Compare, d: i128| match how {
            Compare::Eq => d == 0,
            Compare::Ne => d != 0,
            Compare::Lt => d < 0,
            Compare::Le => d <= 0,
            Compare::Gt => d > 0,
            Compare::Ge => d >= 0,
        };
        let all = [
            Compare::Eq,
            Compare::Ne,
            Compare::Lt,
            Compare::Le,
            Compare::Gt,
            Compare::Ge,
        ];
        for how in all {
            for distance in -7..=7 {
                for rate in -3..=3 {
                    let seen =
                        (1..50).find(|t| holds(how, distance + rate * t) != holds(how, distance));
                    assert_eq!(
                        flips_after(how, distance, rate),
                        seen,
                        "{how:?} {distance} {rate}"
                    );
                }
            }
        }
    }
}
