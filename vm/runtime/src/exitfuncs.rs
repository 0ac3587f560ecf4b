//! `Py_AtExit`: C functions to be called once, when nothing of the runtime is left but before the libraries' own destructors run.

use std::sync::Mutex;

/// CPython's limit.
const MOST: usize = 32;
static FUNCTIONS: Mutex<Vec<extern "C" fn()>> = Mutex::new(Vec::new());

/// Is there room for it?
pub fn add(f: extern "C" fn()) -> bool {
    let mut all = FUNCTIONS.lock().unwrap_or_else(|e| e.into_inner());
    if all.len() == MOST {
        return false;
    }
    all.push(f);
    true
}

/// Calls them, the last one first.
pub fn run() {
    loop {
        // Not held during the call: a function may add another.
        let next = FUNCTIONS.lock().unwrap_or_else(|e| e.into_inner()).pop();
        match next {
            Some(f) => f(),
            None => return,
        }
    }
}
