//! The command line and the `PYTHON*` environment variables.

use std::env;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// What to run.
#[derive(Debug, Clone, PartialEq)]
pub enum Program {
    Command(OsString),
    Module(OsString),
    File(OsString),
    /// Standard input: interactive if it is a terminal.
    Stdin,
}

/// Options as given; counts for options that add up.
#[derive(Debug, Clone, Default)]
pub struct Options {
    pub bytes_warning: i32,
    pub dont_write_bytecode: bool,
    pub debug: i32,
    pub ignore_environment: bool,
    pub inspect: bool,
    pub interactive: bool,
    pub isolated: bool,
    pub optimize: i32,
    pub safe_path: bool,
    pub quiet: bool,
    pub randomise: bool,
    pub no_user_site: bool,
    pub no_site: bool,
    pub unbuffered: bool,
    pub verbose: i32,
    pub skip_first_line: bool,
    pub warnings: Vec<OsString>,
    pub xoptions: Vec<OsString>,
    pub check_hash_based_pycs: Option<String>,
}

pub enum Parsed {
    Run {
        options: Options,
        program: Program,
        argv: Vec<OsString>,
    },
    /// Print this and exit with the status.
    Print {
        text: String,
        status: i32,
        to_stderr: bool,
    },
}

pub fn version_line(long: bool) -> String {
    if long {
        format!("Python {}", lh_stdlib::core::sys_info::version_text())
    } else {
        let v = lh_stdlib::core::sys_info::VERSION;
        format!("Python {}.{}.{}", v.0, v.1, v.2)
    }
}

fn usage_line(program: &str) -> String {
    format!("usage: {program} [option] ... [-c cmd | -m mod | file | -] [arg] ...")
}

const HELP: &str = "Options (and corresponding environment variables):
-b     : warn about str(bytes) and comparisons of bytes with str (-bb: errors)
-B     : don't write .pyc files on import; also PYTHONDONTWRITEBYTECODE=x
-c cmd : program passed in as string (terminates option list)
-d     : debugging output of the launcher; also PYTHONDEBUG=x
-E     : ignore PYTHON* environment variables
-h     : print this help message and exit (also -? or --help)
-i     : inspect interactively after running the program; also PYTHONINSPECT=x
-I     : isolated mode: implies -E, -P and -s
-m mod : run library module as a script (terminates option list)
-O     : remove assert and __debug__-dependent statements; also PYTHONOPTIMIZE=x
-OO    : do -O changes and also discard docstrings
-P     : don't prepend a potentially unsafe path to sys.path; also PYTHONSAFEPATH
-q     : don't print version and copyright messages on interactive startup
-s     : don't add user site directory to sys.path; also PYTHONNOUSERSITE=x
-S     : don't imply 'import site' on initialization
-u     : unbuffered stdout and stderr; also PYTHONUNBUFFERED=x
-v     : trace import statements; also PYTHONVERBOSE=x
-V     : print the version and exit (-VV for more; also --version)
-W arg : warning control: action:message:category:module:lineno; also PYTHONWARNINGS=arg
-x     : skip first line of source, allowing use of non-Unix forms of #!cmd
-X opt : set an implementation-specific option
--check-hash-based-pycs always|default|never : how importers validate hash-based .pyc files
--help-env      : print help about environment variables and exit
--help-xoptions : print help about -X options and exit
--help-all      : print complete help information and exit

Arguments:
file   : program read from script file
-      : program read from stdin (default; interactive mode if a tty)
arg ...: arguments passed to program in sys.argv[1:]
";

const HELP_ENV: &str = "Environment variables that change behavior:
PYTHONSTARTUP   : file executed on interactive startup (no default)
PYTHONPATH      : ':'-separated list of directories prefixed to the default module search path
PYTHONHOME      : alternate <prefix> directory of the standard library
PYTHONIOENCODING: encoding[:errors] used for stdin/stdout/stderr
PYTHONHASHSEED  : 'random' or an integer for a repeatable seed of str hashes
PYTHONBREAKPOINT: the debugger breakpoint() calls; 0 disables it
PYTHONUTF8, PYTHONDEVMODE, PYTHONFAULTHANDLER, PYTHONPROFILEIMPORTTIME, PYTHONTRACEMALLOC, PYTHONNODEBUGRANGES,
PYTHONINTMAXSTRDIGITS, PYTHONPYCACHEPREFIX, PYTHONWARNDEFAULTENCODING: see --help-xoptions
LANCEHEAD_JIT   : on, off or stress
";

