//! `pyexpat`: XML parsing by the machine's libexpat, the library CPython uses, with the same messages and limits.

use lh_runtime::prelude::*;

pub mod handlers;
pub mod library;
mod parser;

/// The names of error codes 1, 2, …
const ERRORS: &[&str] = &[
    "NO_MEMORY",
    "SYNTAX",
    "NO_ELEMENTS",
    "INVALID_TOKEN",
    "UNCLOSED_TOKEN",
    "PARTIAL_CHAR",
    "TAG_MISMATCH",
    "DUPLICATE_ATTRIBUTE",
    "JUNK_AFTER_DOC_ELEMENT",
    "PARAM_ENTITY_REF",
    "UNDEFINED_ENTITY",
    "RECURSIVE_ENTITY_REF",
    "ASYNC_ENTITY",
    "BAD_CHAR_REF",
    "BINARY_ENTITY_REF",
    "ATTRIBUTE_EXTERNAL_ENTITY_REF",
    "MISPLACED_XML_PI",
    "UNKNOWN_ENCODING",
    "INCORRECT_ENCODING",
    "UNCLOSED_CDATA_SECTION",
    "EXTERNAL_ENTITY_HANDLING",
    "NOT_STANDALONE",
    "UNEXPECTED_STATE",
    "ENTITY_DECLARED_IN_PE",
    "FEATURE_REQUIRES_XML_DTD",
    "CANT_CHANGE_FEATURE_ONCE_PARSING",
    "UNBOUND_PREFIX",
    "UNDECLARING_PREFIX",
    "INCOMPLETE_PE",
    "XML_DECL",
    "TEXT_DECL",
    "PUBLICID",
    "SUSPENDED",
    "NOT_SUSPENDED",
    "ABORTED",
    "FINISHED",
    "SUSPEND_PE",
    "RESERVED_PREFIX_XML",
    "RESERVED_PREFIX_XMLNS",
    "RESERVED_NAMESPACE_URI",
    "INVALID_ARGUMENT",
    "NO_BUFFER",
    "AMPLIFICATION_LIMIT_BREACH",
];
const MODEL: &[(&str, i64)] = &[
    ("XML_CTYPE_EMPTY", 1),
    ("XML_CTYPE_ANY", 2),
    ("XML_CTYPE_MIXED", 3),
    ("XML_CTYPE_NAME", 4),
    ("XML_CTYPE_CHOICE", 5),
    ("XML_CTYPE_SEQ", 6),
    ("XML_CQUANT_NONE", 0),
    ("XML_CQUANT_OPT", 1),
    ("XML_CQUANT_REP", 2),
    ("XML_CQUANT_PLUS", 3),
];

/// Return a new XML parser object.
#[pyfunction(signature = "(encoding=None, namespace_separator=None, intern=<unrepresentable>)")]
#[allow(non_snake_case)]
fn ParserCreate(
    encoding: Option<&Str>,
    namespace_separator: Option<&Object>,
    intern: Option<&Object>,
) -> PyResult<Owned<parser::XmlParser>> {
    let namespace_separator = match namespace_separator.filter(|o| !o.is_none()) {
        None => None,
        Some(o) => match o.downcast::<Str>() {
            Some(s) => Some(s),
            None => {
                return raise!(
                    TypeError,
                    "ParserCreate() argument 'namespace_separator' must be str or None, not {}",
                    o.ty().name()
                );
            }
        },
    };
    if namespace_separator.is_some_and(|s| s.len() > 1) {
        return raise!(ValueError, "namespace_separator must be at most one character, omitted, or None");
    }
    let intern = match intern {
        None => Some(Dict::new()),
        Some(o) if o.is_none() => None,
        Some(o) => match o.downcast::<Dict>() {
            Some(d) => Some(d.own()),
            None => return raise!(TypeError, "intern must be a dictionary"),
        },
    };
    parser::XmlParser::create(encoding, namespace_separator, intern)
}
/// Returns string error for given number.
#[pyfunction]
#[allow(non_snake_case)]
fn ErrorString(code: i64) -> Option<String> {
    parser::message(code as i32)
}

module! {
    "pyexpat",
    doc: "Python wrapper for Expat parser.",
    functions: [ParserCreate, ErrorString],
    types: [],
    init: setup
}

fn submodule(m: &Module, name: &str, doc: &str) -> PyResult<Owned<Module>> {
    let full = format!("pyexpat.{name}");
    let sub = Module::new(&full);
    sub.add("__doc__", &Str::new(doc))?;
    crate::text::pickle::of_module("sys", "modules")?.set_item_of(&Str::new(&full), &sub)?;
    m.add(name, &sub)?;
    Ok(sub)
}

fn setup(m: &Module) -> PyResult<()> {
    let x = library::load()?;
    let class = ready::<parser::XmlParser>()?;
    m.add("XMLParserType", class)?;
    m.add("error", parser::error_class())?;
    m.add("ExpatError", parser::error_class())?;
    m.add("native_encoding", &Str::new("UTF-8"))?;
    // SAFETY: the library's constant strings and tables.
    unsafe {
        m.add("EXPAT_VERSION", &*handlers::opt_string((x.ExpatVersion)())?)?;
        let v = (x.ExpatVersionInfo)();
        let parts = [v.major, v.minor, v.micro].map(|n| Int::from_i64(n as i64).into_object());
        m.add("version_info", &Tuple::from_vec(parts.to_vec()))?;
        let mut features = vec![];
        let mut f = (x.GetFeatureList)();
        while !f.is_null() && (*f).feature != 0 {
            let name = handlers::opt_string((*f).name)?;
            features.push(Tuple::pair(name, Int::from_i64((*f).value).into_object()).into_object());
            f = f.add(1);
        }
        m.add("features", &List::from_vec(features))?;
    }
    for (i, name) in ["NEVER", "UNLESS_STANDALONE", "ALWAYS"].into_iter().enumerate() {
        m.add(&format!("XML_PARAM_ENTITY_PARSING_{name}"), &Int::from_usize(i))?;
    }
    let errors = submodule(m, "errors", "Constants used to describe error conditions.")?;
    let (codes, messages) = (Dict::new(), Dict::new());
    for (i, name) in ERRORS.iter().enumerate() {
        let code = Int::from_usize(i + 1);
        let Some(text) = parser::message(i as i32 + 1) else { continue };
        let text = Str::new(&text);
        errors.add(&format!("XML_ERROR_{name}"), &text)?;
        codes.set_item(&text, &code)?;
        messages.set_item(&code, &text)?;
    }
    errors.add("codes", &codes)?;
    errors.add("messages", &messages)?;
    let model = submodule(m, "model", "Constants used to interpret content model information.")?;
    for (name, n) in MODEL {
        model.add(name, &Int::from_i64(*n))?;
    }
    Ok(())
}
