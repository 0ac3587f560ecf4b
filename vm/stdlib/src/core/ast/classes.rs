//! The node classes of `_ast`, made from the text of the abstract grammar.
//!
//! ```text
//! AST <- expr <- Name, Call, ...        a sum type is a class, its constructors are subclasses
//! AST <- arguments, alias, ...          a product type is a class with fields
//! ```
//! `AST` is a type of ours, mutable as CPython's is; the others are made by calling `type`, so programs can derive from them and set
//! attributes. Constructors without fields have one shared instance that trees use.

use lh_runtime::prelude::*;
use std::collections::HashMap;
use std::sync::OnceLock;

/// Sum types: `name = Constructor(type name, ...) | ...`, product types: `name(type name, ...)`; `@` marks types whose nodes have
/// positions. The order of constructors is that of doc strings.
const GRAMMAR: &str = "\
mod = Module(stmt* body, type_ignore* type_ignores) | Interactive(stmt* body) | Expression(expr body) | \
 FunctionType(expr* argtypes, expr returns)
@stmt = FunctionDef(identifier name, arguments args, stmt* body, expr* decorator_list, expr? returns, string? type_comment) | \
 AsyncFunctionDef(identifier name, arguments args, stmt* body, expr* decorator_list, expr? returns, string? type_comment) | \
 ClassDef(identifier name, expr* bases, keyword* keywords, stmt* body, expr* decorator_list) | \
 Return(expr? value) | Delete(expr* targets) | Assign(expr* targets, expr value, string? type_comment) | \
 AugAssign(expr target, operator op, expr value) | AnnAssign(expr target, expr annotation, expr? value, int simple) | \
 For(expr target, expr iter, stmt* body, stmt* orelse, string? type_comment) | \
 AsyncFor(expr target, expr iter, stmt* body, stmt* orelse, string? type_comment) | \
 While(expr test, stmt* body, stmt* orelse) | If(expr test, stmt* body, stmt* orelse) | \
 With(withitem* items, stmt* body, string? type_comment) | AsyncWith(withitem* items, stmt* body, string? type_comment) | \
 Match(expr subject, match_case* cases) | Raise(expr? exc, expr? cause) | \
 Try(stmt* body, excepthandler* handlers, stmt* orelse, stmt* finalbody) | \
 TryStar(stmt* body, excepthandler* handlers, stmt* orelse, stmt* finalbody) | Assert(expr test, expr? msg) | \
 Import(alias* names) | ImportFrom(identifier? module, alias* names, int? level) | Global(identifier* names) | \
 Nonlocal(identifier* names) | Expr(expr value) | Pass | Break | Continue
@expr = BoolOp(boolop op, expr* values) | NamedExpr(expr target, expr value) | BinOp(expr left, operator op, expr right) | \
 UnaryOp(unaryop op, expr operand) | Lambda(arguments args, expr body) | IfExp(expr test, expr body, expr orelse) | \
 Dict(expr* keys, expr* values) | Set(expr* elts) | ListComp(expr elt, comprehension* generators) | \
 SetComp(expr elt, comprehension* generators) | DictComp(expr key, expr value, comprehension* generators) | \
 GeneratorExp(expr elt, comprehension* generators) | Await(expr value) | Yield(expr? value) | YieldFrom(expr value) | \
 Compare(expr left, cmpop* ops, expr* comparators) | Call(expr func, expr* args, keyword* keywords) | \
 FormattedValue(expr value, int conversion, expr? format_spec) | JoinedStr(expr* values) | Constant(constant value, string? kind) | \
 Attribute(expr value, identifier attr, expr_context ctx) | Subscript(expr value, expr slice, expr_context ctx) | \
 Starred(expr value, expr_context ctx) | Name(identifier id, expr_context ctx) | List(expr* elts, expr_context ctx) | \
 Tuple(expr* elts, expr_context ctx) | Slice(expr? lower, expr? upper, expr? step)
