use email_mime::compose::Purpose;
use email_model::{FolderKey, FolderRole, OutgoingMessage};
use email_provider::{
    Detail, DraftRef, Drafts, Entry, KeptDraft, MessageRef, Outgoing, ProviderResult, Submission,
    Submitted, Submitter,
};

use crate::{Bench, Delivered, Replica, call, outgoing::outgoing};

/// What is handed over to be sent: the message, or the draft made of it where the mailbox sends drafts
/// alone.
#[derive(Debug)]
pub enum Handed {
    /// A message.
    Message(Box<Outgoing>),
    /// A draft.
    Draft(DraftRef),
}

impl Handed {
    /// To be submitted, and to be filed.
    pub fn submission(&self) -> Submission<'_> {
        match self {
            Self::Message(outgoing) => Submission::Message(outgoing),
            Self::Draft(draft) => Submission::Draft(draft),
        }
    }

    /// The draft that it is.
    pub fn draft(&self) -> Option<&DraftRef> {
        match self {
            Self::Message(_) => None,
            Self::Draft(draft) => Some(draft),
        }
    }
}

/// Sending and drafts. Each behaviour first asks for the facet: whether there is one is what the harness
/// says, so that a mailbox that sends is never left untried.
impl Bench {
    /// What sends, if anything does.
    pub fn submitter(&self) -> Option<&dyn Submitter> {
        let submitter = self.provider.submitter();
        assert_eq!(
            submitter.is_some(),
            self.facts.sends,
            "the mailbox has a submitter exactly where HarnessFacts::sends"
        );
        submitter
    }

    /// What keeps drafts, if anything does.
    pub fn drafts(&self) -> Option<&dyn Drafts> {
        let drafts = self.provider.drafts();
        assert_eq!(
            drafts.is_some(),
            self.facts.drafts,
            "the mailbox keeps drafts exactly where HarnessFacts::drafts"
        );
        drafts
    }

    /// Makes what can be handed over.
    pub async fn handed(&self, outgoing: Outgoing) -> ProviderResult<Handed> {
        if !self.sender().limits().drafts_only {
            return Ok(Handed::Message(Box::new(outgoing)));
        }
        let drafts = self.drafts().expect("who sends drafts alone keeps drafts");
        let kept = drafts.create(call(), &outgoing).await?;
        Ok(Handed::Draft(kept.draft))
    }

    fn sender(&self) -> &dyn Submitter {
        self.submitter().expect("a mailbox that sends")
    }

    /// Sends a message that the backend takes.
    pub async fn send(&self, outgoing: Outgoing) -> (Handed, Submitted) {
        let handed = self.handed(outgoing).await.expect("a draft");
        let submitted = self.sender().submit(call(), handed.submission()).await;
        let submitted = submitted.expect("a message that is sent");
        assert!(
            submitted.receipt.len() <= 4 << 10,
            "a receipt has at most 4 KiB"
        );
        (handed, submitted)
    }

    /// Asks for the sender's copy until it is there. `None` where the mailbox has no place for it.
    pub async fn filed(&self, handed: &Handed, submitted: &Submitted) -> Option<MessageRef> {
        let has_place = self.role(FolderRole::Sent).await.is_some();
        self.eventually("the sender's copy is there", async || {
            let filed = self
                .sender()
                .file(call(), handed.submission(), submitted)
                .await
                .map_err(|error| error.to_string())?;
            match filed.is_some() == has_place {
                true => Ok(filed),
                false => Err(format!("{filed:?}")),
            }
        })
        .await
    }

    /// Sends a message and sees to the sender's copy.
    pub async fn sent(&self, outgoing: Outgoing) -> Option<MessageRef> {
        let (handed, submitted) = self.send(outgoing).await;
        self.filed(&handed, &submitted).await
    }

    /// Waits until everybody has got a message, and nobody twice; what they got.
    pub async fn delivered(&self, message_id: &str, to: &[String]) -> Vec<Delivered> {
        let mut expected = to.to_vec();
        expected.sort();
        self.eventually("a message is delivered", async || {
            let delivered = self.harness.delivered(message_id).await;
            let all = delivered.iter().flat_map(|one| one.recipients.clone());
            let mut all: Vec<String> = all.collect();
            all.sort();
            match all == expected {
                true => Ok(delivered),
                false => Err(format!("{all:?} got it, not {expected:?}")),
            }
        })
        .await
    }

