//! Writing for people and for pipes.

use std::io::{self, Write as _};

/// Writes a line to standard output.
pub(super) fn line(text: impl AsRef<str>) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_ref().as_bytes())?;
    out.write_all(b"\n")?;
    out.flush()
}

/// Text from outside without what a terminal would act upon.
pub(super) fn printable(text: &str) -> String {
    text.chars()
        .map(|c| if is_shown(c) { c } else { '\u{fffd}' })
        .collect()
}

/// Neither controls nor marks that turn the direction of what follows (Unicode TR #36 section 3.5).
fn is_shown(c: char) -> bool {
    !c.is_control() && !matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The same, cut to a width in characters.
pub(super) fn shortened(text: &str, width: usize) -> String {
    let text = printable(text);
    match text.char_indices().nth(width) {
        Some(_) => text
            .chars()
            .take(width.saturating_sub(1))
            .chain(['…'])
            .collect(),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_act_upon_is_replaced() {
        assert_eq!(
            printable("a\u{1b}[2Jb\r\n\u{202e}ü"),
            "a\u{fffd}[2Jb\u{fffd}\u{fffd}\u{fffd}ü"
        );
    }

    #[test]
    fn text_is_cut_to_its_width() {
        assert_eq!(shortened("äöü", 3), "äöü");
        assert_eq!(shortened("äöüß", 3), "äö…");
    }
}
