/// Makes one test of each behaviour. The argument is evaluated in each test, within an async
/// function, and must give a [`Harness`](crate::Harness) with a fresh mailbox.
///
/// ```ignore
/// mod dovecot {
///     provider_conformance::provider_conformance!(DovecotHarness::start().await);
/// }
/// ```
#[macro_export]
macro_rules! provider_conformance {
    ($harness:expr) => {
        $crate::conformance_tests! { $harness =>
            folders {
                keys_of_folders_are_distinct_and_parents_are_listed,
                a_role_is_had_by_at_most_one_folder,
                roles_told_at_sign_in_are_those_of_the_folders,
                a_folder_made_at_the_server_is_listed_with_its_path,
                a_renamed_folder_is_listed_under_its_new_name,
                a_deleted_folder_is_not_listed,
            }
            searching {
                an_empty_query_lists_every_message_once_newest_first,
                a_listing_goes_on_while_mail_arrives_and_goes,
                a_message_marked_as_deleted_is_not_found,
                trash_and_junk_are_searched_only_when_asked_for,
                a_search_in_one_folder_finds_nothing_elsewhere,
                a_search_goes_on_over_another_connection,
            }
            terms {
                every_term_is_applied_or_unchecked_or_refused,
                every_negated_term_is_applied_or_unchecked_or_refused,
                several_terms_must_all_hold,
            }
            fetching {
                messages_come_in_the_order_asked_for,
                absent_messages_are_left_out,
                a_message_marked_as_deleted_is_absent,
                a_message_named_twice_is_answered,
                each_detail_tells_what_it_promises,
                nothing_is_marked_as_read,
                the_state_is_that_of_the_server,
                many_messages_are_fetched_at_once,
            }
            content {
                the_raw_message_is_served_byte_for_byte,
                a_large_message_is_served_whole,
                an_envelope_says_what_the_message_says,
                the_content_holds_both_texts_and_the_headers,
                an_attachment_is_decoded,
                a_range_of_an_attachment_is_served,
                what_does_not_exist_is_not_found,
            }
            scans {
                the_pages_of_a_scan_cover_every_entry,
                a_scan_of_envelopes_begins_with_the_newest,
                a_window_is_never_narrowed,
                a_proof_names_every_entry,
                scans_and_searches_use_the_same_keys,
                what_a_scan_tells_of_an_entry_is_true,
                a_scan_goes_on_over_another_connection,
                a_message_marked_as_deleted_is_not_scanned,
            }
            surveys {
                a_survey_names_every_folder_and_scope,
                a_scope_without_a_cursor_counts_as_moved,
                a_scope_that_changed_counts_as_moved,
                a_scope_that_did_not_move_has_no_changes,
            }
            feed {
                nothing_is_lost_between_the_beginning_and_the_scan,
                the_same_cursor_can_be_asked_twice,
                a_cursor_is_good_on_another_connection,
                a_new_message_is_an_entry,
                a_removed_message_is_told,
                marking_as_deleted_removes_and_unmarking_brings_back,
                a_scope_that_is_gone_is_not_found,
            }
            loss {
                a_forgotten_cursor_is_expired,
                reset_keys_expire_the_cursor,
                an_old_key_never_yields_another_message,
                a_meaningless_cursor_is_expired,
                a_meaningless_position_in_a_scan_is_expired,
                a_meaningless_position_in_a_search_is_expired,
            }
            histories {
                any_history_can_be_replayed_from_any_cursor,
                changes_are_complete_while_mail_keeps_changing,
                a_scan_and_its_changes_are_complete_while_mail_keeps_changing,
            }
            writing {
                flags_are_set_and_cleared_and_others_stay,
                keywords_are_replaced_or_refused,
                a_message_is_moved_to_a_folder,
                a_message_is_archived_and_brought_back,
                all_of_an_edit_is_done,
                a_folder_is_created_once,
                own_writes_are_told_as_changes,
            }
            removing {
                a_message_is_put_into_the_trash_and_stays_there,
                a_message_is_removed_for_good_and_no_other,
                writing_to_an_absent_message_is_not_found,
            }
            identity {
                identity_survives_a_move,
                different_messages_have_different_identities,
                feed_and_fetch_tell_the_same_identity,
                a_reply_belongs_to_the_conversation,
            }
            submitting {
                a_message_reaches_every_recipient_once,
                nobody_is_told_of_hidden_recipients,
                a_message_with_a_large_attachment_arrives_whole,
                a_refused_recipient_does_not_keep_the_others_from_it,
                a_message_that_nobody_may_get_is_refused,
                the_limits_are_positive_and_kept,
                what_was_sent_is_proven_and_nothing_else,
                a_call_to_send_ends_with_its_deadline,
                a_lost_connection_never_sends_twice,
            }
            filing {
                the_senders_copy_is_filed_once,
                the_senders_copy_is_told_by_the_feed,
                an_answer_that_is_sent_is_in_the_conversation,
            }
            drafting {
                a_draft_is_kept_as_it_was_written,
                a_replaced_draft_is_one_draft_with_the_new_content,
                a_replaced_draft_is_told_by_the_feed,
                a_discarded_draft_is_gone,
                a_draft_changed_by_somebody_else_is_a_conflict,
                a_draft_is_found_by_message_and_by_message_id,
                a_draft_of_another_program_is_a_draft,
                a_draft_is_good_on_another_connection,
                a_meaningless_draft_is_refused,
                a_call_for_a_draft_ends_with_its_deadline,
            }
            sending_drafts {
                a_draft_that_is_sent_is_none_any_more,
                a_draft_is_sent_as_it_is_now,
                a_draft_that_is_gone_is_not_sent,
                a_draft_changed_by_somebody_else_is_not_sent,
                a_draft_that_names_nobody_is_not_sent,
            }
            calls {
                calls_at_the_same_time_are_all_answered,
                a_call_ends_with_its_deadline,
                dropped_calls_leave_the_mailbox_usable,
                a_lost_connection_is_never_a_short_answer,
                a_dropped_transfer_leaves_the_mailbox_usable,
                a_watch_hints_at_new_mail,
                errors_are_short_and_clean,
                closing_one_connection_leaves_another_alone,
            }
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! conformance_tests {
    ($harness:expr => $($group:ident { $($behaviour:ident,)* })*) => {
        $($(
            #[tokio::test]
            async fn $behaviour() {
                $crate::$group::$behaviour(&$crate::Bench::new($harness).await).await;
            }
        )*)*
    };
}
