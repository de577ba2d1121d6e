//! Figures and how they are printed.

use std::io::Write as _;
use std::time::Duration;

/// A figure.
#[derive(Debug, Clone)]
pub struct Figure {
    pub row: u8,
    pub what: String,
    pub measured: String,
    /// The raw limit of the same run; empty where there is none.
    pub limit: String,
    pub ratio: String,
    /// What it may be at most; empty where nothing is promised.
    pub at_most: String,
    /// Whether it keeps to that.
    pub keeps: Option<bool>,
}

impl Figure {
    pub fn new(row: u8, what: impl Into<String>, measured: impl Into<String>) -> Self {
        Self {
            row,
            what: what.into(),
            measured: measured.into(),
            limit: String::new(),
            ratio: String::new(),
            at_most: String::new(),
            keeps: None,
        }
    }

    /// A time that may be at most so many times its limit.
    pub fn times(
        row: u8,
        what: impl Into<String>,
        measured: Duration,
        limit: Duration,
        most: f64,
    ) -> Self {
        let ratio = measured.as_secs_f64() / limit.as_secs_f64();
        Self {
            limit: told(limit),
            ratio: format!("{ratio:.2} x"),
            at_most: format!("{most} x"),
            keeps: Some(ratio <= most),
            ..Self::new(row, what, told(measured))
        }
    }

    /// A figure that may be at most so large, both in a unit.
    pub fn most(
        row: u8,
        what: impl Into<String>,
        measured: f64,
        most: f64,
        unit: &'static str,
    ) -> Self {
        let digits = if measured < 100.0 { 2 } else { 0 };
        Self {
            at_most: format!("{most} {unit}"),
            keeps: Some(measured <= most),
            ..Self::new(row, what, format!("{measured:.digits$} {unit}"))
        }
    }

    fn verdict(&self) -> &'static str {
        match self.keeps {
            Some(true) => "ok",
            Some(false) => "MISSES",
            None => "",
        }
    }

    fn cells(&self) -> [String; 7] {
        [
            self.row.to_string(),
            self.what.clone(),
            self.measured.clone(),
            self.limit.clone(),
            self.ratio.clone(),
            self.at_most.clone(),
            self.verdict().to_owned(),
        ]
    }
}

const HEADINGS: [&str; 7] = ["row", "what", "measured", "limit", "ratio", "at most", ""];

/// What was measured.
#[derive(Debug, Default)]
pub struct Report {
    figures: Vec<Figure>,
    failures: Vec<String>,
}

impl Report {
    /// Takes a figure and prints it.
    pub fn add(&mut self, figure: Figure) {
        let cells = figure.cells();
        let mut line = format!("row {}: {}: {}", cells[0], cells[1], cells[2]);
        for (name, cell) in [("limit ", 3), ("ratio ", 4), ("at most ", 5), ("", 6)] {
            if !cells[cell].is_empty() {
                line += &format!(", {name}{}", cells[cell]);
            }
        }
        say(&line);
        self.figures.push(figure);
    }

    /// Notes that a row could not be measured.
    pub fn fail(&mut self, row: u8, error: &anyhow::Error) {
        let failure = format!("row {row} could not be measured: {error:#}");
        say(&failure);
        self.failures.push(failure);
    }

    pub fn is_complete(&self) -> bool {
        self.failures.is_empty()
    }

    /// Prints all figures as a table.
    pub fn print(&self) {
        let mut rows = vec![HEADINGS.map(str::to_owned)];
        rows.extend(self.figures.iter().map(Figure::cells));
        let width = |column: usize| {
            let cells = rows.iter().map(|row| row[column].chars().count());
            cells.max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..HEADINGS.len()).map(width).collect();
        let mut table = String::new();
        for (index, row) in rows.iter().enumerate() {
            let cells = row.iter().zip(&widths);
            let line: Vec<_> = cells
                .map(|(cell, width)| format!("{cell:width$}"))
                .collect();
            table += &format!("| {} |\n", line.join(" | "));
            if index == 0 {
                let dashes: Vec<_> = widths.iter().map(|width| "-".repeat(width + 2)).collect();
                table += &format!("|{}|\n", dashes.join("|"));
            }
        }
        say(&format!("\n{table}"));
        for failure in &self.failures {
            say(failure);
        }
    }
}

/// Prints a line. An output that nobody reads is no reason to stop measuring.
pub fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{line}");
    let _ = out.flush();
}

/// A time for people.
pub fn told(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    if seconds >= 1.0 {
        format!("{seconds:.2} s")
    } else {
        format!("{:.2} ms", seconds * 1_000.0)
    }
}