expr_context = Load | Store | Del
boolop = And | Or
operator = Add | Sub | Mult | MatMult | Div | Mod | Pow | LShift | RShift | BitOr | BitXor | BitAnd | FloorDiv
unaryop = Invert | Not | UAdd | USub
cmpop = Eq | NotEq | Lt | LtE | Gt | GtE | Is | IsNot | In | NotIn
comprehension(expr target, expr iter, expr* ifs, int is_async)
@excepthandler = ExceptHandler(expr? type, identifier? name, stmt* body)
arguments(arg* posonlyargs, arg* args, arg? vararg, arg* kwonlyargs, expr* kw_defaults, arg? kwarg, expr* defaults)
@arg(identifier arg, expr? annotation, string? type_comment)
@keyword(identifier? arg, expr value)
@alias(identifier name, identifier? asname)
withitem(expr context_expr, expr? optional_vars)
match_case(pattern pattern, expr? guard, stmt* body)
@pattern = MatchValue(expr value) | MatchSingleton(constant value) | MatchSequence(pattern* patterns) | \
 MatchMapping(expr* keys, pattern* patterns, identifier? rest) | \
 MatchClass(expr cls, pattern* patterns, identifier* kwd_attrs, pattern* kwd_patterns) | MatchStar(identifier? name) | \
 MatchAs(pattern? pattern, identifier? name) | MatchOr(pattern* patterns)
type_ignore = TypeIgnore(int lineno, string tag)";

/// The base class of all nodes.
#[pyclass(name = "AST", module = "ast", basetype, dict, mutabletype)]
pub struct Ast {}

#[pymethods]
impl Ast {
    #[slot(tp_new)]
    fn py_new(cls: &Type, _args: &Tuple, _kw: Option<&Dict>) -> PyResult<Owned<Ast>> {
        Ast {}.build_in(cls)
    }
    #[slot(tp_init)]
    fn py_init(&self, args: &Tuple, kw: Option<&Dict>) -> PyResult<()> {
        let name = || self.ty().short_name();
        let fields = match self.ty().as_object().get_attr_opt(intern!("_fields"))? {
            Some(f) => f.to_items()?,
            None => vec![],
        };
        if args.len() > fields.len() {
            let s = if fields.len() == 1 { "" } else { "s" };
            return raise!(
                TypeError,
                "{} constructor takes at most {} positional argument{}",
                name(),
                fields.len(),
                s
            );
        }
        for (f, v) in fields.iter().zip(args.iter()) {
            match f.downcast::<Str>() {
                Some(f) => self.set_attr(f, v)?,
                None => return raise!(TypeError, "attribute name must be string, not '{}'", f.ty().name()),
            }
        }
        for (k, v) in kw.map(|k| k.items_vec()).unwrap_or_default() {
            for f in &fields[..args.len()] {
                if f.equals_obj(&k)? {
                    let k = k.str()?;
                    return raise!(
                        TypeError,
                        "{} got multiple values for argument '{}'",
                        name(),
                        k.to_str_lossy()
                    );
                }
            }
            match k.downcast::<Str>() {
                Some(k) => self.set_attr(k, &v)?,
                None => return raise!(TypeError, "keywords must be strings"),
            }
        }
        Ok(())
    }
    #[pymethod(signature = "()")]
    fn __reduce__(&self) -> PyResult {
        let class = self.ty();
        match self.get_attr_opt(intern!("__dict__"))? {
            Some(d) => (class, Tuple::empty(), d).into_py(),
            None => (class, Tuple::empty()).into_py(),
        }
    }
}

struct Constructor<'a> {
    name: &'a str,
    text: &'a str,
    /// Type (with `*` or `?`) and name.
    fields: Vec<(&'a str, &'a str)>,
}

fn constructor(text: &str) -> Constructor<'_> {
    let text = text.trim();
    let Some((name, rest)) = text.split_once('(') else {
        return Constructor { name: text, text, fields: vec![] };
    };
    let fields = rest.trim_end_matches(')').split(", ").filter_map(|f| f.split_once(' ')).collect();
    Constructor { name, text, fields }
}

fn names(fields: &[(&str, &str)]) -> Owned<Tuple> {
    Tuple::from_vec(fields.iter().map(|f| Str::interned(f.1).own().into_object()).collect())
}