    /// Sends another message and waits until it has arrived: whatever was handed over before it would have
    /// arrived as well.
    pub async fn settle_down(&self) {
        let letter = crate::letter(self, "afterwards");
        let outgoing = outgoing(&letter, Purpose::Send);
        let to = outgoing.envelope.recipients.clone();
        self.send(outgoing).await;
        self.delivered(&letter.message_id, &to).await;
    }

    /// Every message of this `Message-ID` in a folder.
    pub async fn copies(&self, folder: &FolderKey, message_id: &str) -> Vec<MessageRef> {
        let refs = self.list(folder).await;
        let fetched = self
            .provider
            .fetch(call(), &refs, Detail::Envelope)
            .await
            .expect("envelopes");
        let is_it = |id: Option<String>| id.as_deref() == Some(message_id);
        fetched
            .into_iter()
            .filter(|message| is_it(message.envelope.clone().and_then(|e| e.message_id)))
            .map(|message| message.at)
            .collect()
    }

    /// The messages of this `Message-ID` in the folder of a role; none where there is no such folder.
    pub async fn copies_in(&self, role: FolderRole, message_id: &str) -> Vec<MessageRef> {
        match self.role(role).await {
            Some(folder) => self.copies(&folder, message_id).await,
            None => Vec::new(),
        }
    }

    /// Waits until the folder of a role shows these messages of a `Message-ID`, and no others: a server's
    /// lists may be behind what was done.
    pub async fn shows(&self, role: FolderRole, message_id: &str, expected: &[MessageRef]) {
        self.eventually("a folder shows what is in it", async || {
            match self.copies_in(role, message_id).await {
                copies if copies == expected => Ok(()),
                copies => Err(format!("{copies:?}, not {expected:?}")),
            }
        })
        .await;
    }

    /// Keeps a draft.
    pub async fn draft(&self, message: &OutgoingMessage) -> KeptDraft {
        let drafts = self.drafts().expect("a mailbox that keeps drafts");
        let kept = drafts
            .create(call(), &outgoing(message, Purpose::Draft))
            .await;
        let kept = kept.expect("a draft");
        check(&kept);
        kept
    }

    /// Puts another content into the place of a draft's.
    pub async fn redraft(&self, draft: &DraftRef, message: &OutgoingMessage) -> KeptDraft {
        let drafts = self.drafts().expect("a mailbox that keeps drafts");
        let kept = drafts
            .replace(call(), draft, &outgoing(message, Purpose::Draft))
            .await;
        let kept = kept.expect("a draft");
        check(&kept);
        kept
    }

    /// A copy of every scope.
    pub async fn replicas(&self) -> Vec<Replica> {
        let survey = self.provider.survey(call(), &[]).await.expect("a survey");
        let mut replicas = Vec::new();
        for scope in survey.scopes {
            replicas.push(Replica::scan(self, &scope.key, 100, async || {}).await);
        }
        replicas
    }

    /// Waits until the feed tells of a message, last told last.
    pub async fn told(&self, replicas: &mut [Replica], at: &MessageRef) -> Entry {
        let replica = replicas
            .iter_mut()
            .find(|replica| replica.scope == at.scope);
        let replica = replica.expect("a scope that there was before");
        let mut told: Option<Entry> = None;
        for _ in 0..1000 {
            let page = replica.changes(self).await.expect("changes");
            for entry in page.entries.iter().filter(|entry| entry.key == at.key) {
                let revised = entry.revised || told.is_some_and(|told| told.revised);
                told = Some(Entry {
                    revised,
                    ..entry.clone()
                });
            }
            match (replica.apply(page), told) {
                (true, Some(told)) => return told,
                (false, so_far) => told = so_far,
                (true, None) => {
                    told = None;
                    tokio::time::sleep(self.facts.patience / 200).await;
                }
            }
        }
        panic!("the feed tells of what is there");
    }
}

fn check(kept: &KeptDraft) {
    let length = kept.draft.0.len();
    assert!((1..=4 << 10).contains(&length), "{length} octets");
    let link = kept.web_link.as_deref();
    assert!(link.is_none_or(|link| link.starts_with("https://")));
}
