use gateway_operations::{SendOutcome, SentView};
use serde::Serialize;
use utoipa::ToSchema;

use super::literals::{FailedStep, OkStatus, ProcessingStatus, SendStatus};

/// A message that went out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EmailSendResponse {
    /// It went out.
    status: OkStatus,
    #[serde(flatten)]
    sent: Sent,
}

/// A draft that went out or will.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EmailDraftSendResponse {
    /// Whether it went out or will.
    status: SendStatus,
    #[serde(flatten)]
    sent: Sent,
}

/// What is known of a message that went out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Sent {
    /// Its id, with `returnIds`.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    /// Its conversation, with `returnIds`.
    #[serde(skip_serializing_if = "Option::is_none")]
    thread_id: Option<String>,
    /// Its `Message-ID`, with angle brackets.
    #[serde(skip_serializing_if = "Option::is_none")]
    submitted_message_id: Option<String>,
    /// Its tracking. Nothing is tracked: never there.
    #[serde(skip_serializing_if = "Option::is_none")]
    tracking_id: Option<String>,
    /// Whether everything after it was done too.
    #[serde(skip_serializing_if = "Option::is_none")]
    processing_status: Option<ProcessingStatus>,
    /// What was not.
    #[serde(skip_serializing_if = "Option::is_none")]
    processing_error: Option<EmailSendError>,
}

/// What went wrong after a message went out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EmailSendError {
    /// Steps that failed.
    failed_steps: Vec<FailedStep>,
    /// Why, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    error_message: Option<String>,
}

impl From<SentView> for Sent {
    fn from(view: SentView) -> Self {
        let complete = view.failed_steps.is_empty() && view.error_message.is_none();
        let error = EmailSendError {
            failed_steps: view.failed_steps.into_iter().map(Into::into).collect(),
            error_message: view.error_message,
        };
        Self {
            id: view.id.map(|id| id.to_string()),
            thread_id: view.thread.map(|id| id.to_string()),
            submitted_message_id: view.submitted_message_id,
            tracking_id: None,
            processing_status: Some(match complete {
                true => ProcessingStatus::Ok,
                false => ProcessingStatus::Incomplete,
            }),
            processing_error: (!complete).then_some(error),
        }
    }
}

impl From<SentView> for EmailSendResponse {
    fn from(view: SentView) -> Self {
        Self {
            status: OkStatus::Ok,
            sent: view.into(),
        }
    }
}

impl From<SendOutcome> for EmailDraftSendResponse {
    fn from(outcome: SendOutcome) -> Self {
        match outcome {
            SendOutcome::Sent(view) => Self {
                status: SendStatus::Ok,
                sent: view.into(),
            },
            SendOutcome::Scheduled { .. } => Self {
                status: SendStatus::Scheduled,
                sent: Sent::default(),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use email_model::MessageId;
    use serde_json::{Value, json};

    use super::*;

    fn sent(view: SentView) -> Value {
        serde_json::to_value(EmailSendResponse::from(view)).unwrap()
    }

    #[test]
    fn what_is_not_known_of_a_sent_message_is_left_out() {
        let expected = json!({"status": "Ok", "processingStatus": "Ok"});
        assert_eq!(sent(SentView::default()), expected);
        let view = SentView {
            id: Some(MessageId(1)),
            submitted_message_id: Some("<a@x>".to_owned()),
            ..SentView::default()
        };
        let answer = sent(view);
        assert_eq!(answer["id"], "0000000000000001");
        assert_eq!(answer["submittedMessageId"], "<a@x>");
    }

    #[test]
    fn a_step_that_failed_makes_a_send_incomplete_and_not_failed() {
        use gateway_operations::FailedStep as Step;
        let view = SentView {
            failed_steps: vec![Step::Keywords, Step::ReturnIds],
            error_message: Some("why".to_owned()),
            ..SentView::default()
        };
        let expected = json!({
            "status": "Ok", "processingStatus": "Incomplete",
            "processingError": {"failedSteps": ["keywords", "returnIds"], "errorMessage": "why"},
        });
        assert_eq!(sent(view), expected);
        let refused_recipients = SentView {
            error_message: Some("why".to_owned()),
            ..SentView::default()
        };
        assert_eq!(sent(refused_recipients)["processingStatus"], "Incomplete");
    }

    #[test]
    fn a_scheduled_draft_has_not_been_processed() {
        let at = chrono::DateTime::UNIX_EPOCH;
        let scheduled = EmailDraftSendResponse::from(SendOutcome::Scheduled { at });
        let scheduled = serde_json::to_value(scheduled).unwrap();
        assert_eq!(scheduled, json!({"status": "Scheduled"}));
    }
}
