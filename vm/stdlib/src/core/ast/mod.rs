//! `_ast`: node classes, and trees of the compiler as Python objects.
//!
//! | file | |
//! |---|---|
//! | `classes` | the classes, from the text of the abstract grammar |
//! | `fields` | fields of nodes, by their Rust type |
//! | `nodes` | the conversion of each kind of node, both ways |
//!
//! `compile()` lives in the interpreter, which cannot see this crate; it reaches the conversions through `TreeApi`.

use lh_compiler::ast::Mod;
use lh_interp::builtins::Mode;
use lh_interp::compile::{TREE_API, TreeApi};
use lh_runtime::prelude::*;

mod classes;
mod fields;
mod nodes;

use fields::Node;

fn to_python(tree: &Mod) -> PyResult {
    classes::init()?;
    tree.to_py()
}

fn from_python(o: &Object, mode: Mode) -> PyResult<Mod> {
    classes::init()?;
    let expected = match mode {
        Mode::Exec => "Module",
        Mode::Eval => "Expression",
        Mode::Single => "Interactive",
        Mode::FuncType => "FunctionType",
    };
    if !o.is_instance(classes::at(classes::find(expected)))? {
        return raise!(TypeError, "expected {} node, got {}", expected, o.ty().short_name());
    }
    Mod::from_py(o)
}

fn is_tree(o: &Object) -> PyResult<bool> {
    // Before the classes exist nobody can have made a node.
    Ok(Ast::class().dict_is_ready() && o.is_instance(Ast::class())?)
}

use classes::Ast;

trait Ready {
    fn dict_is_ready(&self) -> bool;
}
impl Ready for Type {
    fn dict_is_ready(&self) -> bool {
        self.has_flag(lh_abi::Py_TPFLAGS_READY)
    }
}

/// Makes `compile()` able to take and give trees.
pub fn install() {
    let _ = TREE_API.set(TreeApi {
        to_python,
        from_python,
        is_tree,
        function_type: |args, returns| {
            classes::init()?;
            nodes::function_type(args, returns)
        },
    });
}

fn setup(m: &Module) -> PyResult<()> {
    install();
    for (name, class) in classes::init()? {
        m.add(name, classes::at(*class))?;
    }
    m.add("PyCF_ONLY_AST", &Int::from_i64(0x400))?;
    m.add("PyCF_TYPE_COMMENTS", &Int::from_i64(0x1000))?;
    m.add("PyCF_ALLOW_TOP_LEVEL_AWAIT", &Int::from_i64(0x2000))
}

module! { "_ast", init: setup }
