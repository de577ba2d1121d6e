//! What the API charges, in its own units: <https://developers.google.com/workspace/gmail/api/reference/quota>.

use std::collections::BTreeMap;

use email_provider::layers::{BudgetConfig, Rate};
use serde::Deserialize;

/// Methods that this backend calls, each with its own price.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Method {
    AttachmentsGet,
    DraftsCreate,
    DraftsDelete,
    DraftsGet,
    DraftsList,
    DraftsSend,
    DraftsUpdate,
    GetProfile,
    HistoryList,
    LabelsCreate,
    LabelsList,
    MessagesDelete,
    MessagesGet,
    MessagesList,
    MessagesModify,
    MessagesSend,
    MessagesTrash,
    SendAsList,
    Stop,
    Watch,
}

/// Which of the vendor's price lists applies to a project.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub(crate) enum Table {
    /// Projects made since May 2026.
    #[default]
    #[serde(rename = "2026-05")]
    Current,
    /// Projects that used the API between November 2025 and April 2026.
    #[serde(rename = "legacy")]
    Legacy,
}

impl Table {
    /// Units of one request.
    fn price(self, method: Method) -> u32 {
        match (method, self) {
            (Method::GetProfile | Method::LabelsList | Method::SendAsList, _) => 1,
            (Method::HistoryList, _) => 2,
            (
                Method::MessagesList
                | Method::MessagesModify
                | Method::LabelsCreate
                | Method::DraftsList,
                _,
            ) => 5,
            (Method::MessagesDelete | Method::DraftsCreate | Method::DraftsDelete, _) => 10,
            (Method::DraftsUpdate, _) => 15,
            (
                Method::MessagesGet
                | Method::AttachmentsGet
                | Method::MessagesTrash
                | Method::DraftsGet,
                Self::Current,
            ) => 20,
            (
                Method::MessagesGet
                | Method::AttachmentsGet
                | Method::MessagesTrash
                | Method::DraftsGet,
                Self::Legacy,
            ) => 5,
            (Method::Stop, _) => 50,
            (Method::Watch | Method::MessagesSend | Method::DraftsSend, _) => 100,
        }
    }

    /// Units a minute for each user of a project.
    fn user_units(self) -> u32 {
        match self {
            Self::Current => 6_000,
            Self::Legacy => 15_000,
        }
    }
}

/// The `quota` part of the configuration. Whatever is not given follows from the table.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Quota {
    /// The price list.
    table: Table,
    /// Units a minute for each mailbox.
    user_units: Option<u32>,
    /// Units a minute for all mailboxes of this gateway.
    project_units: u32,
    /// Units of a mailbox that background work leaves for who waits.
    reserve: Option<u32>,
    /// Requests of one mailbox at the same time, and how many of them may be background work.
    concurrency: usize,
    background_concurrency: usize,
    /// Other prices, by method.
    units: BTreeMap<Method, u32>,
    /// Milliseconds of the first pause after a throttled request that names none; doubled each time.
    throttle_pause_ms: u64,
}

impl Default for Quota {
    fn default() -> Self {
        Self {
            table: Table::default(),
            user_units: None,
            project_units: 1_200_000,
            reserve: None,
            concurrency: 8,
            background_concurrency: 4,
            units: BTreeMap::new(),
            throttle_pause_ms: 1_000,
        }
    }
}

impl Quota {
    const MINUTE: u32 = 60;

    /// Units of one request.
    pub(crate) fn units(&self, method: Method) -> u32 {
        let given = self.units.get(&method).copied();
        given.unwrap_or_else(|| self.table.price(method))
    }

    /// First pause after a throttled request that names none.
    pub(crate) fn throttle_pause(&self) -> std::time::Duration {
        std::time::Duration::from_millis(self.throttle_pause_ms)
    }

    /// How many requests of this price may be one: no more than a sixth of a mailbox's budget, so that a batch
    /// of background work fits beside what is kept for who waits.
    pub(crate) fn batch(&self, method: Method) -> usize {
        let units = self.user_units.unwrap_or_else(|| self.table.user_units());
        let most = units / 6 / self.units(method).max(1);
        usize::try_from(most).unwrap_or(usize::MAX).max(1)
    }

    /// A mailbox's budget. A sixth is kept for who waits: at today's prices fifty messages.
    pub(crate) fn account(&self) -> BudgetConfig {
        let units = self.user_units.unwrap_or_else(|| self.table.user_units());
        BudgetConfig {
            concurrency: self.concurrency,
            background_concurrency: self.background_concurrency,
            rate: Some(Rate {
                units,
                window_seconds: Self::MINUTE,
                reserve: self.reserve.unwrap_or(units / 6),
            }),
        }
    }

    /// The budget of all mailboxes together.
    pub(crate) fn project(&self) -> BudgetConfig {
        BudgetConfig {
            concurrency: usize::MAX,
            background_concurrency: usize::MAX,
            rate: Some(Rate {
                units: self.project_units,
                window_seconds: Self::MINUTE,
                reserve: self.project_units / 6,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_can_be_chosen_one_by_one() {
        let usual = Quota::default();
        assert_eq!(usual.units(Method::MessagesGet), 20);
        assert_eq!(usual.account().rate.unwrap().units, 6_000);
        assert_eq!(usual.batch(Method::MessagesGet), 50);
        let text = r#"{"table": "legacy", "units": {"messages_get": 7}, "reserve": 3}"#;
        let chosen: Quota = serde_json::from_str(text).unwrap();
        assert_eq!(chosen.units(Method::MessagesGet), 7);
        assert_eq!(chosen.units(Method::AttachmentsGet), 5);
        let rate = chosen.account().rate.unwrap();
        assert_eq!((rate.units, rate.reserve), (15_000, 3));
        assert!(serde_json::from_str::<Quota>(r#"{"units": {"no_method": 1}}"#).is_err());
    }
}
