//! Expressions as text, as `from __future__ import annotations` stores them.

use crate::ast::*;
use lh_bytecode::{Const, Wtf8};

/// Binding strength, weakest first; an operand weaker than its place wants gets parentheses.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Prec {
    Tuple,
    Test,
    Or,
    And,
    Not,
    Cmp,
    BitOr,
    Xor,
    BitAnd,
    Shift,
    Arith,
    Term,
    Factor,
    Power,
    Await,
    Atom,
}

const ORDER: [Prec; 16] = [
    Prec::Tuple,
    Prec::Test,
    Prec::Or,
    Prec::And,
    Prec::Not,
    Prec::Cmp,
    Prec::BitOr,
    Prec::Xor,
    Prec::BitAnd,
    Prec::Shift,
    Prec::Arith,
    Prec::Term,
    Prec::Factor,
    Prec::Power,
    Prec::Await,
    Prec::Atom,
];

impl Prec {
    fn next(self) -> Prec {
        ORDER[(self as usize + 1).min(15)]
    }
}

pub fn expression(e: &Expr) -> Wtf8 {
    let mut w = Writer(Wtf8::new());
    w.expr(e, Prec::Test);
    w.0
}

/// `repr()` of a constant.
pub fn constant(c: &Const) -> String {
    let mut w = Writer(Wtf8::new());
    w.constant(c);
    String::from_utf8_lossy(w.0.as_bytes()).into_owned()
}

struct Writer(Wtf8);

impl Writer {
    fn s(&mut self, s: &str) {
        self.0.push_str(s);
    }

    fn paren(&mut self, when: bool, f: impl FnOnce(&mut Self)) {
        if when {
            self.s("(");
        }
        f(self);
        if when {
            self.s(")");
        }
    }

