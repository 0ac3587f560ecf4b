//! The start of the import system.
//!
//! `importlib._bootstrap` and `_bootstrap_external` cannot be imported by themselves: they are read from the installed
//! standard library (its cached `.pyc` if that is up to date, else the source is compiled), run in modules named
//! `_frozen_importlib` and `_frozen_importlib_external` with the file names CPython gives its frozen copies (tracebacks of
//! failed imports are cut by these names), and told about `sys` and `_imp`. From then on every import is importlib's.

use super::frozen::{self, Frozen, Source};
use super::imp;
use lh_runtime::prelude::*;
use lh_runtime::sysobject::{self, config, modules_dict, sys_module};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// The raw magic number of 3.11's `.pyc` files.
pub const PYC_MAGIC: u16 = 3495;

/// What the layers above lend the bootstrap.
pub struct Services {
    /// Runs module code in a namespace.
    pub eval: fn(&Code, &Dict) -> PyResult,
    /// Compiles a source file to module code.
    pub compile: Option<fn(source: &[u8], filename: &str) -> PyResult<Owned<Code>>>,
}
static SERVICES: OnceLock<Services> = OnceLock::new();

pub fn set_services(s: Services) {
    let _ = SERVICES.set(s);
}

fn stdlib() -> PathBuf {
    config().stdlib_dir.clone().map(PathBuf::from).unwrap_or_default()
}

/// The code inside a `.pyc` file if it belongs to `source` as it is now.
fn read_pyc(pyc: &Path, source: &Path) -> Option<Vec<u8>> {
    use std::os::unix::fs::MetadataExt;
    let data = std::fs::read(pyc).ok()?;
    if data.len() < 16 || data[..4] != [PYC_MAGIC as u8, (PYC_MAGIC >> 8) as u8, b'\r', b'\n'] {
        return None;
    }
    let word = |i: usize| u32::from_le_bytes(data[i..i + 4].try_into().expect("four bytes"));
    let valid = match word(4) {
        0 => match std::fs::metadata(source) {
            Ok(m) => m.mtime() as u32 == word(8) && m.size() as u32 == word(12),
            // A sourceless installation.
            Err(_) => true,
        },
        1 => true,
        3 => {
            let text = std::fs::read(source).ok()?;
            imp::siphash13(PYC_MAGIC as u64 | 0x0a0d << 16, &text).to_le_bytes() == data[8..16]
        }
        _ => false,
    };
    valid.then(|| data[16..].to_vec())
}

/// The code of a frozen module.
pub fn frozen_code(f: &Frozen) -> PyResult<Owned<Code>> {
    let frozen_name = format!("<frozen {}>", f.code_name);
    let compile = |text: &[u8]| match SERVICES.get().and_then(|s| s.compile) {
        Some(compile) => compile(text, &frozen_name),
        None => raise!(ImportError, "{} is not compiled, and there is no compiler in this build", f.name),
    };
    let path = match f.source {
        Source::Text(t) => return compile(t.as_bytes()),
        Source::File(p) => p,
    };
    let source = stdlib().join(path);
    let stem = source.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let pyc = source.with_file_name("__pycache__").join(format!("{stem}.cpython-311.pyc"));
    let code = match read_pyc(&pyc, &source) {
        Some(data) => match lh_runtime::marshal::loads(&data)?.downcast_owned::<Code>() {
            Ok(c) => c,
            Err(_) => return raise!(ImportError, "{} does not hold code", pyc.display()),
        },
        None => match std::fs::read(&source) {
            Ok(t) => compile(&t)?,
            Err(e) => return raise!(ImportError, "cannot read {}: {}", source.display(), e),
        },
    };
    code.set_filename(&Str::new(&frozen_name));
    Ok(code)
}

fn run_frozen(name: &str, origin: &str) -> PyResult<Owned<Module>> {
    let Some(f) = frozen::bootstrap(origin) else { return Err(bad_internal_call()) };
    let code = frozen_code(f)?;
    let m = Module::new(name);
    let d = m.dict();
    d.set_str("__builtins__", sysobject::builtins_dict())?;
    d.set_str("__origname__", &Str::new(origin))?;
    modules_dict().set_str(name, &m)?;
    let Some(s) = SERVICES.get() else {
        return raise!(SystemError, "the import bootstrap has no interpreter");
    };
    (s.eval)(&code, d)?;
    Ok(m)
}

/// Makes `sys`, `builtins`, `_imp` and the core of importlib work: after this built-in modules can be imported.
pub fn install_importlib() -> PyResult<()> {
    let modules = modules_dict();
    modules.set_str("sys", sys_module())?;
    modules.set_str("builtins", sysobject::builtins_module())?;
    let m = run_frozen("_frozen_importlib", "importlib._bootstrap")?;
    let Some(imp) = imp::make_builtin("_imp")? else { return Err(bad_internal_call()) };
    modules.set_str("_imp", &imp)?;
    lh_runtime::import::set_importlib(&m);
    if let Some(f) = sysobject::builtins_dict().get_str("__import__")? {
        lh_runtime::import::set_import_func(&f);
    }
    m.call_method("_install", &[sys_module(), &imp])?;
    Ok(())
}

/// Makes imports from `sys.path` work: source files, `.pyc`, extension modules, zip files.
pub fn install_external() -> PyResult<()> {
    lh_runtime::import::importlib()?.call_method("_install_external_importers", &[])?;
    match lh_runtime::import::import_module("zipimport").and_then(|m| m.get_attr_str("zipimporter")) {
        Ok(z) => {
            if let Some(hooks) = sysobject::sys_get("path_hooks")
                && let Some(l) = hooks.downcast::<List>()
            {
                l.insert(0, z);
            }
        }
        // Without zlib or zipimport there are no zip imports, as on CPython.
        Err(e) => e.clear(),
    }
    Ok(())
}
