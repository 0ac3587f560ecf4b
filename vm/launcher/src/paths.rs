//! Finding the installed standard library, and from it `sys.prefix`, `sys.path` and friends.
//!
//! The search, first hit wins (a directory counts if it holds `os.py`):
//!
//! ```text
//!   $PYTHONHOME/lib/python3.11                           unless -E or -I; nothing else is searched then
//!   <directory of the executable, and up>/lib/python3.11
//!   /usr/lib/python3.11                                  Debian's package libpython3.11-stdlib
//!   python3.11 on PATH, asked for its prefix             any other CPython 3.11
//! ```
//! A `pyvenv.cfg` beside the executable (or one directory up) marks a virtual environment: the standard library is still
//! the base installation's; `site` then moves `sys.prefix` into the environment.

use std::env;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

#[derive(Default, Debug)]
pub struct Paths {
    pub executable: PathBuf,
    pub base_executable: PathBuf,
    pub prefix: PathBuf,
    pub exec_prefix: PathBuf,
    pub stdlib: PathBuf,
    pub home: Option<PathBuf>,
    pub search: Vec<OsString>,
}

const LIB: &str = "lib/python3.11";

fn is_executable(p: &Path) -> bool {
    p.metadata().is_ok_and(|m| m.is_file() && m.permissions().mode() & 0o111 != 0)
}

/// An absolute path without `.` parts, not following symbolic links.
fn absolute(p: &Path) -> PathBuf {
    let full = if p.is_absolute() { p.to_path_buf() } else { env::current_dir().unwrap_or_default().join(p) };
    full.components().collect()
}

fn on_path(name: &OsStr) -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH")?)
        .map(|d| d.join(name))
        .find(|p| is_executable(p))
        .map(|p| absolute(&p))
}

/// `sys.executable`: the program as it was called.
fn find_executable(argv0: &OsStr) -> PathBuf {
    let found =
        if argv0.as_bytes().contains(&b'/') { Some(absolute(Path::new(argv0))) } else { on_path(argv0) };
    found.filter(|p| is_executable(p)).or_else(|| env::current_exe().ok()).unwrap_or_default()
}

/// The value of a key in `pyvenv.cfg`.
fn venv_home(executable: &Path) -> Option<PathBuf> {
    let dir = executable.parent()?;
    let cfg = [dir.join("pyvenv.cfg"), dir.parent()?.join("pyvenv.cfg")].into_iter().find(|p| p.is_file())?;
    let text = std::fs::read_to_string(cfg).ok()?;
    text.lines().find_map(|l| {
        let (k, v) = l.split_once('=')?;
        (k.trim().eq_ignore_ascii_case("home")).then(|| PathBuf::from(v.trim()))
    })
}

fn has_stdlib(prefix: &Path) -> bool {
    let lib = prefix.join(LIB);
    lib.join("os.py").is_file() || lib.join("os.pyc").is_file()
}

/// Asks a CPython 3.11 on PATH for its prefix.
fn ask_python(me: &Path) -> Option<PathBuf> {
    let me = me.canonicalize().unwrap_or_default();
    for dir in env::split_paths(&env::var_os("PATH")?) {
        let p = dir.join("python3.11");
        // Not ourselves, by whatever name: a virtual environment's python3.11 may be a link to this program.
        if !is_executable(&p) || p.canonicalize().is_ok_and(|c| c == me) {
            continue;
        }
        let out = std::process::Command::new(&p)
            .args(["-I", "-S", "-c", "import sys; sys.stdout.write(sys.base_prefix)"])
            .stdin(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .output()
            .ok()?;
        let prefix = PathBuf::from(OsStr::from_bytes(&out.stdout));
        if out.status.success() && has_stdlib(&prefix) {
            return Some(prefix);
        }
    }
    None
}

fn not_found(looked: &[String], advice: &str) -> String {
    format!(
        "lancehead: Python's standard library (version 3.11) was not found.\n\nLooked in:\n  {}\n\n{advice}",
        looked.join("\n  ")
    )
}

/// Computes all paths; the error is a text for the user.
pub fn compute(argv0: &OsStr, use_environment: bool, debug: bool) -> Result<Paths, String> {
    let executable = find_executable(argv0);
    let mut base_executable = executable.clone();
    let mut looked: Vec<String> = vec![];
    let mut found: Option<PathBuf> = None;
    let mut exec_prefix: Option<PathBuf> = None;
    let mut home = None;
    let consider = |p: PathBuf, looked: &mut Vec<String>| -> Option<PathBuf> {
        if debug {
            eprintln!("looking for the standard library in {}", p.join(LIB).display());
        }
        looked.push(p.join(LIB).display().to_string());
        has_stdlib(&p).then_some(p)
    };
    if use_environment && let Some(h) = env::var_os("PYTHONHOME").filter(|h| !h.is_empty()) {
        let text = h.as_bytes();
        let (p, e) = match text.iter().position(|b| *b == b':') {
            Some(i) => (OsStr::from_bytes(&text[..i]), OsStr::from_bytes(&text[i + 1..])),
            None => (h.as_os_str(), h.as_os_str()),
        };
        home = Some(PathBuf::from(&h));
        exec_prefix = Some(PathBuf::from(e));
        found = consider(PathBuf::from(p), &mut looked);
        if found.is_none() {
            return Err(not_found(
                &looked,
                "PYTHONHOME names no such directory: unset it, or set it to the prefix of a Python 3.11 installation.",
            ));
        }
    }
    let real = executable.canonicalize().unwrap_or_else(|_| executable.clone());
    if let Some(h) = venv_home(&executable) {
        let name = real.file_name().unwrap_or(OsStr::new("lancehead")).to_os_string();
        let candidate = h.join(&name);
        base_executable = if is_executable(&candidate) { candidate } else { real.clone() };
    }
    if found.is_none() {
        let mut dir = real.parent().map(Path::to_path_buf);
        while let Some(d) = dir.filter(|d| d.parent().is_some()) {
            if let Some(p) = consider(d.clone(), &mut looked) {
                found = Some(p);
                break;
            }
            dir = d.parent().map(Path::to_path_buf);
        }
    }
    found = found.or_else(|| consider(PathBuf::from("/usr"), &mut looked));
    if found.is_none() {
        found = ask_python(&real);
        looked.push("the prefix of python3.11 on PATH".into());
    }
    let Some(prefix) = found else {
        return Err(not_found(
            &looked,
            "Install it (on Debian and Ubuntu: apt-get install libpython3.11-stdlib), or set PYTHONHOME to the prefix of a Python 3.11 installation.",
        ));
    };
    let stdlib = prefix.join(LIB);
    let exec_prefix = exec_prefix.unwrap_or_else(|| prefix.clone());
    let mut search: Vec<OsString> = vec![];
    if use_environment && let Some(p) = env::var_os("PYTHONPATH").filter(|p| !p.is_empty()) {
        search.extend(env::split_paths(&p).map(PathBuf::into_os_string));
    }
    search.push(prefix.join("lib/python311.zip").into());
    search.push(stdlib.clone().into());
    search.push(exec_prefix.join(LIB).join("lib-dynload").into());
    Ok(Paths { executable, base_executable, prefix, exec_prefix, stdlib, home, search })
}
