//! Many measurements of the same.

use std::time::Duration;

/// Times, in the order in which they were taken.
#[derive(Debug, Clone, Default)]
pub struct Samples(Vec<Duration>);

impl Samples {
    pub fn add(&mut self, time: Duration) {
        self.0.push(time);
    }

    pub fn median(&self) -> Duration {
        self.percentile(50)
    }

    /// Zero where there are none.
    pub fn percentile(&self, percent: usize) -> Duration {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        let last = sorted.len().saturating_sub(1);
        sorted
            .get(last * percent / 100)
            .copied()
            .unwrap_or_default()
    }

    /// For people: median, 95th percentile and how many.
    pub fn told(&self) -> String {
        let (median, high) = (self.median(), self.percentile(95));
        format!(
            "median {:.2} ms, 95 % within {:.2} ms, of {}",
            median.as_secs_f64() * 1_000.0,
            high.as_secs_f64() * 1_000.0,
            self.0.len()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_one_in_the_middle() {
        let mut samples = Samples::default();
        assert_eq!(samples.median(), Duration::ZERO);
        for millis in [5, 1, 9] {
            samples.add(Duration::from_millis(millis));
        }
        assert_eq!(samples.median(), Duration::from_millis(5));
        assert_eq!(samples.percentile(100), Duration::from_millis(9));
    }
}
