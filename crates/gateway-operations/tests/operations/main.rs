//! Accounts, reading and writing, over a mailbox in memory and a store in a file.

#![expect(clippy::unwrap_used, reason = "a helper of a test may end it")]

mod accounts;
mod bounds;
mod client;
mod conversations;
mod drafts;
mod folders;
mod harness;
mod identity;
mod keyed_drafts;
mod listing;
mod pages;
mod readiness;
mod reading;
mod removals;
mod replies;
mod send_leases;
mod sending;
mod writing;

/// Servers run calls on whichever thread is free.
#[test]
fn every_call_can_go_on_on_another_thread() {
    fn check<T: Send>(
        _: impl FnOnce(gateway_operations::Gateway, gateway_operations::Account) -> T,
    ) {
    }
    check(async |gateway, account| drop(gateway.folders(&account).await));
    check(async |gateway, account| drop(gateway.well_known(&account).await));
    check(async |gateway, account| {
        drop(gateway.set_well_known(&account, Default::default()).await)
    });
    check(async |gateway, account| {
        drop(gateway.create_folder(&account, String::new(), None).await)
    });
    check(async |gateway, account| drop(gateway.list_messages(&account, Default::default()).await));
    check(async |gateway, account| {
        drop(
            gateway
                .message(&account, email_model::MessageId(1), Default::default())
                .await,
        );
    });
    check(async |gateway, account| drop(gateway.raw(&account, email_model::MessageId(1)).await));
    check(async |gateway, account| {
        let part = email_model::PartId::from_path(&[1]);
        drop(
            gateway
                .attachment(&account, email_model::MessageId(1), &part, None)
                .await,
        );
    });
    check(async |gateway, account| {
        drop(
            gateway
                .update_status(&account, email_model::MessageId(1), Default::default())
                .await,
        );
    });
    check(async |gateway, account| {
        drop(
            gateway
                .delete_message(&account, email_model::MessageId(1), true)
                .await,
        );
    });
    check(async |gateway, account| {
        drop(
            gateway
                .conversation(&account, email_model::ThreadId(1), None, None, None)
                .await,
        );
    });
    check(async |gateway, account| {
        drop(
            gateway
                .send_message(&account, Default::default(), Default::default())
                .await,
        );
    });
    check(async |gateway, account| {
        let draft = email_model::DraftId(1);
        drop(
            gateway
                .send_draft(&account, draft, None, Default::default())
                .await,
        );
    });
    check(async |gateway, account| {
        let draft = email_model::DraftId(1);
        drop(
            gateway
                .update_draft(&account, draft, Default::default())
                .await,
        );
    });
    check(async |gateway, account| drop(gateway.account_view(account, true).await));
    check(async |gateway, account| drop(gateway.delete_account(&account).await));
    check(async |gateway, _| drop(gateway.remove_application("").await));
}