const POSITIONS: [(&str, &str); 4] =
    [("int", "lineno"), ("int", "col_offset"), ("int?", "end_lineno"), ("int?", "end_col_offset")];

/// `attributes`: the sum type's own; `None` inherits.
fn make_class(
    base: &Type,
    c: &Constructor<'_>,
    doc: &str,
    attributes: Option<bool>,
) -> PyResult<Owned<Type>> {
    let d = Dict::new();
    let fields = names(&c.fields);
    d.set_str("_fields", &fields)?;
    d.set_str("__match_args__", &fields)?;
    d.set_str("__module__", intern!("ast"))?;
    d.set_str("__doc__", &Str::new(doc))?;
    for f in c.fields.iter().filter(|f| f.0.ends_with('?')) {
        d.set_str(f.1, none_ref())?;
    }
    if let Some(positions) = attributes {
        d.set_str("_attributes", &names(if positions { &POSITIONS } else { &[] }))?;
        // `pattern` requires its end positions.
        if positions && c.name != "pattern" {
            d.set_str("end_lineno", none_ref())?;
            d.set_str("end_col_offset", none_ref())?;
        }
    }
    let t = Type::class().call(&[&Str::new(c.name), &Tuple::from_refs(&[base.as_object()]), &d])?;
    match t.downcast_owned::<Type>() {
        Ok(t) => Ok(t),
        Err(_) => raise!(SystemError, "type() made no class"),
    }
}

static CLASSES: OnceLock<HashMap<&'static str, usize>> = OnceLock::new();

/// Makes the classes, once.
pub fn init() -> PyResult<&'static HashMap<&'static str, usize>> {
    if let Some(c) = CLASSES.get() {
        return Ok(c);
    }
    let ast = ready::<Ast>()?;
    for n in ["_fields", "_attributes", "__match_args__"] {
        ast.set_builtin_attr(n, &Tuple::empty())?;
    }
    let mut all: HashMap<&'static str, usize> = HashMap::new();
    all.insert("AST", ast.ptr_value());
    for line in GRAMMAR.lines() {
        let positions = line.starts_with('@');
        let line = line.trim_start_matches('@');
        match line.split_once(" = ") {
            None => {
                let c = constructor(line);
                let t = make_class(ast, &c, c.text, Some(positions))?;
                all.insert(c.name, t.into_raw() as usize);
            }
            Some((name, alternatives)) => {
                let cs: Vec<Constructor<'static>> = alternatives.split(" | ").map(constructor).collect();
                let plain = cs.iter().all(|c| c.fields.is_empty());
                let joint =
                    if plain { " | ".to_string() } else { format!("\n{} | ", " ".repeat(name.len())) };
                let doc = format!("{name} = {}", cs.iter().map(|c| c.text).collect::<Vec<_>>().join(&joint));
                let sum = Constructor { name, text: "", fields: vec![] };
                let base = make_class(ast, &sum, &doc, Some(positions))?;
                for c in &cs {
                    all.insert(c.name, make_class(&base, c, c.text, None)?.into_raw() as usize);
                }
                all.insert(name, base.into_raw() as usize);
            }
        }
    }
    Ok(CLASSES.get_or_init(|| all))
}

trait PtrValue {
    fn ptr_value(&self) -> usize;
}
impl PtrValue for Type {
    fn ptr_value(&self) -> usize {
        self.as_ptr() as usize
    }
}

/// A class by its name in the grammar; `init` has run.
pub fn find(name: &str) -> usize {
    let all = CLASSES.get().expect("the classes were made before trees are converted");
    *all.get(name).unwrap_or_else(|| panic!("{name} is in the grammar"))
}

/// The class at an address that `find` gave.
pub fn at(p: usize) -> &'static Type {
    // SAFETY: the table keeps its classes for ever.
    unsafe { Object::from_ptr(p as *mut lh_abi::PyObject).downcast_unchecked() }
}

/// The class of the given name, looked up once per site.
macro_rules! class {
    ($name:expr) => {{
        static CELL: std::sync::OnceLock<usize> = std::sync::OnceLock::new();
        $crate::core::ast::classes::at(*CELL.get_or_init(|| $crate::core::ast::classes::find($name)))
    }};
}
pub(super) use class;
