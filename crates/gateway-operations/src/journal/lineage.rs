//! The stretches of a journal: which process wrote it from where on.

use chrono::Duration;
use email_model::Timestamp;
use gateway_store::{Journal, Lineage};

/// Stretches that are kept whatever their age: a client that was away for long while the gateway was
/// seldom started anew goes on with its token.
const FEW: usize = 32;
/// Most stretches kept: a gateway that is started again and again must not fill its journals.
const MOST: usize = 1000;

/// The lineage with one more stretch, which begins now, and without those that no token younger
/// than `kept` names: tokens name the newest stretch there is when they are made.
pub(super) fn extended(
    journal: &Journal,
    tag: u32,
    now: Timestamp,
    kept: Duration,
) -> Vec<Lineage> {
    let mut lineage = journal.record.lineage.clone();
    lineage.push(Lineage {
        tag,
        from: journal.head,
        began_at: now,
    });
    let is_old = |next: &Lineage| now.signed_duration_since(next.began_at) > kept;
    let unnamed = lineage
        .iter()
        .skip(1)
        .take_while(|next| is_old(next))
        .count();
    let spare = lineage.len().saturating_sub(FEW);
    let excess = lineage.len().saturating_sub(MOST);
    lineage.drain(..unnamed.min(spare).max(excess));
    lineage
}

#[cfg(test)]
mod tests {
    use email_model::Timestamp;
    use gateway_store::{JournalRecord, Seq};

    use super::*;

    fn day(number: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + Duration::days(20_000 + number)
    }

    fn journal(days: impl IntoIterator<Item = i64>) -> Journal {
        let stretch = |number| Lineage {
            tag: u32::try_from(number).unwrap(),
            from: Seq(number),
            began_at: day(number),
        };
        Journal {
            epoch: 1,
            head: Seq(5_000),
            horizon: Seq(0),
            tick: 0,
            revision: 0,
            discovered: 0,
            key: Vec::new(),
            record: JournalRecord {
                lineage: days.into_iter().map(stretch).collect(),
                ..JournalRecord::default()
            },
        }
    }

    fn tags(lineage: &[Lineage]) -> Vec<u32> {
        lineage.iter().map(|stretch| stretch.tag).collect()
    }

    #[test]
    fn a_stretch_begins_at_the_head() {
        let lineage = extended(&journal([]), 7, day(3), Duration::days(90));
        let begun = Lineage {
            tag: 7,
            from: Seq(5_000),
            began_at: day(3),
        };
        assert_eq!(lineage, [begun]);
    }

    #[test]
    fn a_stretch_is_kept_for_as_long_as_a_token_may_name_it() {
        // Tokens of stretch 109 were made until day 110, when the next one began.
        let lineage = extended(&journal(0..200), 999, day(200), Duration::days(90));
        let expected: Vec<u32> = (109..200).chain([999]).collect();
        assert_eq!(tags(&lineage), expected);
    }

    #[test]
    fn a_few_stretches_are_kept_however_old() {
        let lineage = extended(&journal(0..20), 999, day(3_000), Duration::days(90));
        assert_eq!(lineage.len(), 21);
        let lineage = extended(&journal(0..50), 999, day(3_000), Duration::days(90));
        assert_eq!(tags(&lineage)[..2], [19, 20]);
        assert_eq!(lineage.len(), FEW);
    }

    #[test]
    fn a_gateway_that_starts_again_and_again_does_not_fill_its_journals() {
        let lineage = extended(&journal(0..2_000), 9_999, day(2_000), Duration::MAX);
        assert_eq!(lineage.len(), MOST);
        assert_eq!(tags(&lineage)[MOST - 1], 9_999);
    }
}