const HELP_X: &str = "The following implementation-specific options are available:
-X jit=off|on|stress      the tracing compiler (also LANCEHEAD_JIT)
-X dev                    development mode (also PYTHONDEVMODE=1)
-X utf8[=0|1]             UTF-8 mode (also PYTHONUTF8)
-X faulthandler           tracebacks of crashes (also PYTHONFAULTHANDLER=1)
-X importtime             time of each import (also PYTHONPROFILEIMPORTTIME=1)
-X int_max_str_digits=n   limit of int <-> str conversions (also PYTHONINTMAXSTRDIGITS)
-X pycache_prefix=path    where .pyc files go (also PYTHONPYCACHEPREFIX)
-X warn_default_encoding  warn about default encodings (also PYTHONWARNDEFAULTENCODING)
-X tracemalloc[=frames]   trace allocations (also PYTHONTRACEMALLOC)
-X frozen_modules=on|off  whether start-up modules count as frozen
-X no_debug_ranges        code objects without columns (also PYTHONNODEBUGRANGES)
-X showrefcount           accepted
";

pub fn parse(all: &[OsString]) -> Parsed {
    let program_name =
        all.first().map(|s| s.to_string_lossy().into_owned()).unwrap_or_else(|| "lancehead".into());
    let mut o = Options::default();
    let mut program = None;
    let mut i = 1;
    let mut version = 0;
    let bad = |what: String| Parsed::Print {
        text: format!(
            "{what}\n{}\nTry `{program_name} -h' for more information.\n",
            usage_line(&program_name)
        ),
        status: 2,
        to_stderr: true,
    };
    let print = |text: String| Parsed::Print { text, status: 0, to_stderr: false };
    let help = || print(format!("{}\n{HELP}", usage_line(&program_name)));
    'words: while i < all.len() && program.is_none() {
        let word = all[i].as_bytes();
        if word == b"-" || !word.starts_with(b"-") {
            break;
        }
        i += 1;
        match word {
            b"--" => break,
            b"--help" => return help(),
            b"--help-all" => {
                return print(format!("{}\n{HELP}\n{HELP_ENV}\n{HELP_X}", usage_line(&program_name)));
            }
            b"--help-env" => return print(HELP_ENV.into()),
            b"--help-xoptions" => return print(HELP_X.into()),
            b"--version" => {
                version += 1;
                continue;
            }
            b"--check-hash-based-pycs" => {
                match all.get(i).map(|s| s.to_string_lossy().into_owned()) {
                    Some(m) if ["always", "default", "never"].contains(&m.as_str()) => {
                        o.check_hash_based_pycs = Some(m)
                    }
                    Some(_) => {
                        return bad(
                            "--check-hash-based-pycs must be one of 'default', 'always', or 'never'".into()
                        );
                    }
                    None => return bad("Argument expected for the --check-hash-based-pycs option".into()),
                }
                i += 1;
                continue;
            }
            w if w.starts_with(b"--") => {
                return bad(format!("unknown option {}", String::from_utf8_lossy(w)));
            }
            _ => {}
        }
        for (at, c) in word.iter().enumerate().skip(1) {
            match c {
                b'b' => o.bytes_warning += 1,
                b'B' => o.dont_write_bytecode = true,
                b'd' => o.debug += 1,
                b'E' => o.ignore_environment = true,
                b'h' | b'?' => return help(),
                b'i' => {
                    o.inspect = true;
                    o.interactive = true;
                }
                b'I' => {
                    o.isolated = true;
                    o.ignore_environment = true;
                    o.safe_path = true;
                    o.no_user_site = true;
                }
                b'O' => o.optimize += 1,
                b'P' => o.safe_path = true,
                b'q' => o.quiet = true,
                b'R' => o.randomise = true,
                b's' => o.no_user_site = true,
                b'S' => o.no_site = true,
                b't' => {}
                b'u' => o.unbuffered = true,
                b'v' => o.verbose += 1,
                b'V' => version += 1,
                b'x' => o.skip_first_line = true,
                b'c' | b'm' | b'W' | b'X' => {
                    let value = if at + 1 < word.len() {
                        OsString::from_vec(word[at + 1..].to_vec())
                    } else {
                        i += 1;
                        match all.get(i - 1) {
                            Some(v) => v.clone(),
                            None => return bad(format!("Argument expected for the -{} option", *c as char)),
                        }
                    };
                    match c {
                        b'c' => program = Some(Program::Command(value)),
                        b'm' => program = Some(Program::Module(value)),
                        b'W' => o.warnings.push(value),
                        _ => o.xoptions.push(value),
                    }
                    continue 'words;
                }
                b'J' => return bad("-J is reserved for Jython".into()),
                other => return bad(format!("Unknown option: -{}", *other as char)),
            }
        }
    }
    if version > 0 {
        return Parsed::Print { text: version_line(version > 1) + "\n", status: 0, to_stderr: false };
    }
    let rest = &all[i.min(all.len())..];
    let mut argv: Vec<OsString> = rest.to_vec();
    let program = match program {
        Some(p @ Program::Command(_)) => {
            argv.insert(0, "-c".into());
            p
        }
        Some(p) => {
            argv.insert(0, "-m".into());
            p
        }
        None => match rest.first() {
            None => {
                argv = vec!["".into()];
                Program::Stdin
            }
            Some(f) if f == OsStr::new("-") => Program::Stdin,
            Some(f) => Program::File(f.clone()),
        },
    };
    Parsed::Run { options: o, program, argv }
}

