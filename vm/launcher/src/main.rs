//! The `lancehead` executable: reads its arguments, finds the standard library, wires the crates together, runs Python.

#![no_main]

use lh_capi as _; // exports the C API

mod args;
mod backtrace;
mod life;
mod paths;
mod repl;
mod run;
mod unwind;
mod wiring;

use lh_runtime::sysobject::{Config, set_config};
use std::ffi::OsString;

/// Runs before anything is allocated.
#[used]
#[unsafe(link_section = ".init_array")]
static CONFIGURE_ALLOCATOR: extern "C" fn() = {
    extern "C" fn configure() {
        lh_runtime::alloc::configure()
    }
    configure
};

/// One heap for Python objects and for what Rust code allocates.
#[global_allocator]
static ALLOCATOR: lh_runtime::alloc::Global = lh_runtime::alloc::Global;

/// The C library's entry: Rust's own would open `/dev/null` in the place of standard streams that are closed, which a program may ask about.
#[unsafe(no_mangle)]
extern "C" fn main(_argc: i32, _argv: *const *const core::ffi::c_char) -> i32 {
    run_main()
}

fn run_main() -> ! {
    lh_runtime::alloc::configured();
    let all: Vec<OsString> = std::env::args_os().collect();
    let (options, program, argv) = match args::parse(&all) {
        args::Parsed::Run { options, program, argv } => (options, program, argv),
        args::Parsed::Print { text, status, to_stderr } => {
            if to_stderr {
                eprint!("{text}")
            } else {
                print!("{text}")
            }
            std::process::exit(status)
        }
    };
    let fatal = |text: String| -> ! {
        eprintln!("Fatal Python error: {text}");
        std::process::exit(1)
    };
    let mut config = Config { orig_argv: all.clone(), argv, ..Config::default() };
    if let Err(text) = args::configure(&options, &mut config) {
        fatal(text);
    }
    life::set_locale();
    let argv0 = all.first().cloned().unwrap_or_else(|| "lancehead".into());
    match paths::compute(&argv0, !config.ignore_environment, config.debug > 0) {
        Ok(p) => {
            config.executable = p.executable.into();
            config.base_executable = p.base_executable.into();
            config.prefix = p.prefix.clone().into();
            config.base_prefix = p.prefix.into();
            config.exec_prefix = p.exec_prefix.clone().into();
            config.base_exec_prefix = p.exec_prefix.into();
            config.stdlib_dir = Some(p.stdlib.into());
            config.home = p.home.map(Into::into);
            config.module_search_paths = p.search;
        }
        Err(text) => {
            eprintln!("{text}");
            std::process::exit(1)
        }
    }
    set_config(config);
    // SAFETY: start-up, one thread. Writing to a closed pipe raises BrokenPipeError instead of killing the process.
    unsafe {
        libc::signal(libc::SIGPIPE, libc::SIG_IGN);
        libc::signal(libc::SIGXFSZ, libc::SIG_IGN);
    }
    let status = start_and_run(&program, options.skip_first_line);
    if status == run::BY_SIGINT {
        die_of_sigint();
    }
    std::process::exit(status & 0xff)
}

fn start_and_run(program: &args::Program, skip_first_line: bool) -> i32 {
    let started = life::start_runtime().and_then(|()| life::start_python());
    if let Err(e) = started {
        let e = e.take();
        let code = lh_runtime::sysobject::sys_get("stderr").is_some();
        let text = lh_stdlib::core::errdisplay::format_exception(&e, None);
        if code {
            lh_runtime::sysobject::flush_std_files();
        }
        eprint!("Fatal Python error: the VM could not start\n{text}");
        return 1;
    }
    let status = run::run(program, skip_first_line);
    match status {
        run::BY_SIGINT => {
            life::finish(1);
            run::BY_SIGINT
        }
        s => life::finish(s),
    }
}

/// A shell must see that the program was interrupted: the process dies of the signal itself.
fn die_of_sigint() -> ! {
    // SAFETY: resets a signal's action and sends the signal to this process.
    unsafe {
        libc::signal(libc::SIGINT, libc::SIG_DFL);
        libc::kill(libc::getpid(), libc::SIGINT);
    }
    std::process::exit(130)
}
