//! Prints a parsed tree, so that parsing can be checked against itself.

use crate::policy::expr::ast::{Ast, Binary, Id, Kind};

/// The tree as text with the fewest brackets that keep its shape.
pub(super) fn print(ast: &Ast) -> String {
    node(ast, ast.root)
}

/// How strongly a node holds together; 10 for what never needs brackets.
fn strength(kind: &Kind) -> u8 {
    match kind {
        Kind::Cond(..) => 0,
        Kind::Or(_) => 1,
        Kind::And(_) => 2,
        Kind::Binary(op, ..) => 2 + op.strength(),
        Kind::Not(_) | Kind::Negate(_) => 6,
        Kind::Int(i) if *i < 0 => 6,
        _ => 10,
    }
}

fn at_least(ast: &Ast, id: Id, least: u8) -> String {
    let text = node(ast, id);
    if strength(ast.kind(id)) < least {
        format!("({text})")
    } else {
        text
    }
}

fn node(ast: &Ast, id: Id) -> String {
    let joined = |ids: &[Id], sign: &str, least: u8| {
        let parts: Vec<_> = ids.iter().map(|i| at_least(ast, *i, least)).collect();
        parts.join(sign)
    };
    match ast.kind(id) {
        Kind::Bool(b) => b.to_string(),
        Kind::Int(i) => i.to_string(),
        Kind::Double(d) => format!("{d:?}"),
        Kind::Str(s) => {
            let escaped = s.chars().map(|c| format!("\\U{:08x}", c as u32));
            let escaped = escaped.collect::<Vec<_>>().concat();
            format!("\"{escaped}\"")
        }
        Kind::Name(name) => name.clone(),
        Kind::Select(of, name) => format!("{}.{name}", at_least(ast, *of, 10)),
        Kind::Index(of, key) => format!("{}[{}]", at_least(ast, *of, 10), node(ast, *key)),
        Kind::Call {
            target, name, args, ..
        } => {
            let args = joined(args, ", ", 0);
            match target {
                Some(target) => format!("{}.{name}({args})", at_least(ast, *target, 10)),
                None => format!("{name}({args})"),
            }
        }
        Kind::List(items) => format!("[{}]", joined(items, ", ", 0)),
        Kind::And(parts) => joined(parts, " && ", 3),
        Kind::Or(parts) => joined(parts, " || ", 2),
        Kind::Not(inner) => format!("!{}", at_least(ast, *inner, 6)),
        Kind::Negate(inner) => format!("-{}", at_least(ast, *inner, 7)),
        Kind::Cond(condition, yes, no) => format!(
            "{} ? {} : {}",
            at_least(ast, *condition, 1),
            at_least(ast, *yes, 1),
            node(ast, *no)
        ),
        Kind::Binary(op, a, b) => {
            let strength = 2 + Binary::strength(*op);
            let (a, b) = (at_least(ast, *a, strength), at_least(ast, *b, strength + 1));
            format!("{a} {} {b}", op.sign())
        }
        Kind::Broken => "<broken>".to_owned(),
    }
}

/// Are two trees the same, whatever the spans?
#[expect(
    clippy::many_single_char_names,
    reason = "two of everything, side by side"
)]
pub(super) fn same(a: &Ast, x: Id, b: &Ast, y: Id) -> bool {
    let all = |xs: &[Id], ys: &[Id]| {
        xs.len() == ys.len() && xs.iter().zip(ys).all(|(x, y)| same(a, *x, b, *y))
    };
    match (a.kind(x), b.kind(y)) {
        (Kind::Select(x, n), Kind::Select(y, m)) => n == m && all(&[*x], &[*y]),
        (Kind::Index(x1, x2), Kind::Index(y1, y2)) => all(&[*x1, *x2], &[*y1, *y2]),
        (
            Kind::Call {
                target: t,
                name: n,
                args: xs,
                ..
            },
            Kind::Call {
                target: u,
                name: m,
                args: ys,
                ..
            },
        ) => {
            let target = match (t, u) {
                (Some(t), Some(u)) => all(&[*t], &[*u]),
                (t, u) => t.is_none() && u.is_none(),
            };
            n == m && target && all(xs, ys)
        }
        (Kind::List(xs), Kind::List(ys))
        | (Kind::And(xs), Kind::And(ys))
        | (Kind::Or(xs), Kind::Or(ys)) => all(xs, ys),
        (Kind::Not(x), Kind::Not(y)) | (Kind::Negate(x), Kind::Negate(y)) => all(&[*x], &[*y]),
        (Kind::Cond(x1, x2, x3), Kind::Cond(y1, y2, y3)) => all(&[*x1, *x2, *x3], &[*y1, *y2, *y3]),
        (Kind::Binary(o, x1, x2), Kind::Binary(p, y1, y2)) => {
            o == p && all(&[*x1, *x2], &[*y1, *y2])
        }
        (x, y) => x == y,
    }
}