fn var(name: &str) -> Option<OsString> {
    env::var_os(name).filter(|v| !v.is_empty())
}
/// A flag variable: a number counts as its value, other text as 1.
fn level(name: &str, now: i32) -> i32 {
    match var(name) {
        Some(v) => match v.to_str().and_then(|s| s.trim().parse::<i32>().ok()) {
            Some(n) if n >= 0 => now.max(n),
            _ => now.max(1),
        },
        None => now,
    }
}

/// The configuration from options and environment; paths are filled in by the caller. The error is a text for the user.
pub fn configure(o: &Options, c: &mut lh_runtime::sysobject::Config) -> Result<(), String> {
    let env_ok = !o.ignore_environment;
    c.xoptions = o
        .xoptions
        .iter()
        .map(|x| {
            let s = x.to_string_lossy();
            match s.split_once('=') {
                Some((k, v)) => (k.to_string(), Some(v.to_string())),
                None => (s.into_owned(), None),
            }
        })
        .collect();
    let x = |name: &str| c.xoptions.iter().rev().find(|(k, _)| k == name).map(|(_, v)| v.clone());
    let flag = |name: &str| env_ok && var(name).is_some();
    let dev = x("dev").is_some() || (env_ok && var("PYTHONDEVMODE").is_some_and(|v| v != OsStr::new("0")));
    let utf8 = match x("utf8") {
        Some(None) => true,
        Some(Some(v)) if v == "1" => true,
        Some(Some(v)) if v == "0" => false,
        Some(Some(_)) => return Err("invalid -X utf8 option value".into()),
        None => match var("PYTHONUTF8").filter(|_| env_ok) {
            Some(v) if v == OsStr::new("1") => true,
            Some(v) if v == OsStr::new("0") => false,
            Some(_) => return Err("invalid PYTHONUTF8 environment variable value".into()),
            None => matches!(ctype_locale().as_str(), "C" | "POSIX"),
        },
    };
    let digits = match x("int_max_str_digits") {
        Some(v) => match v.as_deref().and_then(|s| s.parse::<i32>().ok()) {
            Some(n) if n == 0 || n >= 640 => n,
            _ => {
                return Err("-X int_max_str_digits: invalid limit; must be >= 640 or 0 for unlimited.".into());
            }
        },
        None => match var("PYTHONINTMAXSTRDIGITS").filter(|_| env_ok) {
            Some(v) => match v.to_str().and_then(|s| s.parse::<i32>().ok()) {
                Some(n) if n == 0 || n >= 640 => n,
                _ => {
                    return Err(
                        "PYTHONINTMAXSTRDIGITS: invalid limit; must be >= 640 or 0 for unlimited.".into()
                    );
                }
            },
            None => -1,
        },
    };
    let pycache = match x("pycache_prefix") {
        Some(v) => v.filter(|v| !v.is_empty()).map(OsString::from),
        None => var("PYTHONPYCACHEPREFIX").filter(|_| env_ok),
    };
    let frames = match x("tracemalloc") {
        Some(v) => match v.as_deref().map_or(Some(1), |s| s.parse::<u16>().ok()) {
            Some(n) => n,
            None => return Err("-X tracemalloc=NFRAME: invalid number of frames".into()),
        },
        None => match var("PYTHONTRACEMALLOC").filter(|_| env_ok) {
            Some(v) => match v.to_str().and_then(|s| s.parse::<u16>().ok()) {
                Some(n) => n,
                None => return Err("PYTHONTRACEMALLOC: invalid number of frames".into()),
            },
            None => 0,
        },
    };
    c.tracemalloc = frames;
    c.no_debug_ranges = x("no_debug_ranges").is_some() || flag("PYTHONNODEBUGRANGES");
    let default_encoding = x("warn_default_encoding").is_some() || flag("PYTHONWARNDEFAULTENCODING");
    let lv = |name: &str, now: i32| if env_ok { level(name, now) } else { now };
    c.debug = lv("PYTHONDEBUG", o.debug);
    c.verbose = lv("PYTHONVERBOSE", o.verbose);
    c.optimize = lv("PYTHONOPTIMIZE", o.optimize).min(2);
    c.inspect = o.inspect || flag("PYTHONINSPECT");
    c.interactive = o.interactive;
    c.dont_write_bytecode = o.dont_write_bytecode || flag("PYTHONDONTWRITEBYTECODE");
    c.no_user_site = o.no_user_site || flag("PYTHONNOUSERSITE");
    c.no_site = o.no_site;
    c.ignore_environment = o.ignore_environment;
    c.bytes_warning = o.bytes_warning;
    c.quiet = o.quiet;
    c.isolated = o.isolated;
    c.safe_path = o.safe_path || flag("PYTHONSAFEPATH");
    c.unbuffered = o.unbuffered || flag("PYTHONUNBUFFERED");
    c.dev_mode = dev;
    c.utf8_mode = utf8;
    c.warn_default_encoding = default_encoding;
    c.int_max_str_digits = digits;
    c.pycache_prefix = pycache;
    c.import_time = x("importtime").is_some() || flag("PYTHONPROFILEIMPORTTIME");
    if let Some(m) = &o.check_hash_based_pycs {
        c.check_hash_based_pycs = m.clone();
    }
    // Warning options: development mode's, the environment's, the command line's; later ones win.
    if dev {
        c.warnoptions.push("default".into());
    }
    if let Some(w) = var("PYTHONWARNINGS").filter(|_| env_ok) {
        for part in w.as_bytes().split(|b| *b == b',').filter(|p| !p.is_empty()) {
            c.warnoptions.push(OsStr::from_bytes(part).into());
        }
    }
    c.warnoptions.extend(o.warnings.iter().cloned());
    if o.bytes_warning > 0 {
        c.warnoptions
            .push(if o.bytes_warning > 1 { "error::BytesWarning" } else { "default::BytesWarning" }.into());
    }
    let seed = if env_ok && !o.randomise { env::var_os("PYTHONHASHSEED") } else { None };
    let seed = seed.map(|s| s.to_string_lossy().into_owned());
    let Some(seed) = lh_runtime::hashing::Seed::from_env(seed.as_deref()) else {
        return Err("PYTHONHASHSEED must be \"random\" or an integer in range [0; 4294967295]".into());
    };
    c.hash_randomization = seed != lh_runtime::hashing::Seed::Fixed(0);
    lh_runtime::hashing::init_secret(seed);
    if env_ok && let Some(v) = var("PYTHONIOENCODING") {
        let s = v.to_string_lossy();
        let (e, r) = s.split_once(':').map_or((&*s, ""), |x| x);
        c.stdio_encoding = Some(e.to_string()).filter(|e| !e.is_empty());
        c.stdio_errors = Some(r.to_string()).filter(|r| !r.is_empty());
        if c.stdio_encoding.is_some() && c.stdio_errors.is_none() {
            c.stdio_errors = Some("strict".into());
        }
    }
    Ok(())
}

/// The name of the locale that decides about characters, as the environment asks for it.
pub fn ctype_locale() -> String {
    ["LC_ALL", "LC_CTYPE", "LANG"]
        .iter()
        .find_map(|n| var(n))
        .map(|v| v.to_string_lossy().into_owned())
        .unwrap_or_else(|| "C".into())
}
