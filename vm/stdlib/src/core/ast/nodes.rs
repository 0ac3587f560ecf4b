//! The nodes, kind by kind: one table gives both directions of the conversion.

use super::classes::class;
use super::fields::*;
use lh_compiler::ast::ClassDef;
use lh_compiler::ast::*;
use lh_runtime::prelude::*;

/// The interned string of a field's name, looked up once per site.
macro_rules! name {
    ($s:expr) => {{
        static CELL: std::sync::OnceLock<usize> = std::sync::OnceLock::new();
        let p = *CELL.get_or_init(|| Str::interned($s).as_ptr() as usize);
        // SAFETY: interned strings of `Str::interned` live for ever.
        let s: &'static Str = unsafe { Object::from_ptr(p as *mut lh_abi::PyObject).downcast_unchecked() };
        s
    }};
}

/// A node being made.
pub struct Made {
    object: Owned<Object>,
    dict: Owned<Dict>,
}
impl Made {
    pub fn new(class: &Type) -> PyResult<Made> {
        // SAFETY: an instance of a subclass of `AST`, whose payload is empty.
        let object: Owned<Object> =
            unsafe { Owned::from_raw(lh_runtime::typeobject::alloc(class.as_ptr().cast(), 0)?) };
        let Some(dict) = object.instance_dict(true)? else {
            return raise!(SystemError, "nodes have a __dict__");
        };
        Ok(Made { object, dict })
    }
    pub fn put(&self, name: &'static Str, value: &impl Field) -> PyResult<()> {
        let v: Owned<Object> = value.put()?;
        self.dict.set_item(name, &v)
    }
    pub fn finish(self) -> PyResult {
        Ok(self.object)
    }
    fn position(self, loc: Location) -> PyResult {
        self.put(name!("lineno"), &loc.line)?;
        self.put(name!("col_offset"), &loc.col)?;
        self.put(name!("end_lineno"), &loc.end_line)?;
        self.put(name!("end_col_offset"), &loc.end_col)?;
        self.finish()
    }
}

fn position(o: &Object, node: &'static str) -> PyResult<Location> {
    let line = i32::get(o, name!("lineno"), node)?;
    let col = i32::get(o, name!("col_offset"), node)?;
    let (end_line, end_col) = (name!("end_lineno"), name!("end_col_offset"));
    if node == "pattern" {
        return Ok(Location {
            line,
            col,
            end_line: i32::get(o, end_line, node)?,
            end_col: i32::get(o, end_col, node)?,
        });
    }
    let end_line = optional(o, end_line)?.map_or(Ok(line), |v| int(&v))?;
    let end_col = optional(o, end_col)?.map_or(Ok(col), |v| int(&v))?;
    Ok(Location { line, col, end_line, end_col })
}

fn unexpected<T>(sum: &str, o: &Object) -> PyResult<T> {
    let r = o.repr()?;
    raise!(TypeError, "expected some sort of {}, but got {}", sum, r.to_str_lossy())
}

fn is(o: &Object, class: &Type) -> bool {
    o.ty().is(class) || o.ty().is_subtype(class)
}

fn converting() -> String {
    "during ast construction".into()
}

/// Sum types without fields: their nodes are shared.
macro_rules! plain {
    ($($sum:literal $t:ident { $($v:ident)* })*) => { $(
        impl Node for $t {
            fn to_py(&self) -> PyResult {
                Ok(match self { $( $t::$v => {
                    static ONE: std::sync::OnceLock<usize> = std::sync::OnceLock::new();
                    let p = match ONE.get() {
                        Some(p) => *p,
                        None => {
                            let p = Made::new(class!(stringify!($v)))?.finish()?.into_raw() as usize;
                            *ONE.get_or_init(|| p)
                        }
                    };
                    // SAFETY: the shared instance is kept for ever.
                    unsafe { Object::from_ptr(p as *mut lh_abi::PyObject).own() }
                } )* })
            }
            fn from_py(o: &Object) -> PyResult<Self> {
                $( if is(o, class!(stringify!($v))) { return Ok($t::$v); } )*
                unexpected($sum, o)
            }
            fn none_in_field(_: &Str, _: &str) -> PyResult<Self> {
                unexpected($sum, none_ref())
            }
        }
    )* };
}
plain! {
    "expr_context" Context { Load Store Del }
    "boolop" BoolOp { And Or }
    "operator" Operator { Add Sub Mult MatMult Div Mod Pow LShift RShift BitOr BitXor BitAnd FloorDiv }
    "unaryop" UnaryOp { Invert Not UAdd USub }
    "cmpop" CmpOp { Eq NotEq Lt LtE Gt GtE Is IsNot In NotIn }
}

