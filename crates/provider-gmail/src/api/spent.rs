//! What of the budget of all mailboxes is spent, for the operator.

use email_provider::layers::Budget;

use crate::plugin::KIND;

/// Tells of units that were taken from the budget, or refused, and how it stands after that.
pub(super) fn tell(project: &Budget, units: u32, is_spent: bool) {
    let outcome = if is_spent { "spent" } else { "refused" };
    metrics::counter!("polypost_project_units_total", "kind" => KIND, "outcome" => outcome)
        .increment(u64::from(units));
    let state = project.state();
    let (Some(left), Some(most)) = (state.units_left, state.units_at_most) else {
        return;
    };
    metrics::gauge!("polypost_project_units_left", "kind" => KIND).set(left as f64);
    metrics::gauge!("polypost_project_units_at_most", "kind" => KIND).set(f64::from(most));
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use metrics_util::debugging::{DebugValue, DebuggingRecorder};

    use super::*;
    use crate::quota::Quota;

    #[tokio::test]
    async fn what_is_spent_and_left_is_told_by_kind_alone() {
        let project = Budget::new(Quota::default().project());
        let call = email_provider::Call {
            priority: email_provider::Priority::Interactive,
            deadline: tokio::time::Instant::now() + std::time::Duration::from_secs(60),
        };
        let _permit = project.enter(call, 20).await.unwrap();
        let recorder = DebuggingRecorder::new();
        let figures = recorder.snapshotter();
        metrics::with_local_recorder(&recorder, || {
            tell(&project, 20, true);
            tell(&project, 5, false);
        });
        let told = figures.snapshot().into_vec().into_iter();
        let told: BTreeMap<String, DebugValue> = told
            .map(|(key, _, _, value)| {
                let labels = key.key().labels().map(|label| label.value());
                let labels: Vec<&str> = labels.collect();
                (format!("{} {}", key.key().name(), labels.join(" ")), value)
            })
            .collect();
        let expected = [
            ("units_at_most gmail", DebugValue::Gauge(1_200_000.0.into())),
            ("units_left gmail", DebugValue::Gauge(1_199_980.0.into())),
            ("units_total gmail refused", DebugValue::Counter(5)),
            ("units_total gmail spent", DebugValue::Counter(20)),
        ];
        let expected = expected.map(|(name, value)| (format!("polypost_project_{name}"), value));
        assert_eq!(told, BTreeMap::from(expected));
    }
}
