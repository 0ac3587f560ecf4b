//! Calendar arithmetic, ISO text, and the wording of range errors: no objects but the errors.

use lh_runtime::prelude::*;

pub const MIN_YEAR: i64 = 1;
pub const MAX_YEAR: i64 = 9999;
pub const MAX_ORDINAL: i64 = 3652059;
pub const US_PER_DAY: i128 = 86_400_000_000;

pub fn is_leap(y: i64) -> bool {
    y % 4 == 0 && (y % 100 != 0 || y % 400 == 0)
}
pub fn days_in_month(y: i64, m: i64) -> i64 {
    match m {
        2 if is_leap(y) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}
fn days_before_year(y: i64) -> i64 {
    let y = y - 1;
    y * 365 + y.div_euclid(4) - y.div_euclid(100) + y.div_euclid(400)
}
pub fn days_before_month(y: i64, m: i64) -> i64 {
    (1..m).map(|k| days_in_month(y, k)).sum()
}
/// The proleptic Gregorian ordinal; 1 is the first of January of year 1.
pub fn ordinal(y: i64, m: i64, d: i64) -> i64 {
    days_before_year(y) + days_before_month(y, m) + d
}
pub fn from_ordinal(n: i64) -> (i64, i64, i64) {
    let n = n - 1;
    let (n400, n) = (n.div_euclid(146097), n.rem_euclid(146097));
    let (n100, n) = (n / 36524, n % 36524);
    let (n4, n) = (n / 1461, n % 1461);
    let (n1, mut n) = (n / 365, n % 365);
    let y = n400 * 400 + n100 * 100 + n4 * 4 + n1 + 1;
    if n1 == 4 || n100 == 4 {
        return (y - 1, 12, 31);
    }
    let mut m = 1;
    while n >= days_in_month(y, m) {
        n -= days_in_month(y, m);
        m += 1;
    }
    (y, m, n + 1)
}
/// Monday is 0.
pub fn weekday(y: i64, m: i64, d: i64) -> i64 {
    (ordinal(y, m, d) + 6) % 7
}
/// The ordinal of the Monday that begins the ISO year.
pub fn iso_week1_monday(y: i64) -> i64 {
    let first = ordinal(y, 1, 1);
    let wd = (first + 6) % 7;
    let monday = first - wd;
    if wd > 3 { monday + 7 } else { monday }
}
/// ISO year, week, weekday.
pub fn iso_calendar(y: i64, m: i64, d: i64) -> (i64, i64, i64) {
    let today = ordinal(y, m, d);
    let mut year = y;
    let mut monday = iso_week1_monday(y);
    let mut week = (today - monday).div_euclid(7);
    let day = (today - monday).rem_euclid(7);
    if week < 0 {
        year -= 1;
        monday = iso_week1_monday(year);
        week = (today - monday).div_euclid(7);
    } else if week >= 52 && today >= iso_week1_monday(year + 1) {
        year += 1;
        week = 0;
    }
    (year, week + 1, day + 1)
}
/// The date of an ISO year, week and weekday.
pub fn iso_to_date(y: i64, week: i64, day: i64) -> PyResult<(i64, i64, i64)> {
    if !(MIN_YEAR..=MAX_YEAR).contains(&y) {
        return raise!(ValueError, "Year is out of range: {}", y);
    }
    if !(1..=52).contains(&week) {
        let first = weekday(y, 1, 1);
        let long = first == 3 || (first == 2 && is_leap(y));
        if !(week == 53 && long) {
            return raise!(ValueError, "Invalid week: {}", week);
        }
    }
    if !(1..=7).contains(&day) {
        return raise!(ValueError, "Invalid weekday: {} (range is [1, 7])", day);
    }
    let n = iso_week1_monday(y) + (week - 1) * 7 + day - 1;
    if !(1..=MAX_ORDINAL).contains(&n) {
        return raise!(ValueError, "year {} is out of range", y + if n < 1 { -1 } else { 1 });
    }
    Ok(from_ordinal(n))
}

pub fn check_date(y: i64, m: i64, d: i64) -> PyResult<()> {
    if !(MIN_YEAR..=MAX_YEAR).contains(&y) {
        return raise!(ValueError, "year {} is out of range", y);
    }
    if !(1..=12).contains(&m) {
        return raise!(ValueError, "month must be in 1..12");
    }
    if d < 1 || d > days_in_month(y, m) {
        return raise!(ValueError, "day is out of range for month");
    }
    Ok(())
}
pub fn check_time(h: i64, m: i64, s: i64, us: i64, fold: i64) -> PyResult<()> {
    if !(0..24).contains(&h) {
        return raise!(ValueError, "hour must be in 0..23");
    }
    if !(0..60).contains(&m) {
        return raise!(ValueError, "minute must be in 0..59");
    }
    if !(0..60).contains(&s) {
        return raise!(ValueError, "second must be in 0..59");
    }
    if !(0..1_000_000).contains(&us) {
        return raise!(ValueError, "microsecond must be in 0..999999");
    }
    if fold != 0 && fold != 1 {
        return raise!(ValueError, "fold must be either 0 or 1");
    }
    Ok(())
}

/// `HH[:MM[:SS[.ffffff]]]` as `timespec` wants it; `None` for an unknown one.
pub fn time_text(h: i64, m: i64, s: i64, us: i64, spec: &str) -> Option<String> {
    Some(match spec {
        "auto" if us == 0 => format!("{h:02}:{m:02}:{s:02}"),
        "auto" | "microseconds" => format!("{h:02}:{m:02}:{s:02}.{us:06}"),
        "hours" => format!("{h:02}"),
        "minutes" => format!("{h:02}:{m:02}"),
        "seconds" => format!("{h:02}:{m:02}:{s:02}"),
        "milliseconds" => format!("{h:02}:{m:02}:{s:02}.{:03}", us / 1000),
        _ => return None,
    })
}

/// A UTC offset in microseconds as `+HH<sep>MM[<sep>SS[.ffffff]]`.
pub fn offset_text(us: i128, sep: &str) -> String {
    let sign = if us < 0 { '-' } else { '+' };
    let us = us.unsigned_abs();
    let (s, us) = (us / 1_000_000, us % 1_000_000);
    let (h, m, s) = (s / 3600, s / 60 % 60, s % 60);
    let mut t = format!("{sign}{h:02}{sep}{m:02}");
    if s != 0 || us != 0 {
        t.push_str(&format!("{sep}{s:02}"));
    }
    if us != 0 {
        t.push_str(&format!(".{us:06}"));
    }
    t
}

// ---- Parsing ISO text ----

fn digits(b: &[u8], at: usize, n: usize) -> Option<i64> {
    let s = b.get(at..at + n)?;
    s.iter().all(u8::is_ascii_digit).then(|| s.iter().fold(0, |v, c| v * 10 + (c - b'0') as i64))
}

/// `YYYY-MM-DD`, `YYYYMMDD`, `YYYY-Www[-D]`, `YYYYWww[D]`: the whole of `b`.
pub fn parse_date(b: &[u8]) -> Option<Result<(i64, i64, i64), (i64, i64, i64)>> {
    let y = digits(b, 0, 4)?;
    let dashed = *b.get(4)? == b'-';
    let mut p = 4 + dashed as usize;
    if b.get(p) == Some(&b'W') {
        p += 1;
        let w = digits(b, p, 2)?;
        p += 2;
        let mut d = 1;
        if p < b.len() {
            if dashed {
                if b[p] != b'-' {
                    return None;
                }
                p += 1;
            }
            d = digits(b, p, 1)?;
            p += 1;
        }
        return (p == b.len()).then_some(Err((y, w, d)));
    }
    let m = digits(b, p, 2)?;
    p += 2;
    if dashed {
        if b.get(p) != Some(&b'-') {
            return None;
        }
        p += 1;
    }
    let d = digits(b, p, 2)?;
    (p + 2 == b.len()).then_some(Ok((y, m, d)))
}

/// `HH[:MM[:SS[.fff…]]]` or without colons: the whole of `b`.
pub fn parse_clock(b: &[u8]) -> Option<(i64, i64, i64, i64)> {
    let mut v = [0i64; 3];
    let mut p = 0;
    let mut colons = None;
    for i in 0..3 {
        v[i] = digits(b, p, 2)?;
        p += 2;
        match b.get(p) {
            None => return Some((v[0], v[1], v[2], 0)),
            Some(b'.' | b',') if i == 2 => break,
            Some(c) => {
                if i == 2 {
                    return None;
                }
                let is_colon = *c == b':';
                match colons {
                    None => colons = Some(is_colon),
                    Some(x) if x != is_colon => return None,
                    _ => {}
                }
                p += is_colon as usize;
            }
        }
    }
    p += 1;
    let f = &b[p..];
    if f.is_empty() || !f.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let mut us = 0;
    for i in 0..6 {
        us = us * 10 + f.get(i).map_or(0, |c| (c - b'0') as i64);
    }
    Some((v[0], v[1], v[2], us))
}

/// A time with an optional offset: hour, minute, second, microsecond, offset in microseconds (with whether it is `Z` or zero).
pub fn parse_time(b: &[u8]) -> Option<(i64, i64, i64, i64, Option<i128>)> {
    let at = b.iter().position(|c| matches!(c, b'+' | b'-' | b'Z'));
    let (clock, zone) = match at {
        None => (b, None),
        Some(i) => (&b[..i], Some(&b[i..])),
    };
    let (h, m, s, us) = parse_clock(clock)?;
    let offset = match zone {
        None => None,
        Some(b"Z") => Some(0),
        Some(z) if z[0] == b'Z' => return None,
        Some(z) => {
            let (oh, om, os, ous) = parse_clock(&z[1..])?;
            let v = ((oh * 3600 + om * 60 + os) as i128) * 1_000_000 + ous as i128;
            Some(if z[0] == b'-' { -v } else { v })
        }
    };
    Some((h, m, s, us, offset))
}

/// Where date and time part in an ISO date-time.
pub fn find_separator(b: &[u8]) -> usize {
    let n = b.len();
    let digit = |i: usize| b.get(i).is_some_and(u8::is_ascii_digit);
    if n == 7 {
        return 7;
    }
    if b.get(4) == Some(&b'-') {
        if b.get(5) == Some(&b'W') {
            if n < 8 {
                return n;
            }
            if n > 8 && b[8] == b'-' {
                if n == 9 {
                    return n;
                }
                if n > 10 && digit(10) {
                    // YYYY-Www-d followed by a digit: the dash was the separator.
                    return 8;
                }
                return 10;
            }
            return 8;
        }
        return 10.min(n);
    }
    if b.get(4) == Some(&b'W') {
        let mut i = 7;
        while i < n && digit(i) {
            i += 1;
        }
        if i < 9 {
            return i;
        }
        return if i % 2 == 0 { 7 } else { 8 };
    }
    8.min(n)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinals_are_inverse() {
        for n in (1..=MAX_ORDINAL).step_by(97).chain([MAX_ORDINAL]) {
            let (y, m, d) = from_ordinal(n);
            assert_eq!(ordinal(y, m, d), n);
        }
        assert_eq!(from_ordinal(MAX_ORDINAL), (9999, 12, 31));
        assert_eq!(iso_calendar(2004, 1, 1), (2004, 1, 4));
        assert_eq!(iso_calendar(2005, 1, 1), (2004, 53, 6));
    }
}
