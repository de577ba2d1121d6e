/// Makes a test of every behaviour of the contract. `$make`: an `async fn() -> Fixture` beside it,
/// called for each test; `$open`: the [`crate::Opener`] of its fixtures. To stand at the root of a test program.
#[macro_export]
macro_rules! store_contract {
    ($make:ident, $open:ident) => {
        $crate::store_contract! { @cases $make;
            settings {
                migrations_may_run_again,
                processes_that_migrate_at_once_wait_for_each_other,
                a_setting_is_given_once,
                twenty_that_give_a_setting_at_once_get_one_value,
                it_tells_whether_anything_sealed_is_kept,
                it_answers_pings_until_it_is_closed,
                sizes_of_tables_grow_with_what_they_hold,
            }
            applications {
                an_application_is_found_by_its_client_id,
                putting_an_application_again_changes_what_it_may_do_alone,
                an_application_with_a_number_that_is_taken_is_refused,
                applications_are_listed_by_client_id,
                removing_an_application_removes_its_accounts,
            }
            accounts {
                an_account_reads_as_it_was_written,
                an_account_with_an_id_that_is_taken_is_refused,
                an_account_of_an_unknown_application_is_refused,
                an_update_changes_all_of_an_account_but_whose_it_is,
                the_state_of_credentials_is_noted,
                dead_credentials_stay_dead_until_the_account_is_updated,
                accounts_are_listed_in_pages_by_id,
                accounts_are_found_by_address_in_any_case_or_by_mailbox,
                accounts_of_all_applications_are_found_by_address_or_mailbox,
                accounts_to_synchronise_are_listed_by_id,
                removing_an_account_removes_all_that_is_kept_of_it,
            }
            tokens {
                a_token_leads_to_its_account,
                only_the_newest_tokens_are_kept,
                tokens_added_at_once_leave_the_number_to_keep,
                removed_tokens_lead_nowhere,
                a_token_that_is_taken_or_of_no_account_is_refused,
            }
            grants {
                a_grant_is_kept_with_its_account,
                an_update_leaves_the_grant_and_a_reconnection_replaces_it,
                a_grant_is_held_by_one_until_its_time_runs_out,
                of_many_that_want_a_grant_at_once_one_gets_it,
                a_grant_is_replaced_by_who_knows_its_version,
                of_many_that_replace_a_grant_at_once_one_does,
                the_state_of_a_grant_is_noted_at_its_version_alone,
                an_account_takes_its_grant_with_it,
            }
            sign_ins {
                a_sign_in_is_taken_once,
                of_many_that_take_a_sign_in_at_once_one_gets_it,
                a_sign_in_that_has_run_out_is_gone,
                an_application_takes_its_sign_ins_with_it,
                a_code_gives_one_token,
                a_code_that_comes_again_ends_its_token,
                of_many_that_redeem_a_code_at_once_at_most_one_gets_a_token,
                a_code_of_another_application_or_time_is_unknown,
                an_account_takes_its_codes_with_it,
            }
            drafts {
                a_draft_reads_as_it_was_written,
                a_message_is_one_draft_at_most,
                a_draft_is_written_at_its_version_alone,
                of_many_that_write_a_draft_at_once_one_does,
                a_removed_draft_is_gone,
                drafts_of_accounts_never_mix,
                an_account_takes_its_drafts_and_sends_with_it,
                an_application_takes_drafts_and_sends_with_it,
                a_reset_of_the_journal_leaves_drafts_and_sends,
            }
            sends {
                a_send_reads_as_it_was_written,
                a_key_is_given_to_one_send,
                of_fifty_that_open_a_key_at_once_one_does,
                sends_without_a_key_are_never_the_same,
                keys_of_accounts_never_meet,
                a_send_with_an_id_that_is_taken_or_of_no_account_is_refused,
                a_send_is_written_at_its_version_alone,
                of_many_that_write_a_send_at_once_one_does,
                a_content_of_two_mebibytes_is_kept_until_it_is_taken_away,
                the_last_send_of_a_draft_is_found,
                sends_at_their_end_are_forgotten_after_a_while,
                drafts_are_forgotten_with_the_send_by_which_they_went_out,
            }
            claims {
                a_send_is_claimed_when_it_is_due,
                the_longest_due_are_claimed_first,
                a_held_send_is_claimed_again_when_its_holder_counts_as_dead,
                a_send_is_never_given_to_two,
                a_held_send_is_prolonged_while_nobody_else_has_it,
                a_prolonged_send_is_written_at_the_version_it_had,
                of_who_prolongs_and_who_claims_at_once_one_gets_it,
                a_write_of_a_holder_that_lost_its_send_is_refused,
                a_send_that_is_given_back_is_claimed_again_at_once,
                a_send_without_a_time_is_never_claimed,
                the_next_time_is_that_of_the_first_that_may_be_claimed,
            }
            journals {
                a_journal_is_opened_once,
                many_that_open_a_journal_at_once_get_one,
                a_journal_of_no_account_is_not_found,
                a_record_reads_as_it_was_written,
                a_reset_forgets_all_that_a_journal_holds,
                a_commit_that_was_computed_before_a_reset_conflicts,
                a_reset_opens_a_journal_that_is_not_there,
            }
            commits {
                a_commit_raises_the_revision_by_one,
                a_commit_on_another_revision_conflicts_and_changes_nothing,
                counters_rise_where_a_commit_says_so,
                every_write_of_a_scope_raises_its_version,
                a_commit_that_is_fenced_changes_nothing,
                a_removed_scope_is_gone,
                folders_are_replaced_as_a_whole,
                a_message_is_inserted_or_replaced_whole,
                an_entry_is_inserted_or_pointed_elsewhere,
                an_entry_removed_and_given_in_one_commit_is_there,
                messages_are_forgotten,
                removals_are_forgotten_as_the_horizon_rises,
                a_refused_commit_leaves_removals_and_horizon,
                of_rows_given_twice_in_one_commit_the_last_counts,
                a_commit_of_thousands_of_rows_is_written_whole,
            }
            loads {
                an_empty_request_loads_the_journal,
                a_key_loads_its_message_with_all_entries,
                an_id_loads_its_message,
                a_message_id_loads_at_most_twenty_live_messages,
                a_provisional_thread_loads_its_live_messages,
                a_message_asked_for_in_many_ways_is_loaded_once,
                lists_of_two_thousand_are_loaded,
            }
            listings {
                a_walk_lists_messages_in_the_order_of_their_discovery,
                changes_are_listed_in_two_streams_by_seq,
                entries_of_a_scope_are_listed_in_the_order_of_their_keys,
                orphans_are_listed_by_id,
                a_conversation_is_listed_by_time_of_receipt,
                listings_of_an_account_without_a_journal_are_empty,
            }
            isolation {
                accounts_with_the_same_ids_never_mix,
                what_becomes_of_one_account_leaves_the_other,
            }
            text {
                odd_text_reads_as_it_was_written,
                great_values_read_as_they_were_written,
                extreme_and_empty_values_read_as_they_were_written,
                times_are_kept_to_the_millisecond,
            }
            concurrency {
                of_commits_on_one_revision_exactly_one_is_written,
                a_page_is_applied_by_one_of_many_workers,
                what_is_loaded_is_of_one_moment,
                pages_read_while_others_write_miss_no_message,
                accounts_are_written_side_by_side,
                a_removal_beside_commits_leaves_nothing,
            }
            leases {
                a_lease_is_refused_to_others_until_it_runs_out,
                a_lease_is_prolonged_by_its_holder,
                a_lease_given_back_is_free,
                of_many_that_want_a_lease_at_once_one_gets_it,
                a_lease_on_no_account_is_refused,
            }
            wakes {
                a_wake_is_heard_by_every_process,
                a_stream_begins_with_the_present,
                the_streams_end_when_the_store_is_closed,
            }
        }

        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn a_killed_process_loses_no_committed_change_and_leaves_no_half_commit() {
            let fixture = $make().await;
            let outcome = $crate::killed::parent(&fixture, "the_process_that_is_killed");
            outcome.await.unwrap();
        }

        /// Run by the test above.
        #[tokio::test]
        async fn the_process_that_is_killed() {
            $crate::killed::child($open).await.unwrap();
        }
    };
    (@cases $make:ident; $($about:ident { $($case:ident,)* })*) => {$(
        mod $about {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $case() {
                    let outcome = $crate::cases::$about::$case(&super::$make().await).await;
                    outcome.unwrap();
                }
            )*
        }
    )*};
}
