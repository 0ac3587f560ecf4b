//! The interactive prompt: the `readline` module's line editor on a terminal, our own where there is no such module, plain lines otherwise.
//!
//! Whether an input is complete is `codeop`'s decision, so multi-line statements end where the standard library's own
//! consoles end them. The reading of a line gives the GIL up.

use crate::run::{exec, print_exception, report};
use lh_runtime::prelude::*;
use lh_runtime::sysobject::{config, sys_get, sys_set};
use std::io::{BufRead, IsTerminal, Write};

/// Completion by `rlcompleter`, asked while the editor runs: the GIL is taken for it.
struct Helper;

impl rustyline::completion::Completer for Helper {
    type Candidate = String;
    fn complete(
        &self,
        line: &str,
        pos: usize,
        _: &rustyline::Context<'_>,
    ) -> rustyline::Result<(usize, Vec<String>)> {
        let start = line[..pos]
            .char_indices()
            .rev()
            .find(|(_, c)| !(c.is_alphanumeric() || *c == '_' || *c == '.'))
            .map_or(0, |(i, c)| i + c.len_utf8());
        let word = line[start..pos].to_string();
        if word.is_empty() {
            return Ok((pos, vec!["    ".into()]));
        }
        let had = lh_runtime::thread::ensure();
        let found = candidates(&word).unwrap_or_else(|e| {
            e.clear();
            vec![]
        });
        lh_runtime::thread::ensure_end(had);
        Ok((start, found))
    }
}
impl rustyline::hint::Hinter for Helper {
    type Hint = String;
}
impl rustyline::highlight::Highlighter for Helper {}
impl rustyline::validate::Validator for Helper {}
impl rustyline::Helper for Helper {}

fn candidates(word: &str) -> PyResult<Vec<String>> {
    let m = lh_runtime::import::import_module("rlcompleter")?;
    let c = m.get_attr_str("Completer")?.call0()?;
    let word = Str::new(word);
    let mut out: Vec<String> = vec![];
    for i in 0..500 {
        let x = c.call_method("complete", &[&*word, &*Int::from_i64(i)])?;
        match x.downcast::<Str>() {
            Some(s) => out.push(s.to_str_lossy().into_owned()),
            None => break,
        }
    }
    out.dedup();
    Ok(out)
}

enum Input {
    Line(String),
    End,
    Interrupted,
}

enum Reader {
    Editor(Box<rustyline::Editor<Helper, rustyline::history::DefaultHistory>>),
    Plain,
}

impl Reader {
    fn new() -> Reader {
        let terminal = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
        if terminal && !lh_runtime::readline::installed() {
            let builder = rustyline::Config::builder()
                .completion_type(rustyline::CompletionType::List)
                .auto_add_history(true);
            if let Ok(mut e) = rustyline::Editor::with_config(builder.build()) {
                e.set_helper(Some(Helper));
                if let Some(h) = history_file() {
                    let _ = e.load_history(&h);
                }
                return Reader::Editor(Box::new(e));
            }
        }
        Reader::Plain
    }
    fn read(&mut self, prompt: &str) -> Input {
        // The `readline` module, which `site` imports for interactive use, brings an editor, a history and completion of its own.
        if lh_runtime::readline::installed() {
            let prompt = std::ffi::CString::new(prompt).unwrap_or_default();
            return match lh_runtime::readline::read_line(&prompt) {
                Ok(l) if l.is_empty() => Input::End,
                Ok(l) => Input::Line(String::from_utf8_lossy(&l).into_owned()),
                Err(e) => {
                    e.clear();
                    Input::Interrupted
                }
            };
        }
        match self {
            Reader::Editor(e) => {
                let r = lh_runtime::thread::allow_threads(|| e.readline(prompt));
                match r {
                    Ok(l) => Input::Line(l + "\n"),
                    Err(rustyline::error::ReadlineError::Interrupted) => Input::Interrupted,
                    Err(_) => Input::End,
                }
            }
            Reader::Plain => lh_runtime::thread::allow_threads(|| {
                eprint!("{prompt}");
                let _ = std::io::stderr().flush();
                let mut s = String::new();
                match std::io::stdin().lock().read_line(&mut s) {
                    Ok(0) | Err(_) => Input::End,
                    Ok(_) => Input::Line(s),
                }
            }),
        }
    }
    fn save(&mut self) {
        if let Reader::Editor(e) = self
            && let Some(h) = history_file()
        {
            let _ = e.save_history(&h);
        }
    }
}

