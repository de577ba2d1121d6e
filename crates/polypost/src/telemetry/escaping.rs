use std::io::{self, Write};

/// Writes lines of a log for people, in which control characters are told and not acted upon: what a
/// server sent cannot begin a line of its own, nor move the cursor of whoever reads the log.
///
/// Each write is one whole line, which is how the log's formatter writes.
pub(super) struct Escaping<W>(pub(super) W);

impl<W: Write> Write for Escaping<W> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(line);
        let text = text.strip_suffix('\n').unwrap_or(&text);
        let mut escaped = String::with_capacity(text.len() + 1);
        for c in text.chars() {
            match c.is_control() {
                true => escaped.extend(c.escape_default()),
                false => escaped.push(c),
            }
        }
        escaped.push('\n');
        self.0.write_all(escaped.as_bytes())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl Write for Kept {
        fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(octets);
            Ok(octets.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_log_line_stays_one_line_whatever_is_in_it() {
        let kept = Kept::default();
        let writer = kept.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_ansi(false)
            .with_writer(move || Escaping(writer.clone()))
            .finish();
        tracing::subscriber::with_default(subscriber, || {
            let sent = "a\r\nERROR forged \u{1b}[2J\u{9b}31m ü";
            tracing::warn!(shown = %sent, debugged = ?sent, "said {sent}");
            tracing::warn!("second");
        });
        let text = String::from_utf8(kept.0.lock().unwrap().clone()).unwrap();
        let lines: Vec<&str> = text.split('\n').collect();
        assert_eq!(lines.len(), 3, "{text}");
        assert!(
            lines[0].contains("said a\\r\\n") && lines[0].contains('ü'),
            "{text}"
        );
        assert!(
            lines.iter().all(|line| !line.contains(char::is_control)),
            "{text}"
        );
    }
}
