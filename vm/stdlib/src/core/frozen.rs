//! The modules that count as frozen: CPython's list, with its names and origins.
//!
//! Nothing is copied into the executable: a frozen module's code comes from the installed standard library (`bootstrap::frozen_code`), under the
//! file name `<frozen NAME>` that tracebacks of CPython show. `-X frozen_modules=off` leaves the three that imports themselves need.

use lh_runtime::sysobject::config;
use std::sync::atomic::{AtomicI32, Ordering};

/// Where the code of a frozen module is found.
pub enum Source {
    /// A file of the standard library.
    File(&'static str),
    /// Text, for what is not installed.
    Text(&'static str),
}

pub struct Frozen {
    pub name: &'static str,
    /// The module it was made from; a leading `<` says that this is a package's own code under another name.
    pub origin: Option<&'static str>,
    pub package: bool,
    /// The name in its code's file name.
    pub code_name: &'static str,
    pub source: Source,
}

const fn file(name: &'static str, origin: &'static str, path: &'static str) -> Frozen {
    Frozen { name, origin: Some(origin), package: false, code_name: origin, source: Source::File(path) }
}

/// The names of the modules that are frozen whatever the options say come first.
const ESSENTIAL: usize = 3;

static TABLE: [Frozen; 29] = [
    file("_frozen_importlib", "importlib._bootstrap", "importlib/_bootstrap.py"),
    file("_frozen_importlib_external", "importlib._bootstrap_external", "importlib/_bootstrap_external.py"),
    file("zipimport", "zipimport", "zipimport.py"),
    file("abc", "abc", "abc.py"),
    file("codecs", "codecs", "codecs.py"),
    file("io", "io", "io.py"),
    file("_collections_abc", "_collections_abc", "_collections_abc.py"),
    file("_sitebuiltins", "_sitebuiltins", "_sitebuiltins.py"),
    file("genericpath", "genericpath", "genericpath.py"),
    file("ntpath", "ntpath", "ntpath.py"),
    file("posixpath", "posixpath", "posixpath.py"),
    file("os.path", "posixpath", "posixpath.py"),
    file("os", "os", "os.py"),
    file("site", "site", "site.py"),
    file("stat", "stat", "stat.py"),
    file("importlib.util", "importlib.util", "importlib/util.py"),
    file("importlib.machinery", "importlib.machinery", "importlib/machinery.py"),
    file("runpy", "runpy", "runpy.py"),
    file("__hello__", "__hello__", "__hello__.py"),
    file("__hello_alias__", "__hello__", "__hello__.py"),
    Frozen { package: true, ..file("__phello_alias__", "__hello__", "__hello__.py") },
    file("__phello_alias__.spam", "__hello__", "__hello__.py"),
    Frozen { package: true, ..file("__phello__", "__phello__", "__phello__/__init__.py") },
    Frozen {
        code_name: "__phello__",
        ..file("__phello__.__init__", "<__phello__", "__phello__/__init__.py")
    },
    Frozen { package: true, source: Source::Text(""), ..file("__phello__.ham", "__phello__.ham", "") },
    Frozen {
        code_name: "__phello__.ham",
        source: Source::Text(""),
        ..file("__phello__.ham.__init__", "<__phello__.ham", "")
    },
    Frozen { source: Source::Text(""), ..file("__phello__.ham.eggs", "__phello__.ham.eggs", "") },
    file("__phello__.spam", "__phello__.spam", "__phello__/spam.py"),
    Frozen {
        name: "__hello_only__",
        origin: None,
        package: false,
        code_name: "frozen_only",
        source: Source::Text("initialized = True\nprint(\"Hello world!\")\n"),
    },
];
/// What `_imp._override_frozen_modules_for_tests` said: 1 on, -1 off.
static OVERRIDE: AtomicI32 = AtomicI32::new(0);

pub fn set_override(n: i32) {
    OVERRIDE.store(n, Ordering::Relaxed);
}

fn enabled() -> bool {
    match OVERRIDE.load(Ordering::Relaxed) {
        0 => {
            let said = config().xoptions.iter().rev().find(|(k, _)| k == "frozen_modules");
            said.is_none_or(|(_, v)| v.as_deref() != Some("off"))
        }
        n => n > 0,
    }
}

/// The frozen module of this name, if it is to be used.
pub fn find(name: &str) -> Option<&'static Frozen> {
    let i = TABLE.iter().position(|f| f.name == name)?;
    (i < ESSENTIAL || enabled()).then(|| &TABLE[i])
}

/// The row of one of importlib's own two files.
pub fn bootstrap(origin: &str) -> Option<&'static Frozen> {
    TABLE[..2].iter().find(|f| f.origin == Some(origin))
}

pub fn names() -> impl Iterator<Item = &'static str> {
    TABLE.iter().map(|f| f.name)
}
