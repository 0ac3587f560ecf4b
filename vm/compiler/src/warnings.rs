//! Warnings that compiling gives: suspicious code that is valid all the same.

use crate::ast::*;
use lh_bytecode::Const;
use std::cell::RefCell;

#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Category {
    /// `SyntaxWarning`
    Syntax,
    /// `DeprecationWarning`
    Deprecation,
}

/// A warning for the caller to issue (as `warn_explicit` with the file's name). If the filter turns it into an error, the error is
/// a `SyntaxError` with this message and position.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Warning {
    pub category: Category,
    pub msg: String,
    pub loc: Location,
}

/// Where warnings are collected.
pub type Sink = RefCell<Vec<Warning>>;

pub fn warn(sink: Option<&Sink>, category: Category, msg: impl Into<String>, loc: Location) {
    if let Some(s) = sink {
        s.borrow_mut().push(Warning { category, msg: msg.into(), loc });
    }
}

/// The type that an expression surely has.
fn type_name(e: &Expr) -> Option<&'static str> {
    Some(match &e.kind {
        ExprKind::Tuple { .. } => "tuple",
        ExprKind::List { .. } | ExprKind::ListComp { .. } => "list",
        ExprKind::Dict { .. } | ExprKind::DictComp { .. } => "dict",
        ExprKind::Set { .. } | ExprKind::SetComp { .. } => "set",
        ExprKind::GeneratorExp { .. } => "generator",
        ExprKind::Lambda { .. } => "function",
        ExprKind::JoinedStr { .. } | ExprKind::FormattedValue { .. } => "str",
        ExprKind::Slice { .. } => "slice",
        ExprKind::Constant { value, .. } => match value {
            Const::None => "NoneType",
            Const::True | Const::False => "bool",
            Const::Ellipsis => "ellipsis",
            Const::Int(_) => "int",
            Const::Float(_) => "float",
            Const::Complex(..) => "complex",
            Const::Str(_) => "str",
            Const::Bytes(_) => "bytes",
            Const::Tuple(_) => "tuple",
            Const::FrozenSet(_) => "frozenset",
            Const::Code(_) => "code",
        },
        _ => return None,
    })
}

/// `"text" (x)`: something that can't be called is called.
pub fn of_call(func: &Expr) -> Option<String> {
    if matches!(func.kind, ExprKind::Lambda { .. } | ExprKind::Slice { .. }) {
        return None;
    }
    let t = type_name(func)?;
    Some(format!("'{t}' object is not callable; perhaps you missed a comma?"))
}

/// `1 [x]`, `[...] [1, 2]`
pub fn of_subscript(value: &Expr, index: &Expr) -> Option<String> {
    let t = type_name(value)?;
    match t {
        "NoneType" | "ellipsis" | "int" | "bool" | "float" | "complex" | "set" | "frozenset"
        | "generator" | "function" => {
            Some(format!("'{t}' object is not subscriptable; perhaps you missed a comma?"))
        }
        "str" | "bytes" | "tuple" | "list" => {
            let i = type_name(index).filter(|i| !matches!(*i, "int" | "bool" | "slice"))?;
            Some(format!("{t} indices must be integers or slices, not {i}; perhaps you missed a comma?"))
        }
        _ => None,
    }
}

/// `x is 1`
pub fn of_compare(left: &Expr, ops: &[CmpOp], comparators: &[Expr]) -> Option<&'static str> {
    let literal = |e: &Expr| {
        e.as_constant()
            .is_some_and(|c| !matches!(c, Const::None | Const::True | Const::False | Const::Ellipsis))
    };
    let mut before = literal(left);
    for (o, c) in ops.iter().zip(comparators) {
        let now = literal(c);
        if before || now {
            match o {
                CmpOp::Is => return Some("\"is\" with a literal. Did you mean \"==\"?"),
                CmpOp::IsNot => return Some("\"is not\" with a literal. Did you mean \"!=\"?"),
                _ => {}
            }
        }
        before = now;
    }
    None
}

/// `assert (x, "message")`
pub fn of_assert(test: &Expr) -> Option<&'static str> {
    let tuple = match &test.kind {
        ExprKind::Tuple { elts, .. } => !elts.is_empty(),
        ExprKind::Constant { value: Const::Tuple(t), .. } => !t.is_empty(),
        _ => false,
    };
    tuple.then_some("assertion is always true, perhaps remove parentheses?")
}

/// What to say of the first bad escape of a literal's body: one that is not known, or too large a number.
pub fn bad_escape(body: &str, bytes: bool) -> Option<String> {
    let mut rest = body;
    while let Some(at) = memchr::memchr(b'\\', rest.as_bytes()) {
        rest = &rest[at + 1..];
        let c = rest.chars().next()?;
        match c {
            '4'..='7'
                if rest.len() >= 3 && rest.as_bytes()[1..3].iter().all(|d| matches!(d, b'0'..=b'7')) =>
            {
                return Some(format!("invalid octal escape sequence '\\{}'", &rest[..3]));
            }
            '\n' | '\\' | '\'' | '"' | 'a' | 'b' | 'f' | 'n' | 'r' | 't' | 'v' | 'x' | '0'..='7' => {}
            'N' | 'u' | 'U' if !bytes => {}
            other => return Some(format!("invalid escape sequence '\\{other}'")),
        }
        rest = &rest[c.len_utf8()..];
    }
    None
}
