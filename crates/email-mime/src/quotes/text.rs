//! Quoted history in plain text.

use super::phrases::{
    begins_attribution, begins_message_head, is_attribution, is_forward, is_message_head,
    is_original_rule,
};

/// How often the head of a quoted message is looked for.
const MAX_LOOKS: usize = 100;
/// Lines within which the head of a quoted message must stand.
const HEAD_LINES: usize = 12;

/// What is left of `body`, without trailing space.
pub(super) fn strip(body: &str) -> String {
    let lines: Vec<&str> = body.split_inclusive('\n').collect();
    let (start, end) = own(&lines);
    let end = end
        - lines[start..end]
            .iter()
            .rev()
            .take_while(|line| is_quoted(line) || is_blank(line))
            .count();
    let kept = lines[start..end].concat();
    if is_blank(&kept) {
        body.to_owned()
    } else {
        kept.trim_end().to_owned()
    }
}

/// Which lines are not introduced as a quotation.
fn own(lines: &[&str]) -> (usize, usize) {
    // The last line before the one looked at that says something.
    let mut previous = "";
    let mut looks = 0;
    for (index, line) in lines.iter().enumerate() {
        if is_blank(line) || is_quoted(line) {
            continue;
        }
        if is_original_rule(line) {
            return (0, index);
        }
        if looks < MAX_LOOKS && may_begin_head(&lines[index..]) {
            looks += 1;
            if is_message_head(head(&lines[index..])) && !is_forward(previous) {
                return (0, index);
            }
        }
        if let Some(start) = attribution(lines, index)
            && let Some(range) = after_attribution(lines, start, index + 1)
        {
            return range;
        }
        previous = line;
    }
    (0, lines.len())
}

/// Whether the first line could be that of a quoted message's head, or the rule above one.
fn may_begin_head(lines: &[&str]) -> bool {
    head(lines)
        .find(|line| !is_blank(line))
        .is_some_and(begins_message_head)
}

/// The lines in which the head of a quoted message must stand, without the rule above it.
fn head<'a>(lines: &[&'a str]) -> impl Iterator<Item = &'a str> {
    let rule = lines[0].trim();
    let ruled = rule.len() >= 10 && rule.bytes().all(|b| b == b'_');
    lines[usize::from(ruled)..lines.len().min(HEAD_LINES)]
        .iter()
        .copied()
}

/// Where the attribution begins that ends with line `end`; it may have been wrapped.
fn attribution(lines: &[&str], end: usize) -> Option<usize> {
    if !lines[end].trim_end().ends_with([':', '：']) {
        return None;
    }
    let mut joined = String::new();
    for start in (end.saturating_sub(2)..=end).rev() {
        if is_blank(lines[start]) || is_quoted(lines[start]) {
            break;
        }
        joined = format!("{} {joined}", lines[start].trim());
        if begins_attribution(lines[start]) && is_attribution(&joined) {
            return Some(start);
        }
    }
    is_attribution(lines[end]).then_some(end)
}

/// The lines to keep, given an attribution from `start` up to `next`. `None`: all, because what is quoted is
/// being answered line by line.
fn after_attribution(lines: &[&str], start: usize, next: usize) -> Option<(usize, usize)> {
    let said_before = lines[..start]
        .iter()
        .any(|line| !is_blank(line) && !is_quoted(line));
    let skip = |from: usize| {
        lines[from..]
            .iter()
            .take_while(|line| is_quoted(line) || is_blank(line))
            .count()
    };
    if !lines[next..]
        .iter()
        .find(|line| !is_blank(line))
        .is_some_and(|line| is_quoted(line))
    {
        // Nothing marks where the quotation ends.
        return Some((0, start));
    }
    let after = next + skip(next);
    match (said_before, after == lines.len()) {
        (_, true) => Some((0, start)),
        (false, false) if !lines[after..].iter().any(|line| is_quoted(line)) => {
            Some((after, lines.len()))
        }
        _ => None,
    }
}

fn is_blank(text: &str) -> bool {
    text.trim().is_empty()
}

fn is_quoted(line: &str) -> bool {
    line.trim_start().starts_with('>')
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    #[test]
    fn an_answer_above_its_quotation_is_kept() {
        for quoted in [
            "On Mon, Jan 1, 2024 at 10:00 AM Ann <ann@x.org> wrote:\n> old\n>\n> older\n",
            "On Mon, Jan 1, 2024 at 10:00 AM Ann Longname\n<ann@x.org> wrote:\n\n> old",
            "Am 01.01.24 schrieb Ann:\r\n> alt\r\n",
            "On 1 Jan 2024, Ann wrote:\nold without marks\nmore",
            "-----Original Message-----\nFrom: Ann\nold",
            "________________________________\nFrom: Ann\nSent: Monday\nTo: Bob\nSubject: x\n\nold",
            "Von: Ann\nGesendet: Montag\nAn: Bob\nBetreff: x\n\nalt",
            "> old\n> older\n\n",
        ] {
            assert_eq!(
                strip(&format!("Yes.\n\nBob\n\n{quoted}")),
                "Yes.\n\nBob",
                "{quoted}"
            );
        }
    }

    #[test]
    fn an_answer_below_its_quotation_is_kept() {
        assert_eq!(strip("On 1 Jan 2024, Ann wrote:\n> old\n\nYes.\n"), "Yes.");
    }

    #[test]
    fn answers_between_quotations_are_left_as_they_are() {
        let mail = "Hi\n\nOn 1 Jan 2024, Ann wrote:\n> one?\nyes\n> two?\nno";
        assert_eq!(strip(mail), mail);
    }

    #[test]
    fn what_is_not_quoted_or_was_forwarded_stays() {
        for mail in [
            "He said: at 10:00 we wrote:\nnothing",
            "FYI\n\n---------- Forwarded message ---------\nFrom: Ann\nDate: Monday\nSubject: x\nTo: Bob\n\ntext",
            "FYI\n\nBegin forwarded message:\n\nFrom: Ann\nDate: Monday\nTo: Bob\n\ntext",
            "> only quoted",
            "",
        ] {
            assert_eq!(strip(mail), mail, "{mail}");
        }
    }

    #[test]
    fn hostile_text_takes_linear_time() {
        for piece in [
            ">",
            "> a\n",
            "On 1 wrote:\n",
            "\n",
            "From: a\n",
            "--\n",
            "a:\n",
            "On 1 a\nb\n",
            "_",
        ] {
            let text = piece.repeat(100_000 / piece.len());
            let started = Instant::now();
            strip(&text);
            assert!(
                started.elapsed() < Duration::from_secs(10),
                "{piece:?} {:?}",
                started.elapsed()
            );
        }
    }
}
