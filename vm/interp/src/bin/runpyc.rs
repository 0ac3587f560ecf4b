//! Runs one `.pyc` file made by python3.11 with only the built-in functions: the interpreter without importlib, `sys` or files.
//! For working on the VM.

use lh_interp::prelude::*;

fn main() {
    let path = std::env::args().nth(1).expect("usage: runpyc FILE.pyc");
    let data = std::fs::read(&path).expect("a readable file");
    lh_runtime::thread::new_state();
    lh_runtime::thread::gil_acquire();
    lh_interp::install_hooks();
    let run = || -> PyResult<()> {
        lh_runtime::init::init_types()?;
        lh_interp::init()?;
        let code = lh_runtime::marshal::loads(&data[16..])?;
        let Some(code) = code.downcast::<Code>() else { return raise!(ValueError, "not a code object") };
        let main = Module::new("__main__");
        lh_interp::eval_code(code, main.dict(), None).map(drop)
    };
    if let Err(e) = run() {
        let e = e.take();
        let mut tb = e.traceback();
        eprintln!("Traceback (most recent call last):");
        while let Some(t) = tb {
            let Some(t) = t.downcast::<lh_interp::traceback::TracebackObj>() else { break };
            let frame = t.get_attr_str("tb_frame").and_then(|f| f.get_attr_str("f_code"));
            if let Ok(c) = frame
                && let Some(c) = c.downcast::<Code>()
            {
                eprintln!(
                    "  File \"{}\", line {}, in {}",
                    c.filename().to_str_lossy(),
                    t.line().unwrap_or(0),
                    c.name().to_str_lossy()
                );
            }
            tb = t.next();
        }
        let text = e.str().map(|s| s.to_str_lossy().into_owned()).unwrap_or_default();
        eprintln!("{}: {}", (*e).ty().name(), text);
        std::process::exit(1);
    }
}