/// Sum types with positions. `boxed` variants hold a struct; `special` ones are converted by functions.
macro_rules! sum {
    ($sum:literal $outer:ident $kind:ident $(none in list: $none:literal)?;
     plain { $($v:ident { $($f:ident),* })* }
     boxed { $($bv:ident($bs:ident) { $($bf:ident),* })* }
     special { $($sv:ident { $($sf:ident),* } $to:path, $from:path;)* }
    ) => {
        impl Node for $outer {
            fn to_py(&self) -> PyResult {
                let _level = enter(converting)?;
                let made = match &self.kind {
                    $( $kind::$v { $($f),* } => {
                        let m = Made::new(class!(stringify!($v)))?;
                        $( m.put(name!(stringify!($f)), $f)?; )*
                        m
                    } )*
                    $( $kind::$bv(b) => {
                        let m = Made::new(class!(stringify!($bv)))?;
                        $( m.put(name!(stringify!($bf)), &b.$bf)?; )*
                        m
                    } )*
                    $( $kind::$sv { $($sf),* } => {
                        let m = Made::new(class!(stringify!($sv)))?;
                        $to(&m, $($sf),*)?;
                        m
                    } )*
                };
                made.position(self.loc)
            }
            fn from_py(o: &Object) -> PyResult<Self> {
                let loc = position(o, $sum)?;
                $( if is(o, class!(stringify!($v))) {
                    let _level = enter(|| format!("while traversing '{}' node", stringify!($v)))?;
                    $( let $f = Field::get(o, name!(stringify!($f)), stringify!($v))?; )*
                    return Ok($outer { kind: $kind::$v { $($f),* }, loc });
                } )*
                $( if is(o, class!(stringify!($bv))) {
                    let _level = enter(|| format!("while traversing '{}' node", stringify!($bv)))?;
                    $( let $bf = Field::get(o, name!(stringify!($bf)), stringify!($bv))?; )*
                    return Ok($outer { kind: $kind::$bv(Box::new($bs { $($bf),* })), loc });
                } )*
                $( if is(o, class!(stringify!($sv))) {
                    return Ok($outer { kind: $from(o)?, loc });
                } )*
                unexpected($sum, o)
            }
            $( fn none_in_list() -> PyResult<Self> {
                raise!(ValueError, "None disallowed in {} list", $none)
            } )?
        }
    };
}

sum! {
    "stmt" Stmt StmtKind none in list: "statement";
    plain {
        Return { value }
        Delete { targets }
        Assign { targets, value, type_comment }
        AugAssign { target, op, value }
        AnnAssign { target, annotation, value, simple }
        While { test, body, orelse }
        If { test, body, orelse }
        With { items, body, type_comment }
        AsyncWith { items, body, type_comment }
        Match { subject, cases }
        Raise { exc, cause }
        Assert { test, msg }
        Import { names }
        ImportFrom { module, names, level }
        Global { names }
        Nonlocal { names }
        Expr { value }
        Pass {}
        Break {}
        Continue {}
    }
    boxed {
        FunctionDef(FunctionDef) { name, args, body, decorator_list, returns, type_comment }
        AsyncFunctionDef(FunctionDef) { name, args, body, decorator_list, returns, type_comment }
        ClassDef(ClassDef) { name, bases, keywords, body, decorator_list }
        For(For) { target, iter, body, orelse, type_comment }
        AsyncFor(For) { target, iter, body, orelse, type_comment }
        Try(Try) { body, handlers, orelse, finalbody }
        TryStar(Try) { body, handlers, orelse, finalbody }
    }
    special {}
}

sum! {
    "expr" Expr ExprKind none in list: "expression";
    plain {
        BoolOp { op, values }
        NamedExpr { target, value }
        BinOp { left, op, right }
        UnaryOp { op, operand }
        Lambda { args, body }
        IfExp { test, body, orelse }
        Dict { keys, values }
        Set { elts }
        ListComp { elt, generators }
        SetComp { elt, generators }
        DictComp { key, value, generators }
        GeneratorExp { elt, generators }
        Await { value }
        Yield { value }
        YieldFrom { value }
        Compare { left, ops, comparators }
        Call { func, args, keywords }
        FormattedValue { value, conversion, format_spec }
        JoinedStr { values }
        Attribute { value, attr, ctx }
        Subscript { value, slice, ctx }
        Starred { value, ctx }
        Name { id, ctx }
        List { elts, ctx }
        Tuple { elts, ctx }
        Slice { lower, upper, step }
    }
    boxed {}
    special { Constant { value, kind_u } constant_to_py, constant_from_py; }
}

fn constant_to_py(m: &Made, value: &lh_bytecode::Const, kind_u: &bool) -> PyResult<()> {
    m.put(name!("value"), value)?;
    let kind = if *kind_u { intern!("u").own().into_object() } else { none() };
    m.dict.set_item(name!("kind"), &kind)
}

fn constant_from_py(o: &Object) -> PyResult<ExprKind> {
    let kind = string(o, name!("kind"));
    let raw = required(o, name!("value"), "Constant")?;
    let kind_u = kind?.is_some_and(|k| k == "u");
    Ok(ExprKind::Constant { value: constant(&raw)?, kind_u })
}

