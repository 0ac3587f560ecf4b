//! "Did you mean": the known name nearest to one that was not found.

use lh_runtime::prelude::*;

/// An inserted, removed or replaced character costs this; a changed case 1.
const MOVE: usize = 2;
const MAX_NAMES: usize = 750;
const MAX_LENGTH: usize = 40;

fn substitution(a: u32, b: u32) -> usize {
    let lower = |c: u32| char::from_u32(c).map_or(c, |c| c.to_ascii_lowercase() as u32);
    if a == b {
        0
    } else if lower(a) == lower(b) {
        1
    } else {
        MOVE
    }
}

/// The edit distance, or something above `limit` once it is clear that it is larger.
fn distance(a: &[u32], b: &[u32], limit: usize) -> usize {
    let (mut a, mut b) = (a, b);
    while let ([x, ra @ ..], [y, rb @ ..]) = (a, b)
        && x == y
    {
        (a, b) = (ra, rb);
    }
    while let ([ra @ .., x], [rb @ .., y]) = (a, b)
        && x == y
    {
        (a, b) = (ra, rb);
    }
    if a.is_empty() || b.is_empty() {
        return (a.len() + b.len()) * MOVE;
    }
    if a.len() > MAX_LENGTH || b.len() > MAX_LENGTH {
        return limit + 1;
    }
    if a.len() > b.len() {
        (a, b) = (b, a);
    }
    if (b.len() - a.len()) * MOVE > limit {
        return limit + 1;
    }
    let mut row: Vec<usize> = (1..=a.len()).map(|i| i * MOVE).collect();
    let mut result = 0;
    for (i, y) in b.iter().enumerate() {
        let mut diagonal = i * MOVE;
        result = diagonal + MOVE;
        let mut least = usize::MAX;
        for (x, cell) in a.iter().zip(&mut row) {
            let replaced = diagonal + substitution(*x, *y);
            diagonal = *cell;
            result = replaced.min(result.min(diagonal) + MOVE);
            *cell = result;
            least = least.min(result);
        }
        if least > limit {
            return limit + 1;
        }
    }
    result
}

fn nearest(names: &[Owned<Object>], name: &Str) -> Option<String> {
    if names.len() >= MAX_NAMES {
        return None;
    }
    let wanted: Vec<u32> = name.chars().collect();
    let mut best: Option<(usize, &Str)> = None;
    for n in names {
        let Some(s) = n.downcast::<Str>().filter(|s| !s.equals(name)) else { continue };
        let mut limit = (wanted.len() + s.len() + 3) * MOVE / 6;
        if let Some((d, _)) = best {
            limit = limit.min(d.saturating_sub(1));
        }
        let chars: Vec<u32> = s.chars().collect();
        let d = distance(&wanted, &chars, limit);
        if d <= limit && best.is_none_or(|(b, _)| d < b) {
            best = Some((d, s));
        }
    }
    best.map(|(_, s)| s.to_str_lossy().into_owned())
}

/// A name to suggest for an `AttributeError` or `NameError`.
pub fn suggestion(e: &Object) -> Option<String> {
    match find(e) {
        Ok(s) => s,
        Err(e) => {
            e.clear();
            None
        }
    }
}
fn find(e: &Object) -> PyResult<Option<String>> {
    let attribute = e.ty().is(exc::AttributeError());
    if !attribute && !e.ty().is(exc::NameError()) {
        return Ok(None);
    }
    let name = e.get_attr(intern!("name"))?;
    let Some(name) = name.downcast::<Str>() else { return Ok(None) };
    if attribute {
        let o = e.get_attr(intern!("obj"))?;
        return Ok(nearest(&o.dir()?.to_vec(), name));
    }
    let mut tb = e.get_attr(intern!("__traceback__"))?;
    if tb.is_none() {
        return Ok(None);
    }
    loop {
        let next = tb.get_attr(intern!("tb_next"))?;
        if next.is_none() {
            break;
        }
        tb = next;
    }
    let frame = tb.get_attr(intern!("tb_frame"))?;
    let code = frame.get_attr(intern!("f_code"))?;
    if let Some(s) = nearest(&code.get_attr(intern!("co_varnames"))?.to_items()?, name) {
        return Ok(Some(s));
    }
    for scope in [intern!("f_globals"), intern!("f_builtins")] {
        if let Some(s) = nearest(&frame.get_attr(scope)?.to_items()?, name) {
            return Ok(Some(s));
        }
    }
    Ok(None)
}