fn history_file() -> Option<std::path::PathBuf> {
    if config().isolated {
        return None;
    }
    Some(std::path::PathBuf::from(std::env::var_os("HOME")?).join(".lancehead_history"))
}

fn prompt(name: &str, default: &str) -> String {
    match sys_get(name) {
        Some(p) => match p.str() {
            Ok(s) => s.to_str_lossy().into_owned(),
            Err(e) => {
                e.clear();
                String::new()
            }
        },
        None => default.into(),
    }
}

/// Reads and runs statements until the input ends; the exit status.
pub fn run(globals: &Dict) -> PyResult<i32> {
    for (n, p) in [("ps1", ">>> "), ("ps2", "... ")] {
        if sys_get(n).is_none() {
            sys_set(n, &Str::new(p))?;
        }
    }
    let codeop = lh_runtime::import::import_module("codeop")?;
    let compiler = codeop.get_attr_str("CommandCompiler")?.call0()?;
    let mut reader = Reader::new();
    let mut source = String::new();
    let status = loop {
        lh_runtime::sysobject::flush_std_files();
        let p = if source.is_empty() { prompt("ps1", ">>> ") } else { prompt("ps2", "... ") };
        match reader.read(&p) {
            Input::Line(l) => source.push_str(&l),
            Input::Interrupted => {
                source.clear();
                eprintln!("\nKeyboardInterrupt");
                continue;
            }
            Input::End if source.is_empty() => {
                eprintln!();
                break 0;
            }
            Input::End => source.push('\n'),
        }
        let text = source.strip_suffix('\n').unwrap_or(&source);
        let done = match compiler.call(&[&Str::new(text), &Str::new("<stdin>"), &Str::new("single")]) {
            Ok(c) if c.is_none() => continue,
            Ok(code) => exec(&code, globals).map(drop),
            Err(e) => {
                let mut e = e.take();
                // What was typed ends in a newline: errors at its end have a place.
                if e.ty().is_subtype(exc::SyntaxError())
                    && let Ok(c) = compiler.get_attr_str("compiler")
                    && let Err(placed) =
                        c.call(&[&Str::new(&format!("{text}\n")), &Str::new("<stdin>"), &Str::new("single")])
                {
                    e = placed.take();
                }
                // Nobody wants to see how the prompt compiles.
                e.set_traceback(None);
                Err(lh_runtime::errors::raise_exc(e))
            }
        };
        source.clear();
        if let Err(e) = done {
            if e.matches(exc::SystemExit()) {
                reader.save();
                // Under -i an exit from the prompt itself still ends the program.
                return Ok(exit_status(e));
            }
            print_exception(&e.take());
        }
    };
    reader.save();
    Ok(status)
}

fn exit_status(e: Raised) -> i32 {
    if !config().inspect {
        return report(e);
    }
    let e = e.take();
    match e.get_attr_str("code") {
        Ok(c) if c.is_none() => 0,
        Ok(c) => match c.downcast::<Int>() {
            Some(i) => i.to_i128().map_or(-1, |v| v as i32),
            None => {
                eprintln!("{}", c.str().map(|s| s.to_str_lossy().into_owned()).unwrap_or_default());
                1
            }
        },
        Err(x) => {
            x.clear();
            1
        }
    }
}