sum! {
    "pattern" Pattern PatternKind;
    plain {
        MatchValue { value }
        MatchSingleton { value }
        MatchSequence { patterns }
        MatchMapping { keys, patterns, rest }
        MatchClass { cls, patterns, kwd_attrs, kwd_patterns }
        MatchStar { name }
        MatchAs { pattern, name }
        MatchOr { patterns }
    }
    boxed {}
    special {}
}

/// Product types. Their class is not checked, only their fields.
macro_rules! product {
    ($($node:literal $t:ident { $($f:ident),* } $(at $loc:ident)?;)*) => { $(
        impl Node for $t {
            fn to_py(&self) -> PyResult {
                let _level = enter(converting)?;
                let m = Made::new(class!($node))?;
                $( m.put(name!(stringify!($f)), &self.$f)?; )*
                $( return m.position(self.$loc); )?
                #[allow(unreachable_code)]
                m.finish()
            }
            fn from_py(o: &Object) -> PyResult<Self> {
                let _level = enter(|| format!("while traversing '{}' node", $node))?;
                $( let $f = Field::get(o, name!(stringify!($f)), $node)?; )*
                $( let $loc = position(o, $node)?; )?
                Ok($t { $($f,)* $($loc)? })
            }
        }
    )* };
}
product! {
    "comprehension" Comprehension { target, iter, ifs, is_async };
    "arguments" Arguments { posonlyargs, args, vararg, kwonlyargs, kw_defaults, kwarg, defaults };
    "arg" Arg { arg, annotation, type_comment } at loc;
    "keyword" Keyword { arg, value } at loc;
    "alias" Alias { name, asname } at loc;
    "withitem" WithItem { context_expr, optional_vars };
    "match_case" MatchCase { pattern, guard, body };
}

impl Node for ExceptHandler {
    fn to_py(&self) -> PyResult {
        let _level = enter(converting)?;
        let m = Made::new(class!("ExceptHandler"))?;
        m.put(name!("type"), &self.typ)?;
        m.put(name!("name"), &self.name)?;
        m.put(name!("body"), &self.body)?;
        m.position(self.loc)
    }
    fn from_py(o: &Object) -> PyResult<Self> {
        let loc = position(o, "excepthandler")?;
        if !is(o, class!("ExceptHandler")) {
            return unexpected("excepthandler", o);
        }
        let _level = enter(|| "while traversing 'ExceptHandler' node".into())?;
        let typ = Field::get(o, name!("type"), "ExceptHandler")?;
        let name = Field::get(o, name!("name"), "ExceptHandler")?;
        let body = Field::get(o, name!("body"), "ExceptHandler")?;
        Ok(ExceptHandler { typ, name, body, loc })
    }
}

impl Node for TypeIgnore {
    fn to_py(&self) -> PyResult {
        let m = Made::new(class!("TypeIgnore"))?;
        m.put(name!("lineno"), &self.lineno)?;
        m.dict.set_item(name!("tag"), &Str::new(&self.tag))?;
        m.finish()
    }
    fn from_py(o: &Object) -> PyResult<Self> {
        if !is(o, class!("TypeIgnore")) {
            return unexpected("type_ignore", o);
        }
        let lineno = i32::get(o, name!("lineno"), "TypeIgnore")?;
        required(o, name!("tag"), "TypeIgnore")?;
        let tag = string(o, name!("tag"))?.unwrap_or_default();
        Ok(TypeIgnore { lineno, tag: tag.into() })
    }
}

impl Node for Mod {
    fn to_py(&self) -> PyResult {
        match self {
            Mod::Module { body, type_ignores } => {
                let m = Made::new(class!("Module"))?;
                m.put(name!("body"), body)?;
                m.put(name!("type_ignores"), type_ignores)?;
                m.finish()
            }
            Mod::Interactive { body } => {
                let m = Made::new(class!("Interactive"))?;
                m.put(name!("body"), body)?;
                m.finish()
            }
            Mod::Expression { body } => {
                let m = Made::new(class!("Expression"))?;
                m.put(name!("body"), body)?;
                m.finish()
            }
        }
    }
    fn from_py(o: &Object) -> PyResult<Self> {
        if is(o, class!("Module")) {
            let body = Field::get(o, name!("body"), "Module")?;
            let type_ignores = Field::get(o, name!("type_ignores"), "Module")?;
            return Ok(Mod::Module { body, type_ignores });
        }
        if is(o, class!("Interactive")) {
            return Ok(Mod::Interactive { body: Field::get(o, name!("body"), "Interactive")? });
        }
        if is(o, class!("Expression")) {
            return Ok(Mod::Expression { body: Field::get(o, name!("body"), "Expression")? });
        }
        unexpected("mod", o)
    }
}

/// `FunctionType(argtypes, returns)`: the tree of a signature type comment, which nothing compiles.
pub fn function_type(argtypes: Vec<Expr>, returns: Expr) -> PyResult {
    let m = Made::new(class!("FunctionType"))?;
    m.put(name!("argtypes"), &argtypes)?;
    m.put(name!("returns"), &returns)?;
    m.finish()
}
