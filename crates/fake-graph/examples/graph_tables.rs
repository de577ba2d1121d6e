//! Writes the tables as JSON to standard output, for `scripts/check-fake-graph`.

use std::io::Write;

fn main() -> std::io::Result<()> {
    let text = format!("{:#}\n", fake_graph::tables::dump());
    std::io::stdout().write_all(text.as_bytes())
}