    fn list<'e>(&mut self, es: impl IntoIterator<Item = &'e Expr>) {
        for (i, e) in es.into_iter().enumerate() {
            if i > 0 {
                self.s(", ");
            }
            self.expr(e, Prec::Test);
        }
    }

    fn expr(&mut self, e: &Expr, level: Prec) {
        match &e.kind {
            ExprKind::BoolOp { op, values } => {
                let (text, p) = match op {
                    BoolOp::And => (" and ", Prec::And),
                    BoolOp::Or => (" or ", Prec::Or),
                };
                self.paren(level > p, |w| {
                    for (i, v) in values.iter().enumerate() {
                        if i > 0 {
                            w.s(text);
                        }
                        w.expr(v, p.next());
                    }
                });
            }
            ExprKind::NamedExpr { target, value } => self.paren(level > Prec::Tuple, |w| {
                w.expr(target, Prec::Atom);
                w.s(" := ");
                w.expr(value, Prec::Atom);
            }),
            ExprKind::BinOp { left, op, right } => {
                let (text, p, right_assoc) = match op {
                    Operator::Add => (" + ", Prec::Arith, false),
                    Operator::Sub => (" - ", Prec::Arith, false),
                    Operator::Mult => (" * ", Prec::Term, false),
                    Operator::MatMult => (" @ ", Prec::Term, false),
                    Operator::Div => (" / ", Prec::Term, false),
                    Operator::Mod => (" % ", Prec::Term, false),
                    Operator::LShift => (" << ", Prec::Shift, false),
                    Operator::RShift => (" >> ", Prec::Shift, false),
                    Operator::BitOr => (" | ", Prec::BitOr, false),
                    Operator::BitXor => (" ^ ", Prec::Xor, false),
                    Operator::BitAnd => (" & ", Prec::BitAnd, false),
                    Operator::FloorDiv => (" // ", Prec::Term, false),
                    Operator::Pow => (" ** ", Prec::Power, true),
                };
                self.paren(level > p, |w| {
                    w.expr(left, if right_assoc { p.next() } else { p });
                    w.s(text);
                    w.expr(right, if right_assoc { p } else { p.next() });
                });
            }
            ExprKind::UnaryOp { op, operand } => {
                let (text, p) = match op {
                    UnaryOp::Invert => ("~", Prec::Factor),
                    UnaryOp::Not => ("not ", Prec::Not),
                    UnaryOp::UAdd => ("+", Prec::Factor),
                    UnaryOp::USub => ("-", Prec::Factor),
                };
                self.paren(level > p, |w| {
                    w.s(text);
                    w.expr(operand, p);
                });
            }
            ExprKind::Lambda { args, body } => self.paren(level > Prec::Test, |w| {
                let empty = args.posonlyargs.is_empty()
                    && args.args.is_empty()
                    && args.kwonlyargs.is_empty()
                    && args.vararg.is_none()
                    && args.kwarg.is_none();
                w.s(if empty { "lambda" } else { "lambda " });
                w.arguments(args);
                w.s(": ");
                w.expr(body, Prec::Test);
            }),
            ExprKind::IfExp { test, body, orelse } => self.paren(level > Prec::Test, |w| {
                w.expr(body, Prec::Test.next());
                w.s(" if ");
                w.expr(test, Prec::Test.next());
                w.s(" else ");
                w.expr(orelse, Prec::Test);
            }),
            ExprKind::Dict { keys, values } => {
                self.s("{");
                for (i, (k, v)) in keys.iter().zip(values).enumerate() {
                    if i > 0 {
                        self.s(", ");
                    }
                    match k {
                        Some(k) => {
                            self.expr(k, Prec::Test);
                            self.s(": ");
                            self.expr(v, Prec::Test);
                        }
                        None => {
                            self.s("**");
                            self.expr(v, Prec::BitOr);
                        }
                    }
                }
                self.s("}");
            }
            ExprKind::Set { elts } => {
                self.s("{");
                self.list(elts);
                self.s("}");
            }
            ExprKind::ListComp { elt, generators } => self.comp("[", elt, None, generators, "]"),
            ExprKind::SetComp { elt, generators } => self.comp("{", elt, None, generators, "}"),
            ExprKind::GeneratorExp { elt, generators } => self.comp("(", elt, None, generators, ")"),
            ExprKind::DictComp { key, value, generators } => {
                self.comp("{", key, Some(value), generators, "}")
            }
            ExprKind::Await { value } => self.paren(level > Prec::Await, |w| {
                w.s("await ");
                w.expr(value, Prec::Atom);
            }),
            ExprKind::Yield { value } => {
                self.s("(yield");
                if let Some(v) = value {
                    self.s(" ");
                    self.expr(v, Prec::Test);
                }
                self.s(")");
            }
            ExprKind::YieldFrom { value } => {
                self.s("(yield from ");
                self.expr(value, Prec::Test);
                self.s(")");
            }
            ExprKind::Compare { left, ops, comparators } => self.paren(level > Prec::Cmp, |w| {
                w.expr(left, Prec::Cmp.next());
                for (o, c) in ops.iter().zip(comparators) {
                    w.s(match o {
                        CmpOp::Eq => " == ",
                        CmpOp::NotEq => " != ",
                        CmpOp::Lt => " < ",
                        CmpOp::LtE => " <= ",
                        CmpOp::Gt => " > ",
                        CmpOp::GtE => " >= ",
                        CmpOp::Is => " is ",
                        CmpOp::IsNot => " is not ",
                        CmpOp::In => " in ",
                        CmpOp::NotIn => " not in ",
                    });
                    w.expr(c, Prec::Cmp.next());
                }
            }),
            ExprKind::Call { func, args, keywords } => {
                self.expr(func, Prec::Atom);
                if let ([only], []) = (&args[..], &keywords[..])
                    && matches!(only.kind, ExprKind::GeneratorExp { .. })
                {
                    return self.expr(only, Prec::Atom);
                }
                self.s("(");
                self.list(args);
                for (i, k) in keywords.iter().enumerate() {
                    if i > 0 || !args.is_empty() {
                        self.s(", ");
                    }
                    match &k.arg {
                        Some(n) => {
                            self.s(n);
                            self.s("=");
                        }
                        None => self.s("**"),
                    }
                    self.expr(&k.value, Prec::Test);
                }
                self.s(")");
            }
            ExprKind::FormattedValue { .. } | ExprKind::JoinedStr { .. } => {
                let mut inner = Writer(Wtf8::new());
                inner.fstring(e, false);
                self.s("f");
                self.repr(&inner.0);
            }
            ExprKind::Constant { value, kind_u } => {
                if *kind_u {
                    self.s("u");
                }
                self.constant(value);
            }
            ExprKind::Attribute { value, attr, .. } => {
                self.expr(value, Prec::Atom);
                // `1 .real` needs the blank.
                if matches!(value.as_constant(), Some(Const::Int(_))) {
                    self.s(" ");
                }
                self.s(".");
                self.s(attr);
            }
            ExprKind::Subscript { value, slice, .. } => {
                self.expr(value, Prec::Atom);
                self.s("[");
                self.expr(slice, Prec::Tuple);
                self.s("]");
            }
            ExprKind::Starred { value, .. } => {
                self.s("*");
                self.expr(value, Prec::BitOr);
            }
            ExprKind::Name { id, .. } => self.s(id),
            ExprKind::List { elts, .. } => {
                self.s("[");
                self.list(elts);
                self.s("]");
            }
            ExprKind::Tuple { elts, .. } => {
                if elts.is_empty() {
                    return self.s("()");
                }
                self.paren(level > Prec::Tuple, |w| {
                    w.list(elts);
                    if elts.len() == 1 {
                        w.s(",");
                    }
                });
            }
            ExprKind::Slice { lower, upper, step } => {
                if let Some(l) = lower {
                    self.expr(l, Prec::Test);
                }
                self.s(":");
                if let Some(u) = upper {
                    self.expr(u, Prec::Test);
                }
                if let Some(s) = step {
                    self.s(":");
                    self.expr(s, Prec::Test);
                }
            }
        }
    }

    fn comp(&mut self, open: &str, elt: &Expr, value: Option<&Expr>, gens: &[Comprehension], close: &str) {
        self.s(open);
        self.expr(elt, Prec::Test);
        if let Some(v) = value {
            self.s(": ");
            self.expr(v, Prec::Test);
        }
        for g in gens {
            self.s(if g.is_async { " async for " } else { " for " });
            self.expr(&g.target, Prec::Tuple);
            self.s(" in ");
            self.expr(&g.iter, Prec::Test.next());
            for c in &g.ifs {
                self.s(" if ");
                self.expr(c, Prec::Test.next());
            }
        }
        self.s(close);
    }

    fn arguments(&mut self, a: &Arguments) {
        let mut first = true;
        let mut comma = |w: &mut Self| {
            if !std::mem::replace(&mut first, false) {
                w.s(", ");
            }
        };
        let positional = a.posonlyargs.len() + a.args.len();
        for (i, x) in a.posonlyargs.iter().chain(&a.args).enumerate() {
            comma(self);
            self.arg(x);
            if i + a.defaults.len() >= positional {
                self.s("=");
                self.expr(&a.defaults[i + a.defaults.len() - positional], Prec::Test);
            }
            if i + 1 == a.posonlyargs.len() {
                self.s(", /");
            }
        }
        if a.vararg.is_some() || !a.kwonlyargs.is_empty() {
            comma(self);
            self.s("*");
            if let Some(v) = &a.vararg {
                self.arg(v);
            }
        }
        for (x, d) in a.kwonlyargs.iter().zip(&a.kw_defaults) {
            comma(self);
            self.arg(x);
            if let Some(d) = d {
                self.s("=");
                self.expr(d, Prec::Test);
            }
        }
        if let Some(k) = &a.kwarg {
            comma(self);
            self.s("**");
            self.arg(k);
        }
    }

    fn arg(&mut self, a: &Arg) {
        self.s(&a.arg);
        if let Some(ann) = &a.annotation {
            self.s(": ");
            self.expr(ann, Prec::Test);
        }
    }

    // ---- Strings ----

    /// The inside of an f-string.
    fn fstring(&mut self, e: &Expr, is_spec: bool) {
        match &e.kind {
            ExprKind::Constant { value: Const::Str(s), .. } => {
                for c in s.code_points() {
                    self.0.push_code_point(c);
                    if c == b'{' as u32 || c == b'}' as u32 {
                        self.0.push_code_point(c);
                    }
                }
            }
            ExprKind::JoinedStr { values } if !is_spec || !values.is_empty() => {
                values.iter().for_each(|v| self.fstring(v, is_spec));
            }
            ExprKind::JoinedStr { .. } => {}
            ExprKind::FormattedValue { value, conversion, format_spec } => {
                let mut inner = Writer(Wtf8::new());
                inner.expr(value, Prec::Test.next());
                let blank = inner.0.as_bytes().first() == Some(&b'{');
                self.s(if blank { "{ " } else { "{" });
                self.0.push_wtf8(&inner.0);
                if let Some(c) = u32::try_from(*conversion).ok().and_then(char::from_u32) {
                    self.s("!");
                    self.0.push_code_point(c as u32);
                }
                if let Some(spec) = format_spec {
                    self.s(":");
                    self.fstring(spec, true);
                }
                self.s("}");
            }
            _ => self.expr(e, Prec::Test),
        }
    }

    fn repr(&mut self, s: &Wtf8) {
        let text: Vec<u32> = s.code_points().collect();
        let has = |c: char| text.contains(&(c as u32));
        let quote = if has('\'') && !has('"') { '"' } else { '\'' };
        self.0.push_code_point(quote as u32);
        for &c in &text {
            match char::from_u32(c) {
                Some('\n') => self.s("\\n"),
                Some('\r') => self.s("\\r"),
                Some('\t') => self.s("\\t"),
                Some('\\') => self.s("\\\\"),
                Some(ch) if ch == quote => {
                    self.s("\\");
                    self.0.push_code_point(c);
                }
                Some(' '..='~') => self.0.push_code_point(c),
                Some(ch) if c > 0xa0 && c != 0xad && !ch.is_control() && !ch.is_whitespace() => {
                    self.0.push_code_point(c)
                }
                _ if c < 0x100 => self.s(&format!("\\x{c:02x}")),
                _ if c < 0x10000 => self.s(&format!("\\u{c:04x}")),
                _ => self.s(&format!("\\U{c:08x}")),
            }
        }
        self.0.push_code_point(quote as u32);
    }

    fn bytes_repr(&mut self, b: &[u8]) {
        let quote = if b.contains(&b'\'') && !b.contains(&b'"') { b'"' } else { b'\'' };
        self.s("b");
        self.0.push_code_point(quote as u32);
        for &c in b {
            match c {
                b'\n' => self.s("\\n"),
                b'\r' => self.s("\\r"),
                b'\t' => self.s("\\t"),
                b'\\' => self.s("\\\\"),
                _ if c == quote => {
                    self.s("\\");
                    self.0.push_code_point(c as u32);
                }
                b' '..=b'~' => self.0.push_code_point(c as u32),
                _ => self.s(&format!("\\x{c:02x}")),
            }
        }
        self.0.push_code_point(quote as u32);
    }

    fn constant(&mut self, c: &Const) {
        match c {
            Const::None => self.s("None"),
            Const::True => self.s("True"),
            Const::False => self.s("False"),
            Const::Ellipsis => self.s("..."),
            Const::Int(i) => self.s(&crate::values::to_big(i).to_string()),
            Const::Float(f) => self.s(&float(*f)),
            Const::Complex(re, im) => {
                let im = float(*im);
                let im = im.strip_suffix(".0").unwrap_or(&im);
                if *re == 0.0 && re.is_sign_positive() {
                    self.s(&format!("{im}j"));
                } else {
                    let re = float(*re);
                    let re = re.strip_suffix(".0").unwrap_or(&re);
                    let sign = if im.starts_with('-') { "" } else { "+" };
                    self.s(&format!("({re}{sign}{im}j)"));
                }
            }
            Const::Str(s) => self.repr(s),
            Const::Bytes(b) => self.bytes_repr(b),
            Const::Tuple(items) => {
                self.s("(");
                for (i, x) in items.iter().enumerate() {
                    if i > 0 {
                        self.s(", ");
                    }
                    self.constant(x);
                }
                self.s(if items.len() == 1 { ",)" } else { ")" });
            }
            Const::FrozenSet(items) => {
                self.s("frozenset({");
                for (i, x) in items.iter().enumerate() {
                    if i > 0 {
                        self.s(", ");
                    }
                    self.constant(x);
                }
                self.s("})");
            }
            Const::Code(c) => self.s(&format!("<code object {}>", c.name)),
        }
    }
}

/// `repr()` of a float, with infinity as a literal that reads back.
fn float(f: f64) -> String {
    if f.is_infinite() {
        return if f > 0.0 { "1e309".into() } else { "-1e309".into() };
    }
    if f.is_nan() {
        return "nan".into();
    }
    let sci = format!("{f:e}");
    let (mantissa, exp) = sci.split_once('e').unwrap_or((&sci, "0"));
    let exp: i32 = exp.parse().unwrap_or(0);
    if (-4..16).contains(&exp) {
        let s = format!("{f}");
        return if s.contains('.') { s } else { s + ".0" };
    }
    format!("{mantissa}e{}{:02}", if exp < 0 { '-' } else { '+' }, exp.abs())
}
